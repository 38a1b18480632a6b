//! Our message types are the ones that ROS 2 itself makes: every RIHS01 hash against `rosidl`'s descriptions.
//!
//! Needs the set-up of `launch/ros2/setup` and its environment; skips loudly without.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use interfaces::AnyMessage;
use tests::{ros, skipped};

/// Hashes by type name, from the `.json` descriptions of one package's folder.
fn hashes(package: &Path, into: &mut BTreeMap<String, String>) {
    for kind in ["msg", "srv", "action"] {
        let Ok(files) = std::fs::read_dir(package.join(kind)) else { continue };
        for file in files.map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "json")) {
            let text = std::fs::read_to_string(&file).unwrap();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            for entry in value["type_hashes"].as_array().unwrap() {
                let field = |name: &str| entry[name].as_str().unwrap().to_owned();
                into.insert(field("type_name"), field("hash_string"));
            }
        }
    }
}

#[test]
fn every_type_hash_is_the_one_that_ros_2_makes() {
    let Some(environment) = ros() else { return };
    let mut theirs = BTreeMap::new();
    for prefix in environment["AMENT_PREFIX_PATH"].split(':') {
        for package in std::fs::read_dir(Path::new(prefix).join("share")).unwrap() {
            hashes(&package.unwrap().path(), &mut theirs);
        }
    }
    if theirs.is_empty() {
        // Distributions' packages may come without the descriptions.
        skipped("no rosidl descriptions beside this ROS 2");
        return;
    }
    for info in AnyMessage::TYPES {
        assert_eq!(theirs.get(info.name).map(String::as_str), Some(info.hash), "{}", info.name);
    }
}
