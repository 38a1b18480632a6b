//! A review while a mission runs, on a thread of its own.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context;
use bags::review::{Log, Review, ReviewError, ReviewSettings, Reviewed};
use domain::FaceId;
use interfaces::Publication;
use nodes::host::{HealthSource, Observer};
use nodes::{Health, Level};
use twin::{Scenario, Twin};

use super::{Shown, TfFrames, Viewer};
use crate::mission::Watch;
use crate::ui::Ui;

/// Publications that wait for the review at the most: some seconds of a robot.
const QUEUE: usize = 16_384;

/// What was dropped, by topic.
type Dropped = Arc<Mutex<BTreeMap<Arc<str>, u64>>>;

/// Where a live review goes.
pub enum Live {
    /// To a viewer.
    Viewer(Viewer),
    /// To a file.
    File(PathBuf),
}

impl Live {
    /// A file, or with an empty name the viewer on the PATH.
    pub fn find(file: &Path) -> anyhow::Result<Self> {
        if file.as_os_str().is_empty() {
            Ok(Self::Viewer(Viewer::find(false)?))
        } else {
            Ok(Self::File(file.to_owned()))
        }
    }

    /// Starts the review of a run that is about to begin.
    pub fn start(self, twin: &Twin, scenario: &Scenario, faces: &[FaceId]) -> anyhow::Result<LiveReview> {
        let (log, shown, file) = match self {
            Self::Viewer(viewer) => {
                let shown = viewer.start()?;
                (Log::connect(&shown.address(), &scenario.name)?, Some(shown), None)
            }
            Self::File(path) => {
                let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
                if let Some(folder) = folder {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
                }
                (Log::save(&path, &scenario.name)?, None, Some(path))
            }
        };
        let settings = ReviewSettings {
            names: super::names(&twin.library().catalogue()?),
            face: faces.first().map(ToString::to_string),
            outline: super::expected(scenario.robots.iter().map(|r| r.name.as_str())),
            ..ReviewSettings::new(Arc::new(twin.site().clone()))
        };
        let review = Review::start(log, settings, Box::new(TfFrames::default()))?;
        let (sender, waiting) = sync_channel(QUEUE);
        let worker = std::thread::spawn(move || work(review, &waiting));
        Ok(LiveReview { sender: Some(sender), worker, dropped: Dropped::default(), shown, file })
    }
}

fn tell(reviewed: &Reviewed, dropped: &BTreeMap<Arc<str>, u64>, file: Option<&Path>, ui: &Ui) {
    if let Some(file) = file {
        ui.note(format!(
            "wrote {} ({} messages); open it with: rerun {0}",
            file.display(),
            reviewed.messages
        ));
    }
    for (topic, count) in dropped {
        ui.note(format!(
            "{topic}: {count} messages were dropped on their way to the review (not from the bag)"
        ));
    }
}

/// A review at work. Where it is slower than the run, what comes often is dropped and counted; results, transforms and
/// missions wait.
pub struct LiveReview {
    sender: Option<SyncSender<Publication>>,
    worker: JoinHandle<Result<Reviewed, ReviewError>>,
    dropped: Dropped,
    shown: Option<Shown>,
    file: Option<PathBuf>,
}

impl LiveReview {
    /// Lets a run be watched; then ends the review, tells what was dropped, and waits for its viewer.
    pub fn watch<T>(
        mut self,
        run: impl FnOnce(&mut dyn Watch) -> anyhow::Result<T>,
        ui: &Ui,
    ) -> anyhow::Result<T> {
        let done = run(&mut self);
        drop(self.sender);
        let reviewed = self.worker.join().map_err(|_| anyhow::anyhow!("the live review has crashed"))??;
        let dropped = std::mem::take(&mut *self.dropped.lock().unwrap_or_else(PoisonError::into_inner));
        tell(&reviewed, &dropped, self.file.as_deref(), ui);
        let done = done?;
        self.shown.map_or(Ok(()), |shown| shown.leave(ui))?;
        Ok(done)
    }
}

impl Watch for LiveReview {
    fn step(&mut self, _: &Twin) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn work(mut review: Review, waiting: &Receiver<Publication>) -> Result<Reviewed, ReviewError> {
    while let Ok(publication) = waiting.recv() {
        review.take(&publication)?;
    }
    review.finish()
}

/// What comes often enough that the next one makes up for a lost one.
fn can_be_dropped(publication: &Publication) -> bool {
    ["reads", "scan", "imu", "odom", "image", "clock", "cmd_vel"]
        .iter()
        .any(|name| publication.is_called(name))
}

impl Observer for LiveReview {
    fn observe(&mut self, publication: &Publication) -> Result<(), String> {
        let Some(sender) = &self.sender else { return Ok(()) };
        let sent = match can_be_dropped(publication) {
            true => sender.try_send(publication.clone()),
            false => sender.send(publication.clone()).map_err(|e| TrySendError::Disconnected(e.0)),
        };
        match sent {
            Ok(()) => {}
            Err(TrySendError::Full(p)) => {
                let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
                *dropped.entry(p.topic).or_default() += 1;
            }
            Err(TrySendError::Disconnected(_)) => {
                // The mission is worth more than its picture.
                tracing::error!("the live review has ended; the mission goes on without it");
                self.sender = None;
            }
        }
        Ok(())
    }

    fn watched(&self) -> Option<(&'static str, HealthSource)> {
        let dropped = self.dropped.clone();
        let health = move || {
            let total: u64 = dropped.lock().unwrap_or_else(PoisonError::into_inner).values().sum();
            let (level, summary) = if total > 0 {
                (Level::Warn, format!("{total} messages dropped"))
            } else {
                (Level::Ok, "ok".to_owned())
            };
            Health { level, summary, values: vec![("messages_dropped_queue_full", total.to_string())] }
        };
        Some(("review", Box::new(health)))
    }
}
