//! Runs the reference platform with two made-up runs in it, until Ctrl-C:
//! `cargo run -p bridge --example serve_platform -- FOLDER`.
#![allow(clippy::print_stdout)]

#[path = "../tests/common/mod.rs"]
#[allow(clippy::unwrap_used)]
mod common;

use std::path::PathBuf;

use bridge::platform::{Platform, PlatformSettings};
use bridge::{Courier, Destination, RetryPolicy, Store};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "sample-platform".into()));
    std::fs::create_dir_all(&folder)?;
    let mut settings = PlatformSettings::new(folder.join("platform.db"));
    settings.bind.set_port(0);
    let platform = Platform::bind(&settings).await?;
    println!("{}", platform.url());
    let mut store = Store::open(folder.join("results.db"))?;
    let site = common::site(2, 5);
    for seed in [7, 8] {
        let (audit, facts) = common::audit(&site, 40, 0.014, seed);
        store.record(&facts, &audit)?;
    }
    let mut courier = Courier::new(store, &Destination::new(platform.events_url()), RetryPolicy::default())?;
    let stop = async {
        // Without a signal handler the process simply ends at Ctrl-C, which loses nothing.
        let _ = tokio::signal::ctrl_c().await;
    };
    let (served, delivered) = tokio::join!(platform.serve(stop), courier.drain(std::future::pending()));
    println!("{:?}", delivered?);
    Ok(served?)
}
