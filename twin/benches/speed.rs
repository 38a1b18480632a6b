//! How fast the twin runs: one simulated second of the demo, the robot driving along a row face and reading.
//! `cargo bench -p twin --bench speed`; 10 times real time is 100 ms.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, criterion_group, criterion_main};
use interfaces::geometry_msgs::TwistStamped;
use twin::{Scenario, Twin};

fn one_second(c: &mut Criterion) {
    let mut scenario = Scenario::demo(1);
    scenario.robots[0].start_m = [1.4, 0.85];
    let mut twin = Twin::new(&scenario).unwrap();
    let mut command = TwistStamped::default();
    // Turned round before the first second.
    command.twist.linear.x = -0.15;
    let mut out = Vec::new();
    let mut seconds = 0u32;
    c.bench_function("one simulated second", |b| {
        b.iter(|| {
            // To and fro, so that there are always books beside the robot.
            if seconds.is_multiple_of(60) {
                command.twist.linear.x = -command.twist.linear.x;
            }
            seconds += 1;
            out.clear();
            for _ in 0..100 {
                twin.command("inv_1", &command).unwrap();
                twin.step(&mut out);
            }
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = one_second
}
criterion_main!(benches);
