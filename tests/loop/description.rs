//! The robot's description as another program reads it: PyPI's `urdf_parser_py`.
#![allow(missing_docs, clippy::unwrap_used)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use interfaces::AnyMessage;
use tests::python;
use twin::urdf::{Variant, urdf};
use twin::{Scenario, Twin};

#[test]
fn laser_and_antennas_stand_in_the_description_where_tf_has_them() {
    let Some(python) = python() else { return };
    let scenario = Scenario::default();
    let twin = Twin::new(&scenario).unwrap();
    let mounts = match &*twin.static_transforms().message {
        AnyMessage::TFMessage(tf) => tf.transforms.clone(),
        other => panic!("{other:?}"),
    };
    assert!(mounts.len() > 5);
    for variant in [Variant::Uhf, Variant::Hf] {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("loop/description.py");
        let mut child =
            Command::new(&python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(urdf(&scenario.robots[0], variant).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["root"], "inv_1/base_link");
        for mount in &mounts {
            let (t, q) = (&mount.transform.translation, &mount.transform.rotation);
            let wanted = [t.x, t.y, t.z, 2.0 * q.z.atan2(q.w)];
            for (i, wanted) in wanted.iter().enumerate() {
                let found = told["places"][&mount.child_frame_id][i].as_f64().unwrap();
                assert!((found - wanted).abs() < 1e-9, "{} of {variant:?}: {told}", mount.child_frame_id);
            }
        }
    }
}
