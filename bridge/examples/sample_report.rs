//! Writes a report of a made-up audit into a folder: `cargo run -p bridge --example sample_report -- FOLDER`.
#![allow(clippy::print_stdout)]

#[path = "../tests/common/mod.rs"]
#[allow(clippy::unwrap_used)]
mod common;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "sample-report".into());
    let site = common::site(2, 5);
    let (audit, facts) = common::audit(&site, 40, 0.014, 7);
    let files = bridge::Report::new(&audit, &site, &facts).write(folder)?;
    println!("{}", files.html.display());
    Ok(())
}
