//! How robot, nodes and recorder are: levels as lanes over time, figures as curves, and words where a level changes.

use std::collections::BTreeMap;

use interfaces::diagnostic_msgs::{DiagnosticArray, DiagnosticStatus};
use interfaces::sensor_msgs::BatteryState;
use interfaces::shelfwright_msgs::MissionState;
use re_sdk_types::archetypes::{StateChange, StateConfiguration, TextLog};

use super::error::ReviewError;
use super::log::{Log, Style, path};
use super::palette::{Colour, ERROR, OK, STALE, WARN, hue};

/// Words in the names of figures that count what was thrown away.
const LOSSES: [&str; 7] = ["drop", "lost", "left_out", "overflow", "refused", "rejected", "missed"];
/// Words in the names of figures about delivery and speed.
const DELIVERY: [&str; 5] = ["deliver", "pending", "outbox", "dead", "sent"];
const SPEED: [&str; 2] = ["real_time", "lag"];

/// What was said last.
#[derive(Default)]
pub(super) struct Health {
    levels: BTreeMap<String, (u8, String)>,
    missions: BTreeMap<String, (u8, String)>,
    bumpers: BTreeMap<String, bool>,
    /// Series by node and figure, so that names are cut up only once.
    figures: usize,
}

impl Health {
    /// Levels, words and figures of all nodes.
    pub fn diagnostics(
        &mut self,
        log: &mut Log,
        stamp_ns: i64,
        array: &DiagnosticArray,
    ) -> Result<(), ReviewError> {
        for status in &array.status {
            self.level(log, status)?;
            for value in &status.values {
                let Ok(number) = value.value.parse::<f64>() else { continue };
                let has = |words: &[&str]| words.iter().any(|w| value.key.contains(w));
                let kind = if has(&LOSSES) {
                    "losses"
                } else if has(&DELIVERY) {
                    "delivery"
                } else if has(&SPEED) {
                    "real_time"
                } else {
                    "figures"
                };
                let entity = path(["health", kind, &status.name, &value.key]);
                let next = self.figures;
                let mut new = false;
                let style = || {
                    new = true;
                    // A golden step through the circle keeps neighbours apart.
                    Style::Line(format!("{} {}", status.name, value.key), hue(next * 21 % 34, 34))
                };
                log.value(&entity, style, stamp_ns, number)?;
                self.figures += usize::from(new);
            }
        }
        Ok(())
    }

    fn level(&mut self, log: &Log, status: &DiagnosticStatus) -> Result<(), ReviewError> {
        let now = (status.level, status.message.clone());
        let before = self.levels.get(&status.name);
        if before == Some(&now) {
            return Ok(());
        }
        let lane = path(["health", "nodes", &status.name]);
        if before.is_none() {
            log.fix(lane.clone(), &levels())?;
        }
        let (word, severity, colour) = level(status.level);
        if before.is_none_or(|b| b.0 != status.level) {
            log.put(lane, &StateChange::single(word))?;
        }
        // The first words of a node that is well say nothing.
        if before.is_some() || status.level != DiagnosticStatus::OK {
            let text = format!("{}: {}", status.name, status.message);
            log.put(
                path(["health", "words", &status.name]),
                &TextLog::new(text).with_level(severity).with_color(colour),
            )?;
        }
        self.levels.insert(status.name.clone(), now);
        Ok(())
    }

    /// What the mission does, as a lane.
    pub fn mission(&mut self, log: &Log, robot: &str, m: &MissionState) -> Result<(), ReviewError> {
        let now = (m.state, m.face.clone());
        let before = self.missions.get(robot);
        if before == Some(&now) {
            return Ok(());
        }
        let lane = path(["health", "mission", robot]);
        if before.is_none() {
            let states = MISSION.iter().map(|(word, _)| *word);
            let colours = MISSION.iter().map(|(_, colour)| *colour);
            log.fix(lane.clone(), &StateConfiguration::new().with_values(states).with_colors(colours))?;
        }
        let word = MISSION.get(usize::from(m.state)).map_or("unknown", |(word, _)| word);
        log.put(lane, &StateChange::single(word))?;
        let mut text = format!("{robot}: {word}");
        for more in [&m.face, &m.reason] {
            if !more.is_empty() {
                text += &format!(", {more}");
            }
        }
        let severity = match m.state {
            MissionState::FAILED => "ERROR",
            MissionState::WAITING => "WARN",
            _ => "INFO",
        };
        log.put(path(["health", "words", robot]), &TextLog::new(text).with_level(severity))?;
        self.missions.insert(robot.to_owned(), now);
        Ok(())
    }

    /// The bumper, as a lane below the mission's.
    pub fn bumper(&mut self, log: &Log, robot: &str, pressed: bool) -> Result<(), ReviewError> {
        let before = self.bumpers.insert(robot.to_owned(), pressed);
        if before == Some(pressed) {
            return Ok(());
        }
        let lane = path(["health", "mission", robot, "bumper"]);
        if before.is_none() {
            let states =
                StateConfiguration::new().with_values(["free", "touches"]).with_colors([STALE, ERROR]);
            log.fix(lane.clone(), &states)?;
        }
        log.put(lane, &StateChange::single(if pressed { "touches" } else { "free" }))
    }

    /// The battery.
    pub fn battery(
        &self,
        log: &mut Log,
        robot: &str,
        stamp_ns: i64,
        b: &BatteryState,
    ) -> Result<(), ReviewError> {
        let percent = 100.0 * f64::from(b.percentage);
        let entity = path(["health", "battery", robot]);
        log.value(&entity, || Style::Line(format!("{robot}: battery (%)"), OK), stamp_ns, percent)
    }
}

/// States by their numbers.
const MISSION: [(&str, Colour); 8] = [
    ("idle", STALE),
    ("transit", [86, 132, 196, 255]),
    ("scanning", OK),
    ("waiting", WARN),
    ("done", [96, 104, 120, 255]),
    ("failed", ERROR),
    ("cancelled", STALE),
    ("paused", WARN),
];

fn level(level: u8) -> (&'static str, &'static str, Colour) {
    match level {
        DiagnosticStatus::OK => ("ok", "INFO", OK),
        DiagnosticStatus::WARN => ("warn", "WARN", WARN),
        DiagnosticStatus::ERROR => ("error", "ERROR", ERROR),
        _ => ("stale", "WARN", STALE),
    }
}

fn levels() -> StateConfiguration {
    let all =
        [DiagnosticStatus::OK, DiagnosticStatus::WARN, DiagnosticStatus::ERROR, DiagnosticStatus::STALE];
    StateConfiguration::new().with_values(all.map(|l| level(l).0)).with_colors(all.map(|l| level(l).2))
}
