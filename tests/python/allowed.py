"""Where a witness is known to be wrong or to have another type, and what is compared instead.

Each entry says how it was seen that the fault is the witness's: another engine and the specification agree with us.
"""

from pyiceberg.types import ListType, MapType, StringType, StructType, TimestampType, TimestamptzType, TimeType

# The range of DataFusion's literals, which are nanoseconds (docs/sql.md).
NANOSECONDS = range(-9_223_372_036_854_775, 9_223_372_036_854_775)


def column(engine, ours, theirs):
    """Whether a column of a witness, name and type, may stand for ours."""
    if engine == "DuckDB":
        # Its Arrow results have UUIDs as text.
        ours = ours[0], ours[1].replace("uuid", "varchar")
    if engine == "Spark":
        # Its UUIDs are texts.
        ours = ours[0], ours[1].replace("uuid", "varchar")
    if engine == "Polars":
        # It has no UUIDs.
        ours = ours[0], ours[1].replace("uuid", "varbinary")
    return ours == theirs


def predicate(engine, table, predicate):
    """Whether the witness cannot be asked this."""
    path, test, value, kind = predicate
    values = value if isinstance(value, list) else [value]
    instant = isinstance(kind, (TimestampType, TimestamptzType)) and value is not None
    if engine == "hosu" and instant:
        return any(part not in NANOSECONDS for part in values)
    if engine == "PyIceberg" and len(path) > 1:
        # It splits the path of a nested field at its dots (expression_to_pyarrow), those in a name too.
        return any("." in name for name in path)
    if engine == "Spark" and test == "in" and isinstance(kind, StringType):
        # Iceberg 1.11's Evaluator fails when a partition's text is NULL (WrapperSet.contains: "Invalid object: null").
        return transforms(table, path) & {"identity", "truncate"}
    if engine == "DuckDB" and instant:
        # It rounds months, days and hours before 1970 towards 1970 where the specification rounds down, and so prunes files
        # that have the rows. PyIceberg and Polars find them.
        return transforms(table, path) & {"month", "day", "hour"} and any(part < 0 for part in values)
    return False


def transforms(table, path):
    """The transforms of a column that a table is partitioned by, without their widths."""
    source = table.schema().find_field(".".join(path)).field_id
    return {str(field.transform).split("[")[0] for field in table.spec().fields if field.source_id == source}


def table(engine, table):
    """Whether the witness cannot read a table at all."""
    # "Spark does not support time fields"
    return engine == "Spark" and any(isinstance(field.field_type, TimeType) for field in table.schema().fields)


def form(engine, table):
    """What of a row is compared, where it is not the row: a function of the row and the types of its columns."""
    if engine == "PyIceberg":
        return without_empty_lists_in
    if engine == "Spark" and any("." in table.schema().find_column_name(field.source_id) for field in table.spec().fields):
        return without_empty_rows
    return None


def without_empty_rows(row, kinds):
    """Where a field of a row is a partition, Iceberg's reader in Spark makes a row of NULLs of the row that is NULL."""
    return [None if isinstance(kind, StructType) and value == [None] * len(kind.fields) else value for value, kind in zip(row, kinds)]


def without_empty_lists_in(row, kinds):
    return [without_empty_lists(value, kind) for value, kind in zip(row, kinds)]


def without_empty_lists(value, kind):
    """PyIceberg 0.12 reads a list of rows that is NULL as an empty one: the file says NULL, as DuckDB and Polars read it."""
    if value is None:
        return None
    if isinstance(kind, ListType):
        if not value and isinstance(kind.element_type, (StructType, ListType, MapType)):
            return None
        return [without_empty_lists(element, kind.element_type) for element in value]
    if isinstance(kind, StructType):
        return [without_empty_lists(part, field.field_type) for part, field in zip(value, kind.fields)]
    return value
