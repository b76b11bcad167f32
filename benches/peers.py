"""One other engine in a process of its own: `run.py` starts it in the benchmarks' virtual environment and measures it from
outside. The task comes as JSON in the first argument. A queries task answers with one line of JSON a query, in order."""

import datetime
import decimal
import glob
import json
import os
import sys

THREADS = 2


def main():
    task = json.loads(sys.argv[1])
    if task["kind"] == "count":
        count(task["source"], task["of"])
        return
    engine = {"duckdb": DuckDb, "polars": Polars, "clickhouse": ClickHouse, "datafusion": DataFusion}[task["engine"]](task)
    if task["kind"] == "ingest":
        engine.ingest(task["sources"], task["out"])
        return
    engine.open(task["tables"])
    print(json.dumps({"ready": True}), flush=True)
    for name, text in task["queries"]:
        rows = engine.rows(name, text)
        print(json.dumps([[plain(value) for value in row] for row in rows], ensure_ascii=False), flush=True)


# What the events of a kind say, and what every engine's files must say too.
COUNTED = {
    "nested": """count(*), count(DISTINCT event_id), sum(epoch_ms(event_time::TIMESTAMP)), sum(duration_ms), count(message),
        round(sum(amount)), sum(len(items)), sum(len(tags)), sum(match.team.size), sum(level), round(sum(geo.lat))""",
    "flat": """count(*), count(DISTINCT click_id), sum(epoch_ms(event_time::TIMESTAMP)), sum(user_id), sum(status), sum(bytes_sent),
        round(sum(took_ms), 2), sum(len(agent)), sum(len(ip)), count(campaign), sum(bot::INTEGER)""",
    "logs": """count(*), count(DISTINCT trace_id), sum(epoch_ms(event_time::TIMESTAMP)), sum(sequence), sum(len(message)), sum(len(logger)),
        sum(len(stack)), count(stack), count(DISTINCT labels.pod)""",
    "wide": """count(*), sum(number), sum(epoch_ms(event_time::TIMESTAMP)), round(sum(temperature_000), 2), sum(pressure_001), count(state_002),
        round(sum(temperature_246), 2), sum(pressure_247), count(pressure_493), count(DISTINCT state_494), count(device)""",
}


def count(source, kind):
    import duckdb
    print(json.dumps([plain(value) for value in duckdb.sql(f"SELECT {COUNTED[kind]} FROM {source}").fetchone()]))


def plain(value):
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None).isoformat(timespec="milliseconds")
    return float(value) if isinstance(value, decimal.Decimal) else value


class DuckDb:
    def __init__(self, task):
        import duckdb
        self.db = duckdb.connect(config={"threads": THREADS, "memory_limit": f"{task['memory_gib']}GiB",
                                         "temp_directory": task["scratch"]})
        self.db.execute("SET TimeZone = 'UTC'")

    def open(self, tables):
        for name, pattern in tables.items():
            self.db.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{pattern}', hive_partitioning = false)")

    def rows(self, _, text):
        return self.db.execute(text).fetchall()

    def ingest(self, sources, out):
        # The days are a column of their own: PARTITION_BY takes names only.
        self.db.execute(f"""
            COPY (SELECT *, event_time::DATE AS event_day FROM read_ndjson('{sources}'))
            TO '{out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARTITION_BY (event_day))""")


class Polars:
    def __init__(self, task):
        os.environ["POLARS_MAX_THREADS"] = str(THREADS)

    def open(self, tables):
        import polars
        self.tables = {name: polars.scan_parquet(pattern, hive_partitioning=False) for name, pattern in tables.items()}

    def rows(self, name, text):
        import polars_queries
        extra = [text] if name == "lookup" else []
        return getattr(polars_queries, name)(self.tables["events"], self.tables["users"], *extra).collect(engine="streaming").rows()

    def ingest(self, sources, out):
        import polars
        files = sorted(glob.glob(sources))
        frame = polars.scan_ndjson(files, infer_schema_length=10_000)
        frame = frame.with_columns(polars.col("event_time").str.to_datetime("%+", time_unit="us", time_zone="UTC"))
        day = polars.col("event_time").dt.date().alias("event_day")
        frame.sink_parquet(polars.PartitionBy(out, key=day), compression="zstd", compression_level=1, mkdir=True)


class ClickHouse:
    def __init__(self, task):
        from chdb import session
        self.session = session.Session(task["scratch"])
        for setting in (f"max_threads = {THREADS}", f"max_memory_usage = {task['memory_gib'] << 30}",
                        "session_timezone = 'UTC'", "output_format_json_quote_64bit_integers = 0",
                        "date_time_output_format = 'iso'", "join_use_nulls = 1", "prefer_column_name_to_alias = 1"):
            self.session.query(f"SET {setting}")

    def open(self, tables):
        for name, pattern in tables.items():
            self.session.query(f"CREATE VIEW {name} AS SELECT * FROM file('{pattern}', Parquet)")

    def rows(self, _, text):
        answer = json.loads(self.session.query(text, "JSONCompact").bytes())
        times = [column["type"].find("DateTime") >= 0 for column in answer["meta"]]
        return [[_time(value) if is_time and value is not None else value for value, is_time in zip(row, times)]
                for row in answer["data"]]

    def ingest(self, sources, out):
        self.session.query(f"""
            INSERT INTO FUNCTION file('{out}/{{_partition_id}}.parquet', Parquet)
            PARTITION BY toDate(event_time)
            SELECT * FROM file('{sources}', JSONEachRow)
            SETTINGS output_format_parquet_compression_method = 'zstd', input_format_parallel_parsing = 1,
                     date_time_input_format = 'best_effort', max_partitions_per_insert_block = 1000""")


def _time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class DataFusion:
    def __init__(self, task):
        import datafusion
        config = datafusion.SessionConfig().with_target_partitions(THREADS)
        for key, value in task.get("settings", {}).items():
            config = config.set(key, value)
        runtime = datafusion.RuntimeEnvBuilder().with_disk_manager_os().with_fair_spill_pool(task["memory_gib"] << 30)
        self.context = datafusion.SessionContext(config, runtime)

    def open(self, tables):
        for name, pattern in tables.items():
            folder = pattern.split("**")[0]
            self.context.sql(f"CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION '{folder}'").collect()

    def rows(self, _, text):
        batches = self.context.sql(text).collect()
        return [list(row.values()) for batch in batches for row in batch.to_pylist()]

    def ingest(self, sources, out):
        gzipped = sources.endswith(".gz")
        location = os.path.dirname(sources) + "/" if "*" in sources else sources
        self.context.register_json("source", location, file_extension=".ndjson.gz" if gzipped else ".ndjson",
                                   file_compression_type="gzip" if gzipped else None)
        self.context.sql(f"""
            COPY (SELECT * REPLACE (CAST(event_time AS TIMESTAMP) AS event_time),
                         CAST(CAST(event_time AS TIMESTAMP) AS DATE) AS event_day FROM source)
            TO '{out}/' STORED AS PARQUET PARTITIONED BY (event_day) OPTIONS ('format.compression' 'zstd(1)')""").collect()


if __name__ == "__main__":
    main()
