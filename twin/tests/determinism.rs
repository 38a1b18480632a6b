//! One scenario, one hash: on any number of threads, recorded or not, and gone on with from a file.
#![allow(missing_docs, clippy::unwrap_used)]

use twin::repeat::weave;
use twin::{Scenario, Twin};

const SCENARIO: &str = include_str!("../../tests/fixtures/repeat.toml");
const SECONDS: f64 = 6.0;

fn twin() -> Twin {
    Twin::new(&Scenario::from_toml(SCENARIO, "repeat.toml").unwrap()).unwrap()
}

#[test]
fn runs_have_one_hash_on_one_thread_and_two_recorded_or_not() {
    let run = || weave(&mut twin(), SECONDS, |_| ());
    let recorded = || {
        let mut bytes = Vec::new();
        let hash = weave(&mut twin(), SECONDS, |all| {
            all.iter().for_each(|p| bytes.extend_from_slice(&p.message.to_cdr()));
        });
        assert!(bytes.len() > 100_000);
        hash
    };
    let first = run();
    println!("{first}  after {SECONDS} s, as `shelfwright twin hash` has it");
    assert_eq!(run(), first);
    let threads = [std::thread::spawn(run), std::thread::spawn(recorded)];
    for thread in threads {
        assert_eq!(thread.join().unwrap(), first);
    }
}

#[test]
fn robots_that_share_threads_do_what_they_do_on_one() {
    let text = SCENARIO.to_owned() + "\n[[robot]]\nname = \"inv_3\"\nstart_m = [2.6, 0.75]\n";
    let scenario = Scenario::from_toml(&text, "three.toml").unwrap();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut all = Vec::new();
            let hash = weave(&mut Twin::new(&scenario).unwrap(), 3.0, |out| {
                all.extend(out.iter().map(|p| (p.topic.clone(), p.stamp_ns, p.message.to_cdr())));
            });
            (hash, all)
        })
    };
    let one = run(1);
    assert!(["inv_1", "inv_2", "inv_3"].iter().all(|r| one.1.iter().any(|m| *m.0 == format!("/{r}/reads"))));
    for threads in [2, 4] {
        assert!(run(threads) == one, "{threads} threads make another run");
    }
}

#[test]
fn a_saved_twin_goes_on_as_if_it_had_not_been_saved() {
    let mut whole = twin();
    let half = weave(&mut whole, SECONDS / 2.0, |_| ());
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("half.twin");
    whole.save(&file).unwrap();
    let mut restored = Twin::restore(&file).unwrap();
    assert_eq!(restored.state_hash(), half);
    assert_eq!(restored.now_ns(), whole.now_ns());
    let published = |twin: &mut Twin| {
        let mut all = Vec::new();
        let hash = weave(twin, SECONDS / 2.0, |out| {
            all.extend(out.iter().map(|p| (p.topic.clone(), p.stamp_ns, p.message.to_cdr())));
        });
        (hash, all)
    };
    let (a, b) = (published(&mut whole), published(&mut restored));
    assert_eq!(a.0, b.0);
    assert!(a.1 == b.1, "the restored twin publishes something else");
}

#[test]
fn what_is_no_snapshot_is_refused_by_one_line() {
    let bytes = twin().snapshot().unwrap();
    let refused = |bytes: &[u8]| match Twin::from_snapshot(bytes, "half.twin") {
        Ok(_) => panic!("accepted {} bytes", bytes.len()),
        Err(e) => e.to_string(),
    };
    for bytes in [&b"PK\x03\x04"[..], b"", &bytes[..bytes.len() / 2], &bytes[..40]] {
        let e = refused(bytes);
        assert!(e.starts_with("half.twin: ") && e.lines().count() == 1, "{e}");
    }
}
