//! A renderer without a window: an app that is moved on by hand, once for each picture.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use bevy::asset::RenderAssetUsages;
use bevy::camera::{Exposure, Hdr, RenderTarget};
use bevy::core_pipeline::tonemapping::{DebandDither, Tonemapping};
use bevy::image::Image;
use bevy::pbr::{ScreenSpaceAmbientOcclusion, ScreenSpaceAmbientOcclusionQualityLevel};
use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::render::pipelined_rendering::PipelinedRenderingPlugin;
use bevy::render::render_resource::{Extent3d, PollType, TextureDimension, TextureFormat, TextureUsages};
use bevy::render::renderer::RenderDevice;
use bevy::render::settings::WgpuSettings;
use bevy::render::view::ColorGrading;
use bevy::render::view::screenshot::{Screenshot, ScreenshotCaptured};
use bevy::window::ExitCondition;
use bevy::winit::WinitPlugin;

use super::furnish::{Light, arrange, furnish};
use super::scene::{Moment, Scene};

/// How long a picture may take to be read back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why nothing can be drawn.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// No Vulkan driver.
    #[error(
        "no graphics driver found: install one, for example Mesa's for the processor alone \
         (Debian and Ubuntu: apt-get install mesa-vulkan-drivers)"
    )]
    NoDriver,
    /// No window system.
    #[error("no display to open a window on: {0}; pictures without a window come from --snapshot")]
    NoDisplay(String),
    /// The renderer has ended.
    #[error("the renderer has ended; its reason was logged before")]
    Gone,
    /// The driver gave no picture.
    #[error("the graphics driver gave no picture of {width}×{height} pixels")]
    NoPicture {
        /// Width, pixels.
        width: u32,
        /// Height, pixels.
        height: u32,
    },
    /// A camera that is not there.
    #[error("camera: found {found:?}, allowed is {allowed}")]
    UnknownCamera {
        /// What was asked for.
        found: String,
        /// What there is.
        allowed: String,
    },
    /// A font that is not there or cannot be read.
    #[error("{0}")]
    Font(String),
    /// A picture cannot be written.
    #[error("{file}: {message}")]
    File {
        /// The file.
        file: String,
        /// What went wrong.
        message: String,
    },
}

/// A picture: rows from the top, red, green, blue and alpha, sRGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Width, pixels.
    pub width: u32,
    /// Height, pixels.
    pub height: u32,
    /// Four bytes a pixel.
    pub rgba: Vec<u8>,
}

/// Where a picture is taken from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shot {
    pub from: Transform,
    /// Vertical angle of view, rad.
    pub fov: f32,
    pub width: u32,
    pub height: u32,
    /// Rendered so many times as large in each direction, and averaged.
    pub finer: u32,
}

/// A scene in a renderer without a window.
pub(super) struct Stage {
    app: App,
}

impl Stage {
    pub fn new(scene: &Scene, now: &Moment, light: Light) -> Result<Self, ViewError> {
        driver()?;
        let mut app = App::new();
        app.add_plugins(
            DefaultPlugins
                .set(WindowPlugin {
                    primary_window: None,
                    exit_condition: ExitCondition::DontExit,
                    ..WindowPlugin::default()
                })
                .set(RenderPlugin {
                    render_creation: drivers().into(),
                    // Every shader is there in the first picture.
                    synchronous_pipeline_compilation: true,
                    ..RenderPlugin::default()
                })
                // Ctrl-C is the program's, not the picture's.
                .disable::<bevy::app::TerminalCtrlCHandlerPlugin>()
                .disable::<PipelinedRenderingPlugin>()
                .disable::<WinitPlugin>(),
        );
        app.finish();
        app.cleanup();
        furnish(app.world_mut(), scene, now, light);
        let mut stage = Self { app };
        // Meshes reach the driver before anything looks at them.
        stage.update();
        Ok(stage)
    }

    pub fn world(&mut self) -> &mut World {
        self.app.world_mut()
    }

    /// Moves everything to where it is at a moment.
    pub fn arrange(&mut self, now: &Moment) {
        arrange(self.app.world_mut(), now);
    }

    /// Takes a beautiful picture: soft shadows in the corners, film-like colours.
    pub fn picture(&mut self, shot: &Shot) -> Result<Picture, ViewError> {
        let (width, height) = (shot.width * shot.finer, shot.height * shot.finer);
        let target = self.target(width, height);
        let camera = self.camera(shot, &target);
        self.app.world_mut().entity_mut(camera).insert((
            Hdr,
            Tonemapping::AgX,
            Exposure { ev100: EV100 },
            vivid(),
            ScreenSpaceAmbientOcclusion {
                quality_level: ScreenSpaceAmbientOcclusionQualityLevel::High,
                ..ScreenSpaceAmbientOcclusion::default()
            },
        ));
        let taken = self.take(&[(camera, target)], width, height);
        self.app.world_mut().despawn(camera);
        let picture = taken?.pop().ok_or(ViewError::NoPicture { width, height })?;
        Ok(picture.averaged(shot.finer))
    }

    pub fn target(&mut self, width: u32, height: u32) -> Handle<Image> {
        let size = Extent3d { width, height, depth_or_array_layers: 1 };
        let mut image = Image::new_uninit(
            size,
            TextureDimension::D2,
            TextureFormat::Rgba8UnormSrgb,
            RenderAssetUsages::RENDER_WORLD,
        );
        image.texture_descriptor.usage |= TextureUsages::RENDER_ATTACHMENT;
        self.app.world_mut().resource_mut::<Assets<Image>>().add(image)
    }

    pub fn camera(&mut self, shot: &Shot, target: &Handle<Image>) -> Entity {
        self.app
            .world_mut()
            .spawn((
                Camera3d::default(),
                RenderTarget::from(target.clone()),
                Projection::Perspective(PerspectiveProjection {
                    fov: shot.fov,
                    near: 0.05,
                    far: 500.0,
                    ..PerspectiveProjection::default()
                }),
                Camera { clear_color: ClearColorConfig::Custom(BACKGROUND), ..Camera::default() },
                DebandDither::Disabled,
                Msaa::Off,
                shot.from,
            ))
            .id()
    }

    /// Renders what some cameras see into their targets, all of one size, and reads them back.
    pub fn take(
        &mut self,
        shots: &[(Entity, Handle<Image>)],
        width: u32,
        height: u32,
    ) -> Result<Vec<Picture>, ViewError> {
        let taken: Vec<_> = shots
            .iter()
            .map(|(_, target)| {
                let (send, taken) = channel();
                self.app.world_mut().spawn(Screenshot::image(target.clone())).observe(
                    move |shot: On<'_, '_, ScreenshotCaptured>| {
                        // The other end waits as long as this may come.
                        let _ = send.send(shot.image.data.clone().unwrap_or_default());
                    },
                );
                taken
            })
            .collect();
        self.update();
        for (camera, _) in shots {
            if let Some(mut camera) = self.app.world_mut().get_mut::<Camera>(*camera) {
                camera.is_active = false;
            }
        }
        let good = |rgba: &Vec<u8>| rgba.len() == (width * height * 4) as usize;
        taken
            .iter()
            .map(|t| self.wait(t).filter(good).map(|rgba| Picture { width, height, rgba }))
            .collect::<Option<_>>()
            .ok_or(ViewError::NoPicture { width, height })
    }

    fn wait(&mut self, taken: &Receiver<Vec<u8>>) -> Option<Vec<u8>> {
        // It is read back in a thread of its own, which a busy machine lets wait.
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Ok(rgba) = taken.try_recv() {
                return Some(rgba);
            }
            self.update();
            std::thread::sleep(Duration::from_millis(1));
        }
        None
    }

    fn update(&mut self) {
        self.app.update();
        let device = self.app.world().resource::<RenderDevice>().wgpu_device().clone();
        // An error is a lost device; the picture does not come then, and that is told.
        let _ = device.poll(PollType::Wait { submission_index: None, timeout: None });
    }
}

impl Picture {
    /// Averages squares of `n` pixels, in linear light.
    fn averaged(self, n: u32) -> Self {
        if n <= 1 {
            return self;
        }
        let decode: Vec<f32> = (0..256).map(|v| super::solid::linear(v as f32 / 255.0)).collect();
        let (width, height) = (self.width / n, self.height / n);
        let mut rgba = Vec::with_capacity((width * height * 4) as usize);
        for y in 0..height {
            for x in 0..width {
                for channel in 0..3 {
                    let mut sum = 0.0;
                    for (dx, dy) in (0..n).flat_map(|dy| (0..n).map(move |dx| (dx, dy))) {
                        let at = ((y * n + dy) * self.width + x * n + dx) * 4 + channel;
                        sum += decode[usize::from(self.rgba[at as usize])];
                    }
                    rgba.push(encode(sum / (n * n) as f32));
                }
                rgba.push(255);
            }
        }
        Self { width, height, rgba }
    }

    /// Red, green and blue alone.
    fn rgb(&self) -> Vec<u8> {
        self.rgba.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
    }

    /// As a JPEG file in memory.
    pub(super) fn jpeg(&self, quality: u8) -> Result<Vec<u8>, ViewError> {
        let mut out = Vec::new();
        // Pictures are at most 4096 pixels wide and high.
        let (width, height) = (self.width as u16, self.height as u16);
        jpeg_encoder::Encoder::new(&mut out, quality)
            .encode(&self.rgb(), width, height, jpeg_encoder::ColorType::Rgb)
            .map_err(|e| ViewError::File { file: "image".into(), message: e.to_string() })?;
        Ok(out)
    }

    /// Writes a PNG file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn save(&self, file: &std::path::Path) -> Result<(), ViewError> {
        let failed = |message: String| ViewError::File { file: file.display().to_string(), message };
        if let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| failed(e.to_string()))?;
        }
        let out = std::fs::File::create(file).map_err(|e| failed(e.to_string()))?;
        let mut encoder = png::Encoder::new(std::io::BufWriter::new(out), self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header().map_err(|e| failed(e.to_string()))?;
        writer.write_image_data(&self.rgb()).and_then(|()| writer.finish()).map_err(|e| failed(e.to_string()))
    }
}

/// What is around the building; brighter than white, for the film-like curve darkens it.
pub(super) const BACKGROUND: Color = Color::linear_rgb(2.3, 2.28, 2.2);
/// Exposure of pictures for people.
pub(super) const EV100: f32 = 9.35;

/// What the film-like curve takes from colours, given back.
pub(super) fn vivid() -> ColorGrading {
    let mut grading = ColorGrading::default();
    grading.global.post_saturation = 1.18;
    grading
}

/// A linear component as a byte of sRGB.
pub(super) fn encode(v: f32) -> u8 {
    let v = v.clamp(0.0, 1.0);
    let v = if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
    (255.0 * v + 0.5) as u8
}

/// Native drivers alone. Looking for OpenGL, too, would ask for a Wayland display and say on the error output that there is
/// none.
pub(super) fn drivers() -> WgpuSettings {
    WgpuSettings { backends: Some(wgpu::Backends::PRIMARY), ..WgpuSettings::default() }
}

/// Whether there is a graphics driver: Bevy panics without one.
pub(super) fn driver() -> Result<(), ViewError> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let found = bevy::tasks::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()));
    found.map(|_| ()).map_err(|_| ViewError::NoDriver)
}
