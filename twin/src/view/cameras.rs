//! The robots' cameras: they look at the twin after a step and publish what they see.
//!
//! They are no part of the twin's state. A thread of their own draws, for a renderer stays where it was made; the
//! simulation waits for an image, so that each has the stamp of what it shows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use domain::site::Marker;
use interfaces::Publication;
use interfaces::sensor_msgs::{CameraInfo, CompressedImage};
use interfaces::std_msgs::Header;

use super::furnish::MARKER_IDS;
use super::scene::{Book, Moment, Scene};
use super::stage::{Picture, ViewError};
use super::studio::{Frame, Studio};
use crate::Twin;
use crate::scenario::RobotSettings;
use crate::sensors::CameraSettings;
use crate::world::floor_index;

/// What a number in a mask stands for.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'a> {
    /// A book.
    Book(&'a Book),
    /// A marker's black square.
    Marker(&'a Marker),
}

/// All cameras of all robots.
pub struct Cameras {
    /// Of each floor on which a robot has a camera.
    scenes: BTreeMap<usize, Arc<Scene>>,
    rigs: Vec<Rig>,
    /// One step ago.
    before: Moment,
    orders: SyncSender<Order>,
    frames: Receiver<Result<Frame, ViewError>>,
}

/// What is to be drawn.
struct Order {
    floor: usize,
    rig: usize,
    before: Moment,
    now: Moment,
    /// The floor with its books, where some were moved.
    moved: Option<Arc<Scene>>,
}

struct Rig {
    floor: usize,
    settings: CameraSettings,
    image_topic: Arc<str>,
    info_topic: Arc<str>,
    frame: String,
}

impl Cameras {
    /// The cameras of a twin; `None` where no robot has one.
    ///
    /// # Errors
    /// No graphics driver, or no font.
    pub fn of(twin: &Twin) -> Result<Option<Self>, ViewError> {
        if twin.robots().all(|r| r.cameras.is_empty()) {
            return Ok(None);
        }
        let floor_of = |r: &RobotSettings| floor_index(twin.site(), r.floor.as_deref());
        let rigs: Vec<Rig> = twin
            .robots()
            .flat_map(|r| r.cameras.iter().zip(1..).map(move |(c, n)| Rig::new(floor_of(r), &r.name, n, c)))
            .collect();
        let scenes: BTreeMap<usize, Arc<Scene>> =
            rigs.iter().map(|r| r.floor).map(|f| (f, Arc::new(Scene::on(twin, f)))).collect();
        let (orders, ordered) = sync_channel::<Order>(1);
        let (send, frames) = sync_channel(1);
        let (ready, made) = sync_channel(1);
        let floors: Vec<(Arc<Scene>, Moment)> =
            scenes.iter().map(|(f, scene)| (scene.clone(), Moment::on(twin, *f))).collect();
        std::thread::spawn(move || {
            let studios = floors.into_iter().map(|(scene, now)| Ok((scene.floor, Studio::new(scene, &now)?)));
            let mut studios: BTreeMap<usize, Studio> = match studios.collect() {
                Ok(studios) => studios,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            let _ = ready.send(Ok(()));
            // It ends when the cameras are dropped.
            while let Ok(order) = ordered.recv() {
                let frame = studios.get_mut(&order.floor).map(|studio| {
                    order.moved.into_iter().for_each(|scene| studio.shelve(scene));
                    studio.draw(order.rig, &order.before, &order.now)
                });
                if send.send(frame.unwrap_or(Err(ViewError::Gone))).is_err() {
                    break;
                }
            }
        });
        made.recv().unwrap_or(Err(ViewError::Gone))?;
        Ok(Some(Self { scenes, rigs, before: Moment::of(twin), orders, frames }))
    }

    /// Topics that they publish on.
    pub fn topics(&self) -> impl Iterator<Item = Arc<str>> {
        self.rigs.iter().flat_map(|r| [r.image_topic.clone(), r.info_topic.clone()])
    }

    /// What they publish after a step of the twin: image and calibration where an image is due.
    ///
    /// # Errors
    /// The graphics driver gives up.
    pub fn look(&mut self, twin: &Twin, out: &mut Vec<Publication>) -> Result<(), ViewError> {
        for i in 0..self.rigs.len() {
            if twin.steps() % self.rigs[i].settings.every() == 0 {
                let frame = self.draw(i, twin)?;
                self.rigs[i].publish(twin.now_ns(), &frame.image, out)?;
            }
        }
        self.before = Moment::of(twin);
        Ok(())
    }

    /// The image of one camera now. `camera` is its frame, `inv_1/camera_1`.
    ///
    /// # Errors
    /// No such camera, or the graphics driver gives up.
    pub fn frame(&mut self, twin: &Twin, camera: &str) -> Result<Frame, ViewError> {
        let rig = self.find(camera)?;
        self.draw(rig, twin)
    }

    /// The calibration of a camera, as `camera_info` has it.
    ///
    /// # Errors
    /// No such camera.
    pub fn info(&self, camera: &str) -> Result<CameraInfo, ViewError> {
        Ok(self.rigs[self.find(camera)?].info(0))
    }

    /// The first camera's frame.
    pub fn first(&self) -> &str {
        // There is at least one, or there were no cameras.
        self.rigs.first().map_or("", |r| &r.frame)
    }

    /// What a number of a camera's mask stands for; `None` for shelves, walls and all else.
    pub fn seen(&self, camera: &str, id: u32) -> Option<Seen<'_>> {
        let scene = self.scenes.get(&self.rigs[self.find(camera).ok()?].floor)?;
        if id >= MARKER_IDS {
            return scene.plan()?.markers.get((id - MARKER_IDS) as usize).map(Seen::Marker);
        }
        scene.books.get((id as usize).checked_sub(1)?).map(Seen::Book)
    }

    fn find(&self, camera: &str) -> Result<usize, ViewError> {
        self.rigs.iter().position(|r| r.frame == camera).ok_or_else(|| {
            let allowed = self.rigs.iter().map(|r| r.frame.as_str()).collect::<Vec<_>>().join(", ");
            ViewError::UnknownCamera { found: camera.to_owned(), allowed }
        })
    }

    fn draw(&mut self, rig: usize, twin: &Twin) -> Result<Frame, ViewError> {
        let floor = self.rigs[rig].floor;
        let moved = self.scenes.get(&floor).is_some_and(|s| s.books_moved != twin.books_moved());
        let moved = moved.then(|| Arc::new(Scene::on(twin, floor)));
        if let Some(scene) = &moved {
            self.scenes.insert(floor, scene.clone());
        }
        let order = Order { floor, rig, before: self.before.clone(), now: Moment::on(twin, floor), moved };
        self.orders.send(order).map_err(|_| ViewError::Gone)?;
        self.frames.recv().unwrap_or(Err(ViewError::Gone))
    }
}

impl Rig {
    fn new(floor: usize, robot: &str, n: usize, settings: &CameraSettings) -> Self {
        Self {
            floor,
            settings: settings.clone(),
            image_topic: Arc::from(format!("/{robot}/camera_{n}/image")),
            info_topic: Arc::from(format!("/{robot}/camera_{n}/camera_info")),
            frame: format!("{robot}/camera_{n}"),
        }
    }

    fn info(&self, now_ns: i64) -> CameraInfo {
        let (c, f, [cx, cy]) = (&self.settings, self.settings.focal_px(), self.settings.centre_px());
        CameraInfo {
            header: Header::new(now_ns, self.frame.clone()),
            height: c.height,
            width: c.width,
            distortion_model: "plumb_bob".into(),
            d: c.distortion.to_vec(),
            k: [f, 0.0, cx, 0.0, f, cy, 0.0, 0.0, 1.0],
            r: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
            p: [f, 0.0, cx, 0.0, 0.0, f, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
            ..CameraInfo::default()
        }
    }

    fn publish(&self, now_ns: i64, image: &Picture, out: &mut Vec<Publication>) -> Result<(), ViewError> {
        let message = CompressedImage {
            header: Header::new(now_ns, self.frame.clone()),
            format: "rgb8; jpeg compressed rgb8".into(),
            data: image.jpeg(self.settings.quality)?,
        };
        out.push(Publication::new(self.image_topic.clone(), now_ns, message));
        out.push(Publication::new(self.info_topic.clone(), now_ns, self.info(now_ns)));
        Ok(())
    }
}
