//! `shelfwright audit` and `shelfwright report`: from the bag of a run to shelf errors and to paper.

use std::path::{Path, PathBuf};

use bags::Reader;
use bridge::{Report, RunFacts, Summary};
use clap::Args;
use domain::audit::{Audit, audit as compare};
use domain::{Catalogue, Coverage, Sighting, Site};
use interfaces::AnyMessage;
use serde::Serialize;

use crate::params::Params;
use crate::run_folder::{RunFolder, read_json};
use crate::ui::{Ui, refused};

/// Where a run's inputs are.
#[derive(Debug, Args)]
pub struct RunInputs {
    /// The folder of a run, or its bag.
    run: PathBuf,
    /// The site; by default the run's own.
    #[arg(long)]
    site: Option<PathBuf>,
    /// The catalogue (CSV, JSON lines or Parquet); by default the run's own.
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// Parameter file; its `auditor` section is used.
    #[arg(long)]
    params: Option<PathBuf>,
}

/// Arguments of `audit`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  shelfwright audit out/demo\n  \
    shelfwright audit out/demo/bag --catalogue catalogue.parquet --json")]
pub struct AuditArgs {
    #[command(flatten)]
    inputs: RunInputs,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  shelfwright report out/demo --out reports/tonight")]
pub struct ReportArgs {
    #[command(flatten)]
    inputs: RunInputs,
    /// Folder to write report.html, report.json and report.csv into; by default the run's.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// A run, read back.
struct Loaded {
    folder: Option<RunFolder>,
    site: Site,
    facts: RunFacts,
    audit: Audit,
}

#[derive(Debug, Serialize)]
struct AuditResult<'a> {
    summary: Summary,
    audit: &'a Audit,
}

/// Runs `audit`.
pub fn audit(args: &AuditArgs, ui: &Ui) -> anyhow::Result<()> {
    let run = load(&args.inputs)?;
    let result = AuditResult { summary: Summary::of(&run.audit), audit: &run.audit };
    ui.result(&result, |r| audit_text(&r.summary, r.audit))
}

/// Runs `report`.
pub fn report(args: &ReportArgs, ui: &Ui) -> anyhow::Result<()> {
    let run = load(&args.inputs)?;
    let out = match (&args.out, &run.folder) {
        (Some(out), _) => out.clone(),
        (None, Some(folder)) => folder.root().to_owned(),
        (None, None) => anyhow::bail!("no run folder around {}; give --out", args.inputs.run.display()),
    };
    let files = Report::new(&run.audit, &run.site, &run.facts).write(&out)?;
    ui.result(&files, |f| format!("wrote {}, {} and {}", f.html.display(), f.csv.display(), f.json.display()))
}

/// One line a finding, in walking order, under the counts.
pub fn audit_text(summary: &Summary, audit: &Audit) -> String {
    let mut text = format!(
        "{} row faces, {} books expected, {} in place, {} tags seen\n",
        summary.faces.len(),
        summary.expected,
        summary.in_place,
        summary.seen
    );
    for (kind, count) in &summary.findings {
        text += &format!("  {:<22} {count:>5}\n", bridge::words::label(*kind));
    }
    for e in &audit.errors {
        let at = e.found.as_ref().map_or_else(
            || e.home.as_ref().map(|h| format!("home {h}")).unwrap_or_default(),
            |f| format!("{} at {:.2} m", f.address, f.along_m),
        );
        text += &format!(
            "{:<20} {:<30} {:<14} {:<22} {:.2}\n",
            bridge::words::label(e.kind),
            at,
            if e.item.barcode.is_empty() { e.item.uid.to_string() } else { e.item.barcode.clone() },
            e.item.call_number,
            e.confidence
        );
    }
    text
}

/// A run's inputs, found and read.
pub struct Opened {
    /// The folder of the run, where there is one.
    pub folder: Option<RunFolder>,
    /// The parameters.
    pub params: Params,
    /// The site.
    pub site: Site,
    /// The catalogue.
    pub catalogue: Catalogue,
    /// Where the bag is.
    pub bag: PathBuf,
}

impl RunInputs {
    /// Finds and reads them.
    pub fn open(&self) -> anyhow::Result<Opened> {
        let folder = RunFolder::around(&self.run);
        let own = |given: &Option<PathBuf>, of: fn(&RunFolder) -> PathBuf, what: &str| match (given, &folder)
        {
            (Some(path), _) => Ok(path.clone()),
            (None, Some(folder)) => Ok(of(folder)),
            (None, None) => anyhow::bail!("no run folder around {}; give --{what}", self.run.display()),
        };
        let params = Params::load(self.params.as_deref())?;
        let site = Site::load(&own(&self.site, RunFolder::site, "site")?).map_err(refused)?;
        let catalogue =
            Catalogue::load(own(&self.catalogue, RunFolder::catalogue, "catalogue")?).map_err(refused)?;
        let bag = match &folder {
            Some(folder) if folder.root() == self.run => folder.bag(),
            _ => self.run.clone(),
        };
        Ok(Opened { folder, params, site, catalogue, bag })
    }
}

fn load(inputs: &RunInputs) -> anyhow::Result<Loaded> {
    let Opened { folder, params, site, catalogue, bag } = inputs.open()?;
    let (sightings, coverage) = results(&bag)?;
    let facts = match &folder {
        Some(folder) if folder.facts().exists() => read_json::<RunFacts>(&folder.facts())?,
        _ => RunFacts { run: bag.display().to_string(), site: site.name.clone(), ..RunFacts::default() },
    };
    let audit = compare(&catalogue, &site, &sightings, &coverage, &params.auditor);
    Ok(Loaded { folder, site, facts, audit })
}

/// The sightings and coverage that a bag holds.
fn results(bag: &Path) -> anyhow::Result<(Vec<Sighting>, Vec<Coverage>)> {
    let (mut sightings, mut coverage) = (Vec::new(), Vec::new());
    for publication in Reader::open(bag).map_err(refused)? {
        let publication = publication.map_err(refused)?;
        match &*publication.message {
            AnyMessage::Sightings(m) if publication.is_called("sightings") => {
                sightings.extend(m.sightings.iter().filter_map(|s| Sighting::try_from(s).ok()));
            }
            AnyMessage::Coverage(m) => coverage.extend(Coverage::try_from(m)),
            _ => {}
        }
    }
    Ok((sightings, coverage))
}
