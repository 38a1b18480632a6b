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

use std::sync::mpsc::TryRecvError;
use std::sync::{Arc, Mutex};

use bevy::prelude::*;
use bevy::render::RenderPlugin;
use bevy::window::{PresentMode, WindowResolution};

use super::dress::Wardrobe;
use super::furnish::{Light, arrange, furnish, shelve};
use super::live::{Listener, Report};
use super::memory::Memory;
use super::scene::{Moment, Scene};
use super::stage::{ViewError, driver, drivers};

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
            .set(RenderPlugin { render_creation: drivers().into(), ..RenderPlugin::default() })
            .disable::<bevy::app::TerminalCtrlCHandlerPlugin>(),
    );
    let memory = Memory::new(&scene);
    app.insert_resource(Link(Mutex::new(listener)))
        .insert_resource(Remembered(memory))
        .insert_resource(Shown(scene))
        .init_resource::<keys::Choices>()
        .init_resource::<pick::Selected>()
        // Without a font spines stay plain.
        .insert_non_send(draw::Print(Wardrobe::new(draw::PRINT_PER_M, draw::PRINT_BAYS).ok()))
        .add_systems(Startup, (camera::spawn, hud::spawn, draw::setup))
        .add_systems(
            Update,
            (
                receive,
                keys::press,
                camera::steer,
                pick::click,
                draw::recolour,
                draw::print,
                draw::overlay,
                hud::write,
            )
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
    let (mut gone, mut closed) = (false, false);
    if let Ok(link) = world.resource::<Link>().0.lock() {
        closed = link.wishes.closed() || (link.interrupted)();
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
    if closed {
        world.write_message(AppExit::Success);
    }
    for mut report in reports {
        if let Some(scene) = report.scene.take() {
            shelve(world, &scene);
            if let Some(wardrobe) = &mut world.non_send_mut::<draw::Print>().0 {
                wardrobe.empty();
            }
            world.resource_mut::<Remembered>().0.shelve(&scene);
            world.resource_mut::<pick::Selected>().0 = None;
            world.resource_mut::<Shown>().0 = Arc::unwrap_or_clone(scene);
        }
        arrange(world, &report.moment);
        world.resource_mut::<Remembered>().0.take(report);
    }
    if gone {
        // What was seen last stays, to look at.
        world.resource_mut::<Remembered>().0.end();
    }
}

/// A window needs somewhere to be; the window system panics where there is no such place.
fn display() -> Result<(), ViewError> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let display = std::env::var("DISPLAY").ok().filter(|d| !d.is_empty());
    let display = display.ok_or_else(|| ViewError::NoDisplay("DISPLAY is not set".into()))?;
    // `:1.0` is a display of this machine; what has a host before the colon may be anywhere.
    let number: String = display.chars().skip(1).take_while(char::is_ascii_digit).collect();
    if display.starts_with(':') && !std::path::Path::new("/tmp/.X11-unix").join(format!("X{number}")).exists()
    {
        return Err(ViewError::NoDisplay(format!("DISPLAY={display}, and no server is there")));
    }
    Ok(())
}
