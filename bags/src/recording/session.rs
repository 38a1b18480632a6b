//! A bag that is being recorded on a robot: the writer, and an eye on the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use interfaces::Publication;

use super::disk_watch::{DiskLimits, DiskState, DiskWatch, FileSystem, FreeSpace};
use crate::error::BagError;
use crate::record::{RawMessage, is_image};
use crate::writer::{Summary, Writer, WriterSettings};

/// What was recorded and what was not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordingCounts {
    /// Messages taken.
    pub messages: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Files begun.
    pub files: usize,
    /// Images left out to leave room, by topic.
    pub images_left_out: BTreeMap<Arc<str>, u64>,
    /// How the disk is.
    pub disk: DiskState,
    /// Free bytes when last looked; `None` where the system does not tell.
    pub free_bytes: Option<u64>,
}

/// A bag in the making that leaves room on the disk: images end first, then there is a warning, and before the
/// reserve is touched the bag is closed.
pub struct Recording {
    writer: Option<Writer>,
    watch: DiskWatch,
    counts: RecordingCounts,
}

impl Recording {
    /// Starts a bag in a folder that is not there yet.
    ///
    /// # Errors
    /// As [`Writer::create`]; [`BagError::NoSpace`] where the disk has only the reserve left.
    pub fn start(
        folder: impl AsRef<Path>,
        settings: WriterSettings,
        limits: DiskLimits,
    ) -> Result<Self, BagError> {
        Self::start_watching(folder, settings, limits, Box::new(FileSystem))
    }

    /// As [`Recording::start`], with another source for the free space.
    ///
    /// # Errors
    /// As [`Recording::start`].
    pub fn start_watching(
        folder: impl AsRef<Path>,
        settings: WriterSettings,
        limits: DiskLimits,
        space: Box<dyn FreeSpace>,
    ) -> Result<Self, BagError> {
        let writer = Writer::create_with(&folder, settings)?;
        let watch = DiskWatch::new(folder.as_ref(), limits, space);
        Ok(Self { writer: Some(writer), watch, counts: RecordingCounts::default() })
    }

    /// Records one message, or leaves an image out where there is little room.
    ///
    /// # Errors
    /// [`BagError::NoSpace`] when only the reserve is left, and as [`Writer::write`]. The bag is closed then.
    pub fn write(&mut self, publication: &Publication) -> Result<(), BagError> {
        if self.leaves_out(&publication.topic, publication.message.type_name())? {
            return Ok(());
        }
        self.counts.messages += 1;
        self.open()?.write(publication)
    }

    /// Records one message of any type, or leaves an image out where there is little room.
    ///
    /// # Errors
    /// As [`Recording::write`].
    pub fn write_raw(&mut self, message: &RawMessage) -> Result<(), BagError> {
        if self.leaves_out(&message.channel.topic, &message.channel.type_name)? {
            return Ok(());
        }
        self.counts.messages += 1;
        self.open()?.write_raw(message)
    }

    /// Puts on the disk what was recorded so far: for a pause, after which a kill shall lose nothing.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn flush(&mut self) -> Result<(), BagError> {
        self.writer.as_mut().map_or(Ok(()), Writer::flush)
    }

    /// What was recorded and what was not.
    pub fn counts(&self) -> &RecordingCounts {
        &self.counts
    }

    /// Closes the bag.
    ///
    /// # Errors
    /// As [`Writer::finish`]; [`BagError::Closed`] where an earlier error has closed it.
    pub fn finish(&mut self) -> Result<Summary, BagError> {
        let path = self.watch_path();
        self.writer.take().ok_or(BagError::Closed(path))?.finish()
    }

    fn watch_path(&self) -> std::path::PathBuf {
        self.watch.path().to_owned()
    }

    fn open(&mut self) -> Result<&mut Writer, BagError> {
        let path = self.watch_path();
        self.writer.as_mut().ok_or(BagError::Closed(path))
    }

    fn leaves_out(&mut self, topic: &Arc<str>, type_name: &str) -> Result<bool, BagError> {
        let writer = self.open()?;
        let (written, files) = (writer.bytes(), writer.files());
        (self.counts.bytes, self.counts.files) = (written, files);
        self.counts.disk = self.watch.look(written);
        self.counts.free_bytes = self.watch.free_bytes;
        match self.counts.disk {
            DiskState::Reserve => {
                let error = BagError::NoSpace {
                    path: self.watch_path(),
                    free: self.watch.free_bytes.unwrap_or_default(),
                    reserve: self.watch.limits().reserve,
                };
                self.finish()?;
                Err(error)
            }
            DiskState::NoImages | DiskState::Low if is_image(type_name) => {
                *self.counts.images_left_out.entry(topic.clone()).or_default() += 1;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
