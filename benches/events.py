#!/usr/bin/env python3
"""Makes events as a game and its shop would send them: nested JSON, one object a line, about 445 bytes each.

The same options give the same bytes on every machine (with --gzip: the same bytes inside). What an event is depends on
its number, the seed, --events and --days only, so one file and a thousand hold the same lines. Standard library only.

    events.py --events 1000000 events.ndjson              one file
    events.py --events 1000000 --files 1000 events/       a thousand, in a folder
    events.py --events 1000000 --gzip events.ndjson.gz
    events.py --users users.ndjson                        the dimension: one line for each user that an event can have

Events come in the order of their time with some disorder: each up to ten minutes off, one in 128 up to a day late.
Of users the first is the busiest: each doubling of user_id has the same share, as a Zipf law has it.
"""

import argparse
import array
import contextlib
import datetime
import gzip
import multiprocessing
import os
import random
import sys

# Events that are made in one go, from a random stream of their own.
BLOCK = 4096
# 16-bit random numbers for each event.
DRAWS = 20
USERS = 1 << 16
START = datetime.date(2026, 1, 1)

TYPES = {
    "page_view": 60, "click": 48, "match_start": 26, "match_end": 26, "search": 20, "chat": 20, "login": 16,
    "add_to_cart": 14, "level_up": 10, "purchase": 8, "logout": 5, "error": 3,
}
CITIES = [
    ("KR", "서울", 37.5, 126.9, 60), ("KR", "부산", 35.1, 129.0, 20), ("KR", "대전", 36.3, 127.3, 8),
    ("JP", "東京", 35.6, 139.6, 28), ("JP", "Osaka", 34.6, 135.5, 10), ("US", "New York", 40.7, -74.0, 24),
    ("US", "Seattle", 47.6, -122.3, 14), ("US", "Austin", 30.2, -97.7, 8), ("DE", "München", 48.1, 11.5, 14),
    ("DE", "Berlin", 52.5, 13.4, 10), ("FR", "Paris", 48.8, 2.3, 14), ("BR", "São Paulo", -23.5, -46.6, 16),
    ("IN", "Mumbai", 19.0, 72.8, 14), ("GB", "London", 51.5, -0.1, 10), ("VN", "Hà Nội", 21.0, 105.8, 4),
    ("AU", "Sydney", -33.8, 151.2, 2),
]
DEVICES = [
    ("ios", "iOS", "18.2", "iPhone 15"), ("ios", "iOS", "17.6", "iPad Air"), ("android", "Android", "15", "SM-S921N"),
    ("android", "Android", "14", "Pixel 8"), ("web", "Windows", "11", "PC"), ("web", "macOS", "15.1", "MacBook"),
    ("pc", "Windows", "10", "PC"), ("console", "Orbis", "12.00", "PS5"),
]
WORDS = """the a your new quest dragon shield sword potion guild raid boss level server shop cart order payment coupon
delivery winter summer forest castle river market silver golden ancient broken hidden fast slow ready lost found won
timeout refused retry connection account password friend party invite message reward daily weekly season ranking
서버 점검 아이템 구매 완료 친구 초대 길드 던전 보상 호수 용 방패 검 물약 시즌 랭킹 오류 결제 배송""".split()
TAGS = ["new", "vip", "beta", "event", "sale", "mobile", "returning", "할인", "ranked", "casual", "night", "promo"]
SECTIONS = ["shop", "quest", "guild", "news", "profile", "market", "ranking", "help"]


def pick(weighted, size):
    """A list of `size` from which each is drawn as often as its weight says."""
    total = sum(weight for _, weight in weighted)
    made = [thing for thing, weight in weighted for _ in range(weight * size // total)]
    return made + [weighted[0][0]] * (size - len(made))


def texts(rng, size, words_min, words_max):
    def one():
        count = words_min + rng.getrandbits(16) % (words_max - words_min + 1)
        return " ".join(WORDS[rng.getrandbits(16) % len(WORDS)] for _ in range(count))
    return [one() for _ in range(size)]


def item_lists(rng, size):
    def item():
        cents = 99 + rng.getrandbits(13)
        return (f'{{"sku":"SKU-{rng.getrandbits(10):04d}","qty":{1 + rng.getrandbits(2)},'
                f'"price":{cents // 100}.{cents % 100:02d}}}')
    return ["[" + ",".join(item() for _ in range(1 + rng.getrandbits(2))) + "]" for _ in range(size)]


def tag_lists(rng, size):
    return ['["' + '","'.join({TAGS[rng.getrandbits(16) % len(TAGS)]: 0 for _ in range(1 + rng.getrandbits(2))}) + '"]'
            for _ in range(size)]


class Pools:
    """Parts of events in their final spelling; the same whatever the seed."""

    def __init__(self):
        rng = random.Random("hosu")
        self.types = pick(list(TYPES.items()), 256)
        self.cities = pick([((country, f'"{country}","city":"{city}","lat":{lat}', f',"lon":{lon}'), weight)
                            for country, city, lat, lon, weight in CITIES], 256)
        self.devices = [(platform, f'{{"os":"{os_name}","version":"{version}","model":"{model}"}}')
                        for platform, os_name, version, model in DEVICES]
        self.openings = texts(rng, 4096, 2, 5)
        self.endings = texts(rng, 4096, 2, 5)
        self.items = item_lists(rng, 2048)
        self.tags = tag_lists(rng, 512)
        self.scores = ["[" + ",".join(str(rng.getrandbits(10)) for _ in range(rng.getrandbits(3))) + "]"
                       for _ in range(1024)]
        self.seconds = [f"{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}" for s in range(86400)]
        self.millis = [f"{ms:03d}" for ms in range(1000)]
        self.digits = [f"{n:04d}" for n in range(10000)]


POOLS = None


def block(task):
    """The lines of one block of events, as bytes."""
    global POOLS
    POOLS = POOLS or Pools()
    seed, number, events, days = task
    first, last = number * BLOCK, min((number + 1) * BLOCK, events)
    rng = random.Random(f"{seed} {number}")
    draws = array.array("H", rng.getrandbits(16 * DRAWS * BLOCK).to_bytes(2 * DRAWS * BLOCK, "little"))
    if sys.byteorder == "big":
        draws.byteswap()
    dates = [(START + datetime.timedelta(days=day)).isoformat() for day in range(days)]
    span_ms = days * 86_400_000
    lines = []
    for event in range(first, last):
        at = (event - first) * DRAWS
        lines.append(line(event, draws[at:at + DRAWS], event * span_ms // events, span_ms, dates, POOLS))
    lines.append("")
    return "\n".join(lines).encode()


def line(event, draws, time_ms, span_ms, dates, pools):
    (r_time, r_late, r_user, r_scale, r_type, r_city, r_device, r_text, r_more, r_list, r_a, r_b, r_c,
     r_flags, i_a, i_b, i_c, i_d, r_lat, r_lon) = draws
    time_ms += r_time * 9 + (r_late >> 7) - 300_000
    if r_late & 127 == 0:
        time_ms -= (r_late >> 7) * 168_000
    time_ms = min(max(time_ms, 0), span_ms - 1)
    day, of_day = divmod(time_ms, 86_400_000)
    second, ms = divmod(of_day, 1000)

    scale = r_scale & 15
    user = 1 << scale | r_user & (1 << scale) - 1
    kind = pools.types[r_type & 255]
    country, city, lon = pools.cities[r_city & 255]
    # Most users keep to one device, and some to another country than their account's.
    platform, device = pools.devices[(user if r_device & 7 else r_device >> 3) & 7]
    account = country if r_city >> 8 > 12 else "US"
    digits = pools.digits
    parts = [
        f'{{"event_time":"{dates[day]}T{pools.seconds[second]}.{pools.millis[ms]}Z",'
        f'"event_id":"{i_a:04x}{i_b:04x}-{i_c:04x}-4{i_d & 4095:03x}-{0x8000 | i_d >> 12:04x}-'
        f'{event * 0x9E3779B97F4B & 0xFFFFFFFFFFFF:012x}","user_id":{user},'
        f'"session_id":"{user:x}-{time_ms // 1_800_000:x}","type":"{kind}","country":"{account}","platform":"{platform}",'
        f'"geo":{{"country":{city}{digits[r_lat % 10000]}{lon}{digits[r_lon % 10000]}}},"device":{device},'
        f'"duration_ms":{r_a * (r_b & 15) // 7}'
    ]
    if kind in ("page_view", "click", "search", "add_to_cart"):
        parts.append(f',"url":"/{SECTIONS[r_text & 7]}/{r_more >> 3}?page={r_text >> 11}'
                     f'&ref={pools.digits[r_c % 10000]}","referrer":{"null" if r_flags & 3 else chr(34) + "search" + chr(34)}')
    if kind in ("chat", "search", "error", "match_end", "level_up"):
        parts.append(f',"message":"{pools.openings[r_text >> 4]} {pools.endings[r_more >> 4]}"')
    if kind in ("purchase", "add_to_cart"):
        parts.append(f',"amount":{r_c % 300}.{r_b % 100:02d},"items":{pools.items[r_list >> 5]}')
    if kind in ("match_start", "match_end", "level_up"):
        parts.append(f',"match":{{"id":{r_b << 8 | r_c & 255},"mode":"{"ranked" if r_flags & 4 else "casual"}",'
                     f'"team":{{"name":"{WORDS[r_c % len(WORDS)]}","size":{1 + (r_b & 7)}}}}},"scores":{pools.scores[r_list >> 6]}')
    if r_flags & 0x10:
        parts.append(f',"tags":{pools.tags[r_list & 511]}')
    parts.append(f',"level":{"null" if r_flags & 0xC0 == 0 else 1 + r_b % 99},"premium":{"true" if r_flags & 0x700 == 0 else "false"}}}')
    return "".join(parts)


def users():
    """One line for each user that an event can have."""
    rng = random.Random("users")
    for user in range(1, USERS):
        draw = rng.getrandbits(32)
        plan = ("free", "free", "free", "free", "free", "plus", "plus", "pro")[draw & 7]
        signup = datetime.date(2023, 1, 1) + datetime.timedelta(days=(draw >> 8) % 1090)
        name = f"{WORDS[(draw >> 3) % 24]}-{user}"
        yield f'{{"user_id":{user},"name":"{name}","plan":"{plan}","signup":"{signup}","age":{13 + (draw >> 20) % 60}}}\n'


class Output:
    """Cuts lines into files of the same number of events."""

    def __init__(self, path, events, files, gzipped):
        self.path, self.events, self.files, self.gzipped = path, events, files, gzipped
        self.file, self.number, self.room = None, 0, 0

    def write(self, lines, count):
        while count:
            if not self.room:
                self.open_next()
            if count <= self.room:
                taken, part, lines = count, lines, b""
            else:
                taken, cut = self.room, 0
                for _ in range(self.room):
                    cut = lines.index(b"\n", cut) + 1
                part, lines = lines[:cut], lines[cut:]
            self.file.write(part)
            self.room -= taken
            count -= taken

    def open_next(self):
        self.close()
        ends = [(self.number + i) * self.events // self.files for i in (0, 1)]
        self.room = ends[1] - ends[0]
        suffix = ".ndjson.gz" if self.gzipped else ".ndjson"
        path = self.path if self.files == 1 else os.path.join(self.path, f"part-{self.number:05d}{suffix}")
        self.file = sys.stdout.buffer if path == "-" else open(path, "wb")
        if self.gzipped:
            self.file = gzip.GzipFile(filename="", fileobj=self.file, mode="wb", compresslevel=6, mtime=0)
        self.number += 1

    def close(self):
        if self.file:
            inner = getattr(self.file, "fileobj", None)
            self.file.close()
            if inner:
                inner.close()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--files", type=int, default=1, help="more than one: OUT is a folder")
    parser.add_argument("--gzip", action="store_true")
    parser.add_argument("--users", action="store_true", help="write the users instead")
    parser.add_argument("--jobs", type=int, default=min(os.cpu_count() or 1, 8))
    parser.add_argument("out", help="a file, - for standard output, or a folder with --files")
    given = parser.parse_args()
    if given.events < 1 or given.days < 1 or not 1 <= given.files <= given.events:
        parser.error("--events and --days are at least 1, --files at most the events")
    return given


def main():
    given = arguments()
    if given.users:
        with contextlib.closing(open(given.out, "w", encoding="utf-8", newline="\n")) as out:
            out.writelines(users())
        return
    if given.files > 1:
        os.makedirs(given.out, exist_ok=True)
    blocks = -(-given.events // BLOCK)
    tasks = ((given.seed, number, given.events, given.days) for number in range(blocks))
    output = Output(given.out, given.events, given.files, given.gzip)
    with multiprocessing.Pool(min(given.jobs, blocks)) as pool:
        for number, lines in enumerate(pool.imap(block, tasks)):
            output.write(lines, min(BLOCK, given.events - number * BLOCK))
    output.close()


if __name__ == "__main__":
    main()
