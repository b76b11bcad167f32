//! Each fault is what it says, and host's retries get through all of them.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use hosu_host::{Host, Location, ManualClock, Scratch, SeededIds, Store, StoreErrorKind};

use super::*;
use crate::faults::{Dice, FaultRates};

fn store_with(rates: FaultRates) -> (Medium, SimulatedStore) {
    let medium = Medium::bucket();
    (medium.clone(), SimulatedStore::new(medium, Gate::new(Dice::new(1, rates))))
}

async fn names(medium: &Medium) -> Vec<String> {
    let all: Vec<_> = medium.objects().list(None).try_collect().await.unwrap();
    all.into_iter().map(|meta| meta.location.to_string()).collect()
}

#[tokio::test]
async fn a_lost_answer_hides_an_effect() {
    let (medium, store) = store_with(FaultRates { lost_answer: 1000, ..FaultRates::NONE });
    let error = store.put(&Path::from("x"), "1".into()).await.unwrap_err();
    assert!(hosu_host::is_transient(&error), "{error}");
    assert_eq!(names(&medium).await, ["x"]);
    assert!(store.delete(&Path::from("x")).await.is_err());
    assert!(names(&medium).await.is_empty());
}

#[tokio::test]
async fn a_refused_write_has_no_effect_and_a_full_store_is_not_asked_again() {
    for (rates, transient) in [
        (FaultRates { refused: 1000, ..FaultRates::NONE }, true),
        (FaultRates { timed_out: 1000, ..FaultRates::NONE }, true),
        (FaultRates { full: 1000, ..FaultRates::NONE }, false),
    ] {
        let (medium, store) = store_with(rates);
        let error = store.put(&Path::from("x"), "1".into()).await.unwrap_err();
        assert_eq!(hosu_host::is_transient(&error), transient, "{error}");
        assert!(names(&medium).await.is_empty());
    }
}

#[tokio::test]
async fn a_late_write_arrives_or_is_lost() {
    let (medium, store) = store_with(FaultRates { late: 1000, ..FaultRates::NONE });
    for name in ["x", "y"] {
        assert!(store.put(&Path::from(name), "1".into()).await.is_err());
    }
    assert!(names(&medium).await.is_empty());
    assert_eq!(medium.late_writes(), 2);
    medium.land_one().await.unwrap();
    medium.lose_late_writes();
    assert_eq!((names(&medium).await, medium.late_writes()), (vec!["x".to_owned()], 0));
}

#[tokio::test]
async fn a_torn_answer_breaks_in_the_middle() {
    let (medium, store) = store_with(FaultRates { torn: 1000, ..FaultRates::NONE });
    for name in ["a", "b", "c", "d"] {
        medium.objects().put(&Path::from(name), "0123456789".into()).await.unwrap();
    }
    let mut body = store.get(&Path::from("a")).await.unwrap().into_stream();
    assert_eq!(body.next().await.unwrap().unwrap(), "01234");
    assert!(body.next().await.unwrap().is_err());
    let listed: Vec<_> = store.list(None).collect().await;
    let found: Vec<_> =
        listed.iter().map(|meta| meta.as_ref().ok().map(|m| m.location.to_string())).collect();
    assert_eq!(found, [Some("a".to_owned()), Some("b".to_owned()), None]);
}

#[tokio::test]
async fn an_unfinished_multipart_upload_shows_nothing() {
    for (rates, done) in [(FaultRates::NONE, true), (FaultRates { refused: 1000, ..FaultRates::NONE }, false)]
    {
        let medium = Medium::bucket();
        let good = SimulatedStore::new(medium.clone(), Gate::open());
        let bad = SimulatedStore::new(medium.clone(), Gate::new(Dice::new(1, rates)));
        let path = Path::from("x");
        let id = good.create_multipart(&path).await.unwrap();
        let part = MultipartStore::put_part(&good, &path, &id, 0, "one".into()).await.unwrap();
        assert!(names(&medium).await.is_empty());
        assert_eq!(bad.complete_multipart(&path, &id, vec![part]).await.is_ok(), done);
        assert_eq!(names(&medium).await.len(), usize::from(done));
    }
}

#[tokio::test]
async fn a_crash_in_the_middle_of_an_upload_shows_nothing() {
    for calls in 0..5 {
        let medium = Medium::bucket();
        let gate = Gate::crashing_after(calls, Dice::new(1, FaultRates::NONE));
        let store = SimulatedStore::new(medium.clone(), gate.clone());
        let path = Path::from("x");
        let upload = async {
            let mut upload = store.put_multipart(&path).await.unwrap();
            upload.put_part("one".into()).await.unwrap();
            upload.put_part("two".into()).await.unwrap();
            upload.complete().await.unwrap();
        };
        assert!(gate.live(upload).await.is_none());
        assert_eq!(names(&medium).await.len(), usize::from(calls == 4), "only complete makes the object");
    }
}

/// A host over a bad store, as every actor has it.
fn host(medium: &Medium, seed: u64) -> (Host, Location) {
    let gate = Gate::new(Dice::new(seed, FaultRates::BAD_DAY));
    let backend = Arc::new(SimulatedStore::new(medium.clone(), gate));
    let store = Store::new(None).with_multipart_backend("s3://sim", backend);
    let clock = Arc::new(ManualClock::at_ms(1_750_000_000_000));
    let host = Host::new(store, clock, Arc::new(SeededIds::new(seed)), Scratch::system());
    (host, Location::parse("s3://sim/lake").unwrap())
}

/// What host's store reports as written is there, whatever went wrong; what it could not write is said.
#[tokio::test]
async fn host_gets_through_a_bad_day() {
    let mut failed = 0;
    for seed in 0..20 {
        let medium = Medium::bucket();
        let (host, place) = host(&medium, seed);
        let mut written = BTreeMap::new();
        for number in 0..40_u8 {
            let (name, content) = (format!("{number:02}"), Bytes::from(vec![number; 64]));
            match host.store.put(&place.join(&name), content.clone()).await {
                Ok(()) => drop(written.insert(name, content)),
                Err(error) => {
                    assert!(matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Full));
                    failed += 1;
                }
            }
        }
        for (name, content) in &written {
            let there = medium.objects().get(&Path::from(format!("lake/{name}"))).await.unwrap();
            assert_eq!(there.bytes().await.unwrap(), content);
            match host.store.get(&place.join(name)).await {
                Ok(got) => assert_eq!(got, content),
                Err(error) => assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}"),
            }
        }
        if let Ok(listed) = host.store.list(&place).try_collect::<Vec<_>>().await {
            let listed: Vec<_> = listed.iter().map(|(place, _)| place.key().to_owned()).collect();
            assert!(written.keys().all(|name| listed.contains(&format!("lake/{name}"))), "{listed:?}");
        }
    }
    assert!((1..80).contains(&failed), "outages must come, but not rule: {failed}");
}

/// Parts are sent again by number, so that a large file gets through as well.
#[tokio::test]
async fn large_uploads_get_through_a_bad_day() {
    let content =
        Bytes::from((0..hosu_host::PART_BYTES * 2 + 5).map(|i| (i % 251) as u8).collect::<Vec<_>>());
    let mut done = 0;
    for seed in 0..10 {
        let medium = Medium::bucket();
        let (host, place) = host(&medium, seed);
        let mut upload = host.store.upload(&place.join("x"));
        let mut result = upload.write(content.clone()).await.map(|()| 0);
        if result.is_ok() {
            result = upload.finish().await;
        }
        let there = medium.objects().get(&Path::from("lake/x")).await;
        if result.is_ok() {
            assert!(there.unwrap().bytes().await.unwrap() == content, "seed {seed}");
            done += 1;
        } else if let Ok(there) = there {
            assert!(there.bytes().await.unwrap() == content, "whole or not at all: seed {seed}");
        }
    }
    assert!(done >= 7, "{done} of 10");
}
