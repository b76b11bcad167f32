#!/usr/bin/env python3
"""Runs ours and other engines on the same events and says what each took.

    run.py                                   everything, in about 25 minutes on two cores
    run.py --only queries --repeat 3         one section: ingest, queries or start
    run.py --only ingest --events 300000     a quick look
    run.py --write docs/benchmarks.md        put all sections measured so far into the page

Each thing that is measured is a process of its own, started in turn (one round after the other, never all runs of one
engine together), held to two cores and measured from outside: wall time by this script's clock, CPU seconds and peak memory
by the system (wait4). Figures are medians. Events, peers and results are kept in --cache, so that a second run goes on
where the first one ended. Standard library only; the peers come from PyPI into a virtual environment in the cache.
"""

import argparse
import glob
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import report

HERE = pathlib.Path(__file__).resolve().parent
PEERS = {"datafusion": "54.1.0", "duckdb": "1.5.5", "polars": "2.1.0", "chdb": "4.4.0", "pyarrow": "26.0.1",
         "pytz": "2026.6"}
ENGINES = ["hosu", "datafusion", "duckdb", "clickhouse", "polars"]
QUERIES = ["hours", "top_users", "distinct", "percentiles", "funnel", "sessions", "join", "like", "regex", "lookup",
           "nested", "lists", "day_over_day", "latest"]
SHAPES = {"one file": "events.ndjson", "1,000 files": "parts/*.ndjson", "one gzip": "events.ndjson.gz",
          "flat events": "flat.ndjson", "lines of a log": "logs.ndjson", "500 fields": "wide.ndjson"}
# Shapes that other_events.py makes: the kind, and for how many of --events there is one.
OTHER_KINDS = {"flat events": ("flat", 1), "lines of a log": ("logs", 1), "500 fields": ("wide", 25)}
MEMORY_GIB = 8
CORES = 2
# The number of the event that is looked up, as a share of all of them.
LOOKUP_AT = 0.617


def main():
    given = arguments()
    bench = Bench(given)
    for section in given.only:
        print(f"== {section}", file=sys.stderr)
        bench.results[section] = getattr(bench, section)()
        bench.save()
    page = report.markdown(bench.results)
    if given.write:
        report.put_into(pathlib.Path(given.write), page)
    print(page)
    if any(report.disagreements(bench.results)):
        sys.exit("engines disagree: see above")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=lambda text: text.split(","), default=["ingest", "queries", "start"],
                        help="sections, with commas between them; `none` only prints what was measured before")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000_000, help="events to ingest")
    parser.add_argument("--query-events", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--engines", type=lambda text: text.split(","), default=ENGINES)
    parser.add_argument("--shapes", type=lambda text: text.split(","), default=list(SHAPES), help="sources of ingest")
    parser.add_argument("--queries", type=lambda text: text.split(","), default=QUERIES)
    parser.add_argument("--hosu", default=str(HERE.parent / "target/release/hosu"), help="the binary")
    parser.add_argument("--keep-lake", action="store_true", help="ask the lake that another binary has made")
    parser.add_argument("--cache", default=os.path.expanduser("~/.cache/hosu/benches"))
    parser.add_argument("--json", help="where the results are kept (results.json in the cache)")
    parser.add_argument("--write", metavar="PAGE", help="put the figures into this page")
    given = parser.parse_args()
    given.only = [] if given.only == ["none"] else given.only
    return given


class Bench:
    def __init__(self, given):
        self.given = given
        self.cache = pathlib.Path(given.cache)
        self.cache.mkdir(parents=True, exist_ok=True)
        self.path = pathlib.Path(given.json or self.cache / "results.json")
        self.results = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.scratch = self.cache / "scratch"
        if given.only:
            self.python = self.peers_python()
            self.results["machine"] = self.machine()

    def save(self):
        self.path.write_text(json.dumps(self.results, indent=1, ensure_ascii=False))

    # What is there before anything is measured.

    def peers_python(self):
        folder = self.cache / "venv"
        python = folder / "bin/python"
        wanted = [f"{name}=={version}" for name, version in PEERS.items()]
        mark = folder / "wanted.json"
        if not mark.exists() or json.loads(mark.read_text()) != wanted:
            subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True, stdout=sys.stderr)
            mark.write_text(json.dumps(wanted))
        return str(python)

    def machine(self):
        model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "") \
            if os.path.exists("/proc/cpuinfo") else platform.processor()
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        version = subprocess.run([self.given.hosu, "--version"], capture_output=True, text=True, check=True).stdout.strip()
        return {"cpu": model, "cpus": os.cpu_count(), "cores": CORES, "memory_gib": round(memory / 2**30),
                "system": f"{platform.system()} {platform.release()}", "hosu": version, "peers": PEERS,
                "limit_gib": MEMORY_GIB, "python": platform.python_version()}

    def events(self, events, name, *options, made_by=("events.py",), folder_of=None):
        """A source made of events, unless it is there."""
        folder = self.cache / f"events-{folder_of or events}-{self.given.days}"
        path = folder / name
        if not path.exists():
            folder.mkdir(exist_ok=True)
            made = folder / f"{name}.part"
            say(f"making {path}")
            subprocess.run([sys.executable, HERE / made_by[0], *made_by[1:], "--events", str(events), "--days",
                            str(self.given.days), *options, made], check=True)
            made.rename(path)
        return path

    def lake(self, events):
        """A lake with events and users, made by the binary that is measured."""
        lake, mark = self.cache / "lake", self.cache / "lake.json"
        binary = os.stat(self.given.hosu)
        wanted = [events, self.given.days, binary.st_size, binary.st_mtime_ns]
        found = json.loads(mark.read_text()) if mark.exists() else []
        if found == wanted or self.given.keep_lake and found[:2] == wanted[:2]:
            return lake
        shutil.rmtree(lake, ignore_errors=True)
        for table, source, options in [
            ("events", self.events(events, "events.ndjson"), ["--partition-by", "day(event_time)"]),
            ("users", self.events(events, "users.ndjson", "--users"), []),
        ]:
            subprocess.run([self.given.hosu, "--lake", lake, "ingest", table, source, *options], check=True, stdout=sys.stderr)
        mark.write_text(json.dumps(wanted))
        return lake

    # Ingest.

    def ingest(self):
        given = self.given
        results = {"events": given.events, "days": given.days, "repeat": given.repeat, "shapes": {}, "runs": {}}
        for shape in given.shapes:
            text, kind, events = self.make_shape(shape)
            results["shapes"][shape] = {"json_bytes": text.stat().st_size, "events": events}
            content = self.counted(f"read_ndjson('{text}')", kind)
            runs = {engine: [] for engine in given.engines}
            for turn in range(given.repeat):
                for engine in rotated(given.engines, turn):
                    measured = self.ingest_once(engine, shape, kind, content)
                    if measured:
                        runs[engine].append(measured)
                    say(f"{shape}, {engine}: {measured}")
            results["runs"][shape] = {engine: summary(runs[engine]) for engine in given.engines if runs[engine]}
        return results

    def make_shape(self, shape):
        """The text of a shape as one file, what kind of events it has, and how many."""
        events = self.given.events
        if shape in OTHER_KINDS:
            kind, share = OTHER_KINDS[shape]
            return self.events(events // share, SHAPES[shape], made_by=["other_events.py", kind], folder_of=events), kind, events // share
        if shape == "1,000 files":
            self.events(events, "parts", "--files", "1000")
        elif shape == "one gzip":
            self.events(events, "events.ndjson.gz", "--gzip")
        return self.events(events, "events.ndjson"), "nested", events

    def ingest_once(self, engine, shape, kind, content):
        sources = str(self.cache / f"events-{self.given.events}-{self.given.days}" / SHAPES[shape])
        shutil.rmtree(self.scratch, ignore_errors=True)
        out = self.scratch / "out"
        out.mkdir(parents=True)
        for path in glob.glob(sources):
            read_once(path)
        if engine == "hosu":
            line = [self.given.hosu, "--lake", str(out), "ingest", "events", sources, "--partition-by", "day(event_time)"]
        else:
            task = {"engine": engine, "kind": "ingest", "sources": sources, "out": str(out), "memory_gib": MEMORY_GIB,
                    "scratch": str(self.scratch)}
            line = [self.python, str(HERE / "peers.py"), json.dumps(task)]
        code, usage = measured(line, self.scratch / "said")
        if code:
            say(f"{engine} failed: {(self.scratch / 'said').read_text()[-2000:]}")
            return None
        files = glob.glob(f"{out}/**/*.parquet", recursive=True)
        found = self.counted(f"read_parquet({files}, hive_partitioning = false)", kind)
        if not content or not same([found], [content]):
            say(f"{engine} wrote something else: {found}, not {content}")
            return None
        return {**usage, "out_bytes": sum(os.path.getsize(file) for file in files), "files": len(files)}

    def counted(self, source, kind):
        """Counts and sums over events, the same for all who hold the same events; none where they are not to be had."""
        counted = subprocess.run([self.python, HERE / "peers.py", json.dumps({"kind": "count", "source": source, "of": kind})],
                                 capture_output=True, text=True)
        return json.loads(counted.stdout) if counted.returncode == 0 else []

    # Queries.

    def queries(self):
        given = self.given
        lake = self.lake(given.query_events)
        files = glob.glob(f"{lake}/warehouse/default/*/data/**/*.parquet", recursive=True)
        results = {"events": given.query_events, "days": given.days, "repeat": given.repeat,
                   "parquet_bytes": sum(os.path.getsize(file) for file in files), "files": len(files),
                   **{kind: {engine: {name: [] for name in given.queries} for engine in given.engines}
                      for kind in ("ms", "first_ms", "cpu_ms")},
                   "usage": {engine: [] for engine in given.engines}, "disagree": []}
        asked = [(name, first) for name in given.queries for first in (True, False)]
        answers = {}
        for turn in range(given.repeat):
            for engine in rotated(given.engines, turn):
                lines, usage = self.query_round(engine, lake)
                results["usage"][engine].append(usage)
                for (name, first), (seconds, cpu, rows) in zip(asked, lines):
                    results["first_ms" if first else "ms"][engine][name].append(round(seconds * 1000, 2))
                    if not first:
                        results["cpu_ms"][engine][name].append(round(cpu * 1000))
                    reference = answers.setdefault(name, (engine, rows))
                    if not same(reference[1], rows) and [engine, name] not in results["disagree"]:
                        results["disagree"].append([engine, name])
                        say(f"{name}: {reference[0]} says {reference[1][:3]}, {engine} says {rows[:3]}")
                say(f"round {turn + 1}, {engine}: {usage}")
        for kind in ("ms", "first_ms", "cpu_ms"):
            results[kind] = {engine: {name: statistics.median(times) for name, times in queries.items()}
                             for engine, queries in results[kind].items()}
        results["usage"] = {engine: summary(runs) for engine, runs in results["usage"].items()}
        return results

    def query_round(self, engine, lake):
        """All queries twice in one process; the seconds between its answers, and the answers."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        queries = [(name, self.query(name, engine)) for name in self.given.queries for _ in (1, 2)]
        if engine == "hosu":
            (self.scratch / "hosu.toml").write_text(f'[query]\nmemory = "{MEMORY_GIB}GiB"\n')
            script = self.scratch / "queries.sql"
            script.write_text("select 1;\n" + "".join(f"{text};\n" for _, text in queries))
            line = [self.given.hosu, "--config", str(self.scratch / "hosu.toml"), "--lake", str(lake), "--output", "json",
                    "sql", "-f", str(script)]
        else:
            tables = {table: glob.glob(f"{lake}/warehouse/default/{table}-*")[0] + "/data/**/*.parquet"
                      for table in ("events", "users")}
            task = {"engine": engine, "kind": "queries", "tables": tables, "queries": queries, "memory_gib": MEMORY_GIB,
                    "scratch": str(self.scratch / "peer")}
            line = [self.python, str(HERE / "peers.py"), json.dumps(task)]
        for path in glob.glob(f"{lake}/warehouse/**/*.parquet", recursive=True):
            read_once(path)
        answers = []
        with open(self.scratch / "errors", "wb") as errors:
            child = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=errors, preexec_fn=hold_to_cores)
            child.stdout.readline()
            before, cpu_before = time.perf_counter(), cpu_of(child.pid)
            for _ in queries:
                text = child.stdout.readline()
                now, cpu_now = time.perf_counter(), cpu_of(child.pid)
                if not text:
                    break
                answers.append((now - before, cpu_now - cpu_before, rows_of(json.loads(text))))
                before, cpu_before = now, cpu_now
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode or len(answers) != len(queries):
            sys.exit(f"{engine} failed at {queries[min(len(answers), len(queries) - 1)][0]}: "
                     f"{(self.scratch / 'errors').read_text()[-2000:]}")
        return answers, figures_of(usage)

    def query(self, name, engine):
        own = HERE / "queries" / f"{name}.{engine}.sql"
        text = (own if own.exists() else HERE / "queries" / f"{name}.sql").read_text()
        event_id = self.event_id()
        return event_id if (name, engine) == ("lookup", "polars") else text.replace("EVENT_ID", event_id).strip()

    def event_id(self):
        """The id of one event, the same for every engine."""
        path = self.events(self.given.query_events, "events.ndjson")
        with open(path, "rb") as file:
            file.seek(int(path.stat().st_size * LOOKUP_AT))
            file.readline()
            return json.loads(file.readline())["event_id"]

    # From nothing to an answer.

    def start(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        line = [self.given.hosu, "--lake", str(self.scratch / "lake"), "sql", "-c", "select 1"]
        runs = []
        for _ in range(4 * self.given.repeat + 1):
            code, usage = measured(line, self.scratch / "said")
            if code:
                sys.exit((self.scratch / "said").read_text())
            runs.append(usage)
        return {"runs": len(runs), **summary(runs)}


def measured(line, said):
    """Runs a command to its end; its exit code and what it took."""
    with open(said, "wb") as out:
        start = time.perf_counter()
        child = subprocess.Popen(line, stdout=out, stderr=out, preexec_fn=hold_to_cores)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, {"seconds": round(seconds, 4), **figures_of(usage)}


def figures_of(usage):
    unit = 1 if sys.platform == "darwin" else 1024
    return {"cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3), "peak_bytes": usage.ru_maxrss * unit}


def cpu_of(pid):
    """CPU seconds of a process so far, where the system tells; in steps of its clock, mostly 10 ms."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def hold_to_cores():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def read_once(path):
    """Brings a file into the system's cache, so that no engine pays for being first."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def rotated(engines, turn):
    turn %= len(engines)
    return engines[turn:] + engines[:turn]


def summary(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]} if runs else {}


def rows_of(answer):
    return answer["rows"] if isinstance(answer, dict) else answer


def same(one, other):
    return len(one) == len(other) and all(
        len(a) == len(b) and all(same_value(x, y) for x, y in zip(a, b)) for a, b in zip(one, other))


def same_value(one, other):
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one == other
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        # Sums of fractions depend on their order, and DataFusion interpolates percentiles with six digits of the gap.
        return abs(one - other) <= 1e-8 * max(abs(one), abs(other))
    return spelled(one) == spelled(other)


def spelled(value):
    """A time without its zone, which is always UTC, and in milliseconds: each engine writes it in its own way."""
    text = str(value)
    if len(text) >= 19 and text[4:5] == text[7:8] == "-" and text[13:14] == text[16:17] == ":":
        fraction = text[20:] if text[19:20] == "." else ""
        digits = fraction[: next((i for i, c in enumerate(fraction) if not c.isdigit()), len(fraction))]
        return f"{text[:10]} {text[11:19]}.{(digits + '000')[:3]}"
    return text


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
