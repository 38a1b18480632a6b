//! The recorder: hands every publication on its list to a bag, through a bounded queue on a thread of its own.
//!
//! The bag itself is a [`Sink`], so that this package knows no file format. What happens when the disk is slower than
//! the robot is [`OnFull`]: results are never dropped, images may be. A broken disk ends the run with the sink's own
//! words.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use interfaces::{AnyMessage, Publication};

use crate::host::{HealthSource, Observer};
use crate::node::{Health, Level};

/// Where publications go: a bag.
pub trait Sink: Send + 'static {
    /// Writes one publication.
    fn write(&mut self, publication: &Publication) -> Result<(), String>;

    /// Nothing has come for a while: what is held back goes to the disk, so that a kill loses nothing.
    fn idle(&mut self) -> Result<(), String> {
        Ok(())
    }

    /// Completes the recording so that it opens.
    fn finish(&mut self) -> Result<(), String>;

    /// Figures of its own for `/diagnostics`: bytes, files, what a short disk has cost.
    fn figures(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// What happens to a publication that finds the queue full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnFull {
    /// The run waits. For simulation, where time can.
    #[default]
    Wait,
    /// Images are dropped and counted, and never take more than half of the queue; all else waits. For robots.
    DropImages,
}

/// Bounds of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecorderSettings {
    /// Publications in the queue.
    pub messages: usize,
    /// Bytes of images in the queue.
    pub image_bytes: usize,
    /// What happens beyond.
    pub on_full: OnFull,
}

impl Default for RecorderSettings {
    /// Some seconds of a robot: of its sensors, and of two cameras.
    fn default() -> Self {
        Self { messages: 8_192, image_bytes: 256 << 20, on_full: OnFull::Wait }
    }
}

/// How long the writer waits before it calls a pause one.
const PAUSE: Duration = Duration::from_millis(250);

/// What was recorded and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecorderCounts {
    /// Publications handed to the sink.
    pub written: u64,
    /// Images dropped because the queue was full, by topic.
    pub dropped_images: BTreeMap<Arc<str>, u64>,
    /// Most publications that have waited at once.
    pub longest_queue: usize,
    /// What the sink says of itself.
    pub figures: Vec<(&'static str, String)>,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Publication>,
    images: usize,
    image_bytes: usize,
    /// Nothing more will come.
    closed: bool,
    /// The writer has ended.
    ended: bool,
    counts: RecorderCounts,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    /// Something has come, or the end.
    filled: Condvar,
    /// Something has gone.
    drained: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it holds the lock; if it did, the counts would still be good.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn health(&self) -> Health {
        let queue = self.lock();
        let counts = &queue.counts;
        let dropped: u64 = counts.dropped_images.values().sum();
        let (level, summary) = if queue.ended {
            (Level::Error, "has stopped".to_owned())
        } else if dropped > 0 {
            (Level::Warn, format!("{dropped} images dropped"))
        } else {
            (Level::Ok, "ok".to_owned())
        };
        let mut values = vec![
            ("messages_written", counts.written.to_string()),
            ("messages_waiting", queue.waiting.len().to_string()),
            ("longest_queue", counts.longest_queue.to_string()),
            ("images_dropped_queue_full", dropped.to_string()),
        ];
        if dropped > 0 {
            let by_topic: Vec<String> =
                counts.dropped_images.iter().map(|(topic, count)| format!("{topic}: {count}")).collect();
            values.push(("images_dropped_by_topic", by_topic.join(", ")));
        }
        values.extend(counts.figures.iter().cloned());
        Health { level, summary, values }
    }
}

/// Bytes of a camera's image; none for all else.
fn image_bytes(message: &AnyMessage) -> Option<usize> {
    match message {
        AnyMessage::Image(m) => Some(m.data.len()),
        AnyMessage::CompressedImage(m) => Some(m.data.len()),
        _ => None,
    }
}

/// Records on a thread of its own.
pub struct Recorder {
    shared: Arc<Shared>,
    settings: RecorderSettings,
    writer: Option<JoinHandle<Result<u64, String>>>,
}

impl Recorder {
    /// Starts a writer on `sink` that makes the run wait.
    pub fn start(sink: impl Sink) -> Self {
        Self::start_with(sink, RecorderSettings::default())
    }

    /// Starts a writer on `sink`.
    pub fn start_with(sink: impl Sink, settings: RecorderSettings) -> Self {
        let shared = Arc::new(Shared::default());
        let of_writer = shared.clone();
        let writer = std::thread::spawn(move || {
            let result = work(&of_writer, sink);
            of_writer.lock().ended = true;
            of_writer.drained.notify_all();
            result
        });
        Self { shared, settings, writer: Some(writer) }
    }

    /// What was recorded so far and what was not.
    pub fn counts(&self) -> RecorderCounts {
        self.shared.lock().counts.clone()
    }

    /// What `/diagnostics` says of the recorder.
    pub fn health(&self) -> Health {
        self.shared.health()
    }

    /// Closes the recording and returns the number of publications in it.
    pub fn finish(mut self) -> Result<u64, String> {
        self.close();
        self.join()
    }

    fn close(&self) {
        self.shared.lock().closed = true;
        self.shared.filled.notify_all();
    }

    fn join(&mut self) -> Result<u64, String> {
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err("the recorder's writer panicked".into()),
            None => Err("the recorder has stopped".into()),
        }
    }

    /// Puts a publication into the queue, or drops it; false when the writer has ended.
    fn push(&self, publication: &Publication) -> bool {
        let bytes = image_bytes(&publication.message);
        let s = self.settings;
        let mut queue = self.shared.lock();
        loop {
            if queue.ended {
                return false;
            }
            let full = queue.waiting.len() >= s.messages;
            let room = match bytes {
                None => !full,
                // One image always fits, however large.
                Some(bytes) => {
                    let few = s.on_full == OnFull::Wait || 2 * queue.images < s.messages;
                    !full && few && (queue.images == 0 || queue.image_bytes + bytes <= s.image_bytes)
                }
            };
            if room {
                break;
            }
            if bytes.is_some() && s.on_full == OnFull::DropImages {
                *queue.counts.dropped_images.entry(publication.topic.clone()).or_default() += 1;
                return true;
            }
            queue = self.shared.drained.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(bytes) = bytes {
            queue.images += 1;
            queue.image_bytes += bytes;
        }
        queue.waiting.push_back(publication.clone());
        queue.counts.longest_queue = queue.counts.longest_queue.max(queue.waiting.len());
        drop(queue);
        self.shared.filled.notify_one();
        true
    }
}

/// Works the queue off until it is closed and empty, or the sink fails.
fn work(shared: &Shared, mut sink: impl Sink) -> Result<u64, String> {
    let mut written = 0;
    let mut batch = Vec::new();
    let result = loop {
        let step = match next(shared, &mut batch) {
            Next::Batch => batch.drain(..).try_for_each(|publication| {
                written += 1;
                sink.write(&publication)
            }),
            Next::Pause => sink.idle(),
            Next::End => break Ok(()),
        };
        let figures = sink.figures();
        let mut queue = shared.lock();
        queue.counts.written = written;
        queue.counts.figures = figures;
        drop(queue);
        if let Err(error) = step {
            break Err(error);
        }
    };
    // What was written before the failure must open, so the bag is finished in either case.
    let finished = sink.finish();
    result.and(finished).map(|()| written)
}

enum Next {
    Batch,
    Pause,
    End,
}

/// Publications taken at a time: one by one, a full queue would wake the robot's thread for each.
const BATCH: usize = 256;

/// Waits for something to do. A batch has one image at most, its last: images count where they wait.
fn next(shared: &Shared, batch: &mut Vec<Publication>) -> Next {
    let mut queue = shared.lock();
    loop {
        while batch.len() < BATCH
            && let Some(publication) = queue.waiting.pop_front()
        {
            let image = image_bytes(&publication.message);
            batch.push(publication);
            if let Some(bytes) = image {
                queue.images -= 1;
                queue.image_bytes -= bytes;
                break;
            }
        }
        if !batch.is_empty() {
            drop(queue);
            shared.drained.notify_one();
            return Next::Batch;
        }
        if queue.closed {
            return Next::End;
        }
        let (again, waited) =
            shared.filled.wait_timeout(queue, PAUSE).unwrap_or_else(PoisonError::into_inner);
        queue = again;
        if waited.timed_out() && queue.waiting.is_empty() && !queue.closed {
            return Next::Pause;
        }
    }
}

impl Observer for Recorder {
    fn watched(&self) -> Option<(&'static str, HealthSource)> {
        let shared = self.shared.clone();
        Some(("recorder", Box::new(move || shared.health())))
    }

    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        if self.push(publication) {
            return Ok(());
        }
        // The writer has ended: its own error says why.
        Err(self.join().err().unwrap_or_else(|| "the recorder has stopped".into()))
    }
}

impl Drop for Recorder {
    /// A run that ends by an error still leaves a bag that opens.
    fn drop(&mut self) {
        self.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
