"""Reads and writes a lake with PyIceberg, so that a test can compare what another engine sees.

usage: witness.py COMMAND CATALOG_DB WAREHOUSE [ARGUMENT...]; prints one JSON object.
"""

import base64
import datetime
import decimal
import json
import math
import sys

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import DayTransform
from pyiceberg.types import (
    DecimalType, IntegerType, ListType, LongType, MapType, NestedField, StringType, StructType, TimestamptzType,
)

from values import type_name

def encoded(value, kind):
    """A value as Trino's client protocol encodes it."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        return [encoded(value[field.name], field.field_type) for field in kind.fields]
    if isinstance(kind, ListType):
        return [encoded(element, kind.element_type) for element in value]
    if isinstance(kind, MapType):
        return {str(key): encoded(element, kind.value_type) for key, element in value}
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime.datetime):
        text = value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
        return text + " UTC" if isinstance(kind, TimestamptzType) else text
    if isinstance(value, (datetime.date, datetime.time, decimal.Decimal)):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def read(catalog, name):
    """Schema, rows and partitions of a table."""
    table = catalog.load_table(name)
    fields = table.schema().fields
    rows = table.scan().to_arrow().to_pylist()
    partitions = [] if table.spec().is_unpartitioned() or not table.snapshots() else [
        {"partition": [encoded(row["partition"][field.name], None) for field in table.spec().fields], "rows": row["record_count"]}
        for row in table.inspect.partitions().to_pylist()
    ]
    return {
        "columns": [{"name": field.name, "type": type_name(field.field_type)} for field in fields],
        "rows": [[encoded(row[field.name], field.field_type) for field in fields] for row in rows],
        "spec": [[field.name, str(field.transform), table.schema().find_column_name(field.source_id)] for field in table.spec().fields],
        "sort": [[str(field.transform), table.schema().find_column_name(field.source_id), field.direction.name] for field in table.sort_order().fields],
        "partitions": partitions,
        "snapshots": len(table.snapshots()),
        "format_version": table.format_version,
    }


def history(catalog, name):
    """Each snapshot, oldest first, with the number of rows that it holds, and the entries of the current one."""
    table = catalog.load_table(name)
    snapshots = sorted(table.snapshots(), key=lambda snapshot: snapshot.sequence_number)
    entries = table.inspect.entries().to_pylist()
    current = table.current_snapshot().snapshot_id
    return {
        "operations": [snapshot.summary.operation.value for snapshot in snapshots],
        "summaries": [snapshot.summary.additional_properties for snapshot in snapshots],
        "rows": [table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows for snapshot in snapshots],
        "entries": sorted(
            [entry["status"], entry["sequence_number"], entry["file_sequence_number"], entry["snapshot_id"] == current]
            for entry in entries
        ),
    }


def append(catalog, name, rows):
    """Appends rows, given as JSON objects."""
    table = catalog.load_table(name)
    schema = table.schema().as_arrow()
    rows = [{key: stamp(value) for key, value in row.items()} for row in json.loads(rows)]
    table.append(pa.Table.from_pylist(rows, schema=schema))
    return {"rows": len(rows)}


def polars(catalog, name, how, rows):
    """Adds rows, given as JSON objects, with Polars: it writes the files, and PyIceberg commits them."""
    import polars as pl

    table = catalog.load_table(name)
    rows = [{key: stamp(value) for key, value in row.items()} for row in json.loads(rows)]
    frame = pl.from_arrow(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    if how == "sink":
        frame.lazy().sink_iceberg(table, mode="append")
    else:
        frame.write_iceberg(table, mode=how)
    return {"rows": len(rows)}


def stamp(value):
    """Texts that are instants become instants: JSON has none."""
    if isinstance(value, str) and value.endswith("Z") and "T" in value:
        return datetime.datetime.fromisoformat(value)
    return value


def evolve(catalog, name):
    """Renames `id` to `number`, adds `extra`, drops `tags`, and adds a partition by day."""
    table = catalog.load_table(name)
    with table.update_schema(allow_incompatible_changes=True) as update:
        update.rename_column("id", "number")
        update.add_column("extra", StringType())
        update.delete_column("tags")
    with table.update_spec() as update:
        update.add_field("at", DayTransform(), "at_day")
    return {}


def create(catalog, name):
    """Makes a partitioned table and writes two rows."""
    schema = Schema(
        NestedField(1, "at", TimestamptzType()), NestedField(2, "number", IntegerType()),
        NestedField(3, "price", DecimalType(10, 2)), NestedField(4, "map", MapType(5, StringType(), 6, LongType())),
    )
    spec = PartitionSpec(PartitionField(source_id=1, field_id=1000, transform=DayTransform(), name="at_day"))
    catalog.create_namespace_if_not_exists(name.split(".")[0])
    table = catalog.create_table(name, schema, partition_spec=spec)
    utc = datetime.timezone.utc
    rows = [
        {"at": datetime.datetime(2026, 1, 2, 3, tzinfo=utc), "number": 1, "price": decimal.Decimal("1.50"), "map": [("a", 1)]},
        {"at": datetime.datetime(2026, 1, 3, 4, tzinfo=utc), "number": None, "price": None, "map": None},
    ]
    table.append(pa.Table.from_pylist(rows, schema=table.schema().as_arrow()))
    return {"rows": len(rows)}


def harm(catalog, name, how):
    """Does what an audit must find: takes rows out, adds a file again, sets the table back; or expires all but the current snapshot."""
    table = catalog.load_table(name)
    if how in ("file", "row"):
        table.delete("id = 1" if how == "file" else "id = 2")
    elif how == "double":
        table.add_files([next(iter(table.scan().plan_files())).file.file_path], check_duplicate_files=False)
    elif how == "rollback":
        table.manage_snapshots().rollback_to_snapshot(table.current_snapshot().parent_snapshot_id).commit()
    elif how == "expire":
        current = table.current_snapshot().snapshot_id
        old = [snapshot.snapshot_id for snapshot in table.metadata.snapshots if snapshot.snapshot_id != current]
        table.maintenance.expire_snapshots().by_ids(old).commit()
    current = catalog.load_table(name).current_snapshot()
    return {"snapshot_id": str(current.snapshot_id), "operation": current.summary.operation.value}


def main():
    command, database, warehouse, *arguments = sys.argv[1:]
    catalog = SqlCatalog("hosu", uri=f"sqlite:///{database}", warehouse=warehouse)
    commands = {"read": read, "append": append, "history": history, "polars": polars, "evolve": evolve, "create": create, "harm": harm}
    print(json.dumps(commands[command](catalog, *arguments)))


main()
