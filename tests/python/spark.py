"""One session of Spark that reads and writes lakes at a test's word, beside `hosu` on the same catalog.

usage: spark.py HOME HOSU; HOME is what spark-install made. Reads one command a line, each a JSON object with the member `lake`,
and answers each with one line: {"sql": [STATEMENT...]} with the rows of the last one, {"compare": [TABLE...]} (all tables where
the list is empty) with the differences between what hosu and Spark say, and how much was compared.
"""

import glob
import json
import os
import sys

sys.path.insert(0, os.path.join(sys.argv[1], "python"))

from pyspark.sql import SparkSession

import literals
from compare import Suite

SETTINGS = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.defaultCatalog": "hosu",
    "spark.sql.catalog.hosu": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.hosu.type": "jdbc",
    "spark.sql.catalog.hosu.jdbc.schema-version": "V1",
    # Every statement sees what others committed before it.
    "spark.sql.catalog.hosu.cache-enabled": "false",
    # Two columns may differ in case alone.
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.shuffle.partitions": "2",
    "spark.driver.memory": "1g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}


class Spark:
    """What `compare` asks of an engine."""

    name = "Spark"

    def __init__(self, session):
        self.session = session

    def from_table(self, table, snapshot=None):
        at = f" VERSION AS OF {snapshot}" if snapshot is not None else ""
        return ".".join(literals.name_of(part, literals.SPARK) for part in table.name()) + at

    def read(self, table, snapshot=None):
        return self.session.sql(f"SELECT * FROM {self.from_table(table, snapshot)}").toArrow()

    def counts(self, table, predicates):
        """How many rows each filter finds: one query, because a query costs much."""
        counts = [
            f"SELECT {index}, count(*) FROM {self.from_table(table)} WHERE {literals.condition(predicate, literals.SPARK)}"
            for index, predicate in enumerate(predicates)
        ]
        found = dict(self.session.sql(" UNION ALL ".join(counts)).collect()) if counts else {}
        return [found[index] for index in range(len(counts))]


def start(home):
    builder = SparkSession.builder.master("local[2]").config("spark.jars", ",".join(glob.glob(f"{home}/jars/*.jar")))
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


class Server:
    def __init__(self, home, hosu):
        self.hosu = hosu
        self.first = start(home)
        self.sessions = {}

    def session(self, lake):
        """The session of a lake: sessions of one Spark have catalogs of their own."""
        if lake not in self.sessions:
            session = self.first.newSession()
            # A slow machine is no failure: it waits for others' transactions longer than the driver's three seconds.
            session.conf.set("spark.sql.catalog.hosu.uri", f"jdbc:sqlite:{lake}/catalog.db?busy_timeout=60000")
            session.conf.set("spark.sql.catalog.hosu.warehouse", f"{lake}/warehouse")
            self.sessions[lake] = session
        return self.sessions[lake]

    def sql(self, lake, statements):
        for statement in statements:
            rows = self.session(lake).sql(statement).collect()
        return {"rows": [list(row) for row in rows]}

    def compare(self, lake, names, past):
        told = []
        suite = Suite(self.hosu, lake, [Spark(self.session(lake))], told.append)
        suite.tables([tuple(name.split(".")) for name in names] or suite.names())
        for answer in past:
            suite.past(answer)
        return {"differences": told, "compared": suite.done}

    def answer(self, command):
        try:
            if "sql" in command:
                return self.sql(command["lake"], command["sql"])
            return self.compare(command["lake"], command["compare"], command.get("past", []))
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:4000]}


def main():
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What Java prints is no answer.
    os.dup2(2, 1)
    server = Server(sys.argv[1], sys.argv[2])
    say = lambda answer: print(json.dumps(answer, ensure_ascii=False, default=str), file=answers, flush=True)
    say({"version": server.first.version})
    for line in sys.stdin:
        say(server.answer(json.loads(line)))
    server.first.stop()


main()
