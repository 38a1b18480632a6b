//! How fast bags are recorded and read, beside PyPI's `mcap` and `rosbags` on the same files in the same run.
//!
//! `bags/benchmark` runs it and keeps what it prints as `bags/BENCHMARK.md`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use bags::{DiskLimits, Packing, RawReader, Reader, Recording, Selection, WriterSettings};
use interfaces::geometry_msgs::TransformStamped;
use interfaces::nav_msgs::Odometry;
use interfaces::rosgraph_msgs::Clock;
use interfaces::sensor_msgs::{Image, LaserScan};
use interfaces::shelfwright_msgs::TagRead;
use interfaces::std_msgs::Header;
use interfaces::tf2_msgs::TFMessage;
use interfaces::{AnyMessage, Publication};
use nodes::host::Observer;
use nodes::locator::LocatorNode;
use nodes::recorder::{Recorder, RecorderSettings, Sink};
use serde_json::Value;

/// Each figure is the best of so many runs.
const RUNS: usize = 2;
/// Seconds of the mission.
const MISSION_S: i64 = 1_200;
const IMAGES: i64 = 400;
const MS: i64 = 1_000_000;

struct Figure {
    messages: u64,
    bytes: u64,
    seconds: f64,
    peak_mib: f64,
}

impl Figure {
    fn row(&self, who: &str) -> String {
        let peak = if self.peak_mib > 0.0 { format!("{:.0}", self.peak_mib) } else { String::new() };
        format!(
            "| {who} | {:.2} | {:.0} | {:.0} | {peak} |\n",
            self.seconds,
            self.messages as f64 / self.seconds,
            self.bytes as f64 * 1e-6 / self.seconds
        )
    }
}

const HEAD: &str = "| | s | messages/s | MB/s | peak MiB |\n|---|---|---|---|---|\n";

/// The shorter of some runs.
fn best(mut run: impl FnMut() -> Figure) -> Figure {
    let mut best = run();
    for _ in 1..RUNS {
        let again = run();
        if again.seconds < best.seconds {
            best = again;
        }
    }
    best
}

struct Bag(Recording);

impl Sink for Bag {
    fn write(&mut self, publication: &Publication) -> Result<(), String> {
        self.0.write(publication).map_err(|e| e.to_string())
    }

    fn finish(&mut self) -> Result<(), String> {
        self.0.finish().map(drop).map_err(|e| e.to_string())
    }
}

/// A number from a counter, the same on every run.
fn noise(i: u64) -> u64 {
    let mut x = i.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x ^= x >> 29;
    x.wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32
}

/// An inventory robot's mission: 400 reads, 100 clocks, 60 transforms, 50 odometries and 10 scans a second.
fn mission() -> Vec<Publication> {
    let mut out = Vec::new();
    let unit = |i: u64| noise(i) as f32 / u32::MAX as f32;
    for step in 0..MISSION_S * 400 {
        let ns = step * 2_500_000;
        let i = step as u64;
        let header = |frame: &str| Header::new(ns, frame);
        let read = TagRead {
            header: header("inv_1/antenna_1"),
            reader: "inv_1/reader".into(),
            protocol: TagRead::UHF_GEN2,
            antenna: 1 + (i % 6) as u8,
            uid: [&[0xe2, 0x80, 0x11, 0x60], &noise(i / 40 + i % 60).to_be_bytes()[..]].concat(),
            rssi_dbm: (-700.0 + 200.0 * unit(i)).round() / 10.0,
            phase_rad: unit(i + 7) * std::f32::consts::TAU,
            frequency_hz: 920.625e6 + 0.25e6 * (i / 800 % 16) as f64,
        };
        if step % 4 == 0 {
            out.push(Publication::new(
                "/clock",
                ns,
                Clock { clock: interfaces::builtin_interfaces::Time::from_ns(ns) },
            ));
        }
        out.push(Publication::new("/inv_1/reads", ns, read));
        if step % 7 == 0 {
            let mut t = TransformStamped {
                header: header("inv_1/odom"),
                child_frame_id: "inv_1/base_link".into(),
                ..Default::default()
            };
            t.transform.translation.x = step as f64 * 5e-4;
            out.push(Publication::new("/tf", ns, TFMessage { transforms: vec![t] }));
        }
        if step % 8 == 0 {
            let mut o = Odometry { header: header("inv_1/odom"), ..Odometry::default() };
            o.pose.pose.position.x = step as f64 * 5e-4 + f64::from(unit(i)) * 1e-3;
            out.push(Publication::new("/inv_1/odom", ns, o));
        }
        if step % 40 == 0 {
            let ranges = (0..720).map(|b| 1.0 + b as f32 * 0.003 + 0.01 * unit(i * 720 + b)).collect();
            let scan = LaserScan { header: header("inv_1/laser"), ranges, ..LaserScan::default() };
            out.push(Publication::new("/inv_1/scan", ns, scan));
        }
    }
    out
}

/// A camera's images: a smooth scene with the noise of a sensor.
fn images() -> Vec<Publication> {
    let (width, height) = (640_u32, 480_u32);
    let of = |k: i64| {
        let mut data = Vec::with_capacity((width * height * 3) as usize);
        for y in 0..height {
            for x in 0..width {
                for c in 0..3_u32 {
                    let place = u64::from((y * width + x) * 3 + c) + k as u64 * 921_600;
                    let scene = (x + 2 * y + 40 * c + 3 * k as u32) / 5 % 200;
                    data.push((scene + (noise(place) % 5) as u32) as u8);
                }
            }
        }
        let header = Header::new(k * 33 * MS, "inv_1/camera_1");
        let image =
            Image { header, height, width, encoding: "rgb8".into(), is_bigendian: 0, step: width * 3, data };
        Publication::new("/inv_1/camera_1/image", k * 33 * MS, image)
    };
    // Eight different ones, over and over.
    let eight: Vec<Publication> = (0..8).map(of).collect();
    (0..IMAGES).map(|k| Publication { stamp_ns: k * 33 * MS, ..eight[(k % 8) as usize].clone() }).collect()
}

/// Records through the queue, as a robot does; nothing is dropped.
fn record(folder: &Path, packing: Packing, publications: &[Publication]) -> Figure {
    if folder.exists() {
        std::fs::remove_dir_all(folder).unwrap();
    }
    let started = Instant::now();
    let settings = WriterSettings { packing, ..WriterSettings::default() };
    let recording = Recording::start(folder, settings, DiskLimits::default()).unwrap();
    let mut recorder = Recorder::start_with(Bag(recording), RecorderSettings::default());
    for publication in publications {
        recorder.observe(publication).unwrap();
    }
    let written = recorder.finish().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    assert_eq!(written, publications.len() as u64);
    let bytes = publications.iter().map(|p| weight(&p.message)).sum();
    Figure { messages: written, bytes, seconds, peak_mib: 0.0 }
}

fn weight(message: &AnyMessage) -> u64 {
    match message {
        AnyMessage::Image(image) => image.data.len() as u64,
        other => other.to_cdr().len() as u64,
    }
}

/// Reads in a process of its own, so that its memory can be told.
fn child(what: &str, bag: &Path) -> Figure {
    let done = Command::new(std::env::current_exe().unwrap()).args([what.as_ref(), bag.as_os_str()]).output();
    figure(&done.unwrap())
}

fn figure(done: &std::process::Output) -> Figure {
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    let number = |key: &str| told[key].as_f64().unwrap();
    Figure {
        messages: number("messages") as u64,
        bytes: number("bytes") as u64,
        seconds: number("seconds"),
        peak_mib: number("peak_mib"),
    }
}

fn read(what: &str, bag: &str) {
    let started = Instant::now();
    let (mut messages, mut bytes) = (0_u64, 0_u64);
    match what {
        "bytes" => {
            for message in RawReader::open(bag, Selection::default()).unwrap() {
                messages += 1;
                bytes += message.unwrap().data.len() as u64;
            }
        }
        "messages" => {
            for publication in Reader::open(bag).unwrap() {
                messages += 1;
                assert!(publication.unwrap().stamp_ns >= 0);
            }
        }
        _ => {
            let middle = MISSION_S / 2 * 1_000 * MS;
            let part = Selection::default()
                .topics(["/inv_1/scan"])
                .from_ns(Some(middle))
                .until_ns(Some(middle + 10_000 * MS));
            for message in RawReader::open(bag, part).unwrap() {
                messages += 1;
                bytes += message.unwrap().data.len() as u64;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let peak_mib = peak.unwrap_or(0.0) / 1024.0;
    let told =
        serde_json::json!({ "messages": messages, "bytes": bytes, "seconds": seconds, "peak_mib": peak_mib });
    println!("{told}");
}

fn python(what: &str, bag: &Path, new: Option<&Path>) -> Option<Figure> {
    let python = std::env::var_os("SHELFWRIGHT_PYTHON")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benchmark.py");
    if let Some(new) = new {
        let _ = std::fs::remove_file(new);
        let _ = std::fs::remove_dir_all(new);
    }
    Some(figure(&Command::new(python).arg(script).arg(what).arg(bag).args(new).output().unwrap()))
}

fn peers(what: [&str; 2], bag: &Path, home: &Path) -> String {
    let mut rows = String::new();
    for (who, what) in [("Python `mcap`", what[0]), ("Python `rosbags`", what[1])] {
        let new = what.starts_with("write").then(|| home.join("theirs"));
        match python(what, bag, new.as_deref()) {
            Some(_) => rows += &best(|| python(what, bag, new.as_deref()).unwrap()).row(who),
            None => rows += &format!("| {who}: SHELFWRIGHT_PYTHON is not set | | | | |\n"),
        }
    }
    rows
}

/// The locator over a golden bag: reads, and recorded seconds per second.
fn replay(name: &str) -> (usize, f64) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bags").join(name);
    let site = Arc::new(domain::Site::load(&folder.join("site.toml")).unwrap());
    let publications: Vec<Publication> =
        Reader::open(folder.join("bag")).unwrap().map(|p| p.unwrap()).collect();
    let span_ns = publications.last().unwrap().stamp_ns - publications[0].stamp_ns;
    let reads = publications.iter().filter(|p| p.is_called("reads")).count();
    let best = best(|| {
        let locator = LocatorNode::new("inv_1", site.clone(), Default::default());
        let inputs = locator.inputs();
        let recording = publications.iter().cloned().map(Ok::<_, nodes::host::HostError>);
        let started = Instant::now();
        let out = nodes::host::replay(vec![Box::new(locator)], &inputs, recording).unwrap();
        // The very bytes of the live run, whatever the build.
        let results = |p: &&Publication| {
            p.is_called("sightings") || p.is_called("live_sightings") || p.is_called("coverage")
        };
        let bytes = |p: &Publication| (p.topic.clone(), p.message.to_cdr());
        let recorded = publications.iter().filter(results).map(bytes);
        assert!(out.iter().map(bytes).eq(recorded), "{name}: other results than recorded");
        Figure { messages: 0, bytes: 0, seconds: started.elapsed().as_secs_f64(), peak_mib: 0.0 }
    });
    (reads, span_ns as f64 * 1e-9 / best.seconds)
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [what, bag] = &args[..] {
        return read(what, bag);
    }
    let home = tempfile::tempdir().unwrap();
    let small: PathBuf = home.path().join("small");
    let large: PathBuf = home.path().join("large");
    let cores = std::thread::available_parallelism().map_or(0, |n| n.get());

    let publications = mission();
    println!("# Speed of bags\n");
    println!(
        "Written by `bags/benchmark`; each figure is the best of {RUNS} runs, on {cores} cores that other work"
    );
    println!(
        "shares. MB are those of the messages before compression. Ours records through the queue of a robot and"
    );
    println!("starts from messages; the Python libraries start from bytes that are in memory already.\n");
    println!("## Record a mission of small messages\n");
    println!(
        "{} messages of {} minutes: 400 reads, 100 clocks, 57 transforms, 50 odometries and 10 scans of 720 ranges\na second.\n",
        publications.len(),
        MISSION_S / 60
    );
    let mut rows = best(|| record(&small, Packing::Lz4, &publications)).row("ours, lz4");
    rows += &best(|| record(&small, Packing::Zstd, &publications)).row("ours, zstd");
    drop(publications);
    rows += &peers(["write-mcap", "write-rosbags"], &small, home.path());
    println!("{HEAD}{rows}");
    println!(
        "`mcap` writes zstd, `rosbags` does not compress. Python's memory is mostly the messages that it writes.\n"
    );

    println!("## Read it again\n");
    let raw = best(|| child("bytes", &small));
    let decoded = Figure { bytes: raw.bytes, ..best(|| child("messages", &small)) };
    let mut rows = raw.row("ours, bytes") + &decoded.row("ours, decoded to messages");
    rows += &peers(["read-mcap", "read-rosbags"], &small, home.path());
    println!("{HEAD}{rows}");
    println!("Python's figures are for bytes, not decoded.\n");
    let part = best(|| child("part", &small));
    println!(
        "Ten seconds of one topic from its middle, through the index: {} messages in {:.1} ms.\n",
        part.messages,
        1e3 * part.seconds
    );

    println!("## Replay\n");
    for name in ["aisle", "slip"] {
        let (reads, factor) = replay(name);
        println!(
            "- `tests/bags/{name}` ({reads} reads) through today's locator: {factor:.0} times real time."
        );
    }
    println!();

    println!("## Record images\n");
    println!("{IMAGES} images of 640 × 480, rgb8, a smooth scene with the noise of a sensor.\n");
    let publications = images();
    let mut rows = String::new();
    for (name, packing) in [
        ("ours, none", Packing::None),
        ("ours, lz4", Packing::Lz4),
        ("ours, zstd", Packing::Zstd),
        ("ours, zstd small", Packing::ZstdSmall),
    ] {
        rows += &best(|| record(&large, packing, &publications)).row(name);
    }
    drop(publications);
    rows += &peers(["write-mcap", "write-rosbags"], &large, home.path());
    println!("{HEAD}{rows}");
}
