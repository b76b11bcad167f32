"""Writes Parquet files with PyArrow, DuckDB and Polars, and prints what SQL must give back of each.

usage: parquet_files.py FOLDER; prints a JSON array of {name, rescued, columns: [{name, values}]}.
"""

import base64
import datetime
import decimal
import json
import sys
import uuid

import duckdb
import polars
import pyarrow as pa
import pyarrow.parquet as pq

D = decimal.Decimal
DAY = datetime.date
AT = datetime.datetime
NAN, INF = float("nan"), float("inf")


def b64(value):
    return base64.b64encode(value).decode()


# Name, type, values, and what SQL gives back for them as Trino's client protocol encodes it.
COLUMNS = [
    ("boolean", pa.bool_(), [True, False, None], [True, False, None]),
    ("int8", pa.int8(), [-128, 127, None], [-128, 127, None]),
    ("int16", pa.int16(), [-32768, 32767, None], [-32768, 32767, None]),
    ("int32", pa.int32(), [-(2**31), 2**31 - 1, None], [-(2**31), 2**31 - 1, None]),
    ("int64", pa.int64(), [-(2**63), 2**63 - 1, None], [-(2**63), 2**63 - 1, None]),
    ("uint8", pa.uint8(), [0, 255, None], [0, 255, None]),
    ("uint16", pa.uint16(), [0, 65535, None], [0, 65535, None]),
    ("uint32", pa.uint32(), [0, 2**32 - 1, None], [0, 2**32 - 1, None]),
    ("uint64", pa.uint64(), [0, 2**64 - 1, None], ["0", str(2**64 - 1), None]),
    ("half", pa.float16(), [0.5, -65504.0, NAN], [0.5, -65504.0, "NaN"]),
    ("float", pa.float32(), [0.5, INF, None], [0.5, "Infinity", None]),
    ("double", pa.float64(), [0.1, -INF, NAN], [0.1, "-Infinity", "NaN"]),
    ("large", pa.float64(), [1.7976931348623157e308, 1e23, 5e-324], [1.7976931348623157e308, 1e23, 5e-324]),
    ("decimal9", pa.decimal128(9, 2), [D("1234567.89"), D("-0.01"), None], ["1234567.89", "-0.01", None]),
    ("decimal18", pa.decimal128(18, 4), [D("99999999999999.9999"), D(0), None], ["99999999999999.9999", "0.0000", None]),
    ("decimal38", pa.decimal128(38, 0), [D("9" * 38), D("-" + "9" * 38), None], ["9" * 38, "-" + "9" * 38, None]),
    ("decimal50", pa.decimal256(50, 5), [D("9" * 40), D("-1.5"), None], ["9" * 40 + ".00000", "-1.50000", None]),
    ("date", pa.date32(), [DAY(1, 1, 1), DAY(9999, 12, 31), None], ["0001-01-01", "9999-12-31", None]),
    ("time_ms", pa.time32("ms"), [0, 86_399_999, None], ["00:00:00.000000", "23:59:59.999000", None]),
    ("time_us", pa.time64("us"), [1, 86_399_999_999, None], ["00:00:00.000001", "23:59:59.999999", None]),
    ("timestamp_s", pa.timestamp("s"), [0, 253402300799, None], ["1970-01-01 00:00:00.000000", "9999-12-31 23:59:59.000000", None]),
    ("timestamp_ms", pa.timestamp("ms"), [-1, 1, None], ["1969-12-31 23:59:59.999000", "1970-01-01 00:00:00.001000", None]),
    ("timestamp_us", pa.timestamp("us"), [-1, 1, None], ["1969-12-31 23:59:59.999999", "1970-01-01 00:00:00.000001", None]),
    ("timestamp_ns", pa.timestamp("ns"), [1000, -1000, None], ["1970-01-01 00:00:00.000001", "1969-12-31 23:59:59.999999", None]),
    # One nanosecond is rescued.
    ("rescued_ns", pa.timestamp("ns"), [1001, 1000, None], [None, "1970-01-01 00:00:00.000001", None]),
    ("zoned", pa.timestamp("us", "Asia/Seoul"), [0, 1, None], ["1970-01-01 00:00:00.000000 UTC", "1970-01-01 00:00:00.000001 UTC", None]),
    ("text", pa.string(), ['café "\\\n\x01 \u2028 😀', "", None], ['café "\\\n\x01 \u2028 😀', "", None]),
    ("large_text", pa.large_string(), ["x", "y", None], ["x", "y", None]),
    ("dictionary", pa.dictionary(pa.int8(), pa.string()), ["a", "b", "a"], ["a", "b", "a"]),
    ("bytes", pa.binary(), [b"\x00\xff", b"", None], [b64(b"\x00\xff"), "", None]),
    ("fixed", pa.binary(3), [b"abc", b"\xff\xfe\xfd", None], [b64(b"abc"), b64(b"\xff\xfe\xfd"), None]),
    ("uuid", pa.uuid(), [uuid.UUID(int=10).bytes, uuid.UUID(int=2**127).bytes, None], [str(uuid.UUID(int=10)), str(uuid.UUID(int=2**127)), None]),
    ("list", pa.list_(pa.int32()), [[1, None, 2], [], None], [[1, None, 2], [], None]),
    ("sized_list", pa.list_(pa.int32(), 2), [[1, 2], [3, None], None], [[1, 2], [3, None], None]),
    (
        "struct",
        pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string())]))]),
        [{"a": 1, "b": {"c": "x"}}, {"a": None, "b": None}, None],
        [[1, ["x"]], [None, None], None],
    ),
    ("map", pa.map_(pa.string(), pa.float64()), [[("k", NAN), ("j", None)], [], None], [{"k": "NaN", "j": None}, {}, None]),
    ("map_of_dates", pa.map_(pa.date32(), pa.list_(pa.string())), [[(DAY(2024, 2, 29), ["a"])], [], None], [{"2024-02-29": ["a"]}, {}, None]),
    (
        "deep",
        pa.list_(pa.list_(pa.struct([("x", pa.list_(pa.map_(pa.string(), pa.decimal128(5, 1))))]))),
        [[[{"x": [[("k", D("1.5"))]]}], None], [[]], None],
        [[[[[{"k": "1.5"}]]], None], [[]], None],
    ),
    ("nothing", pa.int32(), [None, None, None], [None, None, None]),
]


def column(name, values):
    return {"name": name, "values": values}


def pyarrow_file(folder, name, **how):
    """All columns; how they are written changes nothing of what they are."""
    arrays = {"id": pa.array([0, 1, 2])} | {name: pa.array(values, type) for name, type, values, _ in COLUMNS}
    pq.write_table(pa.table(arrays), f"{folder}/{name}", **how)
    return {"name": name, "rescued": 1, "columns": [column(name, expected) for name, _, _, expected in COLUMNS]}


def int96_file(folder):
    """Times of before 1677 and after 2262, which 64 bits of nanoseconds do not hold."""
    times = [AT(1, 1, 1), AT(9999, 12, 31, 23, 59, 59, 999999), None]
    table = pa.table({"id": [0, 1, 2], "old": pa.array(times, pa.timestamp("us"))})
    pq.write_table(table, f"{folder}/int96.parquet", use_deprecated_int96_timestamps=True)
    expected = ["0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999", None]
    return {"name": "int96.parquet", "rescued": 0, "columns": [column("old", expected)]}


def duckdb_file(folder):
    duckdb.sql(f"""
        COPY (
            SELECT * FROM (VALUES
                (0, 1.5::FLOAT, 'NaN'::DOUBLE, 18446744073709551615::UBIGINT, '12.34'::DECIMAL(10, 2), 'x'::VARCHAR, '\\xAA'::BLOB,
                 TIMESTAMP '2024-02-29 12:00:00.123456', TIMESTAMPTZ '2024-02-29 12:00:00+09', DATE '2024-02-29', TIME '12:30:00.5',
                 '00000000-0000-0000-0000-00000000000a'::UUID, [1, NULL, 3], {{'a': 1, 'b': 'y'}}, MAP {{'k': 2}}, MAP {{7: 'seven'}}, '{{"j": 1}}'::JSON),
                (1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
            ) AS t(id, f, d, u, dec, t, b, ts, tz, day, tod, uid, l, s, m, mi, j)
        ) TO '{folder}/duckdb.parquet' (FORMAT parquet)""")
    expected = {
        "f": 1.5, "d": "NaN", "u": "18446744073709551615", "dec": "12.34", "t": "x", "b": b64(b"\xaa"),
        "ts": "2024-02-29 12:00:00.123456", "tz": "2024-02-29 03:00:00.000000 UTC", "day": "2024-02-29", "tod": "12:30:00.500000",
        "uid": "00000000-0000-0000-0000-00000000000a", "l": [1, None, 3], "s": [1, "y"], "m": {"k": 2}, "mi": {"7": "seven"}, "j": '{"j": 1}',
    }
    columns = [column(name, [value, None]) for name, value in expected.items()]
    return {"name": "duckdb.parquet", "rescued": 0, "columns": columns}


def polars_file(folder):
    frame = polars.DataFrame({
        "id": [0, 1],
        "n": polars.Series([2**63 - 1, None], dtype=polars.Int64),
        "at": polars.Series([AT(2024, 2, 29, 12), None], dtype=polars.Datetime("ns", "UTC")),
        "c": polars.Series(["a", None], dtype=polars.Categorical),
        "s": [{"x": [1.5, NAN]}, None],
        "b": [b"\x00", None],
    })
    frame.write_parquet(f"{folder}/polars.parquet", compression="zstd")
    expected = {"n": 2**63 - 1, "at": "2024-02-29 12:00:00.000000 UTC", "c": "a", "s": [[1.5, "NaN"]], "b": b64(b"\x00")}
    columns = [column(name, [value, None]) for name, value in expected.items()]
    return {"name": "polars.parquet", "rescued": 0, "columns": columns}


folder = sys.argv[1]
print(json.dumps([
    pyarrow_file(folder, "usual.parquet"),
    pyarrow_file(folder, "pages2.parquet", data_page_version="2.0", use_dictionary=False, compression="gzip", row_group_size=1),
    pyarrow_file(folder, "lz4.parquet", compression="lz4", use_byte_stream_split=["float", "double"], use_dictionary=["text"]),
    pyarrow_file(folder, "plain.parquet", compression="none", store_schema=False, write_statistics=False, write_page_checksum=True),
    int96_file(folder),
    duckdb_file(folder),
    polars_file(folder),
]))
