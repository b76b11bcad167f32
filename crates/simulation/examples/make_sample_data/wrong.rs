//! Lines that are wrong in the ways that lines in real files are, with good ones between them.

/// How deep two lines are nested: within what JSON is read to (`docs/unchanged.md`), and beyond.
const DEPTHS: [usize; 2] = [200, 300];

/// The file, a byte order mark at its start and mixed line ends included.
pub fn lines() -> Vec<u8> {
    let mut file = File { bytes: b"\xef\xbb\xbf".to_vec(), events: 0 };
    no_objects(&mut file);
    broken_bytes(&mut file);
    odd_values(&mut file);
    file.bytes
}

struct File {
    bytes: Vec<u8>,
    events: i64,
}

impl File {
    fn line(&mut self, line: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(line.as_ref());
        self.bytes.push(b'\n');
    }

    /// A good event.
    fn good(&mut self) {
        let line = self.event("\"amount\":1500");
        self.line(line);
    }

    /// An event with the field given.
    fn event(&mut self, field: &str) -> String {
        self.events += 1;
        let at = self.events;
        format!(
            "{{\"event_id\":\"w-{at:03}\",\"event_time\":\"2026-03-09T01:{:02}:{:02}Z\",\"type\":\"purchase\",\
             \"user_id\":\"u-{}\",{field}}}",
            at / 60,
            at % 60,
            10_000 + at * 7
        )
    }

    fn with(&mut self, field: &str) {
        let line = self.event(field);
        self.line(line);
    }
}

/// What loggers, editors and people leave among events.
fn no_objects(file: &mut File) {
    file.good();
    file.good();
    file.line(r#"{"event_id":"w-cut","event_time":"2026-03-09T01:00:00Z","type":"purch"#);
    file.good();
    file.line("2026-03-09 01:00:04,512 ERROR [shop] payment service did not answer within 3000 ms");
    file.line("\tat com.example.shop.Payment.send(Payment.java:112)");
    file.good();
    file.line("");
    file.line(r#"[{"event_id":"w-in-a-list"},{"event_id":"w-in-a-list-2"}]"#);
    file.line("42");
    file.line("null");
    file.line("\"just a text\"");
    file.good();
    file.line("   \t ");
    file.line(r#"{"event_id":"w-first-of-two","amount":1}{"event_id":"w-second-of-two","amount":2}"#);
    file.line("{'event_id': 'w-python', 'amount': 1500, 'ok': True}");
    file.line(r#"{"event_id":"w-nan","amount":NaN}"#);
    file.line(r#"{"event_id":"w-comma","amount":1500,}"#);
    file.line(r#"{"event_id":"w-comment","amount":1500} // retried"#);
    file.line(r#"{event_id:"w-bare-key","amount":1500}"#);
    file.line(r#"{"event_id":"w-zero","amount":007}"#);
    file.line(r#"{"event_id":"w-escape","message":"C:\games\x"}"#);
    file.good();
}

/// What transports and encodings do.
fn broken_bytes(file: &mut File) {
    let mut cr = file.event("\"amount\":900,\"note\":\"this line ends in CR LF\"");
    cr.push('\r');
    file.line(cr);
    file.line("\r");
    file.line(b"{\"event_id\":\"w-latin1\",\"city\":\"M\xfcnchen\"}");
    // EUC-KR, as an old Windows client writes it.
    file.line(b"{\"event_id\":\"w-euc-kr\",\"city\":\"\xbc\xad\xbf\xef\"}");
    // A Korean letter of three bytes, cut after two by a buffer's end.
    file.line(b"{\"event_id\":\"w-cut-letter\",\"message\":\"\xec\x95\"}");
    file.line(b"{\"event_id\":\"w-nul\",\"message\":\"a\0b\"}");
    file.line(b"\0\0\0\0\0\0\0\0");
    file.line("{\"event_id\":\"w-tab\",\"message\":\"a raw\ttab\"}");
    file.line("\u{feff}{\"event_id\":\"w-mark\",\"note\":\"two files with marks, one after the other\"}");
    file.good();
    // White space around an object is a part of JSON.
    let padded = format!("  {}  ", file.event("\"amount\":700"));
    file.line(padded);
    file.with("\"message\":\"separators \u{2028} and \u{85} inside a text end no line\"");
}

/// JSON objects whose values do not fit.
fn odd_values(file: &mut File) {
    for field in [
        r#""amount":1,"amount":2"#,
        r#""amount":9223372036854775807"#,
        r#""amount":9223372036854775808"#,
        r#""amount":123456789012345678901234567890"#,
        r#""amount":1e400"#,
        r#""amount":-0"#,
        r#""amount":1.5e3"#,
        r#""amount":0.1000000000000000055511151231257827"#,
        r#""amount":"1500""#,
        r#""amount":{"value":1500,"currency":"KRW"}"#,
        r#""amount":[1500]"#,
        r#""amount":null"#,
        r#""amount":true"#,
        r#""message":"half a pair \ud83d""#,
        r#""message":"\uc548\ub155 \u0000 \/""#,
        r#""empty":{},"none":[],"nulls":[null,null]"#,
        r#""":"no name","geo.city":"a dot","geo":{"city":"서울"}"#,
        r#""Amount":3,"AMOUNT":4"#,
        r#""_rescued_data":"mine""#,
        r#""mixed":[1,"two",{"three":3},[4]]"#,
    ] {
        file.with(field);
    }
    let late = file.event("\"amount\":1").replace("2026-03-09T", "2026-13-45T");
    file.line(late);
    let precise = file.event("\"amount\":1").replacen("Z\"", ".123456789+09:00\"", 1);
    file.line(precise);
    for depth in DEPTHS {
        let nested = format!("\"nested\":{}{}", "[".repeat(depth), "]".repeat(depth));
        file.with(&nested);
    }
    file.line(r#"{}"#);
    file.good();
    file.good();
}
