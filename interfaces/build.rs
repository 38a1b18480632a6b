//! Generates the message types from `msg/`, `action/` and `standard/`.

#[path = "idl/mod.rs"]
#[allow(dead_code)]
mod idl;

use std::path::PathBuf;

fn generate() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    for watched in ["build.rs", "idl", "msg", "srv", "action", "standard"] {
        if root.join(watched).exists() {
            println!("cargo::rerun-if-changed={watched}");
        }
    }
    let mut library = idl::library::Library::default();
    library.add_packages(&root.join("standard"))?;
    library.add_package("shelfwright_msgs", &root)?;
    library.check()?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?).join("messages.rs");
    std::fs::write(out, idl::rust::generate(&library)?)?;
    Ok(())
}

fn main() {
    if let Err(error) = generate() {
        println!("cargo::error={error}");
        std::process::exit(1);
    }
}
