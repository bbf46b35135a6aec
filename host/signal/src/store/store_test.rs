//! The store as a whole.

use super::*;
use crate::signing::SigningKey;
use mantis_plugin_api::{Outlook, OutlookKind, Reading};

const T0: i64 = 20_000 * DAY_MS + 1_000;

fn fit(ticker: &str) -> NewFit {
    NewFit {
        ticker: ticker.into(),
        plugin: Digest([7; 32]),
        params: "ab".into(),
        sidx: 100,
        block: 500,
        hotkeys: vec!["5F".into()],
        outlook: Outlook {
            kind: OutlookKind::Probability,
            subjects: vec![ticker.into()],
            classes: vec![],
            horizon_rows: 12,
            market_rows: 1,
            unit: "probability".into(),
        },
        bytes: vec![1, 2, 3],
        made_at: T0,
    }
}

fn forecast(ticker: &str, fit: i64, sidx: i64, p: f64) -> NewForecast {
    NewForecast {
        ticker: ticker.into(),
        sidx,
        block: sidx * 5,
        as_of: Some(T0),
        fit,
        values: vec![Some(p)],
        miners: 3,
        within: 60,
    }
}

fn head(sidx: i64, now: i64) -> Head {
    Head { block: sidx * 5 + 1, now }
}

/// Forecasts of two challenges over three days.
fn filled() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let fits = ["A", "B"].map(|ticker| store.add_fit(&fit(ticker)).unwrap());
    for at in 0..30 {
        for (ticker, fit) in ["A", "B"].into_iter().zip(fits) {
            let sidx = 101 + at;
            let made = forecast(ticker, fit, sidx, 0.1 + at as f64 / 100.0);
            store.publish(&made, head(sidx, T0 + at * DAY_MS / 10)).unwrap();
        }
    }
    (dir, store)
}

#[test]
fn what_is_published_is_read_back_in_order_and_to_the_bit() {
    let (dir, store) = filled();
    let mut watch = store.watch();
    assert_eq!(*watch.borrow_and_update(), 60);
    let all = store.after(0, &["A".into(), "B".into()], ANY_TIME, 100).unwrap();
    assert_eq!(all.iter().map(|one| one.seq).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    assert_eq!(all[0].previous, GENESIS);
    assert!(all.windows(2).all(|pair| pair[1].previous == pair[0].hash));
    assert_eq!(all[2].values, [Some(0.1 + 1.0 / 100.0)]);
    assert_eq!(
        store.after(40, &["B".into()], ANY_TIME, 3).unwrap().iter().map(|f| f.seq).collect::<Vec<_>>(),
        [42, 44, 46]
    );
    assert_eq!(store.latest("A", ANY_TIME).unwrap().unwrap().seq, 59);
    assert_eq!(store.latest("A", T0 + DAY_MS).unwrap().unwrap().seq, 21);
    assert!(store.latest("A", T0 - 1).unwrap().is_none() && store.latest("C", ANY_TIME).unwrap().is_none());
    let span = Span { from: T0 + DAY_MS, until: T0 + DAY_MS * 2, ..Span::default() };
    let found = store.range("A", span, 100).unwrap();
    assert_eq!((found.len(), found[0].seq), (11, 21));
    assert_eq!(store.range("A", Span { from_seq: 50, ..Span::default() }, 2).unwrap()[0].seq, 51);
    assert_eq!(store.newest("A", ANY_TIME, 2).unwrap().iter().map(|f| f.seq).collect::<Vec<_>>(), [57, 59]);
    assert_eq!(store.seq_at(T0 + DAY_MS).unwrap(), 21);
    assert_eq!(store.seq_at(ANY_TIME).unwrap(), 61);
    // Another process sees it, and is seen.
    let other = Store::existing(dir.path()).unwrap();
    assert_eq!(other.refresh().unwrap(), 60);
    other.publish(&forecast("A", 1, 900, 0.5), head(900, T0 + 4 * DAY_MS)).unwrap();
    assert!(!watch.has_changed().unwrap());
    store.refresh().unwrap();
    assert_eq!(*watch.borrow_and_update(), 61);
}

#[test]
fn nothing_is_published_that_proves_nothing() {
    let (_dir, store) = filled();
    let publish = |change: &dyn Fn(&mut NewForecast), head: Head| {
        let mut new = forecast("A", 1, 500, 0.5);
        change(&mut new);
        store.publish(&new, head)
    };
    let now = T0 + 3 * DAY_MS;
    let late = |block| publish(&|_| {}, Head { block, now });
    assert!(matches!(late(2560), Err(StoreError::TooLate { head: 2560, within: 60, .. })));
    assert!(matches!(late(2499), Err(StoreError::Refused { .. })), "a head before its block");
    let refused: [&dyn Fn(&mut NewForecast); 9] = [
        &|f| f.within = 0,
        &|f| f.values = vec![],
        &|f| f.values = vec![Some(1.5)],
        &|f| f.values = vec![Some(f64::NAN)],
        &|f| f.fit = 99,
        &|f| f.fit = 2,
        &|f| {
            f.sidx = 100;
            f.block = 2500;
        },
        &|f| f.ticker = "A B".into(),
        &|f| f.ticker = String::new(),
    ];
    for change in refused {
        assert!(matches!(publish(change, head(500, now)), Err(StoreError::Refused { .. })));
    }
    let twice = publish(&|f| f.sidx = 130, head(500, now));
    assert!(matches!(twice, Err(StoreError::Twice { sidx: 130, .. })), "{twice:?}");
    let newest = T0 + 29 * DAY_MS / 10;
    let back = publish(&|_| {}, head(500, newest - 600_000));
    assert!(matches!(back, Err(StoreError::ClockBack { behind_ms: 600_000 })), "{back:?}");
    assert_eq!(store.refresh().unwrap(), 60, "nothing of it is kept");
    // A clock that is a little behind.
    let published = publish(&|_| {}, head(500, newest - 1000)).unwrap();
    assert_eq!((published.seq, published.published_at), (61, newest));
    assert_eq!(store.verify(None).unwrap().broken, None);
}

#[test]
fn days_are_signed_once_they_have_ended_and_stay_so() {
    let (dir, store) = filled();
    let key = SigningKey::load_or_make(&dir.path().join("key")).unwrap();
    assert_eq!(store.sign_days(&key, T0 + 2 * DAY_MS).unwrap(), 2);
    assert_eq!(store.sign_days(&key, T0 + 2 * DAY_MS).unwrap(), 0);
    let days = store.days(ANY_TIME, 10).unwrap();
    assert_eq!(days.iter().map(|day| (day.first_seq, day.last_seq)).collect::<Vec<_>>(), [(21, 40), (1, 20)]);
    assert_eq!(store.days(20_001 * DAY_MS, 10).unwrap().len(), 1, "a day has ended when the next begins");
    let verified = store.verify(Some(key.public())).unwrap();
    assert_eq!((verified.forecasts, verified.days, verified.broken), (60, 2, None));
    // A clock that goes back adds nothing to a day that is signed.
    assert_eq!(store.sign_days(&key, T0 + 3 * DAY_MS).unwrap(), 1);
    let published = store.publish(&forecast("A", 1, 500, 0.5), head(500, 20_003 * DAY_MS - 1)).unwrap();
    assert_eq!(published.published_at, 20_003 * DAY_MS);
    assert_eq!(store.verify(Some(key.public())).unwrap().broken, None);
    assert!(store.verify(Some("00")).unwrap().broken.unwrap().what.contains("another key"));
}

#[test]
fn whatever_is_changed_afterwards_is_found() {
    for (sql, seq, what) in [
        ("UPDATE forecasts SET vals = '[0.9]' WHERE seq = 31", 31, "changed"),
        ("UPDATE forecasts SET published_at = published_at - 1 WHERE seq = 31", 31, "changed"),
        ("UPDATE forecasts SET miners = 4 WHERE seq = 1", 1, "changed"),
        ("DELETE FROM forecasts WHERE seq = 7", 8, "missing"),
        ("DELETE FROM forecasts WHERE seq > 35", 35, "signed with forecasts"),
        ("UPDATE forecasts SET hash = zeroblob(32) WHERE seq = 12", 12, "changed"),
        ("UPDATE forecasts SET previous = zeroblob(32) WHERE seq = 12", 12, "before"),
        ("UPDATE days SET root = zeroblob(32) WHERE first_seq = 1", 20, "another hash"),
        ("UPDATE days SET signature = replace(signature, '0', '1') WHERE first_seq = 1", 20, "signature"),
        ("UPDATE days SET signature = '' WHERE first_seq = 1", 20, "signature"),
        ("DELETE FROM days WHERE first_seq = 1", 20, "not signed"),
        ("DELETE FROM forecasts", 40, "no forecasts"),
    ] {
        let (dir, store) = filled();
        let key = SigningKey::load_or_make(&dir.path().join("key")).unwrap();
        store.sign_days(&key, T0 + 2 * DAY_MS).unwrap();
        store.tamper(sql);
        let broken = store.verify(None).unwrap().broken.unwrap_or_else(|| panic!("{sql}: not found"));
        assert!(broken.seq == seq && broken.what.contains(what), "{sql}: {broken:?}");
    }
}

#[test]
fn an_outcome_is_kept_once() {
    let (_dir, store) = filled();
    assert_eq!(store.unsettled(None, 0, 100).unwrap().len(), 60);
    let outcome = |value| Outcome::Labels { reading: Reading::Event, values: vec![value] };
    let settlement = |value, known_sidx| Settlement { outcome: outcome(value), known_sidx, settled_at: T0 };
    assert!(store.settle(1, &settlement(Some(1), 113)).unwrap());
    assert!(!store.settle(1, &settlement(Some(1), 113)).unwrap(), "the same once more");
    for (seq, wrong) in [
        (1, settlement(Some(0), 113)),
        (3, settlement(Some(2), 113)),
        (3, settlement(Some(1), 101)),
        (99, settlement(Some(1), 113)),
        (3, Settlement { outcome: Outcome::Returns { values: vec![] }, known_sidx: 113, settled_at: T0 }),
        (
            3,
            Settlement {
                outcome: Outcome::Returns { values: vec![Some(f64::INFINITY)] },
                known_sidx: 113,
                settled_at: T0,
            },
        ),
    ] {
        assert!(matches!(store.settle(seq, &wrong), Err(StoreError::Refused { .. })), "{wrong:?}");
    }
    store.settle(3, &settlement(None, 114)).unwrap();
    assert_eq!(store.unsettled(Some("A"), 0, 1).unwrap()[0].seq, 5);
    assert_eq!(store.unsettled(None, 4, 1).unwrap()[0].seq, 5);
    assert_eq!(store.outcome(1).unwrap().unwrap(), settlement(Some(1), 113));
    assert!(store.outcome(5).unwrap().is_none());
    let settled = store.settled("A", Span::default()).unwrap();
    assert_eq!(settled.iter().map(|one| (one.seq, one.known_sidx)).collect::<Vec<_>>(), [(1, 113), (3, 114)]);
    assert!(store.settled("A", Span { until: T0 - 1, ..Span::default() }).unwrap().is_empty());
}

#[test]
fn fits_are_kept_and_old_bytes_go() {
    let (_dir, store) = filled();
    let newer = NewFit { bytes: vec![9; 100], sidx: 200, ..fit("A") };
    let id = store.add_fit(&newer).unwrap();
    let found = store.newest_fit("A").unwrap().unwrap();
    assert_eq!((found.info.id, found.bytes.len(), found.info.sha256), (id, 100, Digest::of(&[9; 100])));
    assert_eq!(store.signals().unwrap().iter().map(|fit| fit.id).collect::<Vec<_>>(), [id, 2]);
    assert_eq!(store.drop_old_fits(1).unwrap(), 1);
    assert!(store.newest_fit("A").unwrap().is_some() && store.newest_fit("B").unwrap().is_some());
    assert_eq!(
        store.fit_info(1).unwrap().unwrap().sha256,
        Digest::of(&[1, 2, 3]),
        "what is known of it stays"
    );
    for wrong in [
        NewFit { bytes: vec![], ..fit("A") },
        NewFit { bytes: vec![0; LONGEST_FIT + 1], ..fit("A") },
        NewFit { params: "x".into(), ..fit("A") },
        NewFit { outlook: Outlook { subjects: vec![], ..fit("A").outlook }, ..fit("A") },
    ] {
        assert!(matches!(store.add_fit(&wrong), Err(StoreError::Refused { .. })));
    }
    store.tamper("UPDATE fits SET bytes = zeroblob(100) WHERE id = 3");
    assert!(matches!(store.newest_fit("A"), Err(StoreError::Damaged { .. })));
}

#[test]
fn miners_who_say_two_things_are_counted() {
    let (_dir, store) = filled();
    let early = |sidx, hotkey: &str, byte| Early {
        sidx,
        ticker: "A".into(),
        hotkey: hotkey.into(),
        digest: Digest([byte; 32]),
    };
    store.add_early(&[early(5, "x", 1), early(5, "y", 1), early(5, "z", 1), early(6, "x", 1)]).unwrap();
    store.add_early(&[early(5, "x", 9)]).unwrap();
    assert_eq!(store.early_rows(5, 10).unwrap(), [5]);
    let differing = store.judge_early(5, &[early(5, "x", 1), early(5, "y", 2), early(6, "z", 1)]).unwrap();
    assert_eq!(differing, [("A".to_owned(), "y".to_owned())]);
    assert_eq!(store.early_rows(9, 10).unwrap(), [6]);
    store.judge_early(6, &[early(6, "x", 1)]).unwrap();
    let counts = store.early_counts(Some("A"), 10).unwrap();
    let told: Vec<_> =
        counts.iter().map(|c| (&*c.hotkey, c.equal, c.differs, c.unopened, c.last_differs)).collect();
    assert_eq!(told, [("y", 0, 1, 0, Some(5)), ("z", 0, 0, 1, None), ("x", 2, 0, 0, None)]);
    assert!(store.early_counts(Some("B"), 10).unwrap().is_empty());
}

#[test]
fn keys_end_when_they_are_revoked_or_replaced() {
    let (_dir, store) = filled();
    let key = |id: &str| NewKey {
        id: id.into(),
        secret: Digest([3; 32]),
        note: "a buyer".into(),
        scopes: vec!["stream".into()],
        signals: Some(vec!["A".into()]),
        plan: "pro".into(),
        made_at: 10,
        expires: None,
    };
    store.add_key(&key("aaaaaaaa")).unwrap();
    assert!(store.add_key(&key("aaaaaaaa")).is_err(), "an id is one key's");
    assert!(store.rotate_key("aaaaaaaa", &key("bbbbbbbb"), 500).unwrap());
    assert!(!store.rotate_key("aaaaaaaa", &key("cccccccc"), 500).unwrap(), "it was replaced");
    assert_eq!(store.key("aaaaaaaa").unwrap().unwrap().key.expires, Some(500));
    assert_eq!(store.key("bbbbbbbb").unwrap().unwrap().follows.as_deref(), Some("aaaaaaaa"));
    assert!(store.key("cccccccc").unwrap().is_none());
    assert!(store.revoke_key("bbbbbbbb", 77).unwrap() && !store.revoke_key("bbbbbbbb", 78).unwrap());
    assert!(!store.rotate_key("bbbbbbbb", &key("dddddddd"), 500).unwrap(), "it was revoked");
    assert_eq!(store.keys(10).unwrap().iter().map(|k| k.revoked).collect::<Vec<_>>(), [None, Some(77)]);
    let used = |at, requests| Used { id: "aaaaaaaa".into(), day: 3, at, requests, events: 1 };
    store.add_usage(&[used(90, 2), used(80, 3)]).unwrap();
    assert_eq!(store.usage("aaaaaaaa", 10).unwrap(), [Used { requests: 5, events: 2, ..used(90, 0) }]);
    assert_eq!(store.key("aaaaaaaa").unwrap().unwrap().last_used, Some(90));
}
