//! Keys: what is shown, how fast time runs.

use bevy::prelude::*;

use super::Link;

/// What is shown.
#[derive(Resource)]
pub(super) struct Choices {
    pub beliefs: bool,
    pub reads: bool,
    pub lidar: bool,
    pub path: bool,
    pub coverage: bool,
    pub help: bool,
    /// The speed when it is not as fast as possible.
    pub speed: f64,
}

impl Default for Choices {
    fn default() -> Self {
        Self { beliefs: false, reads: true, lidar: true, path: true, coverage: false, help: true, speed: 1.0 }
    }
}

/// The keys, as the window's help and the documentation have them.
pub(super) const HELP: &str = "\
space  pause / go on        .  one step (10 ms)     +  -  faster, slower   0  as fast as possible\n\
1  overview   2  follow   3  from above             drag  turn   right drag  move   wheel  zoom\n\
B  beliefs against truth    R  reads   L  lidar   P  path   C  coverage\n\
click  a book                H  this help            Esc  close";

/// Acts on keys.
pub(super) fn press(
    keys: Res<'_, ButtonInput<KeyCode>>,
    mut choices: ResMut<'_, Choices>,
    link: Res<'_, Link>,
    mut exit: MessageWriter<'_, AppExit>,
) {
    if keys.just_pressed(KeyCode::KeyB) {
        choices.beliefs = !choices.beliefs;
    }
    if keys.just_pressed(KeyCode::KeyR) {
        choices.reads = !choices.reads;
    }
    if keys.just_pressed(KeyCode::KeyL) {
        choices.lidar = !choices.lidar;
    }
    if keys.just_pressed(KeyCode::KeyP) {
        choices.path = !choices.path;
    }
    if keys.just_pressed(KeyCode::KeyC) {
        choices.coverage = !choices.coverage;
    }
    if keys.just_pressed(KeyCode::KeyH) {
        choices.help = !choices.help;
    }
    if keys.just_pressed(KeyCode::Escape) {
        exit.write(AppExit::Success);
    }
    let Ok(link) = link.0.lock() else { return };
    let wishes = &link.wishes;
    if keys.just_pressed(KeyCode::Space) {
        wishes.pause(!wishes.paused());
    }
    if keys.just_pressed(KeyCode::Period) {
        wishes.pause(true);
        wishes.step(1);
    }
    let faster = keys.any_just_pressed([KeyCode::Equal, KeyCode::NumpadAdd, KeyCode::BracketRight]);
    let slower = keys.any_just_pressed([KeyCode::Minus, KeyCode::NumpadSubtract, KeyCode::BracketLeft]);
    if faster || slower {
        // From the speed of the command line, the first time.
        choices.speed = if wishes.speed() > 0.0 { wishes.speed() } else { choices.speed };
        choices.speed = (choices.speed * if faster { 2.0 } else { 0.5 }).clamp(0.0625, 256.0);
        wishes.set_speed(choices.speed);
    }
    if keys.any_just_pressed([KeyCode::Digit0, KeyCode::Numpad0]) {
        let free = wishes.speed() == 0.0;
        wishes.set_speed(if free { choices.speed } else { 0.0 });
    }
}
