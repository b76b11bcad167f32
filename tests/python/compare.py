"""Reads every table of a lake with `hosu` and with other engines and prints each difference, one JSON object a line.

usage: compare.py HOSU LAKE PAST; PAST is a file of what tables held when they were younger: one line a snapshot, as
`hosu sql --output json` answered, with the members `table` and `snapshot`. The last line says how much was compared.
"""

import collections
import json
import math
import operator
import random
import subprocess
import sys
import time

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import DoubleType, FloatType, StructType, PrimitiveType

import allowed
import literals
import values
from engines import DuckDB, Polars, PyIceberg

TESTS = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "in": lambda value, wanted: value in wanted,
}
PREDICATES_MAX = 6


class Suite:
    def __init__(self, hosu, lake):
        self.hosu, self.lake = hosu, lake
        self.catalog = SqlCatalog("hosu", uri=f"sqlite:///{lake}/catalog.db", warehouse=f"{lake}/warehouse")
        self.engines = [PyIceberg(), DuckDB(), Polars()]
        self.done = collections.Counter()
        self.took = collections.Counter()

    def ours(self, statements):
        """The answers of `hosu` to statements."""
        answers = []
        while len(answers) < len(statements):
            script = ";\n".join(statements[len(answers):])
            run = subprocess.run([self.hosu, "--lake", self.lake, "--output", "json", "sql"],
                                 input=script.encode(), capture_output=True)
            if not run.stdout:
                raise RuntimeError(f"{script[:2000]}: {run.stderr.decode()}")
            found = [json.loads(line) for line in run.stdout.decode().strip().split("\n")]
            # The first error ends a script: what is behind it is asked again.
            answers += [{"columns": [], "rows": answer["error"]["message"]} if "error" in answer else answer for answer in found]
        return answers

    def differ(self, engine, table, what, **more):
        print(json.dumps({"engine": engine, "table": table, "what": what, **more}, ensure_ascii=False, default=str), flush=True)

    def asked(self, engine, name, what, question):
        """An engine's answer; a failure is a difference."""
        started = time.monotonic()
        try:
            return question()
        except Exception as error:
            self.differ(engine.name, name, what, error=f"{type(error).__name__}: {error}"[:600])
        finally:
            self.took[engine.name] += time.monotonic() - started
            self.done[f"{engine.name}: {what.split(' ')[0]}"] += 1

    def table(self, namespace, name):
        """Compares all that a table holds, and what filters find of it."""
        full = f"{namespace}.{name}"
        table = self.catalog.load_table((namespace, name))
        quoted = ".".join('"' + part.replace('"', '""') + '"' for part in (namespace, name))
        answer = self.ours([f"SELECT * FROM {quoted}"])[0]
        schema = table.schema()
        rows = self.same(full, table, schema, answer, None)
        predicates = list(self.predicates(full, table, schema, rows))
        counted = self.ours([f"SELECT count(*) FROM {quoted} WHERE {literals.condition(p, literals.HOSU)}" for p in predicates])
        for predicate, ours in zip(predicates, counted):
            wanted = matching(schema, rows, predicate)
            said = f"count where {literals.condition(predicate, literals.HOSU)}"
            if ours["rows"] != [[wanted]] and not allowed.predicate("hosu", table, predicate):
                self.differ("hosu", full, said, found=ours["rows"], wanted=wanted)
            for engine in self.engines:
                if allowed.predicate(engine.name, table, predicate):
                    continue
                found = self.asked(engine, full, said, lambda: engine.count(table, predicate))
                if found is not None and found != wanted:
                    self.differ(engine.name, full, said, found=found, wanted=wanted)

    def past(self, answer):
        """Compares a snapshot that is not the last."""
        table = self.catalog.load_table(answer["table"])
        snapshot = int(answer["snapshot"])
        schema = table.schemas()[table.snapshot_by_id(snapshot).schema_id]
        self.same(answer["table"], table, schema, answer, snapshot)

    def same(self, full, table, schema, answer, snapshot):
        """Compares a table's rows; what they are in one form."""
        kinds = [field.field_type for field in schema.fields]
        said = "rows" if snapshot is None else f"snapshot {snapshot}"
        columns = [(field.name, values.type_name(field.field_type)) for field in schema.fields]
        # Which names of fields need quotes is Trino's matter, and not the witness's.
        ours = [(column["name"], column["type"].replace('"', "")) for column in answer["columns"]]
        if ours != [(name, kind.replace('"', "")) for name, kind in columns]:
            self.differ("hosu", full, f"columns of {said}", found=ours, wanted=columns)
        rows = [tuple(values.of_trino(value, kind) for value, kind in zip(row, kinds)) for row in answer["rows"]]
        for engine in self.engines:
            theirs = self.asked(engine, full, said, lambda: engine.read(table, snapshot))
            if theirs is not None:
                self.engine_same(engine, full, said, schema, rows, theirs)
        return rows

    def engine_same(self, engine, full, said, schema, rows, theirs):
        columns = [(field.name, values.type_name(field.field_type)) for field in schema.fields]
        found = [(field.name, values.arrow_name(field.type)) for field in theirs.schema]
        if not all(allowed.column(engine.name, ours, their) for ours, their in zip(columns, found)) or len(columns) != len(found):
            self.differ(engine.name, full, f"columns of {said}", found=found, wanted=columns)
            return
        kinds = [field.field_type for field in schema.fields]
        try:
            found = values.of_arrow(theirs, kinds) if kinds and theirs.num_rows else []
        except Exception as error:
            self.differ(engine.name, full, f"values of {said}", error=f"{type(error).__name__}: {error}"[:600])
            return
        form = allowed.form(engine.name, kinds)
        ours_only = collections.Counter(values.row_key(form(row), kinds) for row in rows)
        theirs_only = collections.Counter(values.row_key(form(row), kinds) for row in found)
        if ours_only != theirs_only:
            missing, extra = ours_only - theirs_only, theirs_only - ours_only
            self.differ(engine.name, full, said, counts=[len(rows), len(found)],
                        ours=[row[:3000] for row in list(missing)[:3]], theirs=[row[:3000] for row in list(extra)[:3]])

    def predicates(self, full, table, schema, rows):
        """Filters on values that are there or nearly: of the columns that files are pruned by first."""
        dice = random.Random(full)
        paths = list(leaves(schema.fields, ()))
        sources = {field.source_id for field in table.spec().fields} | {field.source_id for field in table.sort_order().fields}
        first = [path for path in paths if path[2] in sources]
        rest = [path for path in paths if path[2] not in sources]
        dice.shuffle(rest)
        made = []
        for path, kind, _ in first + rest:
            if isinstance(kind, literals.WITHOUT):
                continue
            found = [value for value in (reached(schema, row, path) for row in rows) if value is not None]
            made.append((path, dice.choice(["is null", "is not null"]), None, kind))
            if isinstance(kind, (FloatType, DoubleType)):
                if any(not math.isfinite(value) for value in found):
                    continue  # Where NaN stands in the order is not the same in all engines.
            if not found:
                continue
            tests = dice.sample(list(TESTS), 4 if (path, kind, _) in first else 2)
            for test in tests:
                value = [dice.choice(found) for _ in range(3)] if test == "in" else dice.choice(found)
                made.append((path, test, value, kind))
        return made[:max(PREDICATES_MAX, 5 * len(first))]


def leaves(fields, path):
    """The scalar columns and fields of rows, with their paths."""
    for field in fields:
        if isinstance(field.field_type, StructType):
            yield from leaves(field.field_type.fields, (*path, field.name))
        elif isinstance(field.field_type, PrimitiveType):
            yield ((*path, field.name), field.field_type, field.field_id)


def reached(schema, row, path):
    """The value at a path."""
    fields, value = schema.fields, row
    for name in path:
        if value is None:
            return None
        index = next(index for index, field in enumerate(fields) if field.name == name)
        value = value[index]
        fields = getattr(fields[index].field_type, "fields", ())
    return value


def matching(schema, rows, predicate):
    """How many rows a predicate is true of."""
    path, test, wanted, _ = predicate
    found = (reached(schema, row, path) for row in rows)
    if test == "is null":
        return sum(value is None for value in found)
    if test == "is not null":
        return sum(value is not None for value in found)
    return sum(value is not None and TESTS[test](value, wanted) for value in found)


def main():
    hosu, lake, past, *only = sys.argv[1:]
    suite = Suite(hosu, lake)
    for namespace in suite.catalog.list_namespaces():
        for *_, name in suite.catalog.list_tables(namespace):
            if not only or name in only:
                suite.table(namespace[0], name)
    for line in open(past, encoding="utf-8"):
        answer = json.loads(line)
        if not only or answer["table"].split(".")[-1] in only:
            suite.past(answer)
    print(json.dumps({"compared": suite.done, "seconds": {name: round(took, 1) for name, took in suite.took.items()}}))


if __name__ == "__main__":
    main()
