#!/usr/bin/env python3
"""The most memory that `hosu` holds, input by hostile input, by the system's own count (wait4, ru_maxrss).

    cargo build --release -p hosu-cli
    python3 benches/memory.py --hosu target/release/hosu            # all cases, 24 GB of temporary files
    python3 benches/memory.py --only bad_lines,endless_line --scale 0.1

Prints Markdown, a line a case, and exits with 1 when a case went beyond its limit. Inputs are made by processes of
their own, because the count of a process begins with what its parent held. Standard library only.
"""

import argparse
import gzip
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20
# So much more than `query.memory` a query may take before it is ended.
QUERY_BEYOND = 256 * MIB
GB = 10 ** 9

# How long the longest lines are, as a share of the 16 MiB that they may have.
LINE = 1.0


# ---- inputs: each writes to `out` ----

def event(number, chance):
    return json.dumps({
        "event_id": f"{chance.getrandbits(128):032x}",
        "event_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_735_689_600 + number % 2_592_000)),
        "user_id": chance.randrange(1_000_000),
        "event_type": chance.choice(["page_view", "click", "purchase", "level_up"]),
        "amount": round(chance.random() * 1000, 2),
        "device": {"os": chance.choice(["ios", "android", "windows"]), "version": f"{chance.randrange(20)}.{chance.randrange(10)}",
                   "model": f"model-{chance.randrange(500)}"},
        "tags": [f"tag{chance.randrange(50)}" for _ in range(chance.randrange(4))],
        "message": "호수 " + "".join(chance.choice("abcdefgh ") for _ in range(100)),
    }, ensure_ascii=False).encode() + b"\n"


def block_of_events(rows=200_000, first=0):
    chance = random.Random(first + 1)
    return b"".join(event(first + number, chance) for number in range(rows))


def repeat(out, block, total):
    written = 0
    while written < total:
        written += out.write(block)


def events(out, scale):
    for first in range(0, int(1_000_000 * scale), 50_000):
        out.write(block_of_events(50_000, first))


def large_file(out, scale):
    repeat(out, block_of_events(), int(5 * GB * scale))


def huge_file(out, scale):
    """The system copies the first block, in whole pages: a file system that shares them (XFS, Btrfs) needs no room for the others."""
    block = block_of_events()
    block = block[:-1] + b" " * (-len(block) % 4096) + b"\n"
    out.write(block)
    out.flush()
    for at in range(len(block), int(20 * GB * scale), len(block)):
        copied = 0
        while copied < len(block):
            copied += os.copy_file_range(out.fileno(), out.fileno(), len(block) - copied, copied, at + copied)


def large_bad(out, scale):
    repeat(out, block_of_events().replace(b'"user_id": ', b'"user_id": -'), int(GB * scale))


def gzip_bomb(out, scale):
    line = b'{"event_time":"2025-01-01T00:00:00Z","user_id":1,"message":"the same again"}\n'
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as text:
        repeat(text, line * 20_000, int(10 * GB * scale))


def large_gzip(out, scale):
    member = gzip.compress(block_of_events(), 6)
    repeat(out, member, int(GB * scale))


def gzip_too_long(out, scale):
    """Ten gigabytes are allowed, or two hundred times what is stored."""
    member = gzip.compress(b'{"message":"the same again"}\n' * 4_000_000, 9)
    repeat(out, member, int(20 * GB * scale) // (29 * 4_000_000) * len(member))


def gzip_endless_line(out, scale):
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as text:
        text.write(b'{"a":"')
        repeat(text, b"x" * MIB, int(10 * GB * scale))


def endless_line(out, scale):
    out.write(b'{"a":1}\n{"a":"')
    repeat(out, b"x" * MIB, int(2 * GB * scale))


def long_lines(out, scale):
    """As long as a line may be, with next to nothing in it to compress away."""
    chance = random.Random(3)
    for number in range(int(60 * scale) + 1):
        body = chance.randbytes(int(7 * MIB * LINE)).hex()
        out.write(b'{"id":%d,"body":"%s"}\n' % (number, body.encode()))


def bad_lines(out, scale):
    repeat(out, b"".join(b"this is line %d and no JSON at all, " % number + b"!" * 60 + b"\n" for number in range(100_000)),
           int(GB * scale))


def short_bad_lines(out, scale):
    repeat(out, b"x\n" * 500_000, int(100_000_000 * scale))


def short_lines(out, scale):
    repeat(out, b'{"a":1}\n' * 100_000, int(GB * scale))


def wide(out, columns, rows):
    chance = random.Random(5)
    for _ in range(rows):
        out.write(json.dumps({f"c{column}": chance.randrange(10_000) if column % 2 else f"v{chance.randrange(10_000)}"
                              for column in range(columns)}).encode() + b"\n")


def wide_1000(out, scale):
    wide(out, 1_000, int(30_000 * scale))


def wide_10000(out, scale):
    wide(out, 10_000, int(2_000 * scale))


def empty_wide(out, scale):
    """A row of a thousand columns for two bytes of text."""
    wide(out, 1_000, 10)
    repeat(out, b"{}\n" * 100_000, int(3_000_000 * scale))


def partitions_wide(out, scale):
    """Rows of 300 columns, each for another of 200 partitions than the one before."""
    chance = random.Random(6)
    for number in range(int(60_000 * scale)):
        row = {"p": number * 7 % 200} | {f"c{column}": chance.randrange(1_000_000) for column in range(300)}
        out.write(json.dumps(row).encode() + b"\n")


def random_texts(out, scale):
    """Texts of 300 to 3,000 characters in five columns: no two alike, and little in them to compress away."""
    chance = random.Random(7)
    for number in range(int(150_000 * scale)):
        texts = {f"t{column}": chance.randbytes(150 * (1 + (number + column) % 10)).hex() for column in range(5)}
        out.write(json.dumps({"id": number} | texts).encode() + b"\n")


def long_lists(out, scale):
    """A million numbers and rows in the lists of a line."""
    chance, rows_count, numbers = random.Random(8), int(200_000 * LINE), list(range(int(800_000 * LINE)))
    for number in range(int(60 * scale) + 1):
        rows = [{"a": chance.randrange(1000), "b": None} for _ in range(rows_count)]
        out.write(json.dumps({"id": number, "numbers": numbers, "rows": rows}, separators=(",", ":")).encode() + b"\n")


def lists_of_digits(out, scale):
    """Lines that are nothing but a list: 7.5 million numbers in 15 MB."""
    for number in range(int(6 * scale) + 1):
        out.write(b'{"id":%d,"digits":[' % number + b"1," * int(7_500_000 * LINE) + b"1]}\n")


def lists_with_a_misfit(out, scale):
    """The same, and a text among the numbers, which is rescued."""
    out.write(b'{"id":1,"digits":[1]}\n' * 1000)
    for number in range(int(6 * scale) + 1):
        out.write(b'{"id":%d,"digits":[' % number + b"1," * int(7_500_000 * LINE) + b'"one"]}\n')


def sparse_rows(out, scale):
    """Lists of millions of objects, each of 48 columns that are almost all null."""
    out.write(json.dumps({"rows": [{f"c{column}": column for column in range(48)}]}).encode() + b"\n")
    for rows in (150_000, 1_000_000, 5_000_000):
        out.write(b'{"rows":[' + b"{}," * int(rows * scale * LINE) + b"{}]}\n")


def keys_fill_a_line(out, scale):
    out.write(b'{"a":1}\n')
    for _ in range(3):
        out.write(b"{" + b",".join(b'"k%d":0' % number for number in range(int(1_300_000 * scale * LINE))) + b"}\n")


def mostly_rescued(out, scale):
    """The column is a number in the sample, and then a text with next to nothing to compress away."""
    chance = random.Random(10)
    out.write(b'{"v":1,"w":2}\n' * 2_000_000)
    for _ in range(int(1_000_000 * scale)):
        out.write(b'{"v":"%s","w":{"x":[1,2,3]}}\n' % chance.randbytes(200).hex().encode())


def keys_of_a_line(out, scale):
    out.write(json.dumps({f"key{number}": number for number in range(int(100_000 * scale))}).encode() + b"\n")
    out.write(b'{"a":1}\n')


def keys_of_every_line(out, scale):
    for line in range(int(200_000 * scale)):
        out.write(json.dumps({f"key{line}_{number}": number for number in range(10)}).encode() + b"\n")


def deep(out, scale):
    levels = int(4_000_000 * scale)
    out.write(b'{"a":' + b"[" * levels + b"]" * levels + b"}\n")
    out.write(b'{"a":' * (levels // 2) + b"1" + b"}" * (levels // 2) + b"\n")
    for depth in range(1, 100):
        out.write(b'{"b":' * depth + b"1" + b"}" * depth + b"\n")
    out.write(b'{"c":1}\n')


def zstd_window(out, scale, window_log):
    """A frame that says its window is so large, and blocks of events as they are."""
    text = block_of_events(100_000)
    out.write(b"\x28\xb5\x2f\xfd\x00" + bytes([(window_log - 10) << 3]))
    parts = [text[at:at + 100_000] for at in range(0, len(text), 100_000)] * max(1, int(10 * scale))
    for number, part in enumerate(parts):
        last = number + 1 == len(parts)
        out.write((int(last) | len(part) << 3).to_bytes(3, "little") + part)


def zstd_window_27(out, scale):
    zstd_window(out, scale, 27)


def zstd_window_31(out, scale):
    zstd_window(out, scale, 31)


def small_files(folder, scale):
    chance = random.Random(9)
    for number in range(int(100_000 * scale)):
        if number % 1000 == 0:
            (folder / f"{number // 1000:03}").mkdir()
        (folder / f"{number // 1000:03}" / f"{number}.json").write_bytes(event(number, chance))


# ---- cases ----

CONTRACT = {
    "type": "object",
    "properties": {
        "event_id": {"type": "string", "minLength": 1},
        "event_time": {"type": "string", "format": "date-time"},
        "user_id": {"type": "integer", "minimum": 1},
        "event_type": {"enum": ["page_view", "click", "purchase", "level_up"]},
        "amount": {"type": "number", "minimum": 0},
        "device": {"type": "object", "properties": {"os": {"type": "string"}, "version": {"type": "string"}, "model": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
        "message": {"type": "string"},
        "id": {"type": "integer"},
        "digits": {"type": "array", "items": {"type": "integer", "maximum": 9}},
    },
}

PARTITIONED = ["--partition-by", "day(event_time)"]

# name: (what a person reads, how its input is made, how it is given, further arguments, whether an error is right)
INGEST = {
    "partitions": ("10,000 partitions, a million events", events, "file", ["--partition-by", "bucket(10000, event_id)"], False),
    "days": ("30 partitions, a million events", events, "file", PARTITIONED, False),
    "sorted": ("sorted by time, a million events", events, "file", ["--sort-by", "event_time"], False),
    "columns_1000": ("1,000 columns, 30,000 rows", wide_1000, "file", [], False),
    "columns_10000": ("10,000 columns, 2,000 rows", wide_10000, "file", [], False),
    "columns_empty": ("1,000 columns, a million lines `{}`", empty_wide, "file", [], False),
    "partitions_wide": ("200 partitions, 300 columns, 60,000 rows", partitions_wide, "file", ["--partition-by", "p"], False),
    "random_texts": ("150,000 rows of texts without a pattern, 1.2 GB", random_texts, "file", [], False),
    "lists_of_digits": ("six lines of 7.5 million numbers", lists_of_digits, "file", [], False),
    "lists_with_a_misfit": ("the same, a value in each that does not fit", lists_with_a_misfit, "file", [], False),
    "sparse_rows": ("lines of up to 5 million empty rows of 48 columns", sparse_rows, "file", [], False),
    "keys_fill_a_line": ("lines of 1.3 million keys", keys_fill_a_line, "file", [], False),
    "long_lists": ("60 lines with a million values in lists", long_lists, "file", [], False),
    "mostly_rescued": ("a million values that fit no column", mostly_rescued, "file", [], False),
    "large_file": ("a file of 5 GB, 30 partitions", large_file, "file", PARTITIONED, False),
    "huge_file": ("a file of 20 GB, 30 partitions", huge_file, "file", PARTITIONED, False),
    "large_stdin": ("the same 5 GB on standard input", large_file, "stdin", PARTITIONED, False),
    "contract": ("a million events under a contract", events, "file", [*PARTITIONED, "--schema", "contract.json"], False),
    "contract_digits": ("six lines of 7.5 million numbers under a contract", lists_of_digits, "file", ["--schema", "contract.json"], False),
    "contract_bad": ("1 GB of events that break the contract", large_bad, "file", ["--schema", "contract.json"], False),
    "large_gzip": ("a gzip of 1 GB, 30 partitions", large_gzip, "file", PARTITIONED, False),
    "gzip_too_long": ("a gzip of 20 GB of text, which is too much", gzip_too_long, "file", [], True),
    "gzip_bomb": ("a gzip of one line, again and again, 10 GB of text", gzip_bomb, "file", [], False),
    "gzip_endless_line": ("a gzip of one line without an end, 10 GB", gzip_endless_line, "file", [], False),
    "endless_line": ("2 GB without a line end on standard input", endless_line, "stdin", [], False),
    "long_lines": ("60 lines of 14 MiB", long_lines, "file", [], False),
    "bad_lines": ("1 GB of bad lines", bad_lines, "file", [], False),
    "short_bad_lines": ("50 million bad lines of one letter", short_bad_lines, "file", [], False),
    "short_lines": ("125 million lines `{\"a\":1}`", short_lines, "file", [], False),
    "keys_of_a_line": ("a line of 100,000 keys", keys_of_a_line, "file", [], False),
    "keys_of_every_line": ("200,000 lines, each with ten keys of its own", keys_of_every_line, "file", [], False),
    "deep": ("lists and objects, millions in each other", deep, "file", [], False),
    "zstd_window_27": ("zstd with a window of 128 MiB", zstd_window_27, "file", [], False),
    "zstd_window_31": ("zstd with a window of 2 GiB", zstd_window_31, "file", [], True),
    "small_files": ("100,000 files of one event", small_files, "folder", PARTITIONED, False),
}

# name: (what a person reads, the statement, whether an error is right)
QUERIES = {
    "sort": ("sort everything", "select * from big order by message, event_id", False),
    "top": ("sort, the first ten", "select * from big order by message limit 10", False),
    "group": ("a group for each row", "select event_id, count(*), max(message) from big group by event_id", False),
    "distinct": ("distinct rows", "select distinct event_id, message from big", False),
    "count_distinct": ("count(distinct) of texts", "select count(distinct message) from big", True),
    "join": ("a join with itself", "select a.event_id, b.message from big a join big b on a.event_id = b.event_id", True),
    "window": ("row_number over users", "select event_id, row_number() over (partition by user_id order by event_time) from big", False),
    "array_agg": ("all texts in one list", "select array_agg(message) from big", True),
    "everything": ("select *", "select * from big", False),
    "cross": ("a cross join, counted", "select count(*) from (select user_id from big limit 30000) a cross join (select user_id from big limit 30000) b", False),
    "cross_sort": ("a cross join of four, sorted", "select a.event_id, b.message from (select * from big limit 200) a cross join (select * from big limit 200) b cross join (select user_id from big limit 100) c cross join (select user_id from big limit 10) d order by b.message, a.event_id, c.user_id limit 10", False),
    "repeat": ("a text of 2 GB", "select repeat('x', 2000000000)", True),
    "repeat_rows": ("a text of 60 kB in each row", "select max(repeat(message, 500)) from big", True),
    "string_agg": ("all texts in one", "select string_agg(message, ',') from big", True),
    "sequence": ("a list of a billion", "select range(1, 1000000000)", True),
    "unnest": ("a hundred rows of each, sorted", "select message, n from (select message, unnest(range(1, 100)) as n from big limit 20000000) order by n, message limit 5", False),
    "concat": ("texts that double", "with a as (select repeat('x', 1000000) as s), b as (select s || s || s || s || s || s || s || s as s from a), c as (select s || s || s || s || s || s || s || s as s from b), d as (select s || s || s || s || s || s || s || s as s from c) select length(s) from d", True),
    "cross_rows": ("a cross join, its first rows", "select a.event_id from big a cross join big b limit 100000", True),
}


def measured(command, stdin=None, stdout=subprocess.DEVNULL, errors=None):
    """Exit code, seconds of the clock and of processors, and the most bytes that were resident."""
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=errors)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begun, usage.ru_utime + usage.ru_stime
    return child.returncode, seconds, usage.ru_maxrss * 1024


def make(name, target, options):
    command = [sys.executable, __file__, "--make", name, "--scale", str(options.scale), "--line-max", options.line_max]
    if target is subprocess.PIPE:
        return subprocess.Popen(command, stdout=subprocess.PIPE)
    subprocess.run([*command, "--target", target], check=True)
    return None


def ingest(name, hosu, folder, options):
    what, _, manner, further, may_fail = INGEST[name]
    lake, source, log = folder / "lake", folder / "input", folder / "errors"
    maker = None
    if manner == "stdin":
        maker = make(name, subprocess.PIPE, options)
        source = "-"
    else:
        make(name, source, options)
    command = [hosu, "--lake", lake, "ingest", "t", source, *further]
    with open(log, "w") as errors:
        code, seconds, peak = measured(command, maker.stdout if maker else None, errors=errors)
    if maker:
        maker.stdout.close()
        maker.wait()
    outcome = "done" if code == 0 else log.read_text().strip().splitlines()[0]
    return what, options.ingest_memory, peak, seconds, outcome, code == 0 or may_fail


def query(name, hosu, folder, options):
    what, statement, may_fail = QUERIES[name]
    log = folder / "errors"
    command = [hosu, "--lake", folder / "big", "sql", "--format", "csv", "-c", statement]
    with open(log, "w") as errors:
        code, seconds, peak = measured(command, errors=errors)
    outcome = "done" if code == 0 else log.read_text().strip().splitlines()[0]
    return what, options.query_memory, peak, seconds, outcome, code == 0 or may_fail


def size(text):
    units = {"MiB": MIB, "GiB": MIB << 10}
    return int(text[:-3]) * units[text[-3:]]


def show(row, base):
    what, limit, peak, seconds, outcome, is_right = row
    beyond = peak > size(limit) + base
    mark = " **beyond**" if beyond else ""
    mark += "" if is_right else " **failed**"
    print(f"| {what} | {limit} | {peak / MIB:.0f} MiB{mark} | {seconds[0]:.1f} s | {seconds[1]:.1f} s | {outcome} |", flush=True)
    return is_right and not beyond


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosu", default="target/release/hosu")
    parser.add_argument("--only", help="cases, separated by commas", default="")
    parser.add_argument("--scale", type=float, default=1.0, help="a share of the inputs' size")
    parser.add_argument("--ingest-memory", default="512MiB")
    parser.add_argument("--line-max", default="16MiB")
    parser.add_argument("--query-memory", default="256MiB")
    parser.add_argument("--folder", help="for temporary files")
    parser.add_argument("--make", help=argparse.SUPPRESS)
    parser.add_argument("--target", help=argparse.SUPPRESS)
    options = parser.parse_args()
    global LINE
    LINE = size(options.line_max) / (16 * MIB)
    if options.make:
        maker = events if options.make == "big" else INGEST[options.make][1]
        if options.make == "small_files":
            target = pathlib.Path(options.target)
            target.mkdir()
            return maker(target, options.scale)
        try:
            with open(options.target, "w+b") if options.target else os.fdopen(1, "wb") as out:
                return maker(out, options.scale)
        except BrokenPipeError:
            return None
    hosu = str(pathlib.Path(options.hosu).resolve())
    wanted = [name for name in options.only.split(",") if name] or [*INGEST, *QUERIES]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hosu-memory-", dir=options.folder))
    # The nearest hosu.toml upward from the current folder sets the limits.
    os.chdir(folder)
    (folder / "contract.json").write_text(json.dumps(CONTRACT))
    line_max = f'line_max = "{options.line_max}"\n' if LINE != 1 else ""
    (folder / "hosu.toml").write_text(f'[ingest]\nmemory = "{options.ingest_memory}"\n{line_max}'
                                      f'[query]\nmemory = "{options.query_memory}"\nspill = "{folder}"\n')
    _, _, base = measured([hosu, "sql", "-c", "select 1"], errors=subprocess.DEVNULL)
    print(f"`select 1` takes {base / MIB:.0f} MiB: what the program itself is.\n")
    print("| input | limit | peak | time | CPU | outcome |\n|---|---|---:|---:|---:|---|")
    all_right = True
    for name in [name for name in wanted if name in INGEST]:
        all_right &= show(ingest(name, hosu, folder, options), 0)
        shutil.rmtree(folder / "lake", ignore_errors=True)
        shutil.rmtree(folder / "input") if (folder / "input").is_dir() else (folder / "input").unlink(missing_ok=True)
    if any(name in QUERIES for name in wanted):
        source = folder / "big.json"
        make("big", source, options)
        code, _, _ = measured([hosu, "--lake", folder / "big", "ingest", "big", source])
        all_right &= code == 0
        for name in [name for name in wanted if name in QUERIES]:
            all_right &= show(query(name, hosu, folder, options), base + QUERY_BEYOND)
    shutil.rmtree(folder)
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())
