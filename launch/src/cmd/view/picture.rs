//! One picture of a simulation at a time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use domain::FaceId;
use interfaces::Publication;
use interfaces::sensor_msgs::CameraInfo;
use nodes::host::Observer;
use serde::Serialize;
use twin::sensors::CameraSettings;
use twin::view::{Cameras, Frame, Moment, Picture, Scene, Seen, Viewpoint, snapshot};
use twin::{Scenario, Twin};

use super::ViewArgs;
use crate::cmd::sim::chosen;
use crate::mission::{Mission, Pace, Watch};
use crate::params::Params;
use crate::run_folder::write_json;
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Waits for its time, then draws and ends the mission.
struct Until<'a> {
    at_ns: i64,
    draw: &'a mut dyn FnMut(&Twin) -> anyhow::Result<()>,
    drawn: Option<anyhow::Result<()>>,
}

impl Observer for Until<'_> {
    fn observe(&mut self, _: &Publication) -> Result<(), String> {
        Ok(())
    }
}

impl Watch for Until<'_> {
    fn step(&mut self, twin: &Twin) -> ControlFlow<()> {
        if twin.now_ns() < self.at_ns {
            return ControlFlow::Continue(());
        }
        self.drawn = Some((self.draw)(twin));
        ControlFlow::Break(())
    }
}

#[derive(Serialize)]
struct Drawn {
    files: Vec<PathBuf>,
    at_s: f64,
}

/// Runs a scenario until the picture is to be taken, and takes it.
pub fn picture(
    args: &ViewArgs,
    scenario: &Scenario,
    faces: &[FaceId],
    params: Option<&Path>,
    ui: &Ui,
) -> anyhow::Result<()> {
    let at_s = args.at.context("--at is missing")?;
    let params = Params::load(params)?;
    let mut scenario = scenario.clone();
    if args.camera_frame.is_some()
        && scenario.robots.iter().all(|r| r.cameras.is_empty())
        && let Some(first) = scenario.robots.first_mut()
    {
        first.cameras.push(CameraSettings::default());
    }
    let mut files = Vec::new();
    let mut draw = |twin: &Twin| -> anyhow::Result<()> {
        if let Some(file) = &args.snapshot {
            let view: Viewpoint = args.camera.as_deref().unwrap_or("overview").parse()?;
            let floor = view.floor(twin);
            let picture = snapshot(&Scene::on(twin, floor), &Moment::on(twin, floor), &view, args.size);
            picture.map_err(refused)?.save(file)?;
            files.push(file.clone());
        }
        if let Some(file) = &args.camera_frame {
            let mut cameras = Cameras::of(twin)?.context("no robot has a camera")?;
            let name = args.camera.clone().unwrap_or_else(|| cameras.first().to_owned());
            let frame = cameras.frame(twin, &name).map_err(refused)?;
            files.extend(save(&frame, &cameras, &name, at_s, file)?);
        }
        Ok(())
    };
    // The picture's camera is opened when its time has come; until then nothing is drawn.
    let twin = Twin::new(&scenario).map_err(refused)?;
    let site = Arc::new(twin.site().clone());
    let faces = chosen(&site, faces)?;
    let catalogue = Arc::new(twin.library().catalogue()?);
    let mut watch = Until { at_ns: (at_s * 1e9) as i64, draw: &mut draw, drawn: None };
    let run = scenario.name.clone();
    let mission = Mission {
        scenario: &scenario,
        site,
        catalogue,
        faces: &faces,
        params: &params,
        run: &run,
        bag: None,
        pace: &Pace::default(),
        cameras: false,
    };
    let outcome = mission.run(twin, &mut watch, ui)?;
    match watch.drawn {
        Some(drawn) => drawn?,
        None if interrupted() => return Err(Interrupted.into()),
        None => anyhow::bail!("--at {at_s}: the run was over after {:.0} s", outcome.facts.duration_s()),
    }
    ui.result(&Drawn { files, at_s }, |d| {
        d.files.iter().map(|f| format!("{} (at {} s)\n", f.display(), d.at_s)).collect()
    })
}

/// What a camera frame shows.
#[derive(Serialize)]
struct Truth<'a> {
    camera: &'a str,
    at_s: f64,
    width: u32,
    height: u32,
    distortion_model: &'a str,
    d: &'a [f64],
    k: &'a [f64],
    things: Vec<Thing>,
}

#[derive(Serialize)]
struct Thing {
    /// Its colour in the mask, `#rrggbb`.
    colour: String,
    pixels: u32,
    /// Leftmost, topmost, rightmost and lowest pixel.
    box_px: [u32; 4],
    #[serde(flatten)]
    what: What,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Book {
        uid: String,
        barcode: String,
        call_number: String,
        title: String,
        author: String,
        address: String,
        position: u32,
    },
    Marker {
        id: u16,
        size_m: f64,
    },
}

/// Numbers of neighbours get colours that the eye tells apart; different numbers get different colours.
fn colour(id: u32) -> u32 {
    id.wrapping_mul(0x009e_3779) & 0x00ff_ffff
}

fn save(
    frame: &Frame,
    cameras: &Cameras,
    name: &str,
    at_s: f64,
    file: &Path,
) -> anyhow::Result<[PathBuf; 3]> {
    let (width, height) = (frame.image.width, frame.image.height);
    frame.image.save(file)?;
    let rgba = frame.mask.iter().flat_map(|id| {
        let [_, r, g, b] = colour(*id).to_be_bytes();
        [r, g, b, 255]
    });
    let mask_file = file.with_extension("mask.png");
    Picture { width, height, rgba: rgba.collect() }.save(&mask_file)?;
    let mut found: BTreeMap<u32, (u32, [u32; 4])> = BTreeMap::new();
    for (i, id) in (0u32..).zip(&frame.mask) {
        let (x, y) = (i % width, i / width);
        let (pixels, b) = found.entry(*id).or_insert((0, [x, y, x, y]));
        *pixels += 1;
        *b = [b[0].min(x), b[1].min(y), b[2].max(x), b[3].max(y)];
    }
    let things = found
        .into_iter()
        .filter_map(|(id, (pixels, box_px))| {
            let what = match cameras.seen(name, id)? {
                Seen::Book(b) => What::Book {
                    uid: b.uid.to_string(),
                    barcode: b.barcode.clone(),
                    call_number: b.call_number.clone(),
                    title: b.title.clone(),
                    author: b.author.clone(),
                    address: b.address.to_string(),
                    position: b.position,
                },
                Seen::Marker(m) => What::Marker { id: m.id, size_m: m.size_m },
            };
            Some(Thing { colour: format!("#{:06x}", colour(id)), pixels, box_px, what })
        })
        .collect();
    let CameraInfo { distortion_model, d, k, .. } = cameras.info(name)?;
    let truth = Truth {
        camera: name,
        at_s,
        width,
        height,
        distortion_model: &distortion_model,
        d: &d,
        k: &k,
        things,
    };
    let truth_file = file.with_extension("json");
    write_json(&truth_file, &truth)?;
    Ok([file.to_owned(), mask_file, truth_file])
}
