//! The recorder: hands every publication on its list to a bag, through a bounded queue that never drops.
//!
//! The bag itself is a [`Sink`], so that this package knows no file format. A slow disk makes the run wait;
//! a broken one ends it with the sink's own words.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use interfaces::Publication;

use crate::host::Observer;

/// Where publications go: a bag.
pub trait Sink: Send + 'static {
    /// Writes one publication.
    fn write(&mut self, publication: &Publication) -> Result<(), String>;

    /// Completes the recording so that it opens.
    fn finish(&mut self) -> Result<(), String>;
}

/// Records on a thread of its own. Bounded queue, policy: wait, never drop.
pub struct Recorder {
    queue: Option<SyncSender<Publication>>,
    writer: Option<JoinHandle<Result<u64, String>>>,
}

/// Some seconds of a robot without cameras.
const QUEUE: usize = 8_192;

impl Recorder {
    /// Starts a writer on `sink`.
    pub fn start(mut sink: impl Sink) -> Self {
        let (queue, inbox) = sync_channel::<Publication>(QUEUE);
        let writer = std::thread::spawn(move || {
            let mut written = 0;
            let result = inbox.iter().try_for_each(|p| {
                written += 1;
                sink.write(&p)
            });
            // What was written before the failure must open, so the bag is finished in either case.
            let finished = sink.finish();
            result.and(finished).map(|()| written)
        });
        Self { queue: Some(queue), writer: Some(writer) }
    }

    /// Closes the recording and returns the number of publications in it.
    pub fn finish(mut self) -> Result<u64, String> {
        self.queue = None;
        self.join()
    }

    fn join(&mut self) -> Result<u64, String> {
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err("the recorder's writer panicked".into()),
            None => Err("the recorder has stopped".into()),
        }
    }
}

impl Observer for Recorder {
    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        let sent = self.queue.as_ref().is_some_and(|q| q.send(publication.clone()).is_ok());
        if sent {
            return Ok(());
        }
        // The writer has ended: its own error says why.
        self.queue = None;
        Err(self.join().err().unwrap_or_else(|| "the recorder has stopped".into()))
    }
}

impl Drop for Recorder {
    /// A run that ends by an error still leaves a bag that opens.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}
