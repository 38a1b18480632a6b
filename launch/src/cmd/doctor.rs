//! `shelfwright doctor`: is this machine fit, and what is this build.

use std::net::TcpListener;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use crate::ui::Ui;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  shelfwright doctor --out /data/runs")]
pub struct DoctorArgs {
    /// Folder that runs will be written to.
    #[arg(long, default_value = ".")]
    out: PathBuf,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    /// What to do about it; empty when all is well.
    advice: &'static str,
}

/// Runs `doctor`; any failed check fails the command.
pub fn run(args: &DoctorArgs, ui: &Ui) -> anyhow::Result<()> {
    let checks = vec![build(), processors(), memory(), disk(args), loopback()];
    ui.result(&checks, |checks| {
        checks
            .iter()
            .map(|c| {
                let advice = if c.ok { String::new() } else { format!(" — {}", c.advice) };
                format!("{} {:<11} {}{advice}\n", if c.ok { "ok  " } else { "FAIL" }, c.name, c.found)
            })
            .collect()
    })?;
    let failed = checks.iter().filter(|c| !c.ok).count();
    anyhow::ensure!(failed == 0, "{failed} of {} checks failed", checks.len());
    Ok(())
}

fn build() -> Check {
    let kind = if cfg!(debug_assertions) {
        "debug build, several times slower than release"
    } else {
        "release build"
    };
    let found = format!("shelfwright {} for {}, {kind}", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH);
    Check { name: "build", ok: true, found, advice: "" }
}

fn processors() -> Check {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    Check {
        name: "processors",
        ok: count >= 2,
        found: count.to_string(),
        advice: "simulation and recording want two",
    }
}

/// What the demo and a floor of books take, GiB.
const MEMORY_GIB: f64 = 2.0;

fn memory() -> Check {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let available = text
        .lines()
        .find_map(|l| l.strip_prefix("MemAvailable:"))
        .and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok())
        .map(|kib| kib / (1024.0 * 1024.0));
    Check {
        name: "memory",
        ok: available.is_none_or(|gib| gib >= MEMORY_GIB),
        found: available
            .map_or_else(|| "not known on this system".into(), |gib| format!("{gib:.1} GiB available")),
        advice: "a run takes up to 2 GiB",
    }
}

fn disk(args: &DoctorArgs) -> Check {
    let probe = args.out.join(".shelfwright-doctor");
    let written = std::fs::write(&probe, vec![0u8; 1 << 20]).and_then(|()| std::fs::remove_file(&probe));
    Check {
        name: "disk",
        ok: written.is_ok(),
        found: match written {
            Ok(()) => format!("{} can be written", args.out.display()),
            Err(error) => format!("{}: {error}", args.out.display()),
        },
        advice: "choose a folder that can be written",
    }
}

fn loopback() -> Check {
    let bound = TcpListener::bind("127.0.0.1:0");
    Check {
        name: "loopback",
        ok: bound.is_ok(),
        found: match bound {
            Ok(_) => "a server can listen".into(),
            Err(error) => error.to_string(),
        },
        advice: "the embedded platform needs a local port",
    }
}
