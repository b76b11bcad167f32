#!/usr/bin/env python3
"""What a table's properties for its files cost and save: the same events, ingested under each of them in turn.

    layout.py --hosu target/release/hosu EVENTS
    layout.py --hosu target/release/hosu --repeat 5 --partition-by - EVENTS      without partitions

A table is made with some of them, given the property, and then gets EVENTS; the second ingest is measured from outside. A
query over two columns and a lookup by id follow, in a process each. Figures are medians. Standard library only.
"""

import argparse
import glob
import itertools
import json
import os
import pathlib
import shutil
import statistics
import tempfile

import run

CASES = {
    "as it is": {},
    "zstd 3": {"write.parquet.compression-level": 3},
    "zstd 6": {"write.parquet.compression-level": 6},
    "zstd 9": {"write.parquet.compression-level": 9},
    "no compression": {"write.parquet.compression-codec": "uncompressed"},
    "snappy": {"write.parquet.compression-codec": "snappy"},
    "row groups of 1 MiB": {"write.parquet.row-group-size-bytes": 1 << 20},
    "row groups of 8 MiB": {"write.parquet.row-group-size-bytes": 8 << 20},
    "pages of 2,000 rows": {"write.parquet.page-row-limit": 2000},
    "no dictionaries": {"write.parquet.dict-size-bytes": 1},
}
FIRST = 20_000
QUERIES = {
    "scan": "select type, sum(duration_ms) from events group by type",
    "lookup": "select message from events where event_id = '{event_id}'",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosu", default=str(run.HERE.parent / "target/release/hosu"))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--partition-by", default="day(event_time)", help="- for none")
    parser.add_argument("--cases", type=lambda text: text.split(","), default=list(CASES))
    parser.add_argument("events")
    given = parser.parse_args()
    runs = {case: [] for case in given.cases}
    for turn in range(given.repeat):
        for case in run.rotated(given.cases, turn):
            runs[case].append(measure(given, CASES[case]))
            run.say(f"{case}: {runs[case][-1]}")
    print("| property | ingest s | CPU s | peak MB | Parquet MB | files | scan ms | lookup ms |\n|---|" + "---:|" * 7)
    for case, measured in runs.items():
        cells = {key: statistics.median(one[key] for one in measured) for key in measured[0]}
        print(f"| {case} | {cells['seconds']:.2f} | {cells['cpu_seconds']:.2f} | {cells['peak_bytes'] / 1e6:,.0f} | "
              f"{cells['bytes'] / 1e6:.1f} | {cells['files']:.0f} | {cells['scan'] * 1000:.0f} | {cells['lookup'] * 1000:.0f} |")


def measure(given, properties):
    events = pathlib.Path(given.events)
    run.read_once(events)
    with tempfile.TemporaryDirectory() as folder:
        lake, said = f"{folder}/lake", pathlib.Path(folder) / "said"
        hosu = [given.hosu, "--lake", lake]
        first = pathlib.Path(folder) / "first.ndjson"
        with open(events, "rb") as file:
            # As many as show all columns: a table that grows reads its sources twice.
            lines = list(itertools.islice(file, FIRST))
        first.write_bytes(b"".join(lines))
        by = [] if given.partition_by == "-" else ["--partition-by", given.partition_by]
        ensure([*hosu, "ingest", "events", str(first), *by], said)
        if properties:
            pairs = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
            ensure([*hosu, "sql", "-c", f"alter table events set tblproperties ({pairs})"], said)
        before = set(data_files(lake))
        code, usage = run.measured([*hosu, "ingest", "events", str(events)], said)
        if code:
            raise SystemExit(said.read_text())
        files = set(data_files(lake)) - before
        result = {**usage, "bytes": sum(map(os.path.getsize, files)), "files": len(files)}
        for name, query in QUERIES.items():
            text = query.format(event_id=json.loads(lines[0])["event_id"])
            code, usage = run.measured([*hosu, "sql", "-c", text], said)
            if code:
                raise SystemExit(said.read_text())
            result[name] = usage["seconds"]
        return result


def data_files(lake):
    return glob.glob(f"{lake}/warehouse/default/events-*/data/**/*.parquet", recursive=True)


def ensure(line, said):
    code, _ = run.measured(line, said)
    if code:
        raise SystemExit(said.read_text())


if __name__ == "__main__":
    main()
