#!/usr/bin/env python3
"""Many small sources: a folder of files and an S3 prefix on MinIO, each with one event a file; how long an ingest takes and what it holds.

    cargo build --release -p hosu-cli
    python3 benches/objects.py --hosu target/release/hosu --minio ~/.cache/hosu/servers/minio-*/minio

Prints Markdown, a line a run: first a dry run, then the ingest, the same again (all are known), and the last hundred by name with
`--after`. The peak is the system's own count (wait4, ru_maxrss). Sources are made by a process of its own, because the count of a
process begins with what its parent held. Standard library only.
"""

import argparse
import concurrent.futures
import datetime
import hashlib
import heapq
import hmac
import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

KEY, SECRET, REGION = "hosu-bench", "hosu-bench-secret", "us-east-1"


def event(number):
    text = {"id": number, "event_time": f"2026-03-{1 + number % 28:02}T10:00:00Z", "type": "click", "text": "x" * (number % 200)}
    return json.dumps(text).encode() + b"\n"


def name(number, folders):
    return f"{number % folders:03}/{number:07}.json" if folders > 1 else f"{number:07}.json"


# ---- the server ----

class Minio:
    def __init__(self, program, folder):
        """The server, on a port that is free."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.data = folder / "objects"
        for bucket in ["events", "lake"]:
            (self.data / bucket).mkdir(parents=True)
        environment = {**os.environ, "MINIO_ROOT_USER": KEY, "MINIO_ROOT_PASSWORD": SECRET, "MINIO_BROWSER": "off", "MINIO_UPDATE": "off"}
        command = [program, "server", "--quiet", "--address", f"127.0.0.1:{self.port}", str(self.data)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": REGION,
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def end(self):
        self.process.terminate()
        _, _, usage = os.wait4(self.process.pid, 0)
        print(f"\nMinIO itself took {usage.ru_utime + usage.ru_stime:.0f} CPU seconds.")


class Client:
    """Puts objects, over a connection for each thread."""

    def __init__(self, port):
        self.port, self.local = port, threading.local()

    def wait(self):
        for _ in range(600):
            try:
                return self.put("lake", "ready", b"x")
            except (OSError, RuntimeError):
                self.local = threading.local()
                time.sleep(0.1)
        sys.exit("MinIO takes no objects")

    def put(self, bucket, key, body):
        connection = getattr(self.local, "connection", None)
        if connection is None:
            connection = self.local.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        path = f"/{bucket}/{key}"
        connection.request("PUT", path, body, self.signed(path))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")

    def signed(self, path):
        """Headers of Signature Version 4 for a body that is not signed."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        host, day = f"127.0.0.1:{self.port}", now[:8]
        headers = {"host": host, "x-amz-content-sha256": "UNSIGNED-PAYLOAD", "x-amz-date": now}
        names = ";".join(headers)
        canonical = "\n".join(["PUT", path, "", *(f"{key}:{value}" for key, value in headers.items()), "", names, "UNSIGNED-PAYLOAD"])
        scope = f"{day}/{REGION}/s3/aws4_request"
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
        key = f"AWS4{SECRET}".encode()
        for part in [day, REGION, "s3", "aws4_request", text]:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        credential = f"Credential={KEY}/{scope}, SignedHeaders={names}, Signature={key.hex()}"
        return {**headers, "Authorization": f"AWS4-HMAC-SHA256 {credential}"}


# ---- sources ----

def fill_folder(folder, count, folders):
    for number in range(count):
        path = folder / name(number, folders)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(event(number))


def fill_bucket(port, count, folders):
    client = Client(port)
    client.wait()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for first in range(0, count, 10_000):
            some = range(first, min(first + 10_000, count))
            list(pool.map(lambda number: client.put("events", f"in/{name(number, folders)}", event(number)), some))


# ---- runs ----

def run(hosu, lake, arguments, environment):
    """Runs the binary: its report, seconds of the clock and of processors, and the most that it held in MiB."""
    with tempfile.TemporaryFile() as out:
        started = time.monotonic()
        command = [hosu, "ingest", "--output", "json", *arguments]
        process = subprocess.Popen(command, cwd=lake, stdout=out, env={"HOME": str(lake), "PATH": "/usr/bin:/bin", **environment})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode != 0:
        sys.exit(f"{command}: {text.decode()}")
    return json.loads(text), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(title, hosu, lake, source, last, count, environment):
    runs = [
        ("dry run", ["--dry-run"], count),
        ("ingest", [], count),
        ("the same again", [], 0),
        ("`--after`, the last 100", ["--reingest", "--after", last], 100),
    ]
    for what, options, rows in runs:
        report, seconds, cpu, peak = run(hosu, lake, ["events", source, *options], environment)
        assert report["rows"] == rows, report["rows"]
        print(f"| {title} | {what} | {seconds:.1f} | {cpu:.1f} | {peak:.0f} MiB |", flush=True)


def fill(options, place):
    command = [sys.executable, __file__, "--hosu", options.hosu, "--count", str(options.count), "--folders", str(options.folders)]
    subprocess.run([*command, "--fill", str(place)], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosu", required=True)
    parser.add_argument("--minio", help="the program; without it only files are measured")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--folders", type=int, default=1, help="over how many folders they are spread")
    parser.add_argument("--only", choices=["files", "objects"])
    parser.add_argument("--fill", help=argparse.SUPPRESS)
    options = parser.parse_args()
    count, folders, hosu = options.count, options.folders, str(pathlib.Path(options.hosu).resolve())
    if options.fill:
        is_port = options.fill.isdigit()
        return fill_bucket(int(options.fill), count, folders) if is_port else fill_folder(pathlib.Path(options.fill), count, folders)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hosu-objects-"))
    last = heapq.nlargest(101, (name(number, folders) for number in range(count)))[-1]
    print("| sources | run | seconds | CPU s | peak |\n|---|---|---:|---:|---:|", flush=True)
    server = None
    try:
        if options.only != "objects":
            fill(options, folder / "in")
            (folder / "files").mkdir()
            measure(f"{count:,} files", hosu, folder / "files", str(folder / "in"), str(folder / "in" / last), count, {})
        if options.minio and options.only != "files":
            server = Minio(options.minio, folder)
            fill(options, server.port)
            lake = folder / "lake"
            lake.mkdir()
            (lake / "hosu.toml").write_text('[lake]\ncatalog = "sqlite:catalog.db"\nwarehouse = "s3://lake/warehouse"\n')
            measure(f"{count:,} objects", hosu, lake, "s3://events/in/", f"in/{last}", count, server.environment())
    finally:
        if server:
            server.end()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
