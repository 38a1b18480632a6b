//! What a recorder must keep, and what it may drop.

use std::sync::mpsc::{Receiver, Sender, channel};

use interfaces::sensor_msgs::Image;
use interfaces::std_msgs::Header;

use super::*;

/// A disk that takes a message for each token that it is given.
struct Slow {
    tokens: Receiver<()>,
    got: Sender<Publication>,
}

impl Sink for Slow {
    fn write(&mut self, publication: &Publication) -> Result<(), String> {
        self.tokens.recv().map_err(|e| e.to_string())?;
        self.got.send(publication.clone()).map_err(|e| e.to_string())
    }

    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}

fn image(i: i64) -> Publication {
    Publication::new("/inv_1/camera_1/image", i, Image { data: vec![0; 1_000], ..Image::default() })
}

fn result(i: i64) -> Publication {
    Publication::new("/inv_1/sightings", i, Header::new(i, "map"))
}

#[test]
fn a_slow_disk_costs_images_and_never_results() {
    let ((give, tokens), (got, all)) = (channel(), channel());
    let settings = RecorderSettings { messages: 64, image_bytes: 10_000, on_full: OnFull::DropImages };
    let mut recorder = Recorder::start_with(Slow { tokens, got }, settings);
    // The disk takes nothing yet: 50 images find room for 10, and one more that the writer already holds.
    for i in 0..50 {
        recorder.observe(&image(i)).unwrap();
    }
    for i in 0..40 {
        recorder.observe(&result(i)).unwrap();
    }
    let dropped = recorder.counts().dropped_images[&*image(0).topic];
    assert!((39..=40).contains(&dropped), "{dropped}");
    assert_eq!(recorder.health().level, Level::Warn);
    for _ in 0..100 {
        give.send(()).unwrap();
    }
    let written = recorder.finish().unwrap();
    assert_eq!(written, 90 - dropped);
    let results: Vec<i64> = all.try_iter().filter(|p| p.is_called("sightings")).map(|p| p.stamp_ns).collect();
    assert_eq!(results, (0..40).collect::<Vec<_>>());
}

#[test]
fn where_time_can_wait_nothing_is_dropped() {
    let ((give, tokens), (got, all)) = (channel(), channel());
    let settings = RecorderSettings { messages: 4, image_bytes: 2_500, on_full: OnFull::Wait };
    let mut recorder = Recorder::start_with(Slow { tokens, got }, settings);
    let run = std::thread::spawn(move || {
        for i in 0..50 {
            recorder.observe(&image(i)).unwrap();
            recorder.observe(&result(i)).unwrap();
        }
        let counts = recorder.counts();
        (recorder.finish(), counts)
    });
    for _ in 0..100 {
        give.send(()).unwrap();
    }
    let (written, counts) = run.join().unwrap();
    assert_eq!(written, Ok(100));
    assert!(counts.dropped_images.is_empty() && counts.longest_queue <= 4, "{counts:?}");
    assert_eq!(all.try_iter().count(), 100);
}

struct Counting(u64);

impl Sink for Counting {
    fn write(&mut self, _: &Publication) -> Result<(), String> {
        self.0 += 1;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        vec![("bytes_written", (100 * self.0).to_string())]
    }
}

#[test]
fn diagnostics_tell_how_the_recording_goes() {
    let mut recorder = Recorder::start(Counting(0));
    let (name, health) = recorder.watched().unwrap();
    for i in 0..7 {
        recorder.observe(&result(i)).unwrap();
    }
    // Once the recorder is done its figures are final.
    assert_eq!((name, recorder.finish()), ("recorder", Ok(7)));
    let values = health().values;
    let figure = |key: &str| values.iter().find(|(k, _)| *k == key).map(|(_, v)| v.as_str());
    assert_eq!(figure("messages_written"), Some("7"));
    assert_eq!(figure("messages_waiting"), Some("0"));
    assert_eq!(figure("images_dropped_queue_full"), Some("0"));
    assert_eq!(figure("bytes_written"), Some("700"));
}

struct Broken;

impl Sink for Broken {
    fn write(&mut self, _: &Publication) -> Result<(), String> {
        Err("no space left".into())
    }

    fn finish(&mut self) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_broken_disk_ends_the_run_with_its_own_words() {
    let mut recorder =
        Recorder::start_with(Broken, RecorderSettings { messages: 1, ..RecorderSettings::default() });
    let error = (0..1_000).find_map(|i| recorder.observe(&result(i)).err());
    assert_eq!(error.as_deref(), Some("no space left"));
}
