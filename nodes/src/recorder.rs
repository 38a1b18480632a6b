//! The recorder: hands every message that it is given to a bag, through a bounded queue on a thread of its own.
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

/// What a recorder takes: a message with the topic that it was on.
pub trait Recordable: Send + 'static {
    /// Its topic.
    fn topic(&self) -> &Arc<str>;

    /// Bytes of a camera's image; none for all else.
    fn image_bytes(&self) -> Option<usize>;
}

impl Recordable for Publication {
    fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    fn image_bytes(&self) -> Option<usize> {
        match &*self.message {
            AnyMessage::Image(m) => Some(m.data.len()),
            AnyMessage::CompressedImage(m) => Some(m.data.len()),
            _ => None,
        }
    }
}

/// Where messages go: a bag.
pub trait Sink<M = Publication>: Send + 'static {
    /// Writes one message.
    fn write(&mut self, message: &M) -> Result<(), String>;

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

/// What happens to a message that finds the queue full.
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
    /// Messages in the queue.
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
    /// Messages handed to the sink.
    pub written: u64,
    /// Images dropped because the queue was full, by topic.
    pub dropped_images: BTreeMap<Arc<str>, u64>,
    /// Most messages that have waited at once.
    pub longest_queue: usize,
    /// What the sink says of itself.
    pub figures: Vec<(&'static str, String)>,
}

struct Queue<M> {
    waiting: VecDeque<M>,
    images: usize,
    image_bytes: usize,
    /// Nothing more will come.
    closed: bool,
    /// The writer has ended.
    ended: bool,
    counts: RecorderCounts,
}

impl<M> Default for Queue<M> {
    fn default() -> Self {
        let counts = RecorderCounts::default();
        Self { waiting: VecDeque::new(), images: 0, image_bytes: 0, closed: false, ended: false, counts }
    }
}

struct Shared<M> {
    queue: Mutex<Queue<M>>,
    /// Something has come, or the end.
    filled: Condvar,
    /// Something has gone.
    drained: Condvar,
}

impl<M> Shared<M> {
    fn new() -> Self {
        Self { queue: Mutex::default(), filled: Condvar::new(), drained: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Queue<M>> {
        // Nothing panics while it holds the lock; if it did, the counts would still be good.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nothing more will come.
    fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
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

/// Records on a thread of its own.
pub struct Recorder<M = Publication> {
    shared: Arc<Shared<M>>,
    settings: RecorderSettings,
    writer: Option<JoinHandle<Result<u64, String>>>,
}

impl<M: Recordable> Recorder<M> {
    /// Starts a writer on `sink` that makes the run wait.
    pub fn start(sink: impl Sink<M>) -> Self {
        Self::start_with(sink, RecorderSettings::default())
    }

    /// Starts a writer on `sink`.
    pub fn start_with(sink: impl Sink<M>, settings: RecorderSettings) -> Self {
        let shared = Arc::new(Shared::new());
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

    /// Takes one message, or drops it as the settings tell.
    ///
    /// # Errors
    /// Of the sink, once it has failed.
    pub fn take(&mut self, message: M) -> Result<(), String> {
        if self.push(message) {
            return Ok(());
        }
        // The writer has ended: its own error says why.
        Err(self.join().err().unwrap_or_else(|| "the recorder has stopped".into()))
    }

    /// Closes the recording and returns the number of messages in it.
    pub fn finish(mut self) -> Result<u64, String> {
        self.shared.close();
        self.join()
    }

    fn join(&mut self) -> Result<u64, String> {
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err("the recorder's writer panicked".into()),
            None => Err("the recorder has stopped".into()),
        }
    }

    /// Puts a message into the queue, or drops it; false when the writer has ended.
    fn push(&self, message: M) -> bool {
        let bytes = message.image_bytes();
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
                *queue.counts.dropped_images.entry(message.topic().clone()).or_default() += 1;
                return true;
            }
            queue = self.shared.drained.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(bytes) = bytes {
            queue.images += 1;
            queue.image_bytes += bytes;
        }
        queue.waiting.push_back(message);
        queue.counts.longest_queue = queue.counts.longest_queue.max(queue.waiting.len());
        drop(queue);
        self.shared.filled.notify_one();
        true
    }
}

/// Works the queue off until it is closed and empty, or the sink fails.
fn work<M: Recordable>(shared: &Shared<M>, mut sink: impl Sink<M>) -> Result<u64, String> {
    let mut written = 0;
    let mut batch = Vec::new();
    let result = loop {
        let step = match next(shared, &mut batch) {
            Next::Batch => batch.drain(..).try_for_each(|message| {
                written += 1;
                sink.write(&message)
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

/// Messages taken at a time: one by one, a full queue would wake the robot's thread for each.
const BATCH: usize = 256;

/// Waits for something to do. A batch has one image at most, its last: images count where they wait.
fn next<M: Recordable>(shared: &Shared<M>, batch: &mut Vec<M>) -> Next {
    let mut queue = shared.lock();
    loop {
        while batch.len() < BATCH
            && let Some(message) = queue.waiting.pop_front()
        {
            let image = message.image_bytes();
            batch.push(message);
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
        self.take(publication.clone())
    }
}

impl<M> Drop for Recorder<M> {
    /// A run that ends by an error still leaves a bag that opens.
    fn drop(&mut self) {
        self.shared.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
#[path = "recorder_tests.rs"]
mod tests;
