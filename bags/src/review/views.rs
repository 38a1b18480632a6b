//! The views, one for each kind of question.

use domain::site::{Face, Floor};
use re_sdk_types::blueprint::archetypes::{
    Background, EyeControls3D, LineGrid3D, PlotLegend, ScalarAxis, SpatialInformation, TextLogColumns,
    TimeAxis, VisualBounds2D,
};
use re_sdk_types::blueprint::components::{
    BackgroundKind, Corner2D, Eye3DKind, LinkAxis, TextLogColumn, TimelineColumn,
};
use re_sdk_types::blueprint::datatypes::{
    TextLogColumn as ColumnDatatype, TextLogColumnKind, TimelineColumn as TimelineDatatype,
};

use super::layout::{Blueprint, Container, Part, View};
use super::log::{MAP, TIME};
use super::profile::ALONG;
use super::spots::{Uid, hex};

/// A kind of question, and the view that answers it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Question {
    /// Where did it drive, and what did it see?
    #[default]
    Run,
    /// How did the places on a shelf come about?
    Shelf,
    /// Why is this book held to be here?
    Tag,
    /// Was everything well?
    Health,
    /// What stands wrong, and on what evidence?
    Errors,
    /// What differs from another run, or from the truth?
    Differences,
}

/// What the views are made for.
pub(super) struct Subject<'a> {
    pub question: Question,
    pub floor: &'a Floor,
    /// The face on the elevation, with its name.
    pub face: Option<(&'a str, &'a Face)>,
    /// Bay and tier to look at, from 1.
    pub bay: Option<u16>,
    pub tier: Option<u8>,
    pub tag: Option<&'a Uid>,
    pub robots: &'a [String],
    /// Entities of cameras.
    pub cameras: &'a [String],
    pub notes: bool,
    pub against: bool,
}

/// The blueprint with all views, the one that was asked for in front.
pub(super) fn blueprint(s: &Subject<'_>) -> Blueprint {
    let mut tabs = vec![
        (Question::Run, run(s)),
        (Question::Shelf, shelf(s)),
        (Question::Tag, tag(s)),
        (Question::Health, health(s)),
        (Question::Errors, errors(s)),
    ];
    if s.against {
        tabs.push((Question::Differences, differences(s)));
    }
    let front = tabs.iter().position(|(q, _)| *q == s.question).unwrap_or(0);
    let timeline = if s.question == Question::Tag { ALONG } else { TIME };
    let root = Container::tabs(tabs.into_iter().map(|(_, tab)| tab.into()), front);
    Blueprint { root, timeline }
}

/// A 3-D view of the library, seen from above and from the south.
fn library(s: &Subject<'_>, name: &str, contents: Vec<String>) -> View {
    let (low, high) = bounds(s.floor);
    let middle = [0.5 * (low[0] + high[0]), 0.5 * (low[1] + high[1]), 0.5];
    let far = (high[0] - low[0]).max(high[1] - low[1]).max(3.0);
    // Stand before a face that looks this way, so that one sees its books.
    let side = s.face.map_or(-90.0, |(_, f)| f.heading_deg - 90.0).to_radians();
    let (sin, cos) = (side + 0.35).sin_cos();
    let eye = [middle[0] + 0.54 * far * cos, middle[1] + 0.54 * far * sin, 0.4 * far + 0.7];
    let camera = EyeControls3D::new()
        .with_kind(Eye3DKind::Orbital)
        .with_position(eye.map(|c| c as f32))
        .with_look_target(middle.map(|c| c as f32))
        .with_eye_up([0.0_f32, 0.0, 1.0]);
    let view = View::new("3D", name, "/")
        .showing(contents)
        .with("EyeControls3D", &camera)
        .with("SpatialInformation", &SpatialInformation::new(MAP))
        .with("Background", &Background::new(BackgroundKind::SolidColor).with_color([24, 27, 33, 255]))
        .with("LineGrid3D", &LineGrid3D::new().with_spacing(1.0_f32).with_color([70, 76, 88, 90]));
    s.robots.iter().fold(view, |view, robot| view.with_past_of(&format!("/{robot}/driven"), TIME))
}

fn bounds(floor: &Floor) -> ([f64; 2], [f64; 2]) {
    let walls = floor.walls.iter().flat_map(|w| [w.from_m, w.to_m]);
    let points = walls.chain(floor.faces.iter().flat_map(Face::outline_m));
    points.fold(([f64::INFINITY; 2], [f64::NEG_INFINITY; 2]), |(low, high), p| {
        (std::array::from_fn(|i| low[i].min(p[i])), std::array::from_fn(|i| high[i].max(p[i])))
    })
}

fn everything(s: &Subject<'_>) -> Vec<String> {
    let mut all = ["site", "books", "coverage"].map(|e| format!("/{e}/**")).to_vec();
    all.extend(s.robots.iter().map(|r| format!("/{r}/**")));
    all.extend(s.cameras.iter().map(|c| format!("- {c}")));
    all
}

fn plot(name: &str, origin: &str) -> View {
    View::new("TimeSeries", name, origin)
        .with("PlotLegend", &PlotLegend::new().with_corner(Corner2D::RightTop))
        .with("TimeAxis", &TimeAxis::new().with_link(LinkAxis::LinkToGlobal))
}

fn run(s: &Subject<'_>) -> Container {
    let scene = library(s, "Run", everything(s));
    let mut side: Vec<(f32, Part)> = Vec::new();
    for camera in s.cameras {
        let name = camera.trim_start_matches('/').replace('/', " ");
        side.push((2.0, View::new("2D", name, camera.as_str()).into()));
    }
    side.push((1.0, View::new("StateTimeline", "Mission", "/health/mission").into()));
    side.push((1.0, plot("Reads a second", "/health/reads").into()));
    side.push((1.0, plot("Speed by the wheels", "/health/speed").into()));
    side.push((1.0, plot("Deviation of the pose (m)", "/health/pose_deviation").into()));
    Container::horizontal([(3.0, scene.into()), (1.0, Container::vertical(side).into())]).named("Run")
}

/// The elevation of the face, as wide as what is asked for.
fn elevation(s: &Subject<'_>, name: &str, leave_out: &[&str]) -> View {
    let Some((id, face)) = s.face else { return View::new("2D", name, "/shelf") };
    let top = face.tiers.last().map_or(2.0, |t| t.board_m + t.clear_m);
    let (mut x, mut z) = ([-0.15, face.length_m() + 0.05], [0.0, top + 0.12]);
    if let Some(bay) = s.bay {
        x = [f64::from(bay - 1), f64::from(bay)].map(|b| b * face.bay_width_m);
    }
    if let Some(t) = s.tier.and_then(|t| face.tiers.get(usize::from(t).checked_sub(1)?)) {
        z = [t.board_m - 0.05, t.board_m + t.clear_m];
    }
    let bounds = re_sdk_types::blueprint::components::VisualBounds2D(re_sdk_types::datatypes::Range2D {
        x_range: x.into(),
        y_range: [-z[1], -z[0]].into(),
    });
    let mut contents = vec!["$origin/**".to_owned()];
    contents.extend(leave_out.iter().map(|e| format!("- $origin/{e}")));
    View::new("2D", format!("{name} {id}"), format!("/shelf/{id}"))
        .showing(contents)
        .with("VisualBounds2D", &VisualBounds2D::new(bounds))
        .with("Background", &Background::new(BackgroundKind::SolidColor).with_color([24, 27, 33, 255]))
}

fn shelf(s: &Subject<'_>) -> Container {
    let id = s.face.map_or("", |(id, _)| id);
    let below = Container::horizontal([
        (1.0, plot("Books placed, by tier", &format!("/progress/placed/{id}")).into()),
        (1.0, plot("Median standard deviation, by tier (mm)", &format!("/progress/deviation/{id}")).into()),
        (1.0, plot("Reads a second", "/health/reads").into()),
    ]);
    Container::vertical([(2.2, elevation(s, "Shelf", &[]).into()), (1.0, below.into())]).named("Shelf")
}

fn tag(s: &Subject<'_>) -> Container {
    let tag = s.tag.map_or_else(|| "none".to_owned(), |t| hex(t));
    let at = |what: &str| format!("/tags/{tag}/{what}");
    let hidden = PlotLegend::new().with_visible(false);
    let residual = ScalarAxis::new().with_range([-std::f64::consts::PI, std::f64::consts::PI]);
    // One colour for a carrier; a legend of them all would hide the plot.
    let phase = View::new("TimeSeries", "Phase along the shelf, unrolled, and its curve (rad over mm)", "/")
        .showing([format!("{}/**", at("phase")), format!("{}/**", at("curve"))])
        .with("PlotLegend", &hidden);
    let left = View::new("TimeSeries", "Phase off the curve (rad)", at("residual"))
        .with("PlotLegend", &hidden)
        .with("ScalarAxis", &residual);
    let rssi = View::new("TimeSeries", "RSSI (dBm)", at("rssi"))
        .with("PlotLegend", &PlotLegend::new().with_corner(Corner2D::RightTop));
    let plots = Container::vertical([(2.0, phase.into()), (1.0, left.into()), (1.0, rssi.into())]);
    let about = View::new("TextDocument", "About the tag", at("about"));
    Container::horizontal([(2.6, plots.into()), (1.0, about.into())]).named("Tag")
}

fn health(s: &Subject<'_>) -> Container {
    let mut lanes: Vec<(f32, Part)> = vec![
        (2.2, View::new("StateTimeline", "Nodes", "/health/nodes").into()),
        (1.0, View::new("StateTimeline", "Mission", "/health/mission").into()),
        (1.6, words("What was said", "/health/words").into()),
    ];
    if s.notes {
        lanes.push((1.0, View::new("TextDocument", "About the run", "/health/run").into()));
    }
    let figures = Container::vertical([
        (1.0, plot("Battery (%)", "/health/battery").into()),
        (1.0, plot("Lost, dropped, left out", "/health/losses").into()),
        (
            1.0,
            plot("Real time and delivery", "/health")
                .showing(["/health/real_time/**", "/health/delivery/**"])
                .into(),
        ),
        (1.0, plot("Reads a second", "/health/reads").into()),
        (1.0, plot("Deviation of the pose (m)", "/health/pose_deviation").into()),
    ]);
    Container::horizontal([(1.0, Container::vertical(lanes).into()), (1.2, figures.into())]).named("Health")
}

/// Entries with time, entity and words.
fn words(name: &str, origin: &str) -> View {
    let column = |kind, visible: bool| TextLogColumn(ColumnDatatype { visible: visible.into(), kind });
    let time = TimelineColumn(TimelineDatatype { visible: true.into(), timeline: TIME.into() });
    let columns = TextLogColumns::new().with_timeline_columns([time]).with_text_log_columns([
        column(TextLogColumnKind::LogLevel, true),
        column(TextLogColumnKind::Body, true),
        column(TextLogColumnKind::EntityPath, true),
    ]);
    View::new("TextLog", name, origin).with("TextLogColumns", &columns)
}

fn errors(s: &Subject<'_>) -> Container {
    let mut contents = everything(s);
    contents.push("/errors/**".to_owned());
    let scene = library(s, "Where", contents);
    let left = Container::vertical([
        (1.2, words("Findings at the time of their evidence", "/tags").into()),
        (1.6, scene.into()),
        (1.0, elevation(s, "On", &["reads", "antennas"]).into()),
    ]);
    let right = Container::vertical([
        (1.4, View::new("TextDocument", "All findings", "/errors/table").into()),
        (
            1.0,
            View::new(
                "TextDocument",
                "Tag",
                s.tag.map_or_else(|| "/tags".to_owned(), |t| format!("/tags/{}/about", hex(t))),
            )
            .into(),
        ),
    ]);
    Container::horizontal([(1.6, left.into()), (1.0, right.into())]).named("Errors")
}

fn differences(s: &Subject<'_>) -> Container {
    let mut contents = everything(s);
    contents.extend(["/against/**".to_owned(), "/differences/**".to_owned()]);
    let left = Container::vertical([
        (1.4, library(s, "Where", contents).into()),
        (1.0, elevation(s, "On", &["reads", "antennas"]).into()),
    ]);
    let table = View::new("TextDocument", "Differences", "/differences/table");
    Container::horizontal([(1.6, left.into()), (1.0, table.into())]).named("Differences")
}
