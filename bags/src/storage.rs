//! The file under a bag, so that it is a complete MCAP file after every append, whatever happens next.
//!
//! MCAP's summary is optional: data, `DataEnd`, `Footer` and the closing magic make a whole file. That closing is
//! written after each append and overwritten by the next, so a process that is killed leaves a file that opens
//! everywhere, and on a full disk the closing goes where the one before it stood and needs no new space.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

/// `DataEnd` and `Footer` without checksums and summary, and the magic.
const CLOSING: [u8; 50] = {
    let mut bytes = [0; 50];
    bytes[0] = 0x0f;
    bytes[1] = 4;
    bytes[13] = 0x02;
    bytes[14] = 20;
    let magic = *b"\x89MCAP0\r\n";
    let mut i = 0;
    while i < magic.len() {
        bytes[42 + i] = magic[i];
        i += 1;
    }
    bytes
};

/// Bytes of a growing file that stay as they are: without a closing that the next append overwrites. None where that cannot be told
/// now, in the middle of an append.
pub(crate) fn written(mut file: &File) -> io::Result<Option<u64>> {
    let at = file.stream_position()?;
    let length = file.seek(SeekFrom::End(0))?;
    let mut tail = [0; CLOSING.len()];
    let start = length.saturating_sub(tail.len() as u64);
    file.seek(SeekFrom::Start(start))?;
    let tail = &mut tail[..(length - start) as usize];
    let read = file.read_exact(tail);
    file.seek(SeekFrom::Start(at))?;
    read?;
    // A footer that knows of a summary is the last; its record begins 37 bytes before the end.
    let footer = tail.len().checked_sub(37).map(|at| &tail[at..]);
    let last = footer.is_some_and(|f| f[..9] == CLOSING[13..22] && f[9..17] != [0; 8]);
    Ok(if *tail == CLOSING {
        Some(start)
    } else if !tail.ends_with(mcap::MAGIC) || last {
        // Other recorders close a file once.
        Some(length)
    } else {
        None
    })
}

/// What a bag needs of a file; tests put one with a small disk in its place.
pub(crate) trait Disk: Send {
    /// Writes at a place.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
    /// Waits until all is on the disk.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

/// A growing MCAP file that is always closed.
pub(crate) struct Storage {
    disk: Box<dyn Disk>,
    /// Bytes before the closing.
    length: u64,
}

impl Storage {
    pub fn new(disk: Box<dyn Disk>) -> Self {
        Self { disk, length: 0 }
    }

    /// Bytes before the closing.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends whole records and closes the file after them. When that fails, the file is as before the call.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let closed = [bytes, &CLOSING].concat();
        if let Err(error) = self.disk.write_at(self.length, &closed) {
            // The old closing was overwritten: put it back, where its space is already taken. If even that
            // fails, the records before it are still there, and the first error is the one to tell.
            let closing_end = self.length + CLOSING.len() as u64;
            let _ = self
                .disk
                .write_at(self.length, &CLOSING)
                .and_then(|()| self.disk.cut(closing_end))
                .and_then(|()| self.disk.sync());
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Appends the rest of the file, which brings its own closing, and waits until all is on the disk.
    pub fn finish(&mut self, bytes: &[u8]) -> io::Result<()> {
        let whole = self.length + bytes.len() as u64;
        let done = self
            .disk
            .write_at(self.length, bytes)
            .and_then(|()| self.disk.cut(whole))
            .and_then(|()| self.disk.sync());
        if done.is_err() {
            let closing_end = self.length + CLOSING.len() as u64;
            let _ = self.disk.write_at(self.length, &CLOSING).and_then(|()| self.disk.cut(closing_end));
        } else {
            self.length = whole;
        }
        done
    }
}
