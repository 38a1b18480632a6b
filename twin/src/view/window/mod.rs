//! The window: watch a simulation, look at it from anywhere, ask it what it knows.
//!
//! It runs on the main thread, as window systems want it, and the simulation in a thread of its own. What is seen comes
//! in reports; what is wished goes back. See [`super::live`].
#![allow(clippy::needless_pass_by_value, reason = "Bevy hands a system's parameters over by value")]

mod camera;
mod draw;
mod hud;
mod keys;
mod pick;

use std::sync::Mutex;
use std::sync::mpsc::TryRecvError;

use bevy::prelude::*;
use bevy::window::{PresentMode, WindowResolution};

use super::furnish::{Light, arrange, furnish};
use super::live::{Listener, Report};
use super::memory::Memory;
use super::scene::{Moment, Scene};
use super::stage::{ViewError, driver};

/// Draws a simulation until its window is closed. Call it on the main thread.
///
/// # Errors
/// No graphics driver, or no display.
pub fn watch(scene: Scene, now: &Moment, listener: Listener) -> Result<(), ViewError> {
    driver()?;
    display()?;
    let wishes = listener.wishes.clone();
    let mut app = App::new();
    app.add_plugins(
        DefaultPlugins
            .set(WindowPlugin {
                primary_window: Some(Window {
                    title: format!("Shelfwright – {}", scene.site.name),
                    resolution: WindowResolution::new(1280, 800),
                    present_mode: PresentMode::AutoVsync,
                    ..Window::default()
                }),
                ..WindowPlugin::default()
            })
            .disable::<bevy::app::TerminalCtrlCHandlerPlugin>(),
    );
    let memory = Memory::new(&scene);
    app.insert_resource(Link(Mutex::new(listener)))
        .insert_resource(Remembered(memory))
        .insert_resource(Shown(scene))
        .init_resource::<keys::Choices>()
        .init_resource::<pick::Selected>()
        .add_systems(Startup, (camera::spawn, hud::spawn, draw::setup))
        .add_systems(
            Update,
            (receive, keys::press, camera::steer, pick::click, draw::recolour, draw::overlay, hud::write)
                .chain(),
        );
    let now = now.clone();
    app.world_mut().resource_scope(|world, shown: Mut<'_, Shown>| {
        furnish(world, &shown.0, &now, Light { shadows_m: 18.0, shadow_map: 2048, ids: false });
    });
    app.run();
    wishes.close();
    Ok(())
}

/// The scene that is shown.
#[derive(Resource)]
struct Shown(Scene);

/// All that the reports have told so far.
#[derive(Resource)]
struct Remembered(Memory);

#[derive(Resource)]
struct Link(Mutex<Listener>);

/// Takes what has come in.
fn receive(world: &mut World) {
    let mut reports: Vec<Report> = Vec::new();
    let mut gone = false;
    if let Ok(link) = world.resource::<Link>().0.lock() {
        loop {
            match link.reports.try_recv() {
                Ok(report) => reports.push(report),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    gone = true;
                    break;
                }
            }
        }
    }
    for report in reports {
        arrange(world, &report.moment);
        world.resource_mut::<Remembered>().0.take(report);
    }
    if gone {
        // What was seen last stays, to look at.
        world.resource_mut::<Remembered>().0.over = true;
    }
}

/// A window needs somewhere to be.
fn display() -> Result<(), ViewError> {
    let there = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    if cfg!(target_os = "linux") && !there("DISPLAY") {
        return Err(ViewError::NoDisplay);
    }
    Ok(())
}
