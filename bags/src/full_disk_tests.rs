//! A disk that fills up while a bag is written.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use interfaces::Publication;
use interfaces::shelfwright_msgs::TagRead;

use crate::storage::Disk;
use crate::{BagError, Reader, Writer, WriterSettings};

/// Holds so many bytes and no more; like a file system, it takes what fits and then refuses.
#[derive(Clone)]
struct SmallDisk {
    bytes: Arc<Mutex<Vec<u8>>>,
    capacity: usize,
}

impl Disk for SmallDisk {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut held = self.bytes.lock().unwrap();
        let offset = offset as usize;
        let fits = bytes.len().min(self.capacity.saturating_sub(offset));
        let end = held.len().max(offset + fits);
        held.resize(end, 0);
        held[offset..offset + fits].copy_from_slice(&bytes[..fits]);
        if fits < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.bytes.lock().unwrap().resize(length as usize, 0);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn publication(i: i64) -> Publication {
    // Hard to compress, so that chunks have a size.
    let uid =
        (0..24_u64).map(|b| ((i as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (b % 57)) as u8).collect();
    Publication::new("/inv_1/reads", i * 300_000_000, TagRead { uid, ..TagRead::default() })
}

/// Writes 40 messages; gives what the disk holds after it, and how it ended.
fn record(folder: &Path, capacity: usize) -> (Vec<u8>, Result<(), BagError>) {
    let disk = SmallDisk { bytes: Arc::default(), capacity };
    let run = || {
        let mut writer = {
            let disk = disk.clone();
            std::fs::create_dir_all(folder.join("full")).unwrap();
            Writer::on_disks(
                &folder.join("full"),
                WriterSettings::default(),
                Box::new(move |_| Ok(Box::new(disk.clone()))),
            )?
        };
        for i in 0..40 {
            writer.write(&publication(i))?;
        }
        writer.finish().map(drop)
    };
    let ended = run();
    let bytes = disk.bytes.lock().unwrap().clone();
    (bytes, ended)
}

#[test]
fn a_full_disk_leaves_a_bag_with_all_that_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, ended) = record(folder.path(), usize::MAX);
    ended.unwrap();
    let copy = folder.path().join("copy.mcap");
    let mut kept_before = 0;
    for capacity in (100..whole.len()).step_by(37) {
        let (bytes, ended) = record(folder.path(), capacity);
        let error = ended.unwrap_err();
        assert!(error.to_string().contains("full_0.mcap"), "{error}");
        std::fs::write(&copy, &bytes).unwrap();
        if bytes.len() < 100 {
            continue;
        }
        let mut reader = Reader::open(&copy).unwrap();
        let read: Vec<Publication> = reader.by_ref().map(|p| p.unwrap()).collect();
        let expected: Vec<Publication> = (0..read.len() as i64).map(publication).collect();
        assert_eq!(read, expected);
        // The file is whole: nothing is cut off.
        assert_eq!(reader.cut(), None, "capacity {capacity}");
        if let BagError::Stopped { kept, lost, .. } = error {
            assert_eq!(kept, read.len() as u64, "capacity {capacity}");
            assert!(lost <= 5, "{lost} messages lost at {capacity} bytes");
        } else {
            assert_eq!(read.len(), 40);
        }
        assert!(read.len() >= kept_before);
        kept_before = read.len();
    }
    assert!(kept_before > 20);
}
