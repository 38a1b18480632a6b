//! What a review needs of this package: transforms, and a viewer.

mod live;

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use bags::review::{Frames, Outline, Place};
use domain::Catalogue;
use interfaces::Message;
use interfaces::shelfwright_msgs::TagRead;
use interfaces::tf2_msgs::TFMessage;
pub use live::Live;
use nodes::planar::isometry_from_transform;
use positioning::tf::{TfBuffer, TfError};

use crate::ui::{Ui, interrupted};

/// Version of the viewer whose recordings are written.
const VIEWER: &str = "0.36";

/// History of transforms, ns: reads wait for half a second at the most.
const HISTORY_NS: i64 = 5_000_000_000;

/// The transforms of a run.
pub struct TfFrames(TfBuffer);

impl Default for TfFrames {
    fn default() -> Self {
        Self(TfBuffer::new(HISTORY_NS))
    }
}

impl Frames for TfFrames {
    fn take(&mut self, message: &TFMessage, is_static: bool) {
        for t in &message.transforms {
            let Some(transform) = isometry_from_transform(&t.transform) else { continue };
            let (parent, child) = (&t.header.frame_id, &t.child_frame_id);
            let taken = match is_static {
                true => self.0.insert_static(parent, child, transform),
                false => self.0.insert(parent, child, t.header.stamp.to_ns(), transform),
            };
            if let Err(error) = taken {
                tracing::debug!(%error, "a transform was not taken");
            }
        }
    }

    fn place(&self, frame: &str, stamp_ns: i64) -> Place {
        match self.0.lookup("map", frame, stamp_ns) {
            Ok(t) => {
                let (v, x) = (t.translation.vector, t.rotation * nalgebra::Vector3::x());
                Place::At { origin_m: [v.x, v.y, v.z], x_axis: [x.x, x.y, x.z] }
            }
            Err(TfError::Extrapolation { newest_ns, .. }) if stamp_ns > newest_ns => Place::Later,
            // At the start of a run.
            Err(TfError::UnknownFrame { .. } | TfError::NotConnected { .. }) => Place::Later,
            Err(_) => Place::Never,
        }
    }
}

/// The viewer's program.
pub struct Viewer {
    program: PathBuf,
    web: bool,
}

impl Viewer {
    /// Finds `rerun` on the PATH.
    pub fn find(web: bool) -> anyhow::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&path).map(|p| p.join("rerun")).find(|p| p.is_file());
        let program = program.with_context(|| {
            format!(
                "no program `rerun` on the PATH, expected the Rerun viewer {VIEWER}: pip install \
                 \"rerun-sdk~={VIEWER}.0\", or write a file with --save"
            )
        })?;
        let said = Command::new(&program).arg("--version").output();
        let said = said.with_context(|| format!("cannot run {}", program.display()))?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let version = said.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()));
        let version = version.unwrap_or("unknown");
        if !version.starts_with(&format!("{VIEWER}.")) {
            tracing::warn!(found = version, expected = VIEWER, program = %program.display(),
                "the viewer has another version; what it does not know stays empty");
        }
        Ok(Self { program, web })
    }

    /// Starts it on a free port of this machine.
    pub fn start(self) -> anyhow::Result<Shown> {
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|l| l.local_addr()).map(|a| a.port())?;
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--expect-data-soon"]);
        if self.web {
            command.args(["--web-viewer", "--web-viewer-port", "0"]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.with_context(|| format!("cannot start {}", self.program.display()))?;
        Ok(Shown { child, port, web: self.web })
    }
}

/// A viewer that runs.
pub struct Shown {
    child: Child,
    port: u16,
    web: bool,
}

impl Shown {
    /// Where it takes what it shows.
    pub fn address(&self) -> String {
        format!("rerun+http://127.0.0.1:{}/proxy", self.port)
    }

    /// Waits until it is closed, or Ctrl-C.
    pub fn leave(mut self, ui: &Ui) -> anyhow::Result<()> {
        let end =
            if self.web { "Ctrl-C ends it" } else { "it ends when its window is closed, or with Ctrl-C" };
        ui.note(format!("the viewer shows the run; {end}"));
        loop {
            if let Some(status) = self.child.try_wait()? {
                anyhow::ensure!(status.success(), "the Rerun viewer ended with {status}");
                return Ok(());
            }
            if interrupted() {
                self.child.kill()?;
                self.child.wait()?;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// Topics that will come of robots, so that the views have what they show.
pub fn expected<'a>(robots: impl IntoIterator<Item = &'a str>) -> Outline {
    let topics = robots.into_iter().map(|name| (format!("/{name}/reads"), TagRead::TYPE_NAME.to_owned()));
    Outline { topics: topics.collect(), ..Outline::default() }
}

/// What people call the books: call number, or else the title.
pub fn names(catalogue: &Catalogue) -> BTreeMap<Vec<u8>, String> {
    let named = catalogue.iter().filter_map(|i| {
        let name = if i.call_number.is_empty() { i.title } else { i.call_number };
        Some((i.uid?.as_bytes().to_vec(), name.to_owned()))
    });
    named.collect()
}
