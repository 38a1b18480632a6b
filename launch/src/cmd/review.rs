//! `shelfwright review`: a bag in the Rerun viewer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bags::review::{Log, Outline, Question, Reference, Review, ReviewSettings, Reviewed};
use bags::{Followed, Follower, RawMessage, RawReader, Selection};
use bridge::{RunFacts, Store};
use clap::{Args, ValueEnum};
use domain::{Catalogue, FaceId, ShelfAddress, Site, Uid, tables};
use serde::Serialize;

use super::bag::span::{Moment, Span};
use super::bag::told;
use crate::review::{TfFrames, Viewer};
use crate::run_folder::{RunFolder, read_json};
use crate::ui::{Interrupted, Ui, interrupted, refused};

/// Arguments of `review`.
#[derive(Debug, Args)]
#[command(
    after_help = "The viewer is the program `rerun`, version 0.36 (pip install rerun-sdk==0.36.3). With --save none is\n\
    needed; `rerun FILE` opens the file later, on any machine. Site and catalogue are those beside the bag,\n\
    unless given. Times are seconds from the start of the bag, or whole nanoseconds since 1970.\n\nExamples:\n  \
    shelfwright review out/demo/bag\n  \
    shelfwright review out/demo/bag --view shelf --shelf 1F/R01A/B02/T3\n  \
    shelfwright review out/demo/bag --view tag --tag 3034257BF7194E4000001A85\n  \
    shelfwright review out/demo/bag --from 30 --to 90 --save clip.rrd\n  \
    shelfwright review out/sim/bag --live                      # while `bag record` or a run writes it\n  \
    shelfwright review after/bag --against before/bag          # what has changed\n  \
    shelfwright review out/run/bag --truth truth.csv           # truth.csv of `shelfwright sim --truth`"
)]
pub struct ReviewArgs {
    /// The bag: a folder, an .mcap or a .db3 file.
    bag: PathBuf,
    /// The view in front; all of them are there.
    #[arg(long, value_enum)]
    view: Option<View>,
    /// Draw phase and RSSI of this tag along the shelf; may be given several times. By default those of the
    /// surest findings.
    #[arg(long = "tag", value_name = "UID")]
    tags: Vec<Uid>,
    /// Look at this row face (1F/R01A) or shelf (1F/R01A/B02/T3); by default the face with most findings.
    #[arg(long, value_name = "ADDRESS")]
    shelf: Option<Shelf>,
    /// First moment; by default the start.
    #[arg(long)]
    from: Option<Moment>,
    /// End, which is not part of it; by default the end of the bag.
    #[arg(long)]
    to: Option<Moment>,
    /// Hold the run against another bag and mark the differences.
    #[arg(long, value_name = "BAG", conflicts_with = "truth")]
    against: Option<PathBuf>,
    /// Hold the run against where the books really stood, and mark the differences.
    #[arg(long, value_name = "CSV")]
    truth: Option<PathBuf>,
    /// With --against and --truth: a book counts as elsewhere from this distance on, mm.
    #[arg(long, value_name = "MM", default_value_t = 20.0)]
    moved: f32,
    /// Follow a bag that is still being recorded, until it is complete or Ctrl-C.
    #[arg(long, conflicts_with_all = ["from", "to", "against", "truth"])]
    live: bool,
    /// Write the recording to this file in place of opening it.
    #[arg(long, value_name = "RRD", conflicts_with = "web")]
    save: Option<PathBuf>,
    /// Open it in the browser.
    #[arg(long)]
    web: bool,
    /// The site; by default the site.toml beside the bag.
    #[arg(long)]
    site: Option<PathBuf>,
    /// The catalogue, for the names of books; by default the catalogue.csv beside the bag, where there is one.
    #[arg(long)]
    catalogue: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum View {
    /// The run in space: path, laser, reads, books, coverage.
    Run,
    /// A shelf's elevation over time.
    Shelf,
    /// One book: phase and RSSI along the shelf.
    Tag,
    /// Nodes, battery, losses.
    Health,
    /// Findings with their evidence.
    Errors,
}

impl From<View> for Question {
    fn from(view: View) -> Self {
        match view {
            View::Run => Self::Run,
            View::Shelf => Self::Shelf,
            View::Tag => Self::Tag,
            View::Health => Self::Health,
            View::Errors => Self::Errors,
        }
    }
}

/// A row face, or a shelf on it.
#[derive(Debug, Clone, PartialEq)]
struct Shelf {
    face: FaceId,
    bay: Option<u16>,
    tier: Option<u8>,
}

impl std::str::FromStr for Shelf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(face) = text.parse::<FaceId>() {
            return Ok(Self { face, bay: None, tier: None });
        }
        let address: ShelfAddress = text.parse().map_err(|e| format!("{e}, or a row face (1F/R01A)"))?;
        Ok(Self { face: address.face, bay: Some(address.bay), tier: Some(address.tier) })
    }
}

#[derive(Debug, Serialize)]
struct Done {
    #[serde(flatten)]
    reviewed: Reviewed,
    /// The file, where one was written.
    saved: Option<PathBuf>,
    wall_s: f64,
}

/// Runs `review`.
pub fn run(args: &ReviewArgs, ui: &Ui) -> anyhow::Result<()> {
    // A viewer that is not there should not cost the minutes before.
    let viewer = if args.save.is_none() { Some(Viewer::find(args.web)?) } else { None };
    // Of one that grows, no span is known.
    let span = if args.live { None } else { Some(Span::of(&args.bag, args.from, args.to)?) };
    let mut settings = settings(args)?;
    if let Some(span) = &span {
        settings.span_ns = span.bounds_ns();
    }
    let last_ns = settings.outline.last_ns;
    let name = args.bag.display().to_string();
    let started = std::time::Instant::now();
    let (log, shown) = match (&args.save, viewer) {
        (Some(path), _) => (Log::save(path, &name)?, None),
        (None, Some(viewer)) => {
            let shown = viewer.start()?;
            (Log::connect(&shown.address(), &name)?, Some(shown))
        }
        (None, None) => anyhow::bail!("no viewer and no --save"),
    };
    let mut review = Review::start(log, settings, Box::new(TfFrames::default()))?;
    let fed = match span {
        Some(span) => feed(args, span, last_ns, &mut review, ui),
        None => follow(args, &mut review, ui),
    };
    let reviewed = review.finish()?;
    fed?;
    let result = Done { reviewed, saved: args.save.clone(), wall_s: started.elapsed().as_secs_f64() };
    ui.result(&result, text)?;
    shown.map_or(Ok(()), |shown| shown.leave(ui))
}

fn settings(args: &ReviewArgs) -> anyhow::Result<ReviewSettings> {
    let folder = RunFolder::around(&args.bag);
    let site = args.site.clone().or_else(|| folder.as_ref().map(RunFolder::site)).ok_or_else(|| {
        refused(format!("{}: no site.toml beside the bag; give --site", args.bag.display()))
    })?;
    let site = Arc::new(Site::load(&site).map_err(refused)?);
    if let Some(shelf) = &args.shelf {
        check(shelf, &site)?;
    }
    let outline = match args.live {
        true => crate::review::expected([DEFAULT_ROBOT]),
        false => Outline::read(&args.bag, || !interrupted()).map_err(told)?,
    };
    let names = names(args.catalogue.as_deref(), folder.as_ref())?;
    let reference = reference(args)?;
    let notes = folder.as_ref().map(notes).transpose()?.flatten();
    let question = match (args.view, &reference) {
        (Some(view), _) => view.into(),
        (None, Some(_)) => Question::Differences,
        (None, None) if !args.tags.is_empty() => Question::Tag,
        (None, None) if args.shelf.is_some() => Question::Shelf,
        (None, None) => Question::Run,
    };
    Ok(ReviewSettings {
        outline,
        question,
        face: args.shelf.as_ref().map(|s| s.face.to_string()),
        bay: args.shelf.as_ref().and_then(|s| s.bay),
        tier: args.shelf.as_ref().and_then(|s| s.tier),
        tags: args.tags.iter().map(|t| t.as_bytes().to_vec()).collect(),
        names,
        notes,
        reference,
        ..ReviewSettings::new(site)
    })
}

/// What the run's folder tells beside the bag.
fn notes(folder: &RunFolder) -> anyhow::Result<Option<String>> {
    if !folder.facts().exists() {
        return Ok(None);
    }
    let f: RunFacts = read_json(&folder.facts())?;
    let mut text = format!(
        "**{}** by {} in {}\n\n| | |\n|---|---|\n| reads | {} of {} tags in {} passes |\n| driven | {:.0} m in {:.0} s |\n",
        f.run,
        f.robot,
        f.site,
        f.reads,
        f.tags,
        f.passes,
        f.distance_m,
        f.duration_s()
    );
    if folder.store().exists() {
        let counts = Store::open(folder.store())?.outbox()?;
        text += &format!(
            "| platform | {} events delivered, {} waiting, {} refused |\n",
            counts.delivered, counts.pending, counts.dead
        );
    }
    Ok(Some(text))
}

fn check(shelf: &Shelf, site: &Site) -> anyhow::Result<()> {
    let Some((_, face)) = site.face(&shelf.face) else {
        let known: Vec<String> = site.faces().map(|(id, ..)| id.to_string()).collect();
        let all = known.join(", ");
        return Err(refused(format!("--shelf: no row face {}; the site has {all}", shelf.face)));
    };
    let (bays, tiers) = (face.bays, face.tiers.len());
    if shelf.bay.is_some_and(|b| b > bays) || shelf.tier.is_some_and(|t| usize::from(t) > tiers) {
        return Err(refused(format!("--shelf: {} has {bays} bays of {tiers} tiers", shelf.face)));
    }
    Ok(())
}

/// Names from the catalogue that is given, or else lies beside the bag.
fn names(given: Option<&Path>, folder: Option<&RunFolder>) -> anyhow::Result<BTreeMap<Vec<u8>, String>> {
    let beside = folder.map(RunFolder::catalogue).filter(|p| p.exists());
    let Some(path) = given.map(Path::to_owned).or(beside) else { return Ok(BTreeMap::new()) };
    let catalogue = Catalogue::load(path).map_err(refused)?;
    Ok(crate::review::names(&catalogue))
}

fn reference(args: &ReviewArgs) -> anyhow::Result<Option<Reference>> {
    let moved_m = 1e-3 * args.moved;
    if let Some(bag) = &args.against {
        let other = Outline::read(bag, || !interrupted()).map_err(told)?;
        if other.sightings.is_empty() {
            return Err(refused(format!("{}: holds no sightings (topic /ROBOT/sightings)", bag.display())));
        }
        return Ok(Some(Reference::of_sightings(&bag.display().to_string(), moved_m, &other.sightings)));
    }
    let Some(path) = &args.truth else { return Ok(None) };
    let rows = tables::load_truth(path).map_err(refused)?;
    let places = rows.iter().map(|row| {
        let tier = u8::try_from(row.row).ok().filter(|t| *t > 0);
        ((row.scan.clone(), row.epc.as_bytes().to_vec()), (row.x_m as f32, tier))
    });
    Ok(Some(Reference { name: "the truth".to_owned(), moved_m, places: places.collect() }))
}

/// Topics of which nothing is shown.
const NOT_SHOWN: [&str; 4] = ["/clock", "*/imu", "*/cmd_vel", "*/_action/*"];
/// Of which a bag in the making is taken to hold reads, so that their views are there.
const DEFAULT_ROBOT: &str = "inv_1";
/// How often a bag in the making is looked at.
const FOLLOW: Duration = Duration::from_millis(200);

/// Feeds the span of the bag.
fn feed(
    args: &ReviewArgs,
    span: Span,
    last_ns: Option<i64>,
    review: &mut Review,
    ui: &Ui,
) -> anyhow::Result<()> {
    let before = span.said_before(&args.bag)?;
    let wanted = span.selection().without(NOT_SHOWN);
    let reader = RawReader::open(&args.bag, wanted).map_err(refused)?;
    let mut progress = ui.progress("review", 1_000);
    let (mut first_ns, mut count) = (None, 0_u64);
    for message in before.into_iter().map(Ok).chain(reader) {
        if interrupted() {
            return Err(Interrupted.into());
        }
        let message: RawMessage = message.map_err(refused)?;
        let first: i64 = *first_ns.get_or_insert(message.stamp_ns);
        count += 1;
        if let (true, Some(last)) = (count.is_multiple_of(8_192), last_ns) {
            let share = (message.stamp_ns - first) as f64 / (last - first).max(1) as f64;
            progress.at((1_000.0 * share) as u64, || format!("{count} messages"));
        }
        show(args, &message, review)?;
    }
    progress.finish();
    Ok(())
}

/// Feeds a bag that grows, until it is complete or Ctrl-C.
fn follow(args: &ReviewArgs, review: &mut Review, ui: &Ui) -> anyhow::Result<()> {
    let mut bag = Follower::open(&args.bag, Selection::default().without(NOT_SHOWN)).map_err(refused)?;
    ui.note(format!("following {}; Ctrl-C ends it", args.bag.display()));
    while !interrupted() {
        match bag.next_message().map_err(refused)? {
            Followed::Message(message) => show(args, &message, review)?,
            Followed::Waits => std::thread::sleep(FOLLOW),
            Followed::Ended => break,
        }
    }
    Ok(())
}

/// Shows one message; those of types that we have not are left out.
fn show(args: &ReviewArgs, message: &RawMessage, review: &mut Review) -> anyhow::Result<()> {
    if !message.channel.known() {
        return Ok(());
    }
    let publication = message.decode().map_err(|e| refused(format!("{}: {e}", args.bag.display())))?;
    Ok(review.take(&publication)?)
}

fn text(r: &Done) -> String {
    let reviewed = &r.reviewed;
    let span = match (reviewed.from_ns, reviewed.to_ns) {
        (Some(from), Some(to)) => (to - from) as f64 * 1e-9,
        _ => 0.0,
    };
    let mut text = format!("{} messages over {span:.1} s, in {:.1} s\n", reviewed.messages, r.wall_s);
    if reviewed.reads_without_place > 0 {
        text += &format!(
            "{} reads are not drawn: where their antenna was is not known\n",
            reviewed.reads_without_place
        );
    }
    if let Some(differences) = reviewed.differences {
        text += &format!("{differences} differences\n");
    }
    if let Some(saved) = &r.saved {
        let mib = std::fs::metadata(saved).map_or(0.0, |m| m.len() as f64 / f64::from(1 << 20));
        text +=
            &format!("wrote {} ({mib:.1} MiB); open it with: rerun {}\n", saved.display(), saved.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shelf_is_a_face_or_an_address() {
        let shelf = |text: &str| text.parse::<Shelf>();
        assert_eq!(shelf("1F/R01A").unwrap().bay, None);
        let one = shelf("1F/R01A/B02/T3").unwrap();
        assert_eq!((one.face.to_string().as_str(), one.bay, one.tier), ("1F/R01A", Some(2), Some(3)));
        assert!(shelf("attic").unwrap_err().contains("or a row face (1F/R01A)"));
    }
}
