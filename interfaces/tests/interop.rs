//! Every message type against implementations that are not ours: PyPI's `rosbags` and `mcap-ros2-support`.
//!
//! Needs a Python with both, named by `SHELFWRIGHT_PYTHON`; skips loudly without.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod support;

use std::path::Path;
use std::process::Command;

use interfaces::AnyMessage;
use serde_json::{Value, json};
use support::{library, sample};

const SAMPLES: u64 = 12;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|i| u8::from_str_radix(&text[i..i + 2], 16).unwrap()).collect()
}

/// Runs the peers' script on a request; `None` where there is no Python for it.
fn peers(request: &Value) -> Option<Value> {
    let Ok(python) = std::env::var("SHELFWRIGHT_PYTHON") else {
        println!("SKIPPED: SHELFWRIGHT_PYTHON names no Python with rosbags and mcap-ros2-support");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("in.json"), folder.path().join("out.json"));
    std::fs::write(&input, request.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers.py");
    let done = Command::new(python).arg(script).args([&input, &output]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Some(serde_json::from_slice(&std::fs::read(output).unwrap()).unwrap())
}

#[test]
fn peers_read_what_we_write_and_we_read_what_they_write() {
    let library = library();
    let mut cases = Vec::new();
    for info in AnyMessage::TYPES {
        let name = library.messages.keys().find(|n| n.to_string() == info.name).unwrap();
        let messages: Vec<AnyMessage> = (0..SAMPLES)
            .map(|seed| AnyMessage::from_cdr(info.name, &sample(&library, name, seed, false)).unwrap())
            .collect();
        let bytes: Vec<String> = messages.iter().map(|m| hex(&m.to_cdr())).collect();
        // mcap-ros2-support knows no type with an underscore in its name, which all parts of actions have; the
        // bytes do not depend on names.
        let used = library.uses_of(&library.messages[name]).into_iter().chain([name.clone()]);
        let plain: Vec<[String; 2]> = used
            .filter(|used| used.namespace != "msg")
            .map(|used| [used.to_string(), format!("{}/{}", used.package, used.name.replace('_', ""))])
            .collect();
        cases.push(json!({
            "type": info.name, "definition": info.definition, "plain_names": plain, "messages": bytes,
        }));
    }
    let Some(answer) = peers(&json!({ "cases": cases })) else { return };
    let answers = answer["cases"].as_array().unwrap();
    assert_eq!(answers.len(), AnyMessage::TYPES.len());
    for ((info, case), answer) in AnyMessage::TYPES.iter().zip(&cases).zip(answers) {
        if let Some(hash) = answer["hash"].as_str() {
            assert_eq!(hash, info.hash, "{}", info.name);
        } else {
            // rosbags knows no types of services.
            assert!(info.name.contains("/srv/"), "{}", info.name);
        }
        for peer in ["rosbags", "mcap_ros2"] {
            let written = answer[peer].as_array().unwrap();
            assert_eq!(written.len() as u64, SAMPLES);
            for (ours, theirs) in case["messages"].as_array().unwrap().iter().zip(written) {
                let ours = unhex(ours.as_str().unwrap());
                let theirs = AnyMessage::from_cdr(info.name, &unhex(theirs.as_str().unwrap()))
                    .unwrap_or_else(|e| panic!("{peer}: {e}"));
                assert_eq!(hex(&theirs.to_cdr()), hex(&ours), "{peer}: {}", info.name);
            }
        }
    }
}

#[test]
fn a_tag_read_from_a_peer_arrives_with_its_values() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("msg/TagRead.msg")).unwrap();
    let Some(answer) = peers(&json!({ "cases": [], "tag_read": text })) else { return };
    let bytes = unhex(answer["tag_read"].as_str().unwrap());
    let AnyMessage::TagRead(read) = AnyMessage::from_cdr("shelfwright_msgs/msg/TagRead", &bytes).unwrap()
    else {
        panic!("no TagRead")
    };
    assert_eq!(read.header.stamp.to_ns(), 1_700_000_000_123_456_789);
    assert_eq!(read.header.frame_id, "inv_1/antenna_2");
    assert_eq!((read.reader.as_str(), read.protocol, read.antenna), ("阅读器", 1, 2));
    assert_eq!(read.uid, [0xe2, 0x80, 0x11, 0x70]);
    assert_eq!((read.rssi_dbm, read.frequency_hz), (-51.5, 922.375e6));
    assert!(read.phase_rad.is_nan());
    assert_eq!(answer["tag_read_hash"], interfaces::type_info("shelfwright_msgs/msg/TagRead").unwrap().hash);
}
