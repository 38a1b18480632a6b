//! `shelfwright platform`: the reference receiver of shelf errors.

use std::net::SocketAddr;
use std::path::PathBuf;

use bridge::platform::{Platform, PlatformSettings};
use clap::Args;

use crate::ui::{Ui, interrupted};

/// Arguments of `platform`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  shelfwright platform --listen 127.0.0.1:8080 --data platform.sqlite\n  \
    shelfwright sim --platform http://127.0.0.1:8080/api/v1/events")]
pub struct PlatformArgs {
    /// Address to listen on; port 0 takes a free one. It knows no users: keep it on loopback, or behind a proxy.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The SQLite file that it keeps events in.
    #[arg(long, default_value = "platform.sqlite")]
    data: PathBuf,
}

/// Runs `platform` until Ctrl-C.
pub fn run(args: &PlatformArgs, ui: &Ui) -> anyhow::Result<()> {
    let settings = PlatformSettings { bind: args.listen, ..PlatformSettings::new(&args.data) };
    runtime()?.block_on(async {
        let platform = Platform::bind(&settings).await?;
        let about = serde_json::json!({ "url": platform.url(), "events": platform.events_url() });
        ui.result(&about, |_| {
            format!("{}  events go to {}; Ctrl-C ends it", platform.url(), platform.events_url())
        })?;
        platform.serve(until_interrupted()).await?;
        Ok(())
    })
}

/// A tokio runtime for commands that serve or send.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Resolves once Ctrl-C or SIGTERM has come.
pub async fn until_interrupted() {
    while !interrupted() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
