//! How fast the twin runs on large floors, how fast its radio is alone, and MuJoCo with the same robot, beams and boxes.
//!
//! `twin/benchmark` runs it and keeps what it prints as `twin/BENCHMARK.md`. Each case runs in a process of its own, so
//! that its memory is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::fmt::Write as _;
use std::process::Command;
use std::time::Instant;

use interfaces::geometry_msgs::TwistStamped;
use serde_json::{Value, json};
use twin::radio::{
    AntennaPose, LinkMode, RadioPrior, RadioSettings, Reader, RowSchool, TagField, TagPlacement,
};
use twin::{RobotSettings, Scenario, Twin};

/// A floor: floors, rows and bays of a row.
const FLOORS: [(&str, [u16; 3]); 3] =
    [("10,000", [1, 3, 10]), ("100,000", [1, 10, 29]), ("1,000,000", [10, 10, 29])];
const SECONDS: u32 = 60;
const SPEED_MPS: f64 = 0.15;
/// From row to row of the generated library, m.
const PITCH_M: f64 = 2.02;

/// Robots in the middle of the aisles, far enough from the rows' ends that they meet none.
fn scenario([floors, rows, bays]: [u16; 3], robots: usize, reader: bool) -> Scenario {
    let mut s = Scenario::demo(1);
    s.library.floors = floors;
    s.library.rows = rows;
    s.library.bays = bays;
    // As readers in a dense place run: Miller 2, about 400 reads a second.
    s.radio.reader.link = LinkMode { tari_us: 6.25, blf_khz: 320.0, miller: 2, pilot: false };
    s.robots = (0..robots)
        .map(|i| {
            let mut r = RobotSettings { name: format!("inv_{}", i + 1), ..RobotSettings::default() };
            r.lidar.beams = 720;
            r.start_m = [2.2, 0.85 + PITCH_M * (i % usize::from(rows)) as f64];
            if !reader {
                r.antennas_m.clear();
            }
            r
        })
        .collect();
    s
}

/// CPU seconds of this process so far.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // utime and stime, in hundredths of a second on every Linux that this builds for.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn peak_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// One case in this process: drives all robots to and fro along their rows.
fn case(shape: [u16; 3], robots: usize, reader: bool) -> Value {
    let (started, before) = (Instant::now(), cpu_s());
    let mut twin = Twin::new(&scenario(shape, robots, reader)).unwrap();
    let (load_s, load_cpu_s) = (started.elapsed().as_secs_f64(), cpu_s() - before);
    let books = twin.library().books.len();
    let names: Vec<String> = twin.robots().map(|r| r.name.clone()).collect();
    let mut command = TwistStamped::default();
    command.twist.linear.x = SPEED_MPS;
    let mut out = Vec::new();
    let mut reads = 0;
    let (started, before) = (Instant::now(), cpu_s());
    for step in 0..SECONDS * 100 {
        if step == SECONDS * 50 {
            command.twist.linear.x = -SPEED_MPS;
        }
        if step % 10 == 0 {
            names.iter().for_each(|n| twin.command(n, &command).unwrap());
        }
        out.clear();
        twin.step(&mut out);
        reads += out.iter().filter(|p| p.topic.ends_with("/reads")).count();
    }
    json!({
        "books": books, "load_s": load_s, "load_cpu_s": load_cpu_s, "peak_mib": peak_mib(),
        "wall_s": started.elapsed().as_secs_f64(), "cpu_s": cpu_s() - before,
        "reads_s": reads as f64 / f64::from(SECONDS), "awake": twin.tags_awake(),
    })
}

/// Scans of 8 tags at 50 places on one carrier: through field and reader, and as lessons.
fn radio() -> Value {
    let (scans, before) = (2_000u64, cpu_s());
    let school = RowSchool::new(RadioPrior::default());
    let mut reads = 0;
    for n in 0..scans {
        reads += school.lesson(1, n).scan.reads.len();
    }
    let lessons = cpu_s() - before;
    let (passes, before) = (200u64, cpu_s());
    let mut settings = RadioSettings::default();
    settings.reader.carrier_dwell_s = 2.0;
    settings.reader.port_dwell_s = 60.0;
    let mut field_reads = 0;
    for seed in 0..passes {
        let tags = (0..8u32).map(|i| TagPlacement {
            uid: domain::Uid::new(&i.to_be_bytes()).unwrap(),
            position_m: [0.3 + 0.06 * f64::from(i), 0.6, 1.0],
            axis: [0.0, 0.0, 1.0],
            outward: [0.0, -1.0, 0.0],
            front: None,
            needs_db: 0.0,
        });
        let field = TagField::new(&settings, tags.collect(), vec![], vec![], seed).unwrap();
        let mut reader = Reader::new(&settings, seed, 0).unwrap();
        let mut got = Vec::new();
        for stop in 0..=50i64 {
            let at = [0.02 * stop as f64, 0.0, 1.0];
            let pose = AntennaPose { port: 1, position_m: at, boresight: [0.0, 1.0, 0.0] };
            // Long enough for each of the tags to be read about once.
            reader.advance(&field, stop * 20_000_000, &[pose], &mut got);
        }
        field_reads += got.len();
    }
    json!({
        "lessons_s": scans as f64 / lessons, "lesson_reads": reads as f64 / scans as f64,
        "passes_s": passes as f64 / (cpu_s() - before), "pass_reads": field_reads as f64 / passes as f64,
    })
}

/// Boxes, start and beams for the peer; with `books` a box for each book that the scan plane meets.
fn peer_model(shape: [u16; 3], books: bool) -> Value {
    let s = scenario(shape, 1, false);
    let twin = Twin::new(&s).unwrap();
    let mut boxes: Vec<Value> = twin.boxes().map(|b| json!([b.centre_m, b.yaw_rad, b.half_m])).collect();
    if books {
        for standing in twin.standing() {
            let (_, face) = twin.site().face(&standing.address.face).unwrap();
            let tier = &face.tiers[usize::from(standing.address.tier) - 1];
            let v = &twin.stacks().volumes[standing.volume];
            if tier.board_m < s.robots[0].lidar.height_m
                && tier.board_m + v.height_m > s.robots[0].lidar.height_m
            {
                let x = standing.left_m + v.thickness_m / 2.0;
                let centre = face.map_from_face([x, -v.recess_m - 0.075, tier.board_m + v.height_m / 2.0]);
                let half = [v.thickness_m / 2.0, 0.075, v.height_m / 2.0];
                boxes.push(json!([centre, face.heading_deg.to_radians(), half]));
            }
        }
    }
    let r = &s.robots[0];
    json!({
        "boxes": boxes, "start": r.start_m, "radius": r.base.radius_m, "mass": r.base.mass_kg,
        "speed": SPEED_MPS, "beams": r.lidar.beams, "range": r.lidar.range_m, "height": r.lidar.height_m,
        "seconds": SECONDS, "step": 0.01, "scan_every": 10,
    })
}

fn own(args: &[String]) -> Value {
    let output = Command::new(std::env::current_exe().unwrap()).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn own_case(shape: [u16; 3], robots: usize, reader: bool) -> Value {
    let [a, b, c] = shape.map(|v| v.to_string());
    own(&["case".into(), a, b, c, robots.to_string(), reader.to_string()])
}

fn peer(python: &str, model: &Value) -> Value {
    let file = std::env::temp_dir().join(format!("twin-peer-{}.json", std::process::id()));
    std::fs::write(&file, model.to_string()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benchmark.py");
    let output = Command::new(python).arg(script).arg(&file).output().unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn number(v: &Value, key: &str) -> f64 {
    v[key].as_f64().unwrap()
}

fn row(name: &str, v: &Value) -> String {
    let seconds = f64::from(SECONDS);
    format!(
        "| {name} | {} | {:.1} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} |\n",
        v["books"],
        number(v, "load_s"),
        number(v, "peak_mib"),
        number(v, "reads_s"),
        1e4 * number(v, "cpu_s") / seconds,
        seconds / number(v, "cpu_s"),
        seconds / number(v, "wall_s"),
    )
}

fn report(python: &str) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut text = format!(
        "# Speed of the twin\n\nWritten by `twin/benchmark` on {cores} cores that other work shares, without a GPU. \"CPU\" counts the \
         processor time that the process got, on all cores; \"wall\" is what a clock on the wall saw beside that other work. One robot takes \
         one core, several share all. {SECONDS} simulated \
         seconds, robots at {SPEED_MPS} m/s between shelves, each with a lidar of 720 beams at 10 Hz, six antennas, odometry, inertial unit.\n\n\
         ## Large floors\n\n\
         | | books | load, s | peak, MiB | reads/s | µs a step, CPU | × real time, CPU | × real time, wall |\n|---|---|---|---|---|---|---|---|\n"
    );
    for (name, shape) in FLOORS {
        text += &row(&format!("{name} books, one robot"), &own_case(shape, 1, true));
    }
    text += &row("100,000 books, ten robots", &own_case(FLOORS[1].1, 10, true));
    text += "\nA step is 10 ms. The first three lines are the curve: what is out of reach costs nothing a step, as rows are one box each to \
             physics and beams, beams look at the books of the one shelf that they meet, and the radio solves and keeps only tags \
             near antennas.\n\n## Radio alone\n\n";
    let r = own(&["radio".into()]);
    let _ = write!(
        text,
        "- Scans of the locator's teacher (one row of tags, some 50 places, one carrier; {:.0} reads each): {:.0} a second a core.\n\
         - 8 tags passed at 50 places on one carrier through field, inventory rounds and reader ({:.0} reads each): {:.0} a second a core.\n\n",
        number(&r, "lesson_reads"),
        number(&r, "lessons_s"),
        number(&r, "pass_reads"),
        number(&r, "passes_s"),
    );
    text += "## Beside MuJoCo\n\nPhysics and lidar alone, the reader off: the same robot, beams and boxes, in the same run.\n\n\
             | 100,000 books | boxes | µs a step, CPU | × real time, CPU |\n|---|---|---|---|\n";
    let seconds = f64::from(SECONDS);
    let shape = FLOORS[1].1;
    let ours = own_case(shape, 1, false);
    let [rows, books] = [false, true].map(|books| peer_model(shape, books));
    let mut line = |name: &str, boxes: usize, cpu_s: f64| {
        let _ =
            writeln!(text, "| {name} | {boxes} | {:.0} | {:.0} |", 1e4 * cpu_s / seconds, seconds / cpu_s);
    };
    line("ours, beams see books", rows["boxes"].as_array().unwrap().len(), number(&ours, "cpu_s"));
    let mut version = String::new();
    for (name, model) in
        [("MuJoCo, rows as boxes", rows), ("MuJoCo, a box for each book that a beam can meet", books)]
    {
        let v = peer(python, &model);
        version = v["version"].as_str().unwrap().to_owned();
        line(name, model["boxes"].as_array().unwrap().len(), number(&v, "cpu_s"));
    }
    let _ = writeln!(
        text,
        "\nMuJoCo {version} through its Python package: `mj_step` of a planar robot, `mj_multiRay` for the beams. It has no radio."
    );
    text
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["case", floors, rows, bays, robots, reader] => {
            let shape = [floors, rows, bays].map(|v| v.parse().unwrap());
            println!("{}", case(shape, robots.parse().unwrap(), reader.parse().unwrap()));
        }
        ["radio"] => println!("{}", radio()),
        ["report", python] => print!("{}", report(python)),
        _ => panic!("twin_benchmark report PYTHON | case FLOORS ROWS BAYS ROBOTS READER | radio"),
    }
}
