use interfaces::Publication;
use interfaces::std_msgs::String as Text;

use super::*;
use crate::writer::{Writer, WriterSettings};

fn said(n: i64) -> Publication {
    Publication::new("/words", n * 300_000_000, Text { data: format!("word {n}") })
}

/// Messages until it waits or ends, and whether it has ended.
fn drained(follower: &mut Follower) -> (Vec<i64>, bool) {
    let mut stamps = Vec::new();
    loop {
        match follower.next_message().unwrap() {
            Followed::Message(m) => stamps.push(m.stamp_ns / 300_000_000),
            Followed::Waits => return (stamps, false),
            Followed::Ended => return (stamps, true),
        }
    }
}

#[test]
fn every_message_is_followed_once_over_all_files() {
    let dir = tempfile::tempdir().unwrap();
    let bag = dir.path().join("bag");
    let settings = WriterSettings { split_ns: Some(2_000_000_000), ..WriterSettings::default() };
    let mut writer = Writer::create_with(&bag, settings).unwrap();
    let mut follower = Follower::open(&bag, Selection::default()).unwrap();
    let mut all = Vec::new();
    for n in 0..50 {
        writer.write(&said(n)).unwrap();
        if n % 7 == 0 {
            writer.flush().unwrap();
        }
        let (new, ended) = drained(&mut follower);
        assert!(!ended);
        all.extend(new);
    }
    assert!(all.len() >= 40, "only {} messages came while it was recorded", all.len());
    assert!(writer.finish().unwrap().files > 3);
    let (rest, ended) = drained(&mut follower);
    all.extend(rest);
    assert!(ended);
    assert_eq!(all, (0..50).collect::<Vec<_>>());
    // One that is complete is read to its end.
    assert_eq!(drained(&mut Follower::open(&bag, Selection::default()).unwrap()), (all, true));
}

#[test]
fn what_cannot_be_followed_is_told() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(Follower::open(dir.path().join("no"), Selection::default()), Err(BagError::Io { .. })));
    // A folder before its first file.
    let mut follower = Follower::open(dir.path(), Selection::default()).unwrap();
    assert!(matches!(follower.next_message().unwrap(), Followed::Waits));
    std::fs::write(dir.path().join("x_0.db3"), "SQLite format 3").unwrap();
    assert!(matches!(Follower::open(dir.path(), Selection::default()), Err(BagError::NotABag { .. })));
}
