#!/usr/bin/env python3
"""Makes events of other kinds than events.py's, one object a line:

    flat     a click of a dozen plain fields, about 270 bytes
    logs     a line of a service's log with a message, labels and now and then a stack trace, about 380 bytes
    wide     a reading of 500 sensors, of which a tenth says nothing at a time, about 9,200 bytes

    other_events.py flat --events 1000000 flat.ndjson

The same options give the same bytes on every machine. Events come in the order of their time, over so many --days.
Standard library only.
"""

import argparse
import datetime
import json
import multiprocessing
import os
import random

START = datetime.datetime(2026, 1, 1)
# Events that are made in one go, from a random stream of their own.
BLOCK = 1024
PATHS = ["/", "/index.html", "/cart", "/checkout", "/search", "/account", "/help/returns", "/blog/how-to-choose", "/api/v2/items"]
AGENTS = ["Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X)",
          "Mozilla/5.0 (Linux; Android 15; Pixel 8)", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "curl/8.9.1"]
SERVICES = ["gateway", "orders", "payments", "inventory", "mailer", "search", "auth", "ranking"]
LEVELS = ["DEBUG"] * 3 + ["INFO"] * 24 + ["WARN"] * 3 + ["ERROR"] * 2
VERBS = ["accepted", "rejected", "retried", "finished", "started", "queued", "dropped", "cached"]
THINGS = ["request", "order", "payment", "mail", "query", "session", "message", "batch"]
TRACE = ["java.io.IOException: Connection reset by peer", "at sun.nio.ch.SocketDispatcher.read0(Native Method)",
         "at com.example.net.Channel.read(Channel.java:218)", "at com.example.net.Loop.run(Loop.java:91)"]
SENSORS = 500


def flat(rng, number, time):
    return {
        "event_time": time, "click_id": f"{rng.getrandbits(64):016x}", "user_id": int(rng.paretovariate(0.6)) % 1_000_000,
        "path": rng.choice(PATHS), "status": 200 if rng.random() < 0.93 else rng.choice([301, 404, 500]),
        "bytes_sent": rng.getrandbits(16), "took_ms": round(rng.expovariate(0.02), 3), "agent": rng.choice(AGENTS),
        "ip": f"10.{rng.getrandbits(4)}.{rng.getrandbits(8)}.{rng.getrandbits(8)}", "country": rng.choice("KR JP US DE FR BR".split()),
        "bot": rng.random() < 0.05, "campaign": rng.choice(["spring", "sale-50", None, None, None]),
    }


def logs(rng, number, time):
    level = rng.choice(LEVELS)
    service = rng.choice(SERVICES)
    message = (f"{rng.choice(THINGS)} {rng.getrandbits(32)} {rng.choice(VERBS)} in {rng.getrandbits(11)} ms, \"{rng.choice(PATHS)}\" "
               f"from 10.0.{rng.getrandbits(8)}.{rng.getrandbits(8)}:{rng.getrandbits(16)}")
    event = {"event_time": time, "level": level, "service": service, "host": f"ip-10-0-{rng.getrandbits(3)}-{rng.getrandbits(5)}",
             "logger": f"com.example.{service}.{rng.choice(THINGS).title()}Handler", "thread": f"worker-{rng.getrandbits(4)}",
             "message": message, "trace_id": f"{rng.getrandbits(128):032x}", "sequence": number,
             "labels": {"zone": rng.choice("abc"), "pod": f"{service}-{rng.getrandbits(12):03x}", "version": f"1.{rng.getrandbits(2)}.0"}}
    if level == "ERROR":
        event["stack"] = "\n\t".join(TRACE[: 1 + rng.getrandbits(2)])
    return event


def wide(rng, number, time):
    event = {"event_time": time, "device": f"device-{rng.getrandbits(10)}", "number": number}
    for sensor in range(SENSORS - 3):
        if rng.random() < 0.1:
            continue
        name = f"{'temperature pressure state'.split()[sensor % 3]}_{sensor:03d}"
        event[name] = (round(rng.gauss(20, 5), 2), rng.getrandbits(12), rng.choice(["ok", "ok", "ok", "low", "high"]))[sensor % 3]
    return event


KINDS = {"flat": flat, "logs": logs, "wide": wide}


def block(task):
    """The lines of one block of events, as bytes."""
    kind, seed, number, events, days = task
    rng = random.Random(f"{kind} {seed} {number}")
    step_us = days * 86_400_000_000 // events
    made = []
    for event in range(number * BLOCK, min((number + 1) * BLOCK, events)):
        time = START + datetime.timedelta(microseconds=event * step_us)
        made.append(KINDS[kind](rng, event, time.isoformat(timespec="milliseconds") + "Z"))
    return "".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in made).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("out", help="a file")
    given = parser.parse_args()
    tasks = ((given.kind, given.seed, number, given.events, given.days) for number in range(-(-given.events // BLOCK)))
    with open(given.out, "wb") as out, multiprocessing.Pool(given.jobs) as pool:
        for lines in pool.imap(block, tasks):
            out.write(lines)


if __name__ == "__main__":
    main()
