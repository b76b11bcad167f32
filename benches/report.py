"""Turns the results of run.py into the section of docs/benchmarks.md that stands between its two marks."""

BEGIN, END = "<!-- figures of benches/run.py: begin -->", "<!-- figures of benches/run.py: end -->"
NAMES = {"hosu": "Hosu", "datafusion": "DataFusion alone", "duckdb": "DuckDB", "clickhouse": "ClickHouse", "polars": "Polars"}
WHAT = {
    "hours": "counts by hour", "top_users": "top users of a week", "distinct": "distinct counts", "percentiles": "percentiles",
    "funnel": "funnel", "sessions": "sessions by window", "join": "join with users", "like": "words in texts",
    "regex": "pattern in texts", "lookup": "one event by its id", "nested": "nested fields", "lists": "lists of rows",
    "day_over_day": "day over day", "latest": "latest of each user",
}


def markdown(results):
    parts = [machine(results["machine"])] if "machine" in results else []
    parts += [section(results[name]) for name, section in (("ingest", ingest), ("queries", queries), ("start", start))
              if name in results]
    return "\n\n".join(parts)


def put_into(path, section):
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    path.write_text(f"{before}{BEGIN}\n\n{section}\n\n{END}{after}", encoding="utf-8")


def disagreements(results):
    return results.get("queries", {}).get("disagree", [])


def machine(facts):
    peers = facts["peers"]
    return (f"{facts['cores']} cores of {facts['cpu'] or 'an unnamed processor'}, {facts['memory_gib']} GiB, {facts['system']}. "
            f"{facts['hosu']}; DataFusion {peers['datafusion']}, DuckDB {peers['duckdb']}, ClickHouse as chdb {peers['chdb']}, "
            f"Polars {peers['polars']}, all from PyPI in Python {facts['python']}. Two threads each, and a limit of {facts['limit_gib']} GiB "
            "for queries where an engine has one.")


def ingest(facts):
    lines = [
        "### Ingest",
        "",
        f"JSON of {facts['days']} days into Parquet partitioned by day, zstd 1; medians of {facts['repeat']}. MB/s are of uncompressed JSON, "
        "by the wall time of the whole process. " + "; ".join(
            f"{shape}: {source['events']:,} events, {source['json_bytes'] / 1e6:,.0f} MB" for shape, source in facts["shapes"].items()) + ".",
        "",
        "| source | engine | MB/s | s | CPU s | peak MB | Parquet MB | files |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for shape, engines in facts["runs"].items():
        for engine, run in engines.items():
            lines.append(
                f"| {shape} | {NAMES[engine]} | {facts['shapes'][shape]['json_bytes'] / 1e6 / run['seconds']:.0f} | {run['seconds']:.1f} | "
                f"{run['cpu_seconds']:.1f} | {run['peak_bytes'] / 1e6:,.0f} | {run['out_bytes'] / 1e6:.0f} | {run['files']:,.0f} |")
    return "\n".join(lines)


def queries(facts):
    engines = list(facts["ms"])
    peers = [engine for engine in engines if engine != "hosu"]
    lines = [
        "### Queries",
        "",
        f"{facts['events']:,} events in {facts['files']} Parquet files of {facts['parquet_bytes'] / 1e6:.0f} MB in all; milliseconds, "
        f"medians of {facts['repeat']}; ratio: ours to the best peer's.",
        "",
        "| query | " + " | ".join(NAMES[engine] for engine in engines) + " | ratio |",
        "|---|" + "---:|" * (len(engines) + 1),
    ]
    wrong = {(engine, name) for engine, name in facts["disagree"]}
    for name in facts["ms"][engines[0]]:
        times = {engine: facts["ms"][engine][name] for engine in engines}
        valid = [times[engine] for engine in peers if (engine, name) not in wrong]
        ratio = f"{times['hosu'] / min(valid):.2f}" if valid and "hosu" in times else ""
        cells = ["another answer" if (engine, name) in wrong else f"{times[engine]:,.0f}" for engine in engines]
        lines.append(f"| {WHAT[name]} | " + " | ".join(cells) + f" | {ratio} |")
    sums = [sum(facts["ms"][engine].values()) for engine in engines]
    lines.append("| all | " + " | ".join(f"{total:,.0f}" for total in sums) + " | |")
    memory = [facts["usage"][engine]["peak_bytes"] / 1e6 for engine in engines]
    lines.append("| peak MB of the process | " + " | ".join(f"{peak:,.0f}" for peak in memory) + " | |")
    cpu = [facts["usage"][engine]["cpu_seconds"] for engine in engines]
    lines.append("| CPU s of the process, all queries twice | " + " | ".join(f"{seconds:.1f}" for seconds in cpu) + " | |")
    return "\n".join(lines)


def start(facts):
    return "\n".join([
        "### From nothing to an answer",
        "",
        f"`hosu sql -c 'select 1'`, a new process each time, median of {facts['runs']}: {facts['seconds'] * 1000:.0f} ms, "
        f"{facts['cpu_seconds'] * 1000:.0f} ms of CPU, {facts['peak_bytes'] / 1e6:.0f} MB.",
    ])
