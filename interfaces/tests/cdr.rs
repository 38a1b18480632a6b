//! CDR of every message type: the bytes that the definitions ask for, and no harm from damaged ones.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use interfaces::{AnyMessage, CdrError};
use proptest::prelude::*;
use support::{Random, library, sample};

fn names() -> Vec<support::idl::ast::TypeName> {
    library().messages.into_keys().collect()
}

#[test]
fn every_definition_has_a_type_with_its_name_and_text() {
    let names: Vec<String> = names().iter().map(ToString::to_string).collect();
    let mut types: Vec<&str> = AnyMessage::TYPES.iter().map(|t| t.name).collect();
    types.sort_unstable();
    let mut expected: Vec<&str> = names.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(types, expected);
    for info in AnyMessage::TYPES {
        assert_eq!(AnyMessage::default_of(info.name).unwrap().type_info(), *info);
        assert!(info.hash.len() == 71 && info.hash.starts_with("RIHS01_"), "{info:?}");
    }
}

#[test]
fn a_default_message_holds_the_definitions_defaults() {
    let q = interfaces::geometry_msgs::Quaternion::default();
    assert_eq!((q.x, q.y, q.z, q.w), (0.0, 0.0, 0.0, 1.0));
    assert_eq!(interfaces::shelfwright_msgs::TagRead::HF_ISO15693, 2);
    assert_eq!(interfaces::geometry_msgs::PoseWithCovariance::default().covariance, [0.0; 36]);
}

#[test]
fn standard_types_have_the_hashes_of_ros_2_jazzy() {
    // From the packages' own type descriptions.
    for (name, hash) in [
        ("builtin_interfaces/msg/Time", "b106235e25a4c5ed35098aa0a61a3ee9c9b18d197f398b0e4206cea9acf9c197"),
        (
            "unique_identifier_msgs/msg/UUID",
            "1b8e8aca958cbea28fe6ef60bf6c19b683c97a9ef60bb34752067d0f2f7ab437",
        ),
        ("action_msgs/msg/GoalInfo", "6398fe763154554353930716b225947f93b672f0fb2e49fdd01bb7a7e37933e9"),
        (
            "action_msgs/srv/CancelGoal_Request",
            "3d3c84653c1f96918086887e1dcb236faec88b81a5b14fd4cf4840065bcdf8af",
        ),
        (
            "action_msgs/srv/CancelGoal_Response",
            "35e682cf3f510e83c70a82a4aac888496dedee56773bf9d8e5e0aa81f9e1c960",
        ),
    ] {
        assert_eq!(interfaces::type_info(name).unwrap().hash, format!("RIHS01_{hash}"), "{name}");
    }
}

#[test]
fn a_known_message_has_the_known_bytes() {
    let time = interfaces::builtin_interfaces::Time { sec: -2, nanosec: 5 };
    let header = interfaces::std_msgs::Header { stamp: time, frame_id: "map".into() };
    let bytes = AnyMessage::from(header).to_cdr();
    assert_eq!(bytes, [0, 1, 0, 0, 0xfe, 0xff, 0xff, 0xff, 5, 0, 0, 0, 4, 0, 0, 0, b'm', b'a', b'p', 0]);
}

#[test]
fn an_error_names_type_field_and_offset() {
    let name = "shelfwright_msgs/msg/ShelfErrors";
    let errors = interfaces::shelfwright_msgs::ShelfErrors {
        errors: vec![Default::default(); 2],
        ..Default::default()
    };
    let bytes = AnyMessage::from(errors).to_cdr();
    let error = AnyMessage::from_cdr(name, &bytes[..bytes.len() - 8]).unwrap_err();
    assert_eq!(error.field, "errors[1].last_seen.sec");
    let text = error.to_string();
    assert!(
        text.starts_with("shelfwright_msgs/msg/ShelfErrors: field errors[1].last_seen.sec, offset "),
        "{text}"
    );
    assert!(text.ends_with("needs 4 bytes, 0 are left"), "{text}");

    let error =
        |bytes: &[u8]| -> String { CdrError::to_string(&AnyMessage::from_cdr(name, bytes).unwrap_err()) };
    assert!(error(&[0, 1]).contains("needs 4 bytes, 2 are left"));
    assert!(error(&[0, 7, 0, 0, 0]).contains("encapsulation [00, 07]"));
    assert!(AnyMessage::from_cdr("a/msg/B", &[]).unwrap_err().to_string().contains("not known"));
    // A sequence of 4 billion strings in 20 bytes.
    let huge = [&[0, 1, 0, 0][..], &[0; 8], &[1, 0, 0, 0, 0, 0, 0, 0], &[1, 0, 0, 0, 0, 0, 0, 0], &[0xff; 4]]
        .concat();
    assert!(
        error(&huge).contains("field faces, offset 28: sequence of 4294967295 elements"),
        "{}",
        error(&huge)
    );
    let long = [&bytes[..], &[0; 4]].concat();
    assert!(error(&long).contains("4 bytes are left over"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_survives_its_bytes_in_either_byte_order(seed: u64) {
        let library = library();
        for name in library.messages.keys() {
            let little = sample(&library, name, seed, false);
            let message = AnyMessage::from_cdr(&name.to_string(), &little)
                .map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(message.to_cdr(), little.clone(), "{}", name);
            let big = sample(&library, name, seed, true);
            let message = AnyMessage::from_cdr(&name.to_string(), &big)
                .map_err(|e| TestCaseError::fail(e.to_string()))?;
            prop_assert_eq!(message.to_cdr(), little, "{}", name);
        }
    }

    #[test]
    fn a_message_cut_short_is_refused_at_every_byte(seed: u64) {
        let library = library();
        for name in library.messages.keys() {
            let bytes = sample(&library, name, seed, seed % 2 == 0);
            for end in 0..bytes.len() {
                prop_assert!(AnyMessage::from_cdr(&name.to_string(), &bytes[..end]).is_err(), "{} at {}", name, end);
            }
        }
    }

    #[test]
    fn damaged_bytes_give_an_error_or_a_message_and_never_a_panic(seed: u64) {
        let library = library();
        let mut random = Random(seed);
        for name in library.messages.keys() {
            let mut bytes = sample(&library, name, seed, false);
            for _ in 0..1 + random.below(4) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = if random.below(3) == 0 { 0xff } else { random.next() as u8 };
            }
            if let Ok(message) = AnyMessage::from_cdr(&name.to_string(), &bytes) {
                let again = AnyMessage::from_cdr(&name.to_string(), &message.to_cdr());
                prop_assert_eq!(again.map(|m| m.to_cdr()), Ok(message.to_cdr()));
            }
        }
    }
}
