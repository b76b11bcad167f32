//! Files that are jobs, and files that are none.

use std::path::Path;

use super::*;

fn parse(text: &str) -> Result<Job, JobError> {
    Job::parse(Path::new("jobs/logins.sql"), text.as_bytes())
}

#[test]
fn all_keys_are_read() {
    let text = r#"/* hosu:job
target   = "curated.logins"        # made on the first run
schedule = "15 0 * * *"
timezone = "Asia/Seoul"
mode     = "append"
partition_by = ["day(event_time)"]
tests    = ["user_id is not null", "row_count > 0"]
retries  = 3
timeout  = "30m"
catch_up = "all"
*/
select event_time, user_id from raw.events"#;
    let job = parse(text).unwrap();
    assert_eq!((job.name.as_str(), job.target.to_string().as_str()), ("logins", "curated.logins"));
    assert_eq!((job.mode, job.catch_up, job.retries), (Mode::Append, CatchUp::All, 3));
    assert_eq!(job.schedule.unwrap().to_string(), "15 0 * * *");
    assert_eq!(job.zone, Tz::Asia__Seoul);
    assert_eq!(job.partition_by, [(6, "day(event_time)".to_owned())]);
    assert_eq!(job.tests, [(7, "user_id is not null".to_owned()), (7, "row_count > 0".to_owned())]);
    assert_eq!(job.timeout, Some(Duration::from_secs(1800)));
    assert_eq!(job.text, text);
}

#[test]
fn two_keys_are_enough() {
    let job = parse("\u{feff}\n/*hosu:job target='t'\nmode='full'*/ select 1 as a").unwrap();
    assert_eq!(job.target.to_string(), "default.t");
    assert_eq!((job.mode, job.schedule, job.zone), (Mode::Full, None, Tz::UTC));
    assert_eq!((job.retries, job.timeout, job.catch_up), (0, None, CatchUp::Last));
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let told = |text: &str| parse(text).unwrap_err().to_string();
    for (text, line, part) in [
        ("", 1, "does not begin with"),
        ("\n\nselect 1", 3, "does not begin with"),
        ("\n/* target = 't' */", 2, "does not begin with"),
        ("\n/* hosu:job\ntarget='t'", 2, "not closed"),
        ("/* hosu:job\nmode='full'\n*/", 1, "target"),
        ("/* hosu:job\ntarget='t'\nmode='full'\nmodus='x'\n*/", 4, "modus"),
        ("/* hosu:job\ntarget='t'\nmode='merge'\n*/", 3, "merge"),
        ("/* hosu:job\ntarget=\nmode='full'\n*/", 2, ""),
        ("/* hosu:job\ntarget='a.b.c'\nmode='full'\n*/", 2, "`target`"),
        ("/* hosu:job\ntarget='t'\nmode='full'\nschedule='0 0 31 2 *'\n*/", 4, "never due"),
        ("/* hosu:job\ntarget='t'\nmode='full'\nschedule=\"*/5 * * * *\"\n*/", 4, "write 0/5"),
        ("/* hosu:job\ntarget='t'\nmode='full'\ntimezone='Asia/Soul'\n*/", 4, "did you mean `Asia/Seoul`"),
        ("/* hosu:job\ntarget='t'\nmode='full'\ntimeout='soon'\n*/", 4, "`soon` is no time"),
        ("/* hosu:job\ntarget='t'\nmode='full'\nretries=-1\n*/", 4, ""),
        ("/* hosu:job\ntarget='t'\nmode='full'\nretries=101\n*/", 4, "101 is more than 100"),
        ("/* hosu:job\ntarget='t'\nmode='full'\ncatch_up='some'\n*/", 4, "some"),
        ("/* hosu:job\ntarget='t'\nmode='full'\ntests=['a > 0',\n' ']\n*/", 5, "empty entry"),
    ] {
        let told = told(text);
        assert!(
            told.starts_with(&format!("jobs/logins.sql, line {line}: ")) && told.contains(part),
            "{text}\n{told}"
        );
    }
}

#[test]
fn names_and_bytes_are_checked() {
    let good = b"/* hosu:job\ntarget='t'\nmode='full'\n*/ select 1";
    for name in ["my job.sql", ".sql", "a.b.sql", "job.txt", "job", "a;b.sql"] {
        let error = Job::parse(Path::new(name), good).unwrap_err();
        assert!(matches!(error.fault, JobFault::Name { .. }), "{name}: {error}");
    }
    assert!(Job::parse(Path::new("일일_집계-2.sql"), good).is_ok());
    let error = Job::parse(Path::new("a.sql"), b"/* hosu:job\n\xff*/").unwrap_err();
    assert_eq!((error.line, error.fault), (2, JobFault::NotUtf8));
}
