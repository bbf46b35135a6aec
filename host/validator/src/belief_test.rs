//! A head is believed within what was known before it, and an honest one is believed soon, whatever was said before.

use super::belief::{Belief, HeadRejection, Seen, Verdict};
use mantis_config::{Block, Clock};
use mantis_network::chain::{Finality, Head};
use proptest::prelude::*;

const START: u64 = 1_780_000_000;
const FIRST: i64 = 7_000_000;

fn head(block: i64, unix: u64) -> Head {
    Head { block: Block(block), unix }
}

/// An honest chain's newest block.
fn truth(now: u64) -> Head {
    let blocks = (now - START) / 12;
    head(FIRST + blocks.cast_signed(), START + 12 * blocks)
}

fn finality(block: i64, fork: &str, known: Option<Block>) -> Finality {
    let hash = |block: i64| format!("{fork}{block}");
    Finality { block: Block(block), hash: hash(block), known: known.map(|known| (known, hash(known.0))) }
}

/// What becomes of a head at a time, with finality three blocks behind.
fn judge(belief: &mut Belief, now: u64, head: Head) -> Verdict {
    let finality = finality(head.block.0.saturating_sub(3), "0x", belief.last_final());
    belief.judge(Clock::Machine, now, head, Some(&finality))
}

/// One that has believed an honest chain for a while, and the time.
fn experienced() -> (Belief, u64) {
    let mut belief = Belief::new(Some(Seen { block: Block(FIRST), unix: START }), Some(Block(FIRST)));
    let until = START + 1200;
    for now in (START..=until).step_by(6) {
        assert_eq!(judge(&mut belief, now, truth(now)), Verdict::Believed);
    }
    (belief, until)
}

#[test]
fn a_head_that_cannot_be_is_not_believed() {
    let (belief, now) = experienced();
    let rejected = |head: Head| match judge(&mut belief.clone(), now, head) {
        Verdict::Disbelieved(rejection) => rejection,
        other => panic!("{head:?}: {other:?}"),
    };
    let true_block = truth(now).block.0;
    for block in [1_000_000_000, i64::MAX, -1, i64::MIN, (now / 12 + 1).cast_signed()] {
        assert!(matches!(rejected(head(block, now)), HeadRejection::Impossible { .. }), "{block}");
    }
    for ahead in [3, 300, 100_000, 60 * 7200] {
        assert!(matches!(rejected(head(true_block + ahead, now)), HeadRejection::TooFar { .. }), "{ahead}");
    }
    for block in [0, 1, FIRST, true_block - 21] {
        assert!(matches!(rejected(head(block, now)), HeadRejection::Behind { .. }), "{block}");
    }
    assert!(matches!(rejected(head(true_block, now - 91)), HeadRejection::Stale { seconds: 91, .. }));
    assert!(matches!(rejected(head(true_block, now + 61)), HeadRejection::Future { seconds: 61, .. }));
    assert!(matches!(rejected(head(true_block, 0)), HeadRejection::Stale { .. }));
    // The same block for too long, however young it is said to be.
    assert!(matches!(
        judge(&mut belief.clone(), now + 200, head(true_block, now + 200)),
        Verdict::Disbelieved(HeadRejection::Stale { .. })
    ));
    for last in [true_block + 3, true_block - 301] {
        let verdict =
            belief.clone().judge(Clock::Machine, now, truth(now), Some(&finality(last, "0x", None)));
        assert!(
            matches!(verdict, Verdict::Disbelieved(HeadRejection::NotFinal { .. })),
            "{last}: {verdict:?}"
        );
    }
}

#[test]
fn small_forks_and_missed_slots_are_nothing() {
    let (mut belief, now) = experienced();
    let block = truth(now).block.0;
    for (seconds, block) in [(0, block - 2), (6, block + 1), (8, block - 5), (60, block + 2), (72, block + 4)]
    {
        assert_eq!(
            judge(&mut belief, now + seconds, head(block, now + seconds)),
            Verdict::Believed,
            "{block}"
        );
    }
}

#[test]
fn a_chain_that_was_never_heard_has_to_go_on_for_two_blocks() {
    let mut belief = Belief::new(None, Some(Block(FIRST - 5000)));
    let verdicts: Vec<_> =
        (0..36).step_by(6).map(|s| judge(&mut belief, START + s, truth(START + s))).collect();
    let waiting = Verdict::Waiting;
    let expected = [waiting(2), waiting(2), waiting(1), waiting(1), Verdict::Believed, Verdict::Believed];
    assert_eq!(verdicts, expected);
    // One wrong word in between begins it again.
    let mut belief = Belief::new(None, None);
    judge(&mut belief, START, truth(START));
    judge(&mut belief, START + 12, head(FIRST + 90, START + 12));
    assert_eq!(judge(&mut belief, START + 24, truth(START + 24)), waiting(2));
}

#[test]
fn what_the_ledger_remembers_vouches_after_days_off() {
    let anchor = Some(Seen { block: Block(FIRST), unix: START });
    let now = START + 10 * 86_400;
    let (at, most) = (truth(now), truth(now).block.0 + 2);
    assert_eq!(judge(&mut Belief::new(anchor, None), now, at), Verdict::Believed);
    let verdict = judge(&mut Belief::new(anchor, None), now, head(most + 1, now));
    let rejection = HeadRejection::TooFar { block: Block(most + 1), most: Block(most) };
    assert_eq!(verdict, Verdict::Disbelieved(rejection));
}

#[test]
fn another_fork_is_believed_once_it_has_gone_on() {
    let (mut belief, now) = experienced();
    let mut verdicts = Vec::new();
    for now in (now + 12..).step_by(12).take(7) {
        let at = truth(now);
        let finality = finality(at.block.0 - 3, "0xf", belief.last_final());
        verdicts.push(belief.judge(Clock::Machine, now, at, Some(&finality)));
    }
    assert!(matches!(verdicts[0], Verdict::Disbelieved(HeadRejection::Forked { .. })), "{verdicts:?}");
    assert_eq!(verdicts[1..5], [4, 3, 2, 1].map(Verdict::Waiting));
    assert_eq!(verdicts[5..], [Verdict::Believed, Verdict::Believed]);
}

#[test]
fn a_chain_with_its_own_time_is_held_to_that() {
    let mut belief = Belief::default();
    // 240 times as fast as this machine's clock, which is of no account.
    let mut judge = |k: u64, block: i64| {
        let head = head(block, START + 60 * k);
        belief.judge(Clock::Chain, 7, head, None)
    };
    for k in 0..50 {
        assert_eq!(judge(k, FIRST + 5 * k.cast_signed()), Verdict::Believed);
    }
    assert!(matches!(judge(50, FIRST + 5000), Verdict::Disbelieved(HeadRejection::TooFar { .. })));
    assert!(matches!(judge(50, 1), Verdict::Disbelieved(HeadRejection::Behind { .. })));
    assert_eq!(judge(50, FIRST + 250), Verdict::Believed);
}

#[test]
fn the_remembered_head_is_renewed_unless_the_chain_was_slow() {
    let anchor = Seen { block: Block(FIRST), unix: START };
    let renewed = |pace: u64| {
        let mut belief = Belief::new(Some(anchor), None);
        for now in (START..START + 8 * 86_400).step_by(60) {
            judge(&mut belief, now, head(FIRST + ((now - START) / pace).cast_signed(), now));
        }
        belief.anchor() != Some(anchor)
    };
    assert!(renewed(12) && !renewed(24));
}

/// What a node may say at a time.
fn said(now: u64) -> impl Strategy<Value = (Head, Finality)> {
    let near = truth(now).block.0;
    let block = prop_oneof![
        near - 40..near + 40,
        Just(i64::MAX),
        Just(1_000_000_000),
        Just(0),
        any::<i64>(),
        near - 500_000..near + 500_000
    ];
    let unix = prop_oneof![Just(now), now - 200..now + 200, Just(0), Just(u64::MAX), any::<u64>()];
    let fork = prop_oneof![Just("0x"), Just("0xf")];
    (block, unix, -1000..1000_i64, fork).prop_map(|(block, unix, last, fork)| {
        (head(block, unix), finality(block.saturating_sub(last), fork, Some(Block(FIRST))))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_word_is_believed_that_goes_beyond_the_clock(lies in prop::collection::vec((0..60_u64, said(START + 1800)), 1..40)) {
        let (mut belief, start) = experienced();
        let mut now = start;
        for (seconds, (head, finality)) in lies {
            now += seconds;
            if belief.judge(Clock::Machine, now, head, Some(&finality)) == Verdict::Believed {
                let block = truth(now).block.0;
                prop_assert!(head.block.0 <= block + 3, "{head:?} at {now}, when the newest was {block}");
                prop_assert!(head.unix <= now + 60 && head.unix + 90 >= now);
            }
        }
    }

    #[test]
    fn an_honest_node_is_believed_within_two_minutes(lies in prop::collection::vec((0..60_u64, said(START + 1800)), 1..40)) {
        let (mut belief, start) = experienced();
        let mut now = start;
        for (seconds, (head, finality)) in lies {
            now += seconds;
            belief.judge(Clock::Machine, now, head, Some(&finality));
        }
        let honest = now;
        while judge(&mut belief, now, truth(now)) != Verdict::Believed {
            now += 2;
            prop_assert!(now - honest <= 120, "not believed after {} s: {belief:?}", now - honest);
        }
        // And stays so.
        for later in (now..now + 600).step_by(6) {
            prop_assert_eq!(judge(&mut belief, later, truth(later)), Verdict::Believed);
        }
    }
}
