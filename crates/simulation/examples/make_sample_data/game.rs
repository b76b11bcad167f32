//! Three days of a game service: players log in, play, buy and talk.

use crate::json::{Object, list, text, texts};
use crate::random::{Random, rfc3339};

/// 2026-03-06T00:00:00Z, a Friday.
const FIRST_DAY_MS: i64 = 1_772_755_200_000;
const DAYS: i64 = 3;
const PLAYERS: u64 = 180;

/// In UTC, how busy each hour is: most players live nine hours further east and play in the evening.
const HOURS: [u64; 24] = [3, 3, 4, 5, 4, 4, 5, 6, 8, 10, 13, 16, 18, 17, 13, 8, 5, 3, 2, 1, 1, 1, 2, 2];

#[derive(Clone, Copy)]
struct City(&'static str, &'static str, i64, i64, &'static str);

/// Country, city, latitude and longitude in ten-thousandths, server.
const CITIES: [City; 10] = [
    City("KR", "서울", 375_665, 1_269_780, "kr-1"),
    City("KR", "부산", 351_796, 1_290_756, "kr-1"),
    City("KR", "대구", 358_714, 1_286_014, "kr-2"),
    City("KR", "제주", 334_996, 1_265_312, "kr-2"),
    City("JP", "東京", 356_762, 1_396_503, "jp-1"),
    City("JP", "Osaka", 346_937, 1_355_023, "jp-1"),
    City("US", "Seattle", 476_062, -1_223_321, "us-1"),
    City("BR", "São Paulo", -235_505, -466_333, "us-1"),
    City("DE", "München", 481_351, 115_820, "eu-1"),
    City("FR", "Saint-Étienne", 454_397, 43_872, "eu-1"),
];

const DEVICES: [(&str, &str, &[&str]); 6] = [
    ("android", "SM-S921N", &["14", "15"]),
    ("android", "Pixel 8", &["15", "16"]),
    ("android", "LM-V510N", &["12"]),
    ("ios", "iPhone16,2", &["18.3.1", "18.4"]),
    ("ios", "iPad14,3", &["17.7"]),
    ("windows", "PC", &["11"]),
];

const NAMES: [&str; 14] = [
    "민준",
    "서연",
    "하늘바람",
    "도윤",
    "지우★",
    "은하수",
    "호랑이",
    "Kenji",
    "さくら",
    "Aurora",
    "xX_wolf_Xx",
    "Zoë",
    "O'Brien",
    "\"Ace\"",
];

const SHOP: [(&str, i64); 6] = [
    ("gem_100", 1_500),
    ("gem_550", 7_500),
    ("skin_dragon", 12_000),
    ("pass_season4", 15_000),
    ("potion_xp", 900),
    ("name_change", 5_000),
];

const KOREAN: [&str; 12] = [
    "안녕하세요 👋",
    "한 판 더 하실 분?",
    "ㅋㅋㅋㅋㅋ 방금 봤어요?",
    "수고하셨습니다 🙏",
    "길드 모집합니다! \"호수\" 길드로 오세요",
    "랭크 올리기 너무 힘들다 😭",
    "누가 물약 좀 주세요…",
    "다음 패치는 언제 나오나요?",
    "탱커 구해요\n힐러도 환영",
    "오늘 이벤트 보상 받으셨나요? 🎁🎉",
    "C:\\게임\\스크린샷 폴더에 있어요",
    "🇰🇷 화이팅!! 👨‍👩‍👧‍👦",
];

const OTHERS: [(&str, &str); 7] = [
    ("en", "gg wp"),
    ("en", "anyone up for ranked? 5/5 needed"),
    ("en", "lag :( 300ms"),
    ("ja", "よろしくお願いします"),
    ("de", "Schöne Grüße aus München"),
    ("pt", "vamos lá! 🔥"),
    ("fr", "c'est fini, à demain"),
];

const MODES: [&str; 3] = ["ranked", "casual", "arena"];
const MAPS: [&str; 4] = ["호수의 섬", "frozen_pass", "old_harbor", "달빛 정원"];

/// So many events, one a line, almost in the order of their time: a few arrive late.
pub fn events(count: usize) -> Vec<u8> {
    let mut random = Random::new(0x0c0f_fee5);
    let mut times: Vec<i64> = (0..count).map(|_| time(&mut random)).collect();
    times.sort_unstable();
    let mut lines: Vec<(i64, String)> = times
        .into_iter()
        .map(|time_ms| {
            // A phone without network sends its events hours later.
            let late_ms = if random.percent(1) { random.between(600_000, 14_400_000) } else { 0 };
            (time_ms + late_ms, event(&mut random, time_ms, late_ms))
        })
        .collect();
    lines.sort();
    lines.into_iter().flat_map(|(_, line)| (line + "\n").into_bytes()).collect()
}

fn time(random: &mut Random) -> i64 {
    let day = random.between(0, DAYS - 1);
    let mut share = random.below(HOURS.iter().sum());
    let hour = HOURS.iter().position(|weight| match share.checked_sub(*weight) {
        Some(rest) => {
            share = rest;
            false
        }
        None => true,
    });
    let hour = i64::try_from(hour.unwrap_or(0)).unwrap_or(0);
    FIRST_DAY_MS + day * 86_400_000 + hour * 3_600_000 + random.between(0, 3_599_999)
}

fn event(random: &mut Random, time_ms: i64, late_ms: i64) -> String {
    let player = random.below(PLAYERS);
    // What belongs to a player comes from the player's own chance, so that it is the same in each event.
    let mut own = Random::new(player.wrapping_mul(7_919));
    let City(country, city, lat, lon, server) = own.pick(&CITIES);
    let (os, model, versions) = own.pick(&DEVICES);
    let kind = match random.below(100) {
        0..25 => "login",
        25..37 => "purchase",
        37..70 => "match",
        _ => "chat",
    };
    let device = Object::new().text("os", os).text("model", model).text("version", own.pick(versions));
    let (lat, lon) = (lat + own.between(-300, 300), lon + own.between(-300, 300));
    let geo = Object::new()
        .text("country", country)
        .text("city", city)
        .raw("lat", ten_thousandths(lat))
        .raw("lon", ten_thousandths(lon));
    let base = Object::new()
        .text("event_id", &random.uuid())
        .text("event_time", &rfc3339(time_ms, true))
        .text("type", kind)
        .text("user_id", &user_id(player))
        .text("user_name", own.pick(&NAMES))
        .text("server", server)
        .text("app_version", random.pick(&["4.1.0", "4.1.2", "4.2.0"]))
        .raw("device", device.end())
        .raw("geo", geo.end())
        .maybe("sent_late_ms", (late_ms > 0).then(|| late_ms.to_string()));
    let event = match kind {
        "login" => login(random, base),
        "purchase" => purchase(random, base, country),
        "match" => a_match(random, base, player),
        _ => chat(random, base, country),
    };
    event.end()
}

fn login(random: &mut Random, base: Object) -> Object {
    let method = random.pick(&["google", "apple", "kakao", "guest"]);
    let groups = [("shop_layout", ["a", "b"]), ("tutorial", ["short", "long"])];
    let experiments = groups
        .iter()
        .fold(Object::new(), |object, (name, variants)| object.text(name, random.pick(&variants[..])));
    base.text("login_method", method)
        .raw("first_login", random.percent(4))
        .maybe("experiments", random.percent(60).then(|| experiments.end()))
        .maybe("birthday", random.percent(10).then(|| birthday(random)))
        .maybe("referrer", random.percent(8).then(|| "null".to_owned()))
}

fn birthday(random: &mut Random) -> String {
    let (year, month, day) = (random.between(1975, 2012), random.between(1, 12), random.between(1, 28));
    format!("\"{year:04}-{month:02}-{day:02}\"")
}

fn purchase(random: &mut Random, base: Object, country: &str) -> Object {
    // Won and yen have no fractions; the others are sold in hundredths of a thousandth part of the price in won.
    let (currency, fractions) = match country {
        "KR" => ("KRW", false),
        "JP" => ("JPY", false),
        "US" | "BR" => ("USD", true),
        _ => ("EUR", true),
    };
    let mut total = 0;
    let items: Vec<String> = (0..random.between(1, 3))
        .map(|_| {
            let ((sku, won), number) = (random.pick(&SHOP), random.between(1, 3));
            let price = if fractions { won / 10 - 1 } else { won };
            total += price * number;
            let item =
                Object::new().text("sku", sku).raw("count", number).raw("price", money(price, fractions));
            item.maybe("bonus", random.percent(15).then(|| texts(["gem_10", "potion_xp"]))).end()
        })
        .collect();
    base.text("order_id", &format!("{}-{}", random.code(4), random.between(100_000, 999_999)))
        .text("currency", currency)
        .raw("amount", money(total, fractions))
        .raw("items", list(items))
        .maybe("coupon", random.percent(20).then(|| text(random.pick(&["봄맞이10", "WELCOME", "COMEBACK"]))))
}

fn a_match(random: &mut Random, base: Object, player: u64) -> Object {
    let mode = random.pick(&MODES);
    let seconds = random.between(180, 2_400);
    let others: Vec<u64> = (0..random.between(1, 3)).map(|_| random.below(PLAYERS)).collect();
    let players = std::iter::once(player).chain(others).enumerate().map(|(at, player)| {
        let (kills, deaths) = (random.between(0, 18), random.between(0, 12));
        let object = Object::new().text("user_id", &user_id(player)).raw("team", at % 2 + 1);
        object.raw("kills", kills).raw("deaths", deaths).end()
    });
    let players = list(players.collect::<Vec<_>>());
    let about = Object::new()
        .text("id", &format!("m-{}", random.hex(10)))
        .text("mode", mode)
        .text("map", random.pick(&MAPS))
        .raw("duration_s", seconds)
        .text("result", random.pick(&["win", "win", "loss", "loss", "draw"]))
        .raw("players", players);
    let tags: Vec<&str> = [(mode, 100), ("party", 35), ("late_night", 12), ("첫승", 8)]
        .iter()
        .filter_map(|(tag, percent)| random.percent(*percent).then_some(*tag))
        .collect();
    let rating = (mode == "ranked").then(|| random.between(-28, 31).to_string());
    base.raw("match", about.end()).raw("tags", texts(tags)).maybe("rating_change", rating)
}

fn chat(random: &mut Random, base: Object, country: &str) -> Object {
    let korean = country == "KR" || random.percent(15);
    let (language, message) = if korean { ("ko", random.pick(&KOREAN)) } else { random.pick(&OTHERS) };
    let mentions: Vec<String> = (0..random.between(1, 2)).map(|_| user_id(random.below(PLAYERS))).collect();
    base.text("channel", random.pick(&["world", "guild", "party", "whisper"]))
        .text("language", language)
        .text("message", message)
        .maybe("mentions", random.percent(12).then(|| texts(mentions.iter().map(String::as_str))))
        .maybe("toxicity", random.percent(30).then(|| format!("0.{:03}", random.below(1_000))))
}

fn user_id(player: u64) -> String {
    format!("u-{:05}", 10_000 + player * 37)
}

fn ten_thousandths(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}.{:04}", number.abs() / 10_000, number.abs() % 10_000)
}

fn money(amount: i64, fractions: bool) -> String {
    if fractions { format!("{}.{:02}", amount / 100, amount % 100) } else { amount.to_string() }
}
