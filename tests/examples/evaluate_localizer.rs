//! Drives missions in the twin without a reader and writes how well the robot knew its place into
//! `positioning/LOCALIZER.md`.
//!
//! `cargo run --release -p tests --example evaluate_localizer` (some minutes); with a seed after it nothing is written,
//! which is for trying things out.

#![allow(missing_docs, clippy::print_stdout)]

use std::fmt::Write as _;
use std::path::Path;

use domain::{FaceId, Site};
use interfaces::shelfwright_msgs::MissionState;
use interfaces::{AnyMessage, Publication};
use nodes::host::{LocalHost, Observer};
use nodes::localizer::{LocalizerParams, dock_pose};
use nodes::navigator::NavigatorParams;
use nodes::pilot::PilotParams;
use nodes::planar::pose2_from_pose;
use positioning::Pose2;
use positioning::pose::wrap_angle;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tests::drive::{TwinWorld, driving};
use twin::faults::{FaultKind, FaultSettings};
use twin::scenario::PersonSettings;
use twin::{Scenario, Twin};

type AnyError = Box<dyn std::error::Error>;

const REPORTED: u64 = 20_261_127;
/// Missions a line, and robots that are carried off.
const MISSIONS: u64 = 3;
const CARRIED: u64 = 20;
/// When people lift the robot, and how long they carry it, s.
const LIFTED_S: f64 = 40.0;
const CARRIED_S: f64 = 6.0;

/// What a case changes.
struct Setup {
    scenario: Scenario,
    /// As the robot knows it.
    site: Site,
    localizer: LocalizerParams,
    pilot: PilotParams,
}

type Change = fn(&mut Setup, u64);

fn cases() -> Vec<(&'static str, Change)> {
    vec![
        ("as the twin is", |_, _| {}),
        ("two passes over each face", |s, _| s.pilot.poor_share = -1.0),
        ("wheels slip three times as much (2%)", |s, _| s.scenario.robots[0].base.slip = 0.02),
        ("wheels slip by 10%", |s, _| s.scenario.robots[0].base.slip = 0.1),
        ("wheel radius off by 3%, track by 5%", |s, _| {
            s.scenario.robots[0].odometry.wheel_radius_error = 0.03;
            s.scenario.robots[0].odometry.track_error = 0.05;
        }),
        ("gyro bias 1°/s", |s, _| s.scenario.robots[0].imu.gyro_bias_radps = 0.0175),
        ("a fifth of the beams without echo", |s, _| s.scenario.robots[0].lidar.dropout = 0.2),
        ("two people in the aisles", |s, _| people(&mut s.scenario, 2)),
        ("six people in the aisles", |s, _| people(&mut s.scenario, 6)),
        ("rows 1 cm and 0.1° beside the plan", |s, seed| beside_the_plan(&mut s.site, 0.01, 0.1, seed)),
        ("rows 3 cm and 0.3° beside the plan", |s, seed| beside_the_plan(&mut s.site, 0.03, 0.3, seed)),
        ("the same, and told so (map_std_m = 0.02, map_std_deg = 0.2)", |s, seed| {
            beside_the_plan(&mut s.site, 0.03, 0.3, seed);
            (s.localizer.filter.map_std_m, s.localizer.filter.map_std_deg) = (0.02, 0.2);
        }),
        ("all of it: 2%, 3%, 1°/s, two people, 1 cm", |s, seed| {
            s.scenario.robots[0].base.slip = 0.02;
            s.scenario.robots[0].odometry.wheel_radius_error = 0.03;
            s.scenario.robots[0].imu.gyro_bias_radps = 0.0175;
            people(&mut s.scenario, 2);
            beside_the_plan(&mut s.site, 0.01, 0.1, seed);
        }),
    ]
}

fn people(s: &mut Scenario, count: usize) {
    let walks = [
        ([8.0, 0.6], [8.0, 4.8]),
        ([1.0, 2.9], [7.5, 2.9]),
        ([0.9, 4.9], [0.9, 0.9]),
        ([2.5, 0.5], [6.5, 0.5]),
        ([7.9, 4.9], [3.0, 4.9]),
        ([7.6, 1.0], [7.6, 3.0]),
    ];
    s.people.extend(
        walks
            .into_iter()
            .take(count)
            .map(|(from_m, to_m)| PersonSettings { stop_s: 15.0, ..PersonSettings::walking(from_m, to_m) }),
    );
}

/// The robot's plan has each row face off by this much (standard deviations).
fn beside_the_plan(site: &mut Site, std_m: f64, std_deg: f64, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x51fe);
    let mut gauss = || (0..12).map(|_| rng.random_range(-0.5..0.5)).sum::<f64>();
    for face in &mut site.floors[0].faces {
        face.origin_m = face.origin_m.map(|v| v + std_m * gauss());
        face.heading_deg += std_deg * gauss();
    }
}

/// The newest pose and mission state.
#[derive(Default)]
struct Watch {
    pose: Option<(Pose2, [[f64; 2]; 2], f64)>,
    state: MissionState,
}

impl Observer for Watch {
    fn observe(&mut self, p: &Publication) -> Result<(), String> {
        match &*p.message {
            AnyMessage::PoseWithCovarianceStamped(m) => {
                let c = &m.pose.covariance;
                let at = pose2_from_pose(&m.pose.pose).ok_or("a pose that is not finite")?;
                self.pose = Some((at, [[c[0], c[1]], [c[6], c[7]]], c[35]));
            }
            AnyMessage::MissionState(m) => self.state = m.clone(),
            _ => {}
        }
        Ok(())
    }
}

struct Mission {
    host: LocalHost,
    world: TwinWorld,
    watch: Watch,
}

impl Mission {
    fn new(scenario: &Scenario, seed: u64, change: Change) -> Result<Self, AnyError> {
        let mut scenario = scenario.clone();
        scenario.robots[0].antennas_m.clear();
        let mut setup = Setup {
            site: Twin::new(&scenario)?.site().clone(),
            scenario,
            localizer: LocalizerParams::default(),
            pilot: PilotParams::default(),
        };
        change(&mut setup, seed);
        let Setup { scenario, site, localizer, pilot } = setup;
        let twin = Twin::new(&scenario)?;
        let faces: Vec<FaceId> = site.faces().map(|f| f.0).collect();
        let dock = dock_pose(&site, "1F", "dock_1")?;
        let host = driving(&site, dock, &faces, localizer, pilot)?;
        Ok(Self { host, world: TwinWorld(twin), watch: Watch::default() })
    }

    fn now_s(&self) -> f64 {
        self.world.0.now_ns() as f64 * 1e-9
    }

    fn over(&self) -> bool {
        self.watch.state.state >= MissionState::DONE || self.now_s() > 3_600.0
    }

    /// Steps to the next pose: the estimate, its covariances, and the truth.
    fn next(&mut self) -> Result<Option<Sample>, AnyError> {
        while !self.over() {
            self.host.step(&mut self.world, &mut [&mut self.watch])?;
            if let Some((at, position, heading)) = self.watch.pose.take() {
                let [x, y, theta] = self.world.0.true_pose("inv_1").ok_or("no inv_1")?;
                let truth = Pose2::new(x, y, theta);
                return Ok(Some(Sample { at, truth, position, heading }));
            }
        }
        Ok(None)
    }
}

struct Sample {
    at: Pose2,
    truth: Pose2,
    position: [[f64; 2]; 2],
    heading: f64,
}

impl Sample {
    fn error_m(&self) -> f64 {
        self.at.distance(self.truth)
    }

    /// Squared distance of the position in standard deviations.
    fn mahalanobis(&self) -> f64 {
        let [[a, b], [_, d]] = self.position;
        let (ex, ey) = (self.at.x - self.truth.x, self.at.y - self.truth.y);
        (d * ex * ex - 2.0 * b * ex * ey + a * ey * ey) / (a * d - b * b)
    }

    fn std_m(&self) -> f64 {
        self.position[0][0].max(self.position[1][1]).sqrt()
    }
}

#[derive(Default)]
struct Figures {
    done: u64,
    n: f64,
    along: f64,
    across: f64,
    heading: f64,
    worst_m: f64,
    within: [f64; 2],
    nees: f64,
    seconds: f64,
}

/// Shares of a plane's normal distribution within one and two standard deviations of 68 and 95%.
const WITHIN: [f64; 2] = [2.279, 5.991];

fn case(seed: u64, change: Change) -> Result<Figures, AnyError> {
    let mut f = Figures::default();
    for mission in 0..MISSIONS {
        let seed = seed + mission;
        let mut run = Mission::new(&Scenario::demo(seed), seed, change)?;
        while let Some(s) = run.next()? {
            // Along the aisles, where books are read.
            if run.watch.state.state != MissionState::SCANNING {
                continue;
            }
            let (sin, cos) = s.truth.theta.sin_cos();
            let (ex, ey) = (s.at.x - s.truth.x, s.at.y - s.truth.y);
            let turn = wrap_angle(s.at.theta - s.truth.theta);
            f.n += 1.0;
            f.along += (cos * ex + sin * ey).powi(2);
            f.across += (cos * ey - sin * ex).powi(2);
            f.heading += turn * turn;
            f.worst_m = f.worst_m.max(s.error_m());
            for (sum, limit) in f.within.iter_mut().zip(WITHIN) {
                *sum += f64::from(u8::from(s.mahalanobis() < limit));
            }
            f.nees += s.mahalanobis() + turn * turn / s.heading;
        }
        f.done += u64::from(run.watch.state.state == MissionState::DONE);
        if run.watch.state.state != MissionState::DONE {
            println!("    {}", run.watch.state.reason);
        }
        f.seconds += run.now_s();
    }
    Ok(f)
}

impl Figures {
    fn line(&self, name: &str) -> String {
        let rms = |sum: f64| (sum / self.n).sqrt();
        format!(
            "| {name} | {} of {MISSIONS} | {:.2} | {:.2} | {:.3} | {:.1} | {:.0} / {:.0} | {:.1} | {:.0} |",
            self.done,
            100.0 * rms(self.along),
            100.0 * rms(self.across),
            rms(self.heading).to_degrees(),
            100.0 * self.worst_m,
            100.0 * self.within[0] / self.n,
            100.0 * self.within[1] / self.n,
            self.nees / self.n,
            self.seconds / MISSIONS as f64,
        )
    }
}

/// What became of one robot that was carried off.
struct Kidnap {
    to: Pose2,
    /// Way from where it was put down until it knew its place for good, m and s.
    found: Option<[f64; 2]>,
    /// Time that it was sure of a wrong place, s.
    wrong_s: f64,
    done: bool,
}

fn kidnap(seed: u64) -> Result<Kidnap, AnyError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x6b1d);
    let mut scenario = Scenario::demo(seed);
    // Somewhere on the floor where a robot can stand.
    let (to, heading_deg) = loop {
        let to = [rng.random_range(0.4..8.1), rng.random_range(0.4..5.1)];
        let heading_deg = rng.random_range(-180.0..180.0_f64);
        scenario.faults = vec![FaultSettings {
            to_m: Some(to),
            heading_deg,
            ..FaultSettings::new(FaultKind::Carry, "inv_1", LIFTED_S, CARRIED_S)
        }];
        if scenario.check().is_ok() {
            break (to, heading_deg);
        }
    };
    let mut run = Mission::new(&scenario, seed, |_, _| {})?;
    let mut out = Kidnap {
        to: Pose2::new(to[0], to[1], heading_deg.to_radians()),
        found: None,
        wrong_s: 0.0,
        done: false,
    };
    let (mut way, mut last) = (0.0, None::<Pose2>);
    while let Some(s) = run.next()? {
        if run.now_s() < LIFTED_S + CARRIED_S {
            continue;
        }
        way += last.map_or(0.0, |l| l.distance(s.truth));
        last = Some(s.truth);
        let right = s.error_m() < 0.1 && wrap_angle(s.at.theta - s.truth.theta).abs() < 0.1;
        let sure = s.std_m() < NavigatorParams::default().lost_std_m;
        if right && sure {
            out.found.get_or_insert([way, run.now_s() - LIFTED_S - CARRIED_S]);
        } else {
            out.found = None;
            out.wrong_s += if sure && s.error_m() > 0.3 { 0.1 } else { 0.0 };
        }
    }
    out.done = run.watch.state.state == MissionState::DONE;
    if !out.done {
        println!("    {}", run.watch.state.reason);
    }
    Ok(out)
}

fn main() -> Result<(), AnyError> {
    let given: Option<u64> = std::env::args().nth(1).map(|s| s.parse()).transpose()?;
    let only = std::env::args().nth(2);
    let seed = given.unwrap_or(REPORTED);
    let mut report = String::from(HEAD);
    for (name, change) in cases() {
        if only.as_ref().is_some_and(|o| !name.contains(o.as_str())) {
            continue;
        }
        let line = case(seed, change)?.line(name);
        println!("{line}");
        writeln!(report, "{line}")?;
    }
    if only.is_some() {
        return Ok(());
    }
    report.push_str(KIDNAPPED);
    let mut kidnaps = Vec::new();
    for k in 0..CARRIED {
        let one = kidnap(seed + 100 + k)?;
        let found = one.found.map_or("never".into(), |[way, s]| format!("{way:.1} m, {s:.0} s"));
        println!(
            "carried to {:.1}, {:.1}, {:.0}°: found after {found}; wrongly sure {:.1} s; mission done: {}",
            one.to.x,
            one.to.y,
            one.to.theta.to_degrees(),
            one.wrong_s,
            one.done
        );
        kidnaps.push(one);
    }
    writeln!(report, "{}", summary(&kidnaps))?;
    if given.is_none() {
        let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("../positioning/LOCALIZER.md");
        std::fs::write(&out, report).map_err(|e| format!("{}: {e}", out.display()))?;
    }
    Ok(())
}

fn summary(all: &[Kidnap]) -> String {
    let mut ways: Vec<f64> = all.iter().map(|k| k.found.map_or(f64::INFINITY, |f| f[0])).collect();
    let mut times: Vec<f64> = all.iter().map(|k| k.found.map_or(f64::INFINITY, |f| f[1])).collect();
    let mut wrong: Vec<f64> = all.iter().map(|k| k.wrong_s).collect();
    for list in [&mut ways, &mut times, &mut wrong] {
        list.sort_by(f64::total_cmp);
    }
    let of = |list: &[f64], share: f64| list[((list.len() - 1) as f64 * share).round() as usize];
    let mut out = String::from("| | median | 90% | worst |\n|---|---|---|---|\n");
    for (name, list) in
        [("way until found, m", &ways), ("time until found, s", &times), ("wrongly sure, s", &wrong)]
    {
        let line = [0.5, 0.9, 1.0].map(|share| format!("{:.1}", of(list, share))).join(" | ");
        out.push_str(&format!("| {name} | {line} |\n"));
    }
    let done = all.iter().filter(|k| k.done).count();
    let near = ways.iter().filter(|w| **w <= 10.0).count();
    let n = all.len();
    out.push_str(&format!(
        "\n{near} of {n} were found within 10 m; {done} of {n} missions were finished all the same."
    ));
    out
}

const HEAD: &str = "# How well the robot knows where it is

Missions over the four faces of the demo library in the twin: slipping wheels of a radius that is believed wrongly, a drifting
gyro, a lidar that sees book spines and gaps where the plan has shelf fronts. Poses while scanning, each against the twin's truth. `within`:
shares of positions inside the ellipses that should hold 68 and 95%; NEES over x, y and heading should be 3 (less is modest). To reach: 2 cm
and 0.5° along the aisles. Made by

    cargo run --release -p tests --example evaluate_localizer

| what is wrong | missions done | RMS along, cm | across, cm | heading, ° | worst, cm | within % | NEES | s a mission |
|---|---|---|---|---|---|---|---|---|
";

const KIDNAPPED: &str = "
`Rows beside the plan`: the site file has each face off by that much (standard deviation, each coordinate and the direction).

## Carried off

In the middle of a pass people lift the robot and put it down somewhere else on the floor, in any direction (`kind = \"carry\"` among a
scenario's faults). Nobody tells it. `Found`: within 10 cm and 6° of the truth, and sure of it, from then on to the end. `Wrongly sure`: time in which it
was more than 30 cm off while it claimed less than 25 cm. The pass at hand is thrown away and driven again. (Of 120 others, with which the
settings were chosen, all missions were finished and 119 found within 10 m; one robot, put down where its aisle mirrors itself, was wrongly sure for two minutes.)

";
