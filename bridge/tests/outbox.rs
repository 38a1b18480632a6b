//! The outbox as a state machine: order, waits and verdicts, without any I/O.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use bridge::outbox::{Answer, Entry, Next, Outbox, Outcome, RetryPolicy};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000_000;

fn entry(seq: i64, run: &str) -> Entry {
    Entry {
        seq,
        key: format!("key-{seq}"),
        run: run.into(),
        body: "{}".into(),
        attempts: 0,
        not_before_ns: 0,
    }
}

fn status(code: u16) -> Answer {
    Answer::Status { code, retry_after_ns: None, detail: String::new() }
}

fn send(outbox: &Outbox, now: i64) -> Option<i64> {
    match outbox.next(now) {
        Next::Send(e) => Some(e.seq),
        _ => None,
    }
}

#[test]
fn a_run_stays_in_order_while_its_first_event_waits() {
    let mut outbox = Outbox::new(RetryPolicy::default());
    for e in [entry(1, "a"), entry(2, "a"), entry(3, "b")] {
        outbox.offer(e, 0);
    }
    assert_eq!(send(&outbox, 0), Some(1));
    let Some(Outcome::Retry { not_before_ns, counted: true, .. }) = outbox.answered(1, &status(500), 0)
    else {
        panic!("a 500 is tried again")
    };
    assert_eq!(send(&outbox, 0), Some(3), "another run need not wait");
    assert_eq!(outbox.answered(3, &status(201), 0), Some(Outcome::Delivered));
    assert_eq!(outbox.next(0), Next::Wait(not_before_ns));
    assert_eq!(send(&outbox, not_before_ns), Some(1));
}

#[test]
fn a_platform_that_is_down_is_not_hammered_with_other_runs() {
    let mut outbox = Outbox::new(RetryPolicy::default());
    outbox.offer(entry(1, "a"), 0);
    outbox.offer(entry(2, "b"), 0);
    for answer in [Answer::Lost("refused".into()), status(503), status(429), status(401), status(302)] {
        let mut outbox = Outbox::new(RetryPolicy::default());
        outbox.offer(entry(1, "a"), 0);
        outbox.offer(entry(2, "b"), 0);
        assert!(matches!(outbox.answered(1, &answer, 0), Some(Outcome::Retry { counted: false, .. })));
        assert_eq!(send(&outbox, 0), None, "{answer:?}");
    }
}

#[test]
fn a_refused_event_is_parked_with_the_reason_and_the_next_one_goes() {
    for code in [400, 413, 415, 422] {
        let mut outbox = Outbox::new(RetryPolicy::default());
        outbox.offer(entry(1, "a"), 0);
        outbox.offer(entry(2, "a"), 0);
        let answer = Answer::Status { code, retry_after_ns: None, detail: "no such item".into() };
        let reason = format!("HTTP {code}: no such item");
        assert_eq!(outbox.answered(1, &answer, 0), Some(Outcome::Dead { reason }));
        assert_eq!(send(&outbox, 0), Some(2));
    }
}

#[test]
fn a_conflict_is_waited_out_but_not_for_ever() {
    let policy = RetryPolicy::default();
    let mut outbox = Outbox::new(policy.clone());
    outbox.offer(entry(1, "a"), 0);
    let mut now = 0;
    // Time-outs before do not count against the entry.
    for _ in 0..20 {
        let outcome = outbox.answered(1, &Answer::Lost("timed out".into()), now);
        let Some(Outcome::Retry { not_before_ns, .. }) = outcome else { panic!("{outcome:?}") };
        now = not_before_ns;
    }
    for _ in 1..policy.conflicts {
        let outcome = outbox.answered(1, &status(409), now);
        let Some(Outcome::Retry { not_before_ns, .. }) = outcome else { panic!("{outcome:?}") };
        now = not_before_ns;
    }
    assert!(matches!(outbox.answered(1, &status(409), now), Some(Outcome::Dead { .. })));
}

#[test]
fn retry_after_is_honoured_up_to_a_bound() {
    let policy = RetryPolicy::default();
    for (asked, least, most) in [
        (30 * SECOND, 30 * SECOND, 30 * SECOND),
        (i64::MAX, policy.longest_retry_after_ns, policy.longest_retry_after_ns),
        (-5, SECOND / 2, SECOND),
    ] {
        let mut outbox = Outbox::new(policy.clone());
        outbox.offer(entry(1, "a"), 0);
        let answer = Answer::Status { code: 429, retry_after_ns: Some(asked), detail: String::new() };
        let outcome = outbox.answered(1, &answer, 0);
        let Some(Outcome::Retry { not_before_ns, .. }) = outcome else { panic!("{outcome:?}") };
        assert!((least..=most).contains(&not_before_ns), "{asked}: {not_before_ns}");
    }
}

#[test]
fn a_clock_turned_back_does_not_hold_results_for_years() {
    let policy = RetryPolicy::default();
    let mut outbox = Outbox::new(policy.clone());
    outbox.offer(Entry { not_before_ns: i64::MAX, ..entry(1, "a") }, 0);
    assert_eq!(outbox.next(0), Next::Wait(policy.longest_retry_after_ns));
}

proptest! {
    #[test]
    fn waits_grow_are_bounded_and_repeat_for_a_seed(seed: u64, failures in 1u32..1000) {
        let policy = RetryPolicy { seed, ..RetryPolicy::default() };
        let wait = policy.wait_ns("key", failures);
        let full = SECOND.saturating_mul(1i64 << (failures - 1).min(20)).min(policy.longest_ns);
        prop_assert!(wait >= full / 2 && wait <= full, "{wait} of {full}");
        prop_assert_eq!(wait, policy.wait_ns("key", failures));
    }

    /// Whatever the platform answers, every event ends delivered or dead exactly once, and a run's events
    /// are settled in order.
    #[test]
    fn nothing_is_lost_or_settled_twice(codes in prop::collection::vec(prop::sample::select(
        vec![0u16, 200, 201, 302, 401, 409, 422, 429, 500, 503]), 0..200)) {
        let mut outbox = Outbox::new(RetryPolicy::default());
        let runs = ["a", "b", "c"];
        for seq in 0..12 {
            outbox.offer(entry(seq, runs[(seq % 3) as usize]), 0);
        }
        let mut codes = codes.into_iter();
        let mut now = 0;
        let mut settled = Vec::new();
        loop {
            let seq = match outbox.next(now) {
                Next::Send(e) => e.seq,
                Next::Wait(until) => { prop_assert!(until > now); now = until; continue }
                Next::Empty => break,
            };
            let answer = match codes.next().unwrap_or(200) {
                0 => Answer::Lost("cut".into()),
                code => status(code),
            };
            if !matches!(outbox.answered(seq, &answer, now), Some(Outcome::Retry { .. })) {
                settled.push(seq);
            }
        }
        for run in 0..3 {
            let of_run: Vec<i64> = settled.iter().copied().filter(|s| s % 3 == run).collect();
            prop_assert_eq!(of_run, (0..4).map(|i| run + 3 * i).collect::<Vec<_>>());
        }
    }
}
