"""The engines that bear witness, each with the same three questions: the rows, the rows of a snapshot, how many rows filters find."""

import os
import warnings

import duckdb
import duckdb_extension_avro
import duckdb_extension_iceberg
import polars as pl
from pyiceberg import expressions as iceberg
from pyiceberg.types import DecimalType, FloatType

import literals

warnings.filterwarnings("ignore")


class Engine:
    def counts(self, table, predicates):
        """How many rows each filter finds; for one that fails, what was said."""
        return [self.attempt(table, predicate) for predicate in predicates]

    def attempt(self, table, predicate):
        try:
            return self.count(table, predicate)
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:600]


class PyIceberg(Engine):
    name = "PyIceberg"

    def read(self, table, snapshot=None):
        return table.scan(snapshot_id=snapshot).to_arrow()

    def count(self, table, predicate):
        path, test, value, kind = predicate
        column = ".".join(path)
        tests = {
            "=": iceberg.EqualTo, "<>": iceberg.NotEqualTo, "<": iceberg.LessThan, "<=": iceberg.LessThanOrEqual,
            ">": iceberg.GreaterThan, ">=": iceberg.GreaterThanOrEqual,
        }
        if test == "is null":
            wanted = iceberg.IsNull(column)
        elif test == "is not null":
            wanted = iceberg.NotNull(column)
        elif test == "in":
            wanted = iceberg.In(column, [literals.python(part, kind) for part in value])
        else:
            wanted = tests[test](column, literals.python(value, kind))
        if test == "<>":
            # Iceberg's own expressions say that NULL is not equal to a value, SQL says NULL.
            wanted = iceberg.And(iceberg.NotNull(column), wanted)
        return table.scan(row_filter=wanted).to_arrow().num_rows


class DuckDB(Engine):
    name = "DuckDB"

    def __init__(self):
        self.connection = duckdb.connect(config={"autoinstall_known_extensions": False})
        for package, extension in (duckdb_extension_avro, "avro"), (duckdb_extension_iceberg, "iceberg"):
            folder = os.path.join(os.path.dirname(package.__file__), "extensions", f"v{duckdb.__version__}")
            self.connection.execute(f"LOAD '{folder}/{extension}.duckdb_extension'")
        self.connection.execute("SET TimeZone = 'UTC'")

    def scan(self, table, snapshot=None):
        location = table.metadata_location.removeprefix("file://")
        at = f", snapshot_from_id = {snapshot}::UBIGINT" if snapshot is not None else ""
        return f"iceberg_scan({literals.text(location)}{at})"

    def read(self, table, snapshot=None):
        return self.connection.execute(f"SELECT * FROM {self.scan(table, snapshot)}").to_arrow_table()

    def count(self, table, predicate):
        condition = literals.condition(predicate, literals.DUCKDB)
        query = f"SELECT count(*) FROM {self.scan(table)} WHERE {condition}"
        return self.connection.execute(query).fetchone()[0]


class Polars(Engine):
    name = "Polars"

    def scan(self, table, snapshot=None):
        return pl.scan_iceberg(table, snapshot_id=snapshot, reader_override="native")

    def read(self, table, snapshot=None):
        return self.scan(table, snapshot).collect().to_arrow()

    def count(self, table, predicate):
        path, test, value, kind = predicate
        column = pl.col(path[0])
        for field in path[1:]:
            column = column.struct.field(field)
        if test == "is null":
            wanted = column.is_null()
        elif test == "is not null":
            wanted = column.is_not_null()
        elif test == "in":
            wanted = column.is_in(pl.Series([literals.python(part, kind) for part in value], dtype=self.type(kind)))
        else:
            compare = {"=": "eq", "<>": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}[test]
            wanted = getattr(column, compare)(self.literal(value, kind))
        return self.scan(table).filter(wanted).select(pl.len()).collect().item()

    def literal(self, value, kind):
        return pl.lit(literals.python(value, kind), dtype=self.type(kind))

    def type(self, kind):
        if isinstance(kind, DecimalType):
            return pl.Decimal(kind.precision, kind.scale)
        return pl.Float32() if isinstance(kind, FloatType) else None
