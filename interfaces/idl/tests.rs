//! The grammar, its errors, and the hashes that `rosidl_generator_type_description` gives.

use crate::idl::ast::{Count, Element, Message, Primitive, TypeName, Value};
use crate::idl::hash::rihs01;
use crate::idl::library::Library;
use crate::idl::parse;
use crate::idl::text::definition;

fn message(text: &str) -> Result<Message, parse::ParseError> {
    parse::message(TypeName::new("some_msgs", "msg", "Some"), "Some.msg", text, 1)
}

fn one(text: &str) -> Message {
    message(text).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_form_of_the_grammar_is_read() {
    let m = one("# File.\n\n# First.\nuint8[<=3] a [1, 2] # more\nstring<=5[] b\nfloat64[36] c\n\
                 string X=\"p q\"\nint32 Y = -0x10\nstd_msgs/Header header\nOther[] d\nbool e true\n");
    assert_eq!(m.comment, ["File."]);
    assert_eq!(m.fields[0].comment, ["First.", "more"]);
    assert_eq!(m.fields[0].count, Count::Bounded(3));
    assert_eq!(m.fields[0].default, Some(Value::List(vec![Value::Int(1), Value::Int(2)])));
    assert_eq!(m.fields[1].element, Element::String(Some(5)));
    assert_eq!(m.fields[1].count, Count::Sequence);
    assert_eq!(m.fields[2].element, Element::Primitive(Primitive::F64));
    assert_eq!(m.fields[2].count, Count::Array(36));
    assert_eq!(m.constants[0].value, Value::Text("p q".into()));
    assert_eq!(m.constants[1].value, Value::Int(-16));
    assert_eq!(m.fields[3].element, Element::Message(TypeName::new("std_msgs", "msg", "Header")));
    assert_eq!(m.fields[4].element, Element::Message(TypeName::new("some_msgs", "msg", "Other")));
    assert_eq!(m.fields[5].default, Some(Value::Bool(true)));
}

#[test]
fn a_default_text_keeps_its_quotes_and_escapes() {
    let m = one("string a 'He\"llo'\nstring b \"He\\\"llo = x\"\nstring c bare\n");
    let texts: Vec<_> = m.fields.iter().map(|f| f.default.clone().unwrap()).collect();
    assert_eq!(texts[0], Value::Text("He\"llo".into()));
    assert_eq!(texts[1], Value::Text("He\"llo = x".into()));
    assert_eq!(texts[2], Value::Text("bare".into()));
}

#[test]
fn a_bad_definition_names_file_line_and_what_is_allowed() {
    for (text, line, part) in [
        ("uint8 a\nuint8\n", 2, "expected TYPE NAME"),
        ("uint8 A\n", 1, "lower-case"),
        ("uint8 a_\n", 1, "lower-case"),
        ("uint8 pass\n", 1, "Python"),
        ("\n\nuint8 a\nuint8 a\n", 4, "twice"),
        ("uint8 x=3\n", 1, "upper-case"),
        ("uint8 X=256\n", 1, "0 to 255"),
        ("uint8 X=\n", 1, "0 to 255"),
        ("bool X=maybe\n", 1, "true"),
        ("float32 a nan\n", 1, "finite"),
        ("uint8[0] a\n", 1, "from 1"),
        ("uint8[x] a\n", 1, "from 1"),
        ("uint8] a\n", 1, "without ["),
        ("int a\n", 1, "unknown type"),
        ("a/b/c/D a\n", 1, "package/Type"),
        ("uint8<=3 a\n", 1, "only string"),
        ("string<=2 a \"abc\"\n", 1, "longer"),
        ("uint8[2] a [1]\n", 1, "expected 2"),
        ("uint8[<=2] a [1,2,3]\n", 1, "at most 2"),
        ("string a \"open\n", 1, "closing"),
        ("std_msgs/Header a 3\n", 1, "no default"),
        ("std_msgs/Header A=3\n", 1, "built-in"),
    ] {
        let error = message(text).expect_err(text);
        assert_eq!((error.file.as_str(), error.line), ("Some.msg", line), "{text:?}: {error}");
        assert!(error.problem.contains(part), "{text:?}: {error}");
    }
}

#[test]
fn a_part_too_few_in_an_action_is_told() {
    let error = parse::action("p", "A", "A.action", "int32 a\n---\nint32 b\n").unwrap_err();
    assert_eq!(error.problem, "found 2 parts between lines of ---, expected 3");
    let error = parse::service("p", "S", "S.srv", "int32 a\n---\nint32 b\nint32\n").unwrap_err();
    assert_eq!(error.line, 4);
}

#[test]
fn an_unknown_or_endless_type_is_refused() {
    let mut library = Library::default();
    library.add_file("p", "msg", "A", "A.msg", "B b\n").unwrap();
    assert!(library.check().unwrap_err().problem.contains("p/msg/B"));
    library.add_file("p", "msg", "B", "B.msg", "A[] a\n").unwrap();
    assert!(library.check().unwrap_err().problem.contains("itself"));
}

#[test]
fn an_actions_wrappers_hash_as_ros_hashes_them() {
    let mut library = Library::default();
    library.add_file("unique_identifier_msgs", "msg", "UUID", "", "uint8[16] uuid\n").unwrap();
    library.add_file("builtin_interfaces", "msg", "Time", "", "int32 sec\nuint32 nanosec\n").unwrap();
    let text = "int32 order\n---\nint32[] sequence\n---\nint32[] sequence\n";
    library.add_file("test_msgs", "action", "Fibonacci", "Fibonacci.action", text).unwrap();
    library.check().unwrap();
    // From the package test_msgs 2.0.3 of ROS 2 Jazzy.
    for (name, hash) in [
        ("Goal", "e58ef5a8f4f039ab522a740823547c460b1d5aed8031c8b7825d33d345d90df8"),
        ("Result", "0774b095467813c6904d475498b5486b7ebd4cda6a4569f97e8de8c862689049"),
        ("Feedback", "7d1110f2efa019ad5ad8ad2244db98d862f39dc9fae8c976814b0065fa2f32d5"),
        ("FeedbackMessage", "37487bae8cea358366b97003c1ef1ca7ce7c08df36f9e8cca496624226aee64e"),
        ("SendGoal_Request", "dfe75c73dc2c090cbc8fd8c45039bfa279d16aa6aadd348f812c6adad26e669e"),
        ("SendGoal_Response", "1e7e84f7edf1fb020d9e51c7842bceef4cbdbd847f354125f3227cf4f314a683"),
        ("GetResult_Request", "c65e93c4c4328d7f1abd6ace83dba8e5fa0f32de76b4d2c96b5c655d94803b92"),
        ("GetResult_Response", "ef88159d47a3d21d9bf4bec690cf668939d9542db28a9cfd77dbcd97eaf1add2"),
    ] {
        let full = TypeName::new("test_msgs", "action", &format!("Fibonacci_{name}"));
        assert_eq!(rihs01(&library, &library.messages[&full]), format!("RIHS01_{hash}"), "{name}");
    }
}

#[test]
fn bounds_defaults_and_empty_types_hash_as_ros_hashes_them() {
    let mut library = Library::default();
    let strings = "string string_value\nstring string_value_default1 \"Hello world!\"\n\
        string string_value_default2 \"Hello'world!\"\nstring string_value_default3 'Hello\"world!'\n\
        string string_value_default4 'Hello\\'world!'\nstring string_value_default5 \"Hello\\\"world!\"\n\
        string STRING_CONST=\"Hello world!\"\nstring<=22 bounded_string_value\n\
        string<=22 bounded_string_value_default1 \"Hello world!\"\n\
        string<=22 bounded_string_value_default2 \"Hello'world!\"\n\
        string<=22 bounded_string_value_default3 'Hello\"world!'\n\
        string<=22 bounded_string_value_default4 'Hello\\'world!'\n\
        string<=22 bounded_string_value_default5 \"Hello\\\"world!\"\n";
    library.add_file("test_msgs", "msg", "Strings", "", strings).unwrap();
    library.add_file("test_msgs", "msg", "Empty", "", "").unwrap();
    let defaults = "bool bool_value true\nbyte byte_value 50\nchar char_value 100\nfloat32 float32_value 1.125\n\
        float64 float64_value 1.125\nint8 int8_value -50\nuint8 uint8_value 200\nint16 int16_value -1000\n\
        uint16 uint16_value 2000\nint32 int32_value -30000\nuint32 uint32_value 60000\n\
        int64 int64_value -40000000\nuint64 uint64_value 50000000\n";
    library.add_file("test_msgs", "msg", "Defaults", "", defaults).unwrap();
    for (name, hash) in [
        ("Strings", "eee55533636293ac7c94c62432eedb5777eb849847d2a17b4dcead8c4a20ab32"),
        ("Empty", "6587ceacfdb97a895b60774d021011c64f8c7299f53322404af4036dec6142dc"),
        ("Defaults", "a725ee02bf25a224cb7d14015a0245b6654ff591ae1ac277e2a2673f013ea6d2"),
    ] {
        let message = &library.messages[&TypeName::new("test_msgs", "msg", name)];
        assert_eq!(rihs01(&library, message), format!("RIHS01_{hash}"), "{name}");
    }
}

#[test]
fn a_definition_brings_all_it_uses_once() {
    let mut library = Library::default();
    library.add_file("p", "msg", "A", "", "B x\nB y\nC z\n").unwrap();
    library.add_file("p", "msg", "B", "", "C c # note\n").unwrap();
    library.add_file("p", "msg", "C", "", "int8 v").unwrap();
    let text = definition(&library, &library.messages[&TypeName::new("p", "msg", "A")]);
    let line = "=".repeat(80);
    assert_eq!(text, format!("B x\nB y\nC z\n{line}\nMSG: p/B\nC c # note\n{line}\nMSG: p/C\nint8 v\n"));
}
