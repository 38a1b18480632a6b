//! The robots' cameras in a run, where the program was built with them.

use interfaces::Publication;
use twin::Twin;

#[cfg(feature = "view")]
use twin::view::Cameras;

/// The cameras of a twin's robots; there may be none.
pub struct Eyes {
    #[cfg(feature = "view")]
    cameras: Option<Cameras>,
}

/// What to say where a scenario wants cameras and the program has none.
#[cfg(not(feature = "view"))]
pub const WITHOUT: &str = "this program was built without pictures; build it with \
                           `cargo build --release --package launch --features view`";

impl Eyes {
    /// They see nothing.
    pub fn closed() -> Self {
        Self {
            #[cfg(feature = "view")]
            cameras: None,
        }
    }

    /// Opens them.
    #[cfg(feature = "view")]
    pub fn of(twin: &Twin) -> anyhow::Result<Self> {
        Ok(Self { cameras: Cameras::of(twin)? })
    }

    /// There are none in this program: a scenario with a camera is refused.
    #[cfg(not(feature = "view"))]
    pub fn of(twin: &Twin) -> anyhow::Result<Self> {
        match twin.robots().find(|r| !r.cameras.is_empty()) {
            Some(robot) => anyhow::bail!("robot {} has a camera: {WITHOUT}", robot.name),
            None => Ok(Self {}),
        }
    }

    /// Topics that they publish on.
    #[cfg(feature = "ros2")]
    pub fn topics(&self) -> Vec<std::sync::Arc<str>> {
        #[cfg(feature = "view")]
        return self.cameras.iter().flat_map(Cameras::topics).collect();
        #[cfg(not(feature = "view"))]
        Vec::new()
    }

    /// What they publish after a step of the twin.
    #[cfg_attr(
        not(feature = "view"),
        expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "no cameras")
    )]
    pub fn look(&mut self, twin: &Twin, out: &mut Vec<Publication>) -> anyhow::Result<()> {
        #[cfg(feature = "view")]
        if let Some(cameras) = &mut self.cameras {
            cameras.look(twin, out)?;
        }
        #[cfg(not(feature = "view"))]
        let _ = (twin, out);
        Ok(())
    }
}

/// Mesa's Vulkan layers ask for a Wayland display and say on the error output, again and again, that XDG_RUNTIME_DIR is not
/// set where it is not, as in a container. They are quiet where the display is named by a path. A process cannot safely
/// change its own environment, so this one begins anew with such a name.
#[cfg(all(feature = "view", unix))]
pub fn without_wayland() {
    use std::os::unix::process::CommandExt;
    let named = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if named("XDG_RUNTIME_DIR") || named("WAYLAND_DISPLAY") {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut again = std::process::Command::new(program);
    let error = again.args(std::env::args_os().skip(1)).env("WAYLAND_DISPLAY", "/nonexistent").exec();
    // It goes on with this process then, which is only noisier.
    tracing::debug!(%error, "could not begin anew");
}
