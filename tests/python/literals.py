"""Values as literals: of Python, and of the SQL of ours and DuckDB's."""

import datetime
import struct
import uuid

from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType, StringType, TimestampType,
    TimestamptzType, TimeType, UUIDType,
)

HOSU = {"binary": "X'{}'", "real": "float"}
DUCKDB = {"binary": "from_hex('{}')", "real": "float"}

# What has no literal in one of the engines, or cannot be compared in one of them.
WITHOUT = (UUIDType, FixedType, TimeType)


def text(value):
    return "'" + value.replace("'", "''") + "'"


def python(value, kind):
    """A value as Python's own type."""
    if isinstance(kind, TimestampType):
        return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=value)
    if isinstance(kind, TimestamptzType):
        return datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(microseconds=value)
    if isinstance(kind, DateType):
        return datetime.date(1970, 1, 1) + datetime.timedelta(days=value)
    return value


def sql(value, kind, dialect):
    """A value in a dialect of SQL."""
    if isinstance(kind, StringType):
        return text(value)
    if isinstance(kind, BooleanType):
        return "true" if value else "false"
    if isinstance(kind, BinaryType):
        return dialect["binary"].format(value.hex())
    if isinstance(kind, DateType):
        return f"DATE '{python(value, kind)}'"
    if isinstance(kind, (TimestampType, TimestamptzType)):
        return f"TIMESTAMP '{python(value, kind).replace(tzinfo=None).isoformat(' ', 'microseconds')}'"
    if isinstance(kind, DecimalType):
        return f"CAST('{value:f}' AS decimal({kind.precision}, {kind.scale}))"
    if isinstance(kind, (FloatType, DoubleType)):
        return f"CAST('{value!r}' AS {dialect['real'] if isinstance(kind, FloatType) else 'double'})"
    return str(value)


def condition(predicate, dialect):
    """A predicate in a dialect of SQL."""
    path, test, value, kind = predicate
    column = ".".join('"' + name.replace('"', '""') + '"' for name in path)
    if len(path) > 1:
        # A path that begins with a column in parentheses cannot be taken for the name of a table.
        first, rest = column.split(".", 1)
        column = f"({first}).{rest}"
    if value is None:
        return f"{column} {test}"
    if test == "in":
        return f"{column} IN ({', '.join(sql(part, kind, dialect) for part in value)})"
    return f"{column} {test} {sql(value, kind, dialect)}"
