//! What a run records and where: its bag, and bags of faults beside it.

use std::path::Path;

use bags::{DiskLimits, Packing, Recording, RecordingCounts, Ring, RingSettings, WriterSettings};
use interfaces::Publication;
use nodes::recorder::Sink;
use serde::{Deserialize, Serialize};

/// Parameters of the recorder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecorderParams {
    /// Compression; `zstd_small` where the bag is kept for long and no camera is recorded.
    pub compression: Compression,
    /// A new file begins after so many MB; 0 is no bound.
    pub split_mb: u64,
    /// A new file begins after so many seconds; 0 is no bound.
    pub split_s: u32,
    /// Below so many free MB images are left out.
    pub images_below_mb: u64,
    /// Below so many free MB there is a warning.
    pub warn_below_mb: u64,
    /// So many MB stay free: recording ends before.
    pub reserve_mb: u64,
    /// When a mission fails or a node reports an error, so many seconds before it become a bag of their own in
    /// `faults/`; 0 is never.
    pub before_fault_s: u32,
    /// Seconds after the fault in that bag.
    pub after_fault_s: u32,
}

/// Compression of a bag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Small files, quick.
    Zstd,
    /// The smallest, and a fifth as quick with images.
    ZstdSmall,
    /// As quick as zstd, and larger.
    Lz4,
    /// None.
    None,
}

impl Default for RecorderParams {
    fn default() -> Self {
        let limits = DiskLimits::default();
        Self {
            compression: Compression::Zstd,
            split_mb: 0,
            split_s: 0,
            images_below_mb: limits.images_below >> 20,
            warn_below_mb: limits.warn_below >> 20,
            reserve_mb: limits.reserve >> 20,
            before_fault_s: 0,
            after_fault_s: 10,
        }
    }
}

const SECOND: i64 = 1_000_000_000;

impl RecorderParams {
    /// Names the key that makes no sense, with what was found and what is allowed.
    pub fn check(&self) -> Result<(), String> {
        let bounds = [self.images_below_mb, self.warn_below_mb, self.reserve_mb];
        if bounds.is_sorted_by(|a, b| a >= b) {
            return Ok(());
        }
        Err(format!(
            "images_below_mb, warn_below_mb, reserve_mb: found {bounds:?}, each must be at most the one before it"
        ))
    }

    fn writer(&self) -> WriterSettings {
        WriterSettings {
            packing: match self.compression {
                Compression::Zstd => Packing::Zstd,
                Compression::ZstdSmall => Packing::ZstdSmall,
                Compression::Lz4 => Packing::Lz4,
                Compression::None => Packing::None,
            },
            split_bytes: (self.split_mb > 0).then(|| self.split_mb.saturating_mul(1_000_000)),
            split_ns: (self.split_s > 0).then(|| i64::from(self.split_s) * SECOND),
        }
    }

    fn limits(&self) -> DiskLimits {
        let bytes = |mb: u64| mb.saturating_mul(1 << 20);
        DiskLimits {
            images_below: bytes(self.images_below_mb),
            warn_below: bytes(self.warn_below_mb),
            reserve: bytes(self.reserve_mb),
        }
    }

    fn ring(&self) -> Option<RingSettings> {
        (self.before_fault_s > 0).then(|| RingSettings {
            before_ns: i64::from(self.before_fault_s) * SECOND,
            after_ns: i64::from(self.after_fault_s) * SECOND,
            ..RingSettings::default()
        })
    }
}

/// The bags of a run as the recorder's sink.
pub struct RunBags {
    recording: Recording,
    ring: Option<Ring>,
}

impl RunBags {
    /// Starts the bag `bag`; bags of faults go into `faults/` beside it.
    pub fn start(bag: &Path, params: &RecorderParams) -> Result<Self, bags::BagError> {
        let recording = Recording::start(bag, params.writer(), params.limits())?;
        let faults = bag.with_file_name("faults");
        Ok(Self { recording, ring: params.ring().map(|settings| Ring::new(&faults, settings)) })
    }
}

/// A message of any type, as it came from the network.
#[cfg(feature = "ros2")]
pub struct Raw(pub bags::RawMessage);

#[cfg(feature = "ros2")]
impl nodes::recorder::Recordable for Raw {
    fn topic(&self) -> &std::sync::Arc<str> {
        &self.0.channel.topic
    }

    fn image_bytes(&self) -> Option<usize> {
        self.0.channel.is_image().then_some(self.0.data.len())
    }
}

/// The same bags for messages of any type. Those of types that we have no code for are not in the bags of faults.
#[cfg(feature = "ros2")]
pub struct RawBags(pub RunBags);

#[cfg(feature = "ros2")]
impl Sink<Raw> for RawBags {
    fn write(&mut self, Raw(message): &Raw) -> Result<(), String> {
        if let Some(ring) = &mut self.0.ring
            && let Ok(publication) = message.decode()
        {
            ring.take(&publication).map_err(|e| e.to_string())?;
        }
        self.0.recording.write_raw(message).map_err(|e| e.to_string())
    }

    fn idle(&mut self) -> Result<(), String> {
        self.0.idle()
    }

    fn finish(&mut self) -> Result<(), String> {
        self.0.finish()
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        self.0.figures()
    }
}

fn tell(counts: &RecordingCounts) {
    for (topic, count) in &counts.images_left_out {
        tracing::warn!(%topic, count, "images were left out of the bag to leave room on the disk");
    }
}

impl Sink for RunBags {
    fn write(&mut self, publication: &Publication) -> Result<(), String> {
        if let Some(ring) = &mut self.ring {
            ring.take(publication).map_err(|e| e.to_string())?;
        }
        self.recording.write(publication).map_err(|e| e.to_string())
    }

    fn idle(&mut self) -> Result<(), String> {
        if let Some(ring) = &mut self.ring {
            ring.flush().map_err(|e| e.to_string())?;
        }
        self.recording.flush().map_err(|e| e.to_string())
    }

    fn figures(&self) -> Vec<(&'static str, String)> {
        let counts = self.recording.counts();
        let left_out: u64 = counts.images_left_out.values().sum();
        let mut figures = vec![
            ("bytes_written", counts.bytes.to_string()),
            ("files", counts.files.to_string()),
            ("images_left_out_disk_short", left_out.to_string()),
        ];
        if let Some(free) = counts.free_bytes {
            figures.push(("disk_free_mib", (free >> 20).to_string()));
        }
        figures
    }

    fn finish(&mut self) -> Result<(), String> {
        tell(self.recording.counts());
        let faults = self.ring.as_mut().map_or(Ok(()), Ring::close);
        match self.recording.finish() {
            // An error that closed the bag was told already.
            Ok(_) | Err(bags::BagError::Closed(_)) => faults.map_err(|e| e.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }
}
