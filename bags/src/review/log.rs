//! Where a review goes: one Rerun recording, its timelines, and the frame that the world is drawn in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use re_sdk::log::ChunkBatcherConfig;
use re_sdk::time::{TimeCell, Timeline};
use re_sdk::{AsComponents, EntityPath, EntityPathPart, RecordingStream, RecordingStreamBuilder, TimePoint};
use re_sdk_types::archetypes::{CoordinateFrame, Scalars, SeriesLines, SeriesPoints};
use re_sdk_types::components::{AggregationPolicy, MarkerShape, MarkerSize};

use super::error::ReviewError;
use super::palette::Colour;

/// The timeline of stamps.
pub(super) const TIME: &str = "time";
/// Frame that sites and results are drawn in (REP-105).
pub(super) const MAP: &str = "map";

/// Stamps below this count from the start of a simulation, ns: thirty years.
const SIMULATED_NS: i64 = 30 * 365 * 86_400 * 1_000_000_000;
/// Values of a series that are kept before they are sent.
const BATCH: usize = 4_096;
/// A viewer gets what is kept after so long.
const FRESH: Duration = Duration::from_millis(500);

/// An open recording.
pub struct Log {
    stream: RecordingStream,
    /// Whether stamps are shown as seconds of a run and not as dates.
    simulated: Option<bool>,
    now_ns: i64,
    on_map: BTreeSet<EntityPath>,
    series: BTreeMap<EntityPath, (Vec<i64>, Vec<f64>)>,
    /// When a viewer was sent what was kept; `None` where a file is written.
    sent: Option<Instant>,
}

impl Log {
    /// Writes to a `.rrd` file.
    ///
    /// # Errors
    /// [`ReviewError::Save`] where it cannot be made.
    pub fn save(path: &Path, name: &str) -> Result<Self, ReviewError> {
        let failed = |problem: String| ReviewError::Save { path: path.to_owned(), problem };
        // The SDK's own message names neither the file nor the reason.
        std::fs::File::create(path).map_err(|e| failed(e.to_string()))?;
        Ok(Self::of(builder(name).save(path).map_err(|e| failed(e.to_string()))?))
    }

    /// Sends to a viewer that listens at this address (`rerun+http://HOST:PORT/proxy`).
    ///
    /// # Errors
    /// [`ReviewError::Viewer`] where the address is malformed. A viewer that is not there yet is waited for.
    pub fn connect(address: &str, name: &str) -> Result<Self, ReviewError> {
        let stream = builder(name)
            .batcher_config(ChunkBatcherConfig {
                max_bytes_in_flight: 64 << 20,
                ..ChunkBatcherConfig::DEFAULT
            })
            .connect_grpc_opts(address)
            .map_err(|e| ReviewError::Viewer { address: address.to_owned(), problem: e.to_string() })?;
        Ok(Self { sent: Some(Instant::now()), ..Self::of(stream) })
    }

    fn of(stream: RecordingStream) -> Self {
        // Neither says anything of the run.
        stream.set_log_tick_enabled(false);
        stream.set_log_time_enabled(false);
        Self {
            stream,
            simulated: None,
            now_ns: 0,
            on_map: BTreeSet::new(),
            series: BTreeMap::new(),
            sent: None,
        }
    }

    pub(super) fn stream(&self) -> &RecordingStream {
        &self.stream
    }

    /// What follows happened at this stamp, ns.
    pub(super) fn at(&mut self, stamp_ns: i64) {
        self.now_ns = stamp_ns;
        let cell = self.cell(stamp_ns);
        self.stream.set_timepoint(TimePoint::from([(TIME, cell)]));
    }

    /// Lets a viewer see what was kept, once that is old.
    pub(super) fn freshen(&mut self) -> Result<(), ReviewError> {
        if self.sent.is_some_and(|sent| sent.elapsed() >= FRESH) {
            self.sent = Some(Instant::now());
            self.flush()?;
        }
        Ok(())
    }

    fn simulated(&mut self, stamp_ns: i64) -> bool {
        *self.simulated.get_or_insert(stamp_ns.abs() < SIMULATED_NS)
    }

    fn cell(&mut self, stamp_ns: i64) -> TimeCell {
        if self.simulated(stamp_ns) {
            TimeCell::from_duration_nanos(stamp_ns)
        } else {
            TimeCell::from_timestamp_nanos_since_epoch(stamp_ns)
        }
    }

    /// The timeline of stamps, for columns.
    pub(super) fn timeline(&mut self, stamp_ns: i64) -> Timeline {
        if self.simulated(stamp_ns) { Timeline::new_duration(TIME) } else { Timeline::new_timestamp(TIME) }
    }

    /// Logs at the stamp given last.
    pub(super) fn put(
        &self,
        path: impl Into<EntityPath>,
        what: &(impl AsComponents + ?Sized),
    ) -> Result<(), ReviewError> {
        Ok(self.stream.log(path, what)?)
    }

    /// Logs for all times.
    pub(super) fn fix(
        &self,
        path: impl Into<EntityPath>,
        what: &(impl AsComponents + ?Sized),
    ) -> Result<(), ReviewError> {
        Ok(self.stream.log_static(path, what)?)
    }

    /// Logs at the stamp given last, in the frame of the map.
    pub(super) fn put_on_map(
        &mut self,
        path: impl Into<EntityPath>,
        what: &(impl AsComponents + ?Sized),
    ) -> Result<(), ReviewError> {
        let path = path.into();
        self.anchor(&path)?;
        self.put(path, what)
    }

    /// Logs for all times, in the frame of the map.
    pub(super) fn fix_on_map(
        &mut self,
        path: impl Into<EntityPath>,
        what: &(impl AsComponents + ?Sized),
    ) -> Result<(), ReviewError> {
        let path = path.into();
        self.anchor(&path)?;
        self.fix(path, what)
    }

    fn anchor(&mut self, path: &EntityPath) -> Result<(), ReviewError> {
        if self.on_map.insert(path.clone()) {
            self.fix(path.clone(), &CoordinateFrame::new(MAP))?;
        }
        Ok(())
    }

    /// Adds a value to a series, at its own stamp; values are sent in batches.
    pub(super) fn value(
        &mut self,
        path: &EntityPath,
        style: impl FnOnce() -> Style,
        stamp_ns: i64,
        value: f64,
    ) -> Result<(), ReviewError> {
        if !value.is_finite() {
            return Ok(());
        }
        let Some((times, values)) = self.series.get_mut(path) else {
            self.style(path, style())?;
            self.series.insert(path.clone(), (vec![stamp_ns], vec![value]));
            return Ok(());
        };
        times.push(stamp_ns);
        values.push(value);
        if times.len() >= BATCH { self.send_series(path) } else { Ok(()) }
    }

    /// Says how a series is drawn.
    pub(super) fn style(&self, path: &EntityPath, style: Style) -> Result<(), ReviewError> {
        match style {
            Style::Line(name, colour) => self.fix(
                path.clone(),
                &SeriesLines::new().with_names([name]).with_colors([colour]).with_widths([1.5]),
            ),
            Style::Exact(name, colour) => self.fix(
                path.clone(),
                &SeriesLines::new()
                    .with_names([name])
                    .with_colors([colour])
                    .with_widths([2.0])
                    .with_aggregation_policy(AggregationPolicy::Off),
            ),
            Style::Points(name, colour) => self.fix(
                path.clone(),
                &SeriesPoints::new()
                    .with_names([name])
                    .with_colors([colour])
                    .with_markers([MarkerShape::Circle])
                    .with_marker_sizes([MarkerSize::from(2.0)]),
            ),
        }
    }

    fn send_series(&mut self, path: &EntityPath) -> Result<(), ReviewError> {
        let Some((times, values)) = self.series.get_mut(path) else { return Ok(()) };
        let (times, values) = (std::mem::take(times), std::mem::take(values));
        let Some(&first) = times.first() else { return Ok(()) };
        let times = re_sdk::log::TimeColumn::new(None, self.timeline(first), times.into());
        let columns = Scalars::new(values).columns_of_unit_batches()?;
        Ok(self.stream.send_columns(path.clone(), [times], columns)?)
    }

    /// Sends everything that is held back.
    pub(super) fn flush(&mut self) -> Result<(), ReviewError> {
        let paths: Vec<EntityPath> = self.series.keys().cloned().collect();
        paths.iter().try_for_each(|p| self.send_series(p))
    }

    /// Sends everything and closes the recording.
    pub(super) fn close(mut self) -> Result<(), ReviewError> {
        self.flush()?;
        self.stream
            .flush_blocking()
            .map_err(|e| ReviewError::Viewer { address: "its sink".to_owned(), problem: e.to_string() })?;
        self.stream.disconnect();
        Ok(())
    }
}

fn builder(name: &str) -> RecordingStreamBuilder {
    RecordingStreamBuilder::new(super::APPLICATION).recording_name(name)
}

/// How a series is drawn, with its name.
pub(super) enum Style {
    /// As a line.
    Line(String, Colour),
    /// As a line with every point of it.
    Exact(String, Colour),
    /// As points.
    Points(String, Colour),
}

/// An entity's path from names that may hold any character.
pub(super) fn path<'a>(parts: impl IntoIterator<Item = &'a str>) -> EntityPath {
    EntityPath::new(parts.into_iter().map(EntityPathPart::new).collect())
}
