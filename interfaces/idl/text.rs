//! The definition text that rosbag2 stores as an MCAP schema (`ros2msg`): the type's own file, then each type that
//! it uses, parted by a line of 80 `=` and a line `MSG: package/Type`.

use super::ast::{Message, TypeName};
use super::library::Library;

/// Definition of a type with all it uses.
pub fn definition(library: &Library, message: &Message) -> String {
    let mut out = with_newline(&message.text);
    for name in library.uses_of(message) {
        if let Some(used) = library.messages.get(&name) {
            out.push_str(&"=".repeat(80));
            out.push_str(&format!("\nMSG: {}\n", short_name(&name)));
            out.push_str(&with_newline(&used.text));
        }
    }
    out
}

/// `package/Type` for a message, the full name otherwise.
fn short_name(name: &TypeName) -> String {
    if name.namespace == "msg" { format!("{}/{}", name.package, name.name) } else { name.to_string() }
}

fn with_newline(text: &str) -> String {
    if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}
