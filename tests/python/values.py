"""Values of every engine in one form, so that "the same" has one meaning: bit for bit, order of rows aside.

A type is PyIceberg's. A value is what Python compares and orders rightly: timestamps are microseconds since 1970, dates days,
decimals Decimal, a row a list of its values, a map a list of its pairs.
"""

import base64
import datetime
import decimal
import json
import math
import struct
import uuid

import pyarrow as pa
from pyiceberg.types import (
    BinaryType, BooleanType, DateType, DecimalType, DoubleType, FixedType, FloatType, IntegerType, ListType, LongType,
    MapType, NestedField, StringType, StructType, TimestampType, TimestamptzType, TimeType, UUIDType,
)

TRINO = {
    BooleanType: "boolean", IntegerType: "integer", LongType: "bigint", FloatType: "real", DoubleType: "double",
    DateType: "date", TimeType: "time(6)", TimestampType: "timestamp(6)", StringType: "varchar",
    TimestamptzType: "timestamp(6) with time zone", BinaryType: "varbinary", FixedType: "varbinary", UUIDType: "uuid",
}
ARROW = {
    pa.bool_(): "boolean", pa.int32(): "integer", pa.int64(): "bigint", pa.float32(): "real", pa.float64(): "double",
    pa.date32(): "date", pa.time64("us"): "time(6)", pa.timestamp("us"): "timestamp(6)",
    pa.timestamp("us", "UTC"): "timestamp(6) with time zone", pa.string(): "varchar", pa.large_string(): "varchar",
    pa.string_view(): "varchar", pa.binary(): "varbinary", pa.large_binary(): "varbinary", pa.binary_view(): "varbinary",
    # Polars has times in nanoseconds, as Iceberg's are not.
    pa.time64("ns"): "time(6)",
}


def type_name(kind):
    """A type in Trino's words, names of fields without quotes."""
    if isinstance(kind, StructType):
        return "row(" + ", ".join(f"{field.name} {type_name(field.field_type)}" for field in kind.fields) + ")"
    if isinstance(kind, ListType):
        return f"array({type_name(kind.element_type)})"
    if isinstance(kind, MapType):
        return f"map({type_name(kind.key_type)}, {type_name(kind.value_type)})"
    if isinstance(kind, DecimalType):
        return f"decimal({kind.precision}, {kind.scale})"
    return TRINO[type(kind)]


def arrow_name(kind):
    """A type of Arrow in Trino's words."""
    if isinstance(kind, pa.BaseExtensionType):
        return "uuid" if kind.extension_name == "arrow.uuid" else kind.extension_name
    if pa.types.is_struct(kind):
        return "row(" + ", ".join(f"{field.name} {arrow_name(field.type)}" for field in kind) + ")"
    if pa.types.is_map(kind):
        return f"map({arrow_name(kind.key_type)}, {arrow_name(kind.item_type)})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array({arrow_name(kind.value_type)})"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision}, {kind.scale})"
    if pa.types.is_fixed_size_binary(kind):
        return "varbinary"
    return ARROW.get(kind) or str(kind)


def plain_type(kind):
    """The type of Arrow whose Python values are numbers where Python's own types reach too short."""
    if isinstance(kind, pa.BaseExtensionType):
        return kind.storage_type
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, plain_type(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(plain_type(kind.key_type), plain_type(kind.item_type))
    if pa.types.is_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if pa.types.is_large_list(kind):
        return pa.large_list(plain_type(kind.value_type))
    if pa.types.is_timestamp(kind) or pa.types.is_time(kind):
        return pa.int64()
    return pa.int32() if pa.types.is_date32(kind) else kind


def storage(array):
    """An array without Arrow's extension types."""
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def of_arrow(table, kinds):
    """The rows of a table of Arrow."""
    columns = []
    for column, kind in zip(table.columns, kinds):
        chunks = [storage(chunk) for chunk in column.chunks]
        values = [chunk.cast(plain_type(chunk.type)) for chunk in chunks]
        columns.append([of_python(value, kind, column.type) for chunk in values for value in chunk.to_pylist()])
    return list(zip(*columns))


def of_python(value, kind, arrow):
    """A value as Arrow's arrays give it."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        types = [arrow.field(index).type for index in range(arrow.num_fields)]
        return [of_python(part, field.field_type, part_type)
                for part, field, part_type in zip(value.values(), kind.fields, types)]
    if isinstance(kind, ListType):
        return [of_python(element, kind.element_type, arrow.value_type) for element in value]
    if isinstance(kind, MapType):
        types = arrow.key_type, arrow.item_type
        return [[of_python(key, kind.key_type, types[0]), of_python(part, kind.value_type, types[1])] for key, part in value]
    if isinstance(kind, TimeType) and arrow == pa.time64("ns"):
        return value // 1000
    if isinstance(kind, UUIDType):
        return uuid.UUID(bytes=value).bytes if isinstance(value, bytes) else uuid.UUID(str(value)).bytes
    return value


def micros(text):
    """A timestamp as Trino writes it."""
    date, time = text.removesuffix(" UTC").split(" ")
    return (days(date) * 86_400 * 1_000_000) + time_micros(time)


def days(text):
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


def time_micros(text):
    hours, minutes, seconds = text.split(":")
    return round(decimal.Decimal(seconds) * 1_000_000) + (int(hours) * 60 + int(minutes)) * 60_000_000


def of_trino(value, kind):
    """A value as `hosu sql --output json` writes it."""
    if value is None:
        return None
    if isinstance(kind, StructType):
        return [of_trino(part, field.field_type) for part, field in zip(value, kind.fields, strict=True)]
    if isinstance(kind, ListType):
        return [of_trino(element, kind.element_type) for element in value]
    if isinstance(kind, MapType):
        # Keys of JSON are texts, whatever the keys of the map are.
        key_of = json.loads if isinstance(kind.key_type, (IntegerType, LongType, BooleanType)) else str
        return [[of_trino(key_of(key), kind.key_type), of_trino(part, kind.value_type)] for key, part in value.items()]
    if isinstance(kind, (FloatType, DoubleType)):
        return float(value)
    if isinstance(kind, (TimestampType, TimestamptzType)):
        return micros(value)
    if isinstance(kind, DateType):
        return days(value)
    if isinstance(kind, TimeType):
        return time_micros(value)
    if isinstance(kind, DecimalType):
        return decimal.Decimal(value)
    if isinstance(kind, UUIDType):
        return uuid.UUID(value).bytes
    if isinstance(kind, (BinaryType, FixedType)):
        return base64.b64decode(value)
    return value


def key_of(kind):
    """What gives two values of a type the same key exactly if they are the same; nothing where the value is its own key."""
    if isinstance(kind, StructType):
        parts = [key_of(field.field_type) for field in kind.fields]
        return lambda value: [part if part is None or key is None else key(part) for part, key in zip(value, parts)]
    if isinstance(kind, ListType):
        return each(key_of(kind.element_type))
    if isinstance(kind, MapType):
        pair = key_of(StructType(NestedField(1, "key", kind.key_type), NestedField(2, "value", kind.value_type)))
        return lambda value: sorted((pair(entry) for entry in value), key=str)
    if isinstance(kind, (FloatType, DoubleType)):
        form = ">f" if isinstance(kind, FloatType) else ">d"
        return lambda value: "NaN" if math.isnan(value) else struct.pack(form, value).hex()
    if isinstance(kind, DecimalType):
        return lambda value: f"{value:f}"
    return bytes.hex if isinstance(kind, (BinaryType, FixedType, UUIDType)) else None


def each(key):
    """The keys of a list."""
    return key and (lambda value: [None if part is None else key(part) for part in value])


def row_keys(rows, kinds):
    """Each row as a text."""
    columns = [key_of(kind) for kind in kinds]
    for row in rows:
        keys = [value if value is None or key is None else key(value) for value, key in zip(row, columns)]
        yield json.dumps(keys, ensure_ascii=False)
