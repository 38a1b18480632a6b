//! An hour of a robot at work, and how long its review takes to make.
//!
//! The hour is the golden bag `aisle` driven again and again, of its reads 400 a second, among laser scans and odometry.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bags::{Reader, Writer};
use interfaces::nav_msgs::Odometry;
use interfaces::sensor_msgs::LaserScan;
use interfaces::std_msgs::Header;
use interfaces::{AnyMessage, Publication};

const SECOND: i64 = 1_000_000_000;
const READS_PER_S: i64 = 400;

/// How long it took, what it came to, and the most memory.
pub struct Reviewed {
    pub messages: u64,
    pub seconds: f64,
    pub peak_mib: f64,
    pub recording_mib: f64,
}

/// Writes the hour into a folder with site and catalogue beside it; gives messages and reads.
pub fn write(home: &Path) -> (u64, u64) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/bags/aisle");
    for file in ["site.toml", "catalogue.csv"] {
        std::fs::copy(golden.join(file), home.join(file)).unwrap();
    }
    let lap: Vec<Publication> = Reader::open(golden.join("bag")).unwrap().map(|p| p.unwrap()).collect();
    let (first, last) = (lap[0].stamp_ns, lap[lap.len() - 1].stamp_ns);
    let period = last - first + SECOND / 100;
    let mut writer = Writer::create(home.join("hour")).unwrap();
    let mut reads = 0_i64;
    let (mut next_scan, mut next_odometry) = (first, first);
    for n in 0..=3_600 * SECOND / period {
        for p in &lap {
            let stamp_ns = p.stamp_ns + n * period;
            while next_odometry <= stamp_ns {
                writer.write(&odometry(next_odometry)).unwrap();
                next_odometry += SECOND / 50;
            }
            while next_scan <= stamp_ns {
                writer.write(&scan(next_scan)).unwrap();
                next_scan += SECOND / 10;
            }
            let read = p.is_called("reads");
            if read && reads >= READS_PER_S * (stamp_ns - first) / SECOND {
                continue;
            }
            reads += i64::from(read);
            let Some(message) = shifted(&p.message, n, n * period) else { continue };
            writer.write(&Publication { stamp_ns, message: message.into(), ..p.clone() }).unwrap();
        }
    }
    (writer.finish().unwrap().messages, reads.unsigned_abs())
}

/// A message of a later lap; `None` for what is said once.
fn shifted(message: &AnyMessage, lap: i64, by_ns: i64) -> Option<AnyMessage> {
    let mut message = message.clone();
    let later = |h: &mut Header| *h = Header::new(h.stamp.to_ns() + by_ns, h.frame_id.clone());
    match &mut message {
        AnyMessage::TagRead(m) => later(&mut m.header),
        AnyMessage::TFMessage(m) => {
            let fixed = m.transforms.iter().any(|t| t.child_frame_id.contains("antenna"));
            if fixed && lap > 0 {
                return None;
            }
            m.transforms.iter_mut().for_each(|t| later(&mut t.header));
        }
        AnyMessage::PoseWithCovarianceStamped(m) => later(&mut m.header),
        AnyMessage::Sightings(m) => later(&mut m.header),
        AnyMessage::MissionState(m) => later(&mut m.header),
        AnyMessage::ShelfErrors(_) if lap > 0 => return None,
        _ => {}
    }
    Some(message)
}

fn odometry(stamp_ns: i64) -> Publication {
    let mut m = Odometry { header: Header::new(stamp_ns, "inv_1/odom"), ..Odometry::default() };
    m.twist.twist.linear.x = 0.2 + 0.01 * ((stamp_ns / 20_000_000) % 7) as f64;
    Publication::new("/inv_1/odom", stamp_ns, m)
}

fn scan(stamp_ns: i64) -> Publication {
    let ranges = (0..720).map(|b| 1.0 + 0.002 * f32::from(b as u16) + 0.01 * ((stamp_ns >> 20) % 5) as f32);
    let m = LaserScan {
        header: Header::new(stamp_ns, "inv_1/laser"),
        angle_min: -std::f32::consts::PI,
        angle_increment: 0.008_726,
        range_min: 0.05,
        range_max: 12.0,
        ranges: ranges.collect(),
        ..LaserScan::default()
    };
    Publication::new("/inv_1/scan", stamp_ns, m)
}

/// Converts the hour with the program; `None` where there is none.
pub fn review(home: &Path) -> Option<Reviewed> {
    let program = std::env::var_os("SHELFWRIGHT_BIN")?;
    let recording = home.join("hour.rrd");
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(["--json", "--quiet", "review"])
        .arg(home.join("hour"))
        .arg("--save")
        .arg(&recording)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0.0_f64;
    while child.try_wait().unwrap().is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let now =
            text.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
        peak_kib = peak_kib.max(now.unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(20));
    }
    let seconds = started.elapsed().as_secs_f64();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "the review failed");
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    let mib = std::fs::metadata(&recording).unwrap().len() as f64 / f64::from(1 << 20);
    std::fs::remove_file(&recording).unwrap();
    Some(Reviewed {
        messages: told["messages"].as_u64().unwrap(),
        seconds,
        peak_mib: peak_kib / 1024.0,
        recording_mib: mib,
    })
}
