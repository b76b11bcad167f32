#!/usr/bin/env python3
"""What jobs cost: a run over new rows beside one over all, the check of many jobs, a scheduler with nothing to do.

    cargo build --release -p hosu-cli
    python3 benches/events.py ...                                   # or any file of events with event_time, type, user_id
    python3 benches/jobs.py --hosu target/release/hosu --events FILE

FILE (1,000,000 events) is loaded `--times` times over, then 1 % of it again before each run. Prints Markdown, medians of
`--repeat` runs. Bytes are those that `hosu job run --output json` tells, CPU seconds the system's count. Standard library only.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

KEYS = """/* hosu:job
target = "{target}"
mode = "{mode}"
{more}*/
"""
COLUMNS = "select event_id, event_time, user_id, type from raw.events where type = '{kind}'"


def run(command, good=(0,)):
    before, start = os.times(), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    seconds, after = time.monotonic() - start, os.times()
    if done.returncode not in good:
        raise SystemExit(f"{command} failed:\n{done.stderr.decode()}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": seconds, "cpu": cpu, "out": done.stdout}


def job(folder, name, mode, select, more=""):
    (folder / f"{name}.sql").write_text(KEYS.format(target=f"curated.{name}", mode=mode, more=more) + select + "\n")


class Lake:
    def __init__(self, hosu, folder):
        self.jobs = folder / "jobs"
        self.jobs.mkdir()
        self.base = [hosu, "--lake", str(folder / "lake")]

    def hosu(self, *words, good=(0,)):
        return run(self.base + list(words), good)

    def ingest(self, file):
        return self.hosu("ingest", "raw.events", str(file), "--reingest", "--partition-by", "day(event_time)")

    def run_job(self, name, *more):
        took = self.hosu("job", "run", name, "--jobs", str(self.jobs), "--output", "json", *more)
        took["run"] = json.loads(took["out"])["runs"][0]
        return took


def new_against_all(lake, events, times, repeat):
    part = lake.jobs.parent / "part.ndjson"
    with open(events, "rb") as source, open(part, "wb") as out:
        for _ in range(10_000 * times):
            out.write(source.readline())
    for _ in range(times):
        lake.ingest(events)
    kind = "login"
    job(lake.jobs, "by_append", "append", COLUMNS.format(kind=kind))
    job(lake.jobs, "by_full", "full", COLUMNS.format(kind=kind))
    took = {name: [] for name in ("by_append", "by_full")}
    for name in list(took):
        took[f"{name}, first"] = [lake.run_job(name)]
    for _ in range(repeat):
        lake.ingest(part)
        for name in ("by_append", "by_full"):
            took[name].append(lake.run_job(name))
    idle = {"nothing new": [lake.run_job("by_append") for _ in range(repeat)]}
    return {**took, **idle}


def many_jobs(lake, count, repeat):
    folder = lake.jobs.parent / "many"
    folder.mkdir()
    job(folder, "j0", "append", COLUMNS.format(kind="login"))
    for number in range(1, count):
        # Seven levels deep, each job of a level reads one of the level above.
        above = f"curated.j{(number - 1) // 3}"
        job(folder, f"j{number}", "append", f"select event_id, user_id, event_time from {above} where user_id % 7 <> {number % 7}")
    return [lake.hosu("job", "check", "--jobs", str(folder)) for _ in range(repeat)]


def idle(lake, jobs, seconds):
    """CPU milliseconds a second of a scheduler with these jobs and nothing to do."""
    process = subprocess.Popen(lake.base + ["schedule", "--jobs", str(jobs)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def cpu_ms():
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    time.sleep(10)
    before = cpu_ms()
    time.sleep(seconds)
    used = cpu_ms() - before
    process.terminate()
    process.wait()
    return used / seconds


def show(name, took):
    seconds = statistics.median(one["seconds"] for one in took)
    cpu = statistics.median(one["cpu"] for one in took)
    run = took[-1].get("run", {})
    mib = f"{run['bytes_read'] / (1 << 20):,.1f}" if "bytes_read" in run else ""
    rows = f"{run['rows_written']:,}" if "rows_written" in run else ""
    print(f"| {name} | {seconds:.3f} | {cpu:.2f} | {mib} | {rows} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosu", default="target/release/hosu")
    parser.add_argument("--events", required=True)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--idle", type=int, default=60, help="seconds")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hosu-jobs-"))
    try:
        lake = Lake(os.path.abspath(options.hosu), folder)
        print("| what | seconds | CPU s | MiB read | rows written |\n|---|---|---|---|---|")
        for name, took in new_against_all(lake, options.events, options.times, options.repeat).items():
            show(name, took)
        show(f"check of {options.jobs:,} jobs", many_jobs(lake, options.jobs, options.repeat))
        print(f"\nA scheduler with 2 jobs and nothing to do: {idle(lake, lake.jobs, options.idle):.2f} ms CPU a second.")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
