//! The local host's side of the figures in `nodes/README.md`: reads through the locator, as CDR and back.
//!
//! `cargo run --release -p nodes --example host_figures`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::Instant;

use domain::Site;
use interfaces::builtin_interfaces::Time;
use interfaces::geometry_msgs::TransformStamped;
use interfaces::rosgraph_msgs::Clock;
use interfaces::shelfwright_msgs::{MissionState, TagRead};
use interfaces::std_msgs::Header;
use interfaces::tf2_msgs::TFMessage;
use interfaces::{AnyMessage, Message, Publication};
use nodes::host::LocalHost;
use nodes::locator::LocatorNode;
use positioning::LocateSettings;

const SITE: &str = "name = \"one face\"\n[[floor]]\nid = \"1F\"\n[[floor.face]]\nid = \"R01A\"\norigin_m = [0, 1]\n\
                    heading_deg = 0\nbays = 5\nbay_width_m = 0.9\ndepth_m = 0.25\n\
                    tier = [{ board_m = 0.1, clear_m = 0.3 }]\n";
const READS: i64 = 200_000;
/// 2,000 reads a second.
const APART_NS: i64 = 500_000;

fn main() {
    let path = std::env::temp_dir().join(format!("shelfwright-figures-{}.toml", std::process::id()));
    std::fs::write(&path, SITE).unwrap();
    let site = Arc::new(Site::load(&path).unwrap());
    std::fs::remove_file(&path).unwrap();
    let mut host = LocalHost::new();
    host.add(Box::new(LocatorNode::new("inv_1", site, LocateSettings::default())));
    let mut mount = TransformStamped { header: Header::new(0, "map"), ..TransformStamped::default() };
    mount.child_frame_id = "inv_1/antenna_1".into();
    mount.transform.translation.x = 2.0;
    mount.transform.rotation.w = 1.0;
    let mut feed = |topic: &str, at_ns: i64, message: AnyMessage| {
        host.feed(Publication::new(topic, at_ns, message), &mut []).unwrap();
    };
    feed("/tf_static", 0, TFMessage { transforms: vec![mount] }.into());
    let mut state = MissionState { face: "1F/R01A".into(), pass_number: 1, ..MissionState::default() };
    state.state = MissionState::SCANNING;
    feed("/inv_1/missions", 0, state.into());
    let began = Instant::now();
    for i in 0..READS {
        let at_ns = i * APART_NS;
        let read = TagRead {
            header: Header::new(at_ns, "inv_1/antenna_1"),
            reader: "inv_1/reader".into(),
            protocol: TagRead::UHF_GEN2,
            antenna: 1,
            uid: vec![0xe2, 0, 0, (i % 200) as u8],
            rssi_dbm: -50.0,
            phase_rad: 1.0,
            frequency_hz: 922.375e6,
        };
        // As the network would hand it over.
        let read = TagRead::from_cdr(&read.to_cdr()).unwrap();
        feed("/inv_1/reads", at_ns, read.into());
        if i % 20 == 0 {
            feed("/clock", at_ns, Clock { clock: Time::from_ns(at_ns) }.into());
        }
    }
    let each_us = began.elapsed().as_secs_f64() * 1e6 / READS as f64;
    println!("| our locator, local host | {:.0} | 0 | | | {each_us:.1} |", 1e6 / each_us);
}
