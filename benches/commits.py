#!/usr/bin/env python3
"""What a table of many commits costs: commits one after the other, and planning one partition of it.

    cargo build --release -p hosu-cli
    python3 benches/commits.py --hosu target/release/hosu

Each commit is a process of its own (`hosu ingest`) that adds ten files, one for each of ten days. The days of a commit
are drawn from a hundred days (`--order scattered`: no manifest can be left out by its range of days) or go on with time
(`--order time`). Prints Markdown. Standard library only.
"""

import argparse
import json
import pathlib
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

DAYS = 100
START = 1_735_689_600  # 2025-01-01


def day_text(day):
    return time.strftime("%Y-%m-%d", time.gmtime(START + day * 86_400))


def days_of(commit, order, chance, partitions):
    if order == "time":
        first = commit * DAYS // 1000
        return [first + step for step in range(partitions)]
    return chance.sample(range(DAYS), partitions)


def lines(commit, days, chance):
    for day in days:
        for second in range(3):
            yield json.dumps({
                "event_id": f"{commit}-{day}-{second}",
                "event_time": f"{day_text(day)}T12:00:0{second}Z",
                "user_id": chance.randrange(100_000),
                "event_type": chance.choice(["view", "click", "buy"]),
                "amount": round(chance.random() * 100, 2),
                "device": {"os": chance.choice(["ios", "android"]), "version": chance.randrange(20)},
            })


def run(command):
    """Milliseconds on the clock, milliseconds of processors, and what it printed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    elapsed, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return elapsed * 1000, busy * 1000, done.stdout


def objects(text):
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        found, at = decoder.raw_decode(text, at)
        yield found
        while at < len(text) and text[at].isspace():
            at += 1


def commit_all(hosu, folder, options):
    chance = random.Random(7)
    took = []
    for commit in range(options.commits):
        source = folder / "in.json"
        days = days_of(commit, options.order, chance, options.partitions)
        source.write_text("\n".join(lines(commit, days, chance)) + "\n")
        elapsed, busy, _ = run([hosu, "--lake", folder / "lake", "ingest", "t", source, "--on-changed", "new",
                                "--partition-by", "day(event_time)"])
        took.append((elapsed, busy))
    return took


def plan(hosu, folder, runs):
    """Cold: a process that plans and ends. Warm: the same statement for another day in a process that planned before."""
    def statement(day):
        return (f"explain select count(user_id) from t where event_time >= timestamp '{day_text(day)} 00:00:00 UTC' "
                f"and event_time < timestamp '{day_text(day + 1)} 00:00:00 UTC'")
    command = [hosu, "--lake", folder / "lake", "--output", "json", "sql", "-c"]
    cold, warm = [], []
    for number in range(runs):
        elapsed, busy, _ = run([*command, statement(40 + number % 20)])
        cold.append((elapsed, busy))
        _, busy_in_all, out = run([*command, ";".join(statement(40 + (number + step) % 20) for step in range(11))])
        each = [answer["stats"]["elapsed_ms"] for answer in objects(out)]
        warm.extend((elapsed, max(0.0, busy_in_all - busy) / 10) for elapsed in each[1:])
    return cold, warm


def row(what, took):
    elapsed, busy = [pair[0] for pair in took], [pair[1] for pair in took]
    print(f"| {what} | {statistics.median(elapsed):.1f} | {max(elapsed):.1f} | {statistics.median(busy):.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosu", default="target/release/hosu")
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--partitions", type=int, default=10)
    parser.add_argument("--order", choices=["scattered", "time"], default="scattered")
    parser.add_argument("--folder", help="where the lake is made and kept; an existing one is only planned on")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    hosu = str(pathlib.Path(options.hosu).resolve())
    folder = pathlib.Path(options.folder or tempfile.mkdtemp(prefix="hosu-commits-"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{options.commits} commits of {options.partitions} files, {options.order}\n")
    print("| what | ms, median | ms, greatest | ms of CPU, median |\n|---|---|---|---|")
    if not (folder / "lake").exists():
        took = commit_all(hosu, folder, options)
        tail = min(100, max(1, len(took) // 2))
        row(f"`hosu ingest`, the first {tail}", took[:tail])
        row(f"`hosu ingest`, the last {tail}", took[-tail:])
    cold, warm = plan(hosu, folder, options.runs)
    row("explain, a process of its own", cold)
    row("explain, later in the same process", warm)
    metadata = sorted(folder.glob("lake/warehouse/**/*.metadata.json"))
    kept = sum(1 for _ in folder.glob("lake/warehouse/**/*.avro"))
    print(f"\n{len(metadata)} metadata files, the last of {metadata[-1].stat().st_size / 1024:.0f} KiB; {kept} Avro files.")
    if not options.folder:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
