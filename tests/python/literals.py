"""Values as literals: of Python, and of the SQL of ours, DuckDB's and Spark's."""

import datetime
import struct
import uuid

from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType, StringType, TimestampType,
    TimestamptzType, TimeType, UUIDType,
)


def text(value):
    return "'" + value.replace("'", "''") + "'"


def escaped(value):
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


HOSU = {"text": text, "quote": '"', "binary": "X'{}'", "timestamp": "TIMESTAMP '{}'", "instant": "TIMESTAMP '{}'"}
DUCKDB = {**HOSU, "binary": "from_hex('{}')"}
SPARK = {**HOSU, "text": escaped, "quote": "`", "timestamp": "TIMESTAMP_NTZ '{}'", "instant": "TIMESTAMP '{} UTC'"}

# What has no literal in one of the engines, or cannot be compared in one of them.
WITHOUT = (UUIDType, FixedType, TimeType)


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
        return dialect["text"](value)
    if isinstance(kind, BooleanType):
        return "true" if value else "false"
    if isinstance(kind, BinaryType):
        return dialect["binary"].format(value.hex())
    if isinstance(kind, DateType):
        return f"DATE '{python(value, kind)}'"
    if isinstance(kind, (TimestampType, TimestamptzType)):
        form = dialect["instant" if isinstance(kind, TimestamptzType) else "timestamp"]
        return form.format(python(value, kind).replace(tzinfo=None).isoformat(" ", "microseconds"))
    if isinstance(kind, DecimalType):
        return f"CAST('{value:f}' AS decimal({kind.precision}, {kind.scale}))"
    if isinstance(kind, (FloatType, DoubleType)):
        return f"CAST('{value!r}' AS {'float' if isinstance(kind, FloatType) else 'double'})"
    return str(value)


def name_of(name, dialect):
    """A name in a dialect of SQL."""
    quote = dialect["quote"]
    return quote + name.replace(quote, 2 * quote) + quote


def condition(predicate, dialect):
    """A predicate in a dialect of SQL."""
    path, test, value, kind = predicate
    first, *rest = (name_of(name, dialect) for name in path)
    # A path that begins with a column in parentheses cannot be taken for the name of a table.
    column = ".".join([f"({first})" if rest else first, *rest])
    if value is None:
        return f"{column} {test}"
    if test == "in":
        return f"{column} IN ({', '.join(sql(part, kind, dialect) for part in value)})"
    return f"{column} {test} {sql(value, kind, dialect)}"
