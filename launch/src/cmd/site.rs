//! `shelfwright site`: check, draw and export a site file.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use domain::Site;
use domain::site::Floor;
use serde::Serialize;

use crate::ui::{Ui, refused};

/// Arguments of `site`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright site check site.toml\n  \
    shelfwright site draw site.toml --floor 1F --out plan.svg\n  shelfwright site map site.toml --out maps/")]
pub struct SiteArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Check a site file: a summary, or one error that names file, line, key and what is allowed.
    Check {
        /// The site file.
        site: PathBuf,
    },
    /// Draw the plan of a floor as SVG.
    Draw {
        /// The site file.
        site: PathBuf,
        /// The floor; the first one by default.
        #[arg(long)]
        floor: Option<String>,
        /// Where to write the plan.
        #[arg(long, default_value = "plan.svg")]
        out: PathBuf,
    },
    /// Export the map of a floor for Nav2's map server: map.yaml and map.pgm.
    Map {
        /// The site file.
        site: PathBuf,
        /// The floor; the first one by default.
        #[arg(long)]
        floor: Option<String>,
        /// Folder to write into.
        #[arg(long, default_value = ".")]
        out: PathBuf,
        /// Edge of a cell, m.
        #[arg(long, default_value_t = 0.05)]
        resolution: f64,
    },
}

#[derive(Debug, Serialize)]
struct Summary {
    name: String,
    floors: Vec<FloorSummary>,
}

#[derive(Debug, Serialize)]
struct FloorSummary {
    floor: String,
    faces: usize,
    bays: u32,
    shelves: u32,
    shelf_metres: f64,
    markers: usize,
    docks: usize,
}

/// Runs `site`.
pub fn run(args: &SiteArgs, ui: &Ui) -> anyhow::Result<()> {
    match &args.action {
        Action::Check { site } => {
            let site = Site::load(site).map_err(refused)?;
            ui.result(&summary(&site), text)
        }
        Action::Draw { site, floor, out } => {
            let site = Site::load(site).map_err(refused)?;
            std::fs::write(out, pick(&site, floor.as_deref())?.plan_svg(&site.name))?;
            ui.result(&serde_json::json!({ "plan": out }), |_| format!("wrote {}", out.display()))
        }
        Action::Map { site, floor, out, resolution } => {
            anyhow::ensure!(
                (0.005..=1.0).contains(resolution),
                "--resolution {resolution}: expected 0.005 to 1 m"
            );
            let site = Site::load(site).map_err(refused)?;
            std::fs::create_dir_all(out)?;
            pick(&site, floor.as_deref())?.export_nav2(out, *resolution)?;
            let files = [out.join("map.yaml"), out.join("map.pgm")];
            ui.result(&serde_json::json!({ "files": files }), |_| {
                format!("wrote {} and {}", files[0].display(), files[1].display())
            })
        }
    }
}

fn pick<'s>(site: &'s Site, floor: Option<&str>) -> anyhow::Result<&'s Floor> {
    let found = match floor {
        None => site.floors.first(),
        Some(id) => site.floors.iter().find(|f| f.id == id),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = site.floors.iter().map(|f| f.id.as_str()).collect();
        anyhow::anyhow!("no floor {:?}; the site has {}", floor.unwrap_or_default(), known.join(", "))
    })
}

fn summary(site: &Site) -> Summary {
    let floors = site
        .floors
        .iter()
        .map(|f| FloorSummary {
            floor: f.id.clone(),
            faces: f.faces.len(),
            bays: f.faces.iter().map(|face| u32::from(face.bays)).sum(),
            shelves: f.faces.iter().map(|face| u32::from(face.bays) * face.tiers.len() as u32).sum(),
            shelf_metres: f.faces.iter().map(|face| face.length_m() * face.tiers.len() as f64).sum(),
            markers: f.markers.len(),
            docks: f.docks.len(),
        })
        .collect();
    Summary { name: site.name.clone(), floors }
}

fn text(summary: &Summary) -> String {
    let mut text = format!("{}: sound\n", summary.name);
    for f in &summary.floors {
        text += &format!(
            "  floor {}: {} row faces, {} bays, {} shelves, {:.0} m of shelf, {} markers, {} docks\n",
            f.floor, f.faces, f.bays, f.shelves, f.shelf_metres, f.markers, f.docks
        );
    }
    text
}
