//! The simulation drawn: `sim --view`, `--snapshot` and `--camera-frame`, and what to say where the program was built
//! without pictures.

use std::path::PathBuf;

use clap::Args;

#[cfg(feature = "view")]
mod picture;
#[cfg(feature = "view")]
mod window;

#[cfg(feature = "view")]
pub use picture::picture;
#[cfg(feature = "view")]
pub use window::watched;

/// What is drawn of a simulation.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pictures (a program with the feature `view`)")]
pub struct ViewArgs {
    /// Watch the simulation in a window.
    #[arg(long, conflicts_with_all = ["snapshot", "camera_frame"])]
    pub view: bool,
    /// Draw one picture of the simulation, PNG, when --at is reached, and leave no run.
    #[arg(long, value_name = "FILE.png", requires = "at")]
    pub snapshot: Option<PathBuf>,
    /// Draw what a robot's camera sees when --at is reached: FILE.png, beside it FILE.mask.png with a colour for each
    /// thing and FILE.json with what the colours mean. A scenario without cameras gets one.
    #[arg(long, value_name = "FILE.png", requires = "at")]
    pub camera_frame: Option<PathBuf>,
    /// For the snapshot overview, follow, aisle, top, or the name of a robot, a row face, a place, a desk or a dock; for
    /// the camera frame one like inv_1/camera_1. By default overview and the first camera.
    #[arg(long, value_name = "NAME", requires = "at")]
    pub camera: Option<String>,
    /// Simulated seconds after which the picture is taken.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub at: Option<f64>,
    /// Size of the snapshot, pixels.
    #[arg(long, default_value = "1280x720", value_name = "WxH", value_parser = size)]
    pub size: [u32; 2],
}

impl ViewArgs {
    /// Whether a picture is asked for, in place of a run.
    pub fn picture(&self) -> bool {
        self.snapshot.is_some() || self.camera_frame.is_some()
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let allowed = "seconds from 0 to 14400";
    let v: f64 = text.parse().map_err(|_| allowed.to_owned())?;
    if (0.0..=14_400.0).contains(&v) { Ok(v) } else { Err(allowed.into()) }
}

fn size(text: &str) -> Result<[u32; 2], String> {
    let allowed = || "width and height from 64 to 4096, for example 1280x720".to_owned();
    let (w, h) = text.split_once('x').ok_or_else(allowed)?;
    let parse = |v: &str| v.parse().ok().filter(|v| (64..=4096).contains(v)).ok_or_else(allowed);
    Ok([parse(w)?, parse(h)?])
}
