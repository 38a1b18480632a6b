//! A type's definition as bags store it: its `.msg` file, and behind it those of all types that it uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Line between two definitions, as rosbag2 writes it.
const RULE: &str = "================================================================================";

const PRIMITIVES: &[&str] = &[
    "bool", "byte", "char", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32",
    "int64", "uint64", "string", "wstring",
];

/// The definition of a type in the packages of `AMENT_PREFIX_PATH`; empty where it has no `.msg` file, as with the
/// messages that make up an action.
pub fn definition(type_name: &str) -> String {
    let places = std::env::var_os("AMENT_PREFIX_PATH").unwrap_or_default();
    let prefixes: Vec<PathBuf> = std::env::split_paths(&places).collect();
    definition_in(type_name, &|package, name| {
        let file = Path::new("share").join(package).join("msg").join(format!("{name}.msg"));
        prefixes.iter().find_map(|prefix| std::fs::read_to_string(prefix.join(&file)).ok())
    })
    .unwrap_or_default()
}

/// `read` gives the text of a package's message; `None` where one of them is not there.
fn definition_in(type_name: &str, read: &dyn Fn(&str, &str) -> Option<String>) -> Option<String> {
    let (package, name) = split(type_name)?;
    let mut whole = read(package, name)?;
    let mut told = BTreeSet::from([(package.to_owned(), name.to_owned())]);
    let mut open = used(package, &whole);
    while let Some((package, name)) = open.pop() {
        if !told.insert((package.clone(), name.clone())) {
            continue;
        }
        let text = read(&package, &name)?;
        open.extend(used(&package, &text));
        if !whole.ends_with('\n') {
            whole.push('\n');
        }
        whole += &format!("{RULE}\nMSG: {package}/{name}\n{text}");
    }
    Some(whole)
}

fn split(type_name: &str) -> Option<(&str, &str)> {
    let (package, rest) = type_name.split_once('/')?;
    Some((package, rest.strip_prefix("msg/")?))
}

/// Package and name of the types of a message's fields, the last one first.
fn used(package: &str, text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let Some(kind) = line.split_whitespace().next() else { continue };
        let kind = kind.split(['[', '<']).next().unwrap_or_default();
        if kind.is_empty() || PRIMITIVES.contains(&kind) {
            continue;
        }
        let (package, name) = kind.split_once('/').unwrap_or((package, kind));
        found.push((package.to_owned(), name.trim_start_matches("msg/").to_owned()));
    }
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(package: &str, name: &str) -> Option<String> {
        let text = match (package, name) {
            ("a_msgs", "Whole") => {
                "# b_msgs/No is in a comment\nuint8 KIND=1 # c/No\nPart[] parts\nb_msgs/Other[3] others\nstring<=5 s\nPart p"
            }
            ("a_msgs", "Part") => "b_msgs/msg/Other other\nfloat32[<=4] x\n",
            ("b_msgs", "Other") => "bool[2] flags\n",
            ("a_msgs", "Broken") => "Nowhere there\n",
            _ => return None,
        };
        Some(text.to_owned())
    }

    #[test]
    fn a_definition_has_all_types_that_it_uses_once() {
        let text = definition_in("a_msgs/msg/Whole", &package).unwrap();
        let heads: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("MSG: ")).collect();
        assert_eq!(heads, ["a_msgs/Part", "b_msgs/Other"]);
        assert_eq!(text.matches(RULE).count(), 2);
        assert!(text.contains("Part p\n====") && text.ends_with("bool[2] flags\n"), "{text}");
    }

    #[test]
    fn what_is_not_there_whole_is_not_given_in_parts() {
        assert_eq!(definition_in("a_msgs/msg/Broken", &package), None);
        assert_eq!(definition_in("a_msgs/action/Go_FeedbackMessage", &package), None);
    }
}
