//! A fixed drive without nodes, to compare state hashes between machines, builds, threads and recordings.

use interfaces::Publication;
use interfaces::geometry_msgs::TwistStamped;

use crate::twin::{STEP_NS, Twin};

/// Drives all robots on for some seconds in a weaving line that hangs on the time alone; `observe` gets all that is
/// published. Gives the state hash at the end.
pub fn weave(twin: &mut Twin, seconds: f64, mut observe: impl FnMut(&[Publication])) -> String {
    let names: Vec<String> = twin.robots().map(|r| r.name.clone()).collect();
    let mut out = Vec::new();
    for _ in 0..(seconds * 1e9 / STEP_NS as f64).round() as i64 {
        let tenths = twin.now_ns() / 100_000_000;
        let mut command = TwistStamped::default();
        command.twist.linear.x = if tenths % 100 < 80 { 0.3 } else { -0.3 };
        command.twist.angular.z = [0.4, 0.0, -0.4, 0.1][(tenths / 10 % 4) as usize];
        for name in &names {
            // The names are the twin's own.
            let _ = twin.command(name, &command);
        }
        out.clear();
        twin.step(&mut out);
        observe(&out);
    }
    twin.state_hash()
}
