"""The queries of benches/queries for Polars, which has no SQL for all of them. Each takes the two tables as lazy frames."""

import datetime

import polars as pl

c = pl.col


def utc(day):
    return datetime.datetime(2026, 1, day, tzinfo=datetime.timezone.utc)


def hours(events, users):
    return (events.group_by(hour=c("event_time").dt.truncate("1h"))
            .agg(events=pl.len(), duration_ms=c("duration_ms").sum()).sort("hour"))


def top_users(events, users):
    return (events.filter((c("event_time") >= utc(8)) & (c("event_time") < utc(15)))
            .group_by("user_id").agg(events=pl.len(), level=c("level").max())
            .sort(["events", "user_id"], descending=[True, False]).head(20))


def distinct(events, users):
    return (events.group_by("type").agg(users=c("user_id").n_unique(), sessions=c("session_id").n_unique())
            .sort("type"))


def percentiles(events, users):
    at = {f"p{p}": c("duration_ms").quantile(p / 100, interpolation="linear") for p in (50, 95, 99)}
    return events.group_by("platform").agg(**at).sort("platform")


def funnel(events, users):
    def times(kind):
        return c("event_time").filter(c("type") == kind)
    steps = (events.filter(c("type").is_in(["search", "add_to_cart", "purchase"])).group_by("user_id")
             .agg(searched=times("search").min(), added=times("add_to_cart").min(), bought=times("purchase").max()))
    added = c("added") > c("searched")
    return steps.select(users=pl.len(), searched_users=c("searched").count(), added_users=added.sum(),
                        bought_users=(added & (c("bought") > c("added"))).sum())


def sessions(events, users):
    rows = events.select("event_time", before=c("event_time").shift(1).over("user_id", order_by="event_time"))
    new = c("before").is_null() | (c("before") < c("event_time") - pl.duration(minutes=30))
    return (rows.select("event_time", new=new).group_by(day=c("event_time").dt.truncate("1d"))
            .agg(sessions=c("new").sum()).sort("day"))


def join(events, users):
    return (events.join(users.filter(c("age") < 40), on="user_id").group_by("plan", "type")
            .agg(events=pl.len(), amount=sum_or_null(c("amount")), mean_age=c("age").mean()).sort("plan", "type"))


def like(events, users):
    found = c("message").str.contains("dragon", literal=True) | c("message").str.contains("호수", literal=True)
    return events.filter(found).group_by("type").agg(events=pl.len()).sort("type")


def regex(events, users):
    return (events.filter(c("url").str.contains("^/(shop|market)/[0-9]+[?]page=(3|1[0-9])&"))
            .select(events=pl.len(), first=c("url").min(), last=c("url").max()))


def lookup(events, users, event_id):
    return (events.filter(c("event_id") == event_id)
            .select("event_time", "event_id", "user_id", "session_id", "type", "country", "platform", "duration_ms",
                    "level", "premium", "url", "message"))


def nested(events, users):
    return (events.filter(c("geo").struct.field("country") == "KR")
            .group_by(city=c("geo").struct.field("city"), os=c("device").struct.field("os"))
            .agg(events=pl.len(), duration_ms=c("duration_ms").mean()).sort("city", "os"))


def lists(events, users):
    sold = events.filter(c("type") == "purchase").select("items").explode("items").unnest("items")
    return (sold.group_by("sku").agg(qty_sum=c("qty").sum(), price_sum=(c("qty") * c("price")).sum())
            .sort(["qty_sum", "sku"], descending=[True, False]).head(20))


def day_over_day(events, users):
    days = (events.group_by("type", day=c("event_time").dt.truncate("1d"))
            .agg(events=pl.len().cast(pl.Int64), paid=c("amount").count()).sort("day", "type"))
    return days.select("day", "type", "events", (c("events") - c("events").shift(1).over("type")).alias("more"), "paid")


def latest(events, users):
    order = dict(by=["event_time", "event_id"], descending=[True, False])
    last = events.group_by("user_id").agg(c("type", "platform").sort_by(**order).first())
    return last.group_by("type", "platform").agg(users=pl.len()).sort("type", "platform")


def sum_or_null(column):
    return pl.when(column.count() > 0).then(column.sum())
