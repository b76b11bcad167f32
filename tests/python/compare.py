"""Reads every table of a lake with `hosu` and with other engines and prints each difference, one JSON object a line.

usage: compare.py HOSU LAKE PAST; PAST is a file of what tables held when they were younger: one line a snapshot, as
`hosu sql --output json` answered, with the members `table` and `snapshot`. The last line says how much was compared.
"""

import collections
import concurrent.futures
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
    """`hosu` beside engines on one lake. Each difference is told as an object; `done` counts what was compared."""

    def __init__(self, hosu, lake, engines, tell):
        self.hosu, self.lake, self.engines, self.tell = hosu, lake, engines, tell
        self.catalog = SqlCatalog("hosu", uri=f"sqlite:///{lake}/catalog.db", warehouse=f"{lake}/warehouse")
        self.threads = concurrent.futures.ThreadPoolExecutor(len(engines))
        self.done = collections.Counter()
        self.took = collections.Counter()

    def names(self):
        """All tables, as namespace and name."""
        return [(space, name) for (space,) in self.catalog.list_namespaces() for *_, name in self.catalog.list_tables(space)]

    def ours(self, statements):
        """The answers of `hosu` to statements."""
        answers = []
        while len(answers) < len(statements):
            script = ";\n".join(statements[len(answers):])
            started = time.monotonic()
            run = subprocess.run([self.hosu, "--lake", self.lake, "--output", "json", "sql"],
                                 input=script.encode(), capture_output=True)
            self.took["hosu"] += time.monotonic() - started
            if not run.stdout:
                raise RuntimeError(f"{script[:2000]}: {run.stderr.decode()}")
            found = [json.loads(line) for line in run.stdout.decode().strip().split("\n")]
            # The first error ends a script: what is behind it is asked again.
            answers += [{"columns": [], "rows": answer["error"]["message"]} if "error" in answer else answer for answer in found]
        return answers

    def differ(self, engine, table, what, **more):
        self.tell({"engine": engine, "table": table, "what": what, **more})

    def asked(self, engine, name, what, question, times=1):
        """An engine's answer; a failure is a difference."""
        started = time.monotonic()
        try:
            return question()
        except Exception as error:
            self.differ(engine.name, name, what, error=f"{type(error).__name__}: {error}"[:600])
        finally:
            self.took[engine.name] += time.monotonic() - started
            self.done[f"{engine.name}: {what.split(' ')[0]}"] += times

    def tables(self, names):
        """Compares all that tables hold, and what filters find of them."""
        tables = [self.catalog.load_table(name) for name in names]
        answers = self.ours([f"SELECT * FROM {quoted(name)}" for name in names])
        asked = [self.rows(".".join(name), table, answer) for name, table, answer in zip(names, tables, answers)]
        counted = iter(self.ours([
            f"SELECT count(*) FROM {quoted(name)} WHERE {literals.condition(predicate, literals.HOSU)}"
            for name, predicates in zip(names, asked) for predicate, _ in predicates
        ]))
        for name, table, predicates in zip(names, tables, asked):
            self.counts(".".join(name), table, predicates, [next(counted)["rows"] for _ in predicates])

    def rows(self, full, table, answer):
        """Compares the rows of a table, and gives back filters with the number of rows that each is true of."""
        schema = table.schema()
        rows = self.same(full, table, schema, answer, None)
        values_at = {path: list(reached(schema, rows, path)) for path, *_ in leaves(schema.fields, ())}
        return [(predicate, matching(values_at[predicate[0]], predicate)) for predicate in predicates(full, table, values_at)]

    def counts(self, full, table, predicates, ours):
        """Compares how many rows filters find."""
        for (predicate, wanted), found in zip(predicates, ours):
            if found != [[wanted]] and not allowed.predicate("hosu", table, predicate):
                self.differ("hosu", full, condition(predicate), found=found, wanted=wanted)
        self.each(table, lambda engine: self.engine_counts(engine, full, table, predicates))

    def each(self, table, question):
        """Asks the engines that can read a table, all at the same time."""
        engines = [engine for engine in self.engines if not allowed.table(engine.name, table)]
        list(self.threads.map(question, engines))

    def engine_counts(self, engine, full, table, predicates):
        asked = [pair for pair in predicates if not allowed.predicate(engine.name, table, pair[0])]
        question = lambda: engine.counts(table, [predicate for predicate, _ in asked])
        for (predicate, wanted), found in zip(asked, self.asked(engine, full, "count", question, len(asked)) or []):
            if found != wanted:
                self.differ(engine.name, full, condition(predicate), found=found, wanted=wanted)

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
            self.differ("hosu", full, f"columns of {said}", found=ours or answer["rows"], wanted=columns)
            return []
        rows = [tuple(values.of_trino(value, kind) for value, kind in zip(row, kinds)) for row in answer["rows"]]
        forms = {allowed.form(engine.name, table) for engine in self.engines}
        wanted = {form: keys(rows, form, kinds) for form in forms}
        self.each(table, lambda engine: self.engine_same(engine, full, said, table, snapshot, columns, kinds, wanted))
        return rows

    def engine_same(self, engine, full, said, table, snapshot, columns, kinds, wanted):
        theirs = self.asked(engine, full, said, lambda: engine.read(table, snapshot))
        if theirs is None:
            return
        form = allowed.form(engine.name, table)
        found = [(field.name, values.arrow_name(field.type)) for field in theirs.schema]
        if not all(allowed.column(engine.name, ours, their) for ours, their in zip(columns, found)) or len(columns) != len(found):
            self.differ(engine.name, full, f"columns of {said}", found=found, wanted=columns)
            return
        try:
            found = values.of_arrow(theirs, kinds) if kinds and theirs.num_rows else []
        except Exception as error:
            self.differ(engine.name, full, f"values of {said}", error=f"{type(error).__name__}: {error}"[:600])
            return
        wanted, theirs = wanted[form], keys(found, form, kinds)
        if wanted != theirs:
            missing, extra = wanted - theirs, theirs - wanted
            self.differ(engine.name, full, said, counts=[wanted.total(), len(found)],
                        ours=[row[:3000] for row in list(missing)[:3]], theirs=[row[:3000] for row in list(extra)[:3]])


def condition(predicate):
    return f"count where {literals.condition(predicate, literals.HOSU)}"


def quoted(name):
    return ".".join(literals.name_of(part, literals.HOSU) for part in name)


def keys(rows, form, kinds):
    """How often each row is there."""
    return collections.Counter(values.row_keys([form(row, kinds) for row in rows] if form else rows, kinds))


def predicates(full, table, values_at):
    """Filters on values that are there or nearly: of the columns that files are pruned by first."""
    dice = random.Random(full)
    paths = list(leaves(table.schema().fields, ()))
    sources = {field.source_id for field in table.spec().fields} | {field.source_id for field in table.sort_order().fields}
    first = [path for path in paths if path[2] in sources]
    rest = [path for path in paths if path[2] not in sources]
    dice.shuffle(rest)
    most = max(PREDICATES_MAX, 5 * len(first))
    made = []
    for path, kind, source in first + rest:
        if isinstance(kind, literals.WITHOUT):
            continue
        if len(made) >= most:
            break
        found = [value for value in values_at[path] if value is not None]
        made.append((path, dice.choice(["is null", "is not null"]), None, kind))
        if isinstance(kind, (FloatType, DoubleType)):
            if any(not math.isfinite(value) for value in found):
                continue  # Where NaN stands in the order is not the same in all engines.
        if not found:
            continue
        for test in dice.sample(list(TESTS), 4 if source in sources else 2):
            value = [dice.choice(found) for _ in range(3)] if test == "in" else dice.choice(found)
            made.append((path, test, value, kind))
    return made[:most]


def leaves(fields, path):
    """The scalar columns and fields of rows, with their paths."""
    for field in fields:
        if isinstance(field.field_type, StructType):
            yield from leaves(field.field_type.fields, (*path, field.name))
        elif isinstance(field.field_type, PrimitiveType):
            yield ((*path, field.name), field.field_type, field.field_id)


def reached(schema, rows, path):
    """The value at a path in each row."""
    fields, indexes = schema.fields, []
    for name in path:
        indexes.append(next(index for index, field in enumerate(fields) if field.name == name))
        fields = getattr(fields[indexes[-1]].field_type, "fields", ())
    for value in rows:
        for index in indexes:
            value = None if value is None else value[index]
        yield value


def matching(found, predicate):
    """How many of the values at its path a predicate is true of."""
    _, test, wanted, _ = predicate
    if test == "is null":
        return sum(value is None for value in found)
    if test == "is not null":
        return sum(value is not None for value in found)
    return sum(value is not None and TESTS[test](value, wanted) for value in found)


def main():
    hosu, lake, past, *only = sys.argv[1:]
    engines = [PyIceberg(), DuckDB(), Polars()]
    suite = Suite(hosu, lake, engines, lambda told: print(json.dumps(told, ensure_ascii=False, default=str), flush=True))
    suite.tables([name for name in suite.names() if not only or name[1] in only])
    for line in open(past, encoding="utf-8"):
        answer = json.loads(line)
        if not only or answer["table"].split(".")[-1] in only:
            suite.past(answer)
    print(json.dumps({"compared": suite.done, "seconds": {name: round(took, 1) for name, took in suite.took.items()}}))


if __name__ == "__main__":
    main()
