//! What values a scenario may hold, and where in its file a key stands.

use domain::site::{Floor, Wall};
use domain::{ShelfAddress, Site};

use crate::base::BaseSettings;
use crate::faults::{FaultKind, FaultSettings};
use crate::library::demo_site;
use crate::library::files::LibraryFilesError;
use crate::radio::RadioError;
use crate::scenario::{FurnitureKind, RobotSettings, Scenario, ScenarioError};
use crate::sensors::CameraSettings;

type Check = Result<(), ScenarioError>;

/// Room that a robot needs around its centre at the start, m.
const START_CLEARANCE_M: f64 = 0.30;

/// Checks every value.
pub(crate) fn check(s: &Scenario) -> Check {
    library(s)?;
    errors(s)?;
    s.radio.check().map_err(|e| match e {
        RadioError::Setting { key, found, allowed } => value(&format!("radio.{key}"), found, allowed),
        other => value("radio", other, "settings that a radio takes"),
    })?;
    let site = match &s.stacks {
        Some(files) => files.site().map_err(LibraryFilesError::from)?,
        None => demo_site(&s.library),
    };
    if s.robots.is_empty() {
        return Err(value("robot", "none", "at least one [[robot]]"));
    }
    for (i, robot) in s.robots.iter().enumerate() {
        if let Some(other) = s.robots[..i].iter().position(|r| r.name == robot.name) {
            let allowed = format!("a name other than that of robot[{other}]");
            return Err(value(&format!("robot[{i}].name"), format!("{:?}", robot.name), allowed));
        }
        check_robot(&format!("robot[{i}]"), robot, &site)?;
    }
    for (i, p) in s.people.iter().enumerate() {
        let key = format!("person[{i}]");
        check_floor(&key, p.floor.as_deref(), &site)?;
        for (name, at) in [("from_m", p.from_m), ("to_m", p.to_m)] {
            on_map(&format!("{key}.{name}"), at)?;
        }
        within(&format!("{key}.speed_mps"), p.speed_mps, 0.1, 2.0)?;
        within(&format!("{key}.stop_s"), p.stop_s, 0.0, 600.0)?;
        within(&format!("{key}.read_every_m"), p.read_every_m, 0.0, 1000.0)?;
        within(&format!("{key}.read_s"), p.read_s, 0.0, 600.0)?;
    }
    for (i, o) in s.obstacles.iter().enumerate() {
        let key = format!("obstacle[{i}]");
        check_floor(&key, o.floor.as_deref(), &site)?;
        on_map(&format!("{key}.at_m"), o.at_m)?;
        for (axis, size) in o.size_m.iter().enumerate() {
            within(&format!("{key}.size_m[{axis}]"), *size, 0.02, 20.0)?;
        }
        within(&format!("{key}.height_m"), o.height_m, 0.02, 4.0)?;
        within(&format!("{key}.from_s"), o.from_s, 0.0, 1e6)?;
        if let Some(until) = o.until_s {
            within(&format!("{key}.until_s"), until, o.from_s, 1e6)?;
        }
    }
    for (i, f) in s.furniture.iter().enumerate() {
        let key = format!("furniture[{i}]");
        check_floor(&key, f.floor.as_deref(), &site)?;
        on_map(&format!("{key}.at_m"), f.at_m)?;
        within(&format!("{key}.heading_deg"), f.heading_deg, -360.0, 360.0)?;
        if f.locked && f.kind == FurnitureKind::Chair {
            return Err(value(&format!("{key}.locked"), "true", "false: a chair has no casters"));
        }
        if let Some(mass) = f.mass_kg {
            within(&format!("{key}.mass_kg"), mass, 1.0, 300.0)?;
        }
    }
    if let Some([fewest, most]) = s.expect.bumps {
        within("expect.bumps[1]", f64::from(most), f64::from(fewest), 1e6)?;
    }
    if let Some([fewest, most]) = s.expect.tipped {
        within("expect.tipped[1]", f64::from(most), f64::from(fewest), 1e6)?;
    }
    for (name, figures) in [("misplaced", s.expect.misplaced), ("missing", s.expect.missing)] {
        for (i, share) in figures.into_iter().flatten().enumerate() {
            within(&format!("expect.{name}[{i}]"), share, 0.0, 1.0)?;
        }
    }
    if let Some([fewest, most]) = s.expect.passes {
        within("expect.passes[1]", f64::from(most), f64::from(fewest), 1e6)?;
    }
    if let Some(cm) = s.expect.localizer_cm {
        within("expect.localizer_cm", cm, 0.0, 1e4)?;
    }
    s.faults.iter().enumerate().try_for_each(|(i, f)| check_fault(&format!("fault[{i}]"), f, s, &site))
}

fn check_fault(key: &str, f: &FaultSettings, s: &Scenario, site: &Site) -> Check {
    let Some(robot) = s.robots.iter().find(|r| r.name == f.robot) else {
        let allowed = s.robots.iter().map(|r| r.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(value(&format!("{key}.robot"), format!("{:?}", f.robot), allowed));
    };
    let floor = check_floor(key, robot.floor.as_deref(), site)?;
    for (name, shelf) in [("shelf", &f.shelf), ("to_shelf", &f.to_shelf)] {
        if let Some(shelf) = shelf
            && !is_shelf(site, shelf)
        {
            let allowed = "a shelf of the site, as 1F/R01A/B02/T3";
            return Err(value(&format!("{key}.{name}"), format!("{shelf:?}"), allowed));
        }
    }
    for (i, mhz) in f.band_mhz.iter().enumerate() {
        within(&format!("{key}.band_mhz[{i}]"), *mhz, 300.0, 3000.0)?;
    }
    for (i, size) in f.size_m.iter().enumerate() {
        within(&format!("{key}.size_m[{i}]"), *size, 0.02, 20.0)?;
    }
    within(&format!("{key}.rise_db"), f.rise_db, 0.0, 100.0)?;
    within(&format!("{key}.charge"), f.charge, 0.0, 1.0)?;
    within(&format!("{key}.position"), f64::from(f.position), 1.0, 10_000.0)?;
    within(&format!("{key}.at_s"), f.at_s, 0.0, 1e6)?;
    within(&format!("{key}.for_s"), f.for_s, 0.0, 1e6)?;
    within(&format!("{key}.heading_deg"), f.heading_deg, -360.0, 360.0)?;
    within(&format!("{key}.slip"), f.slip, 0.0, 0.5)?;
    match f.to_m {
        Some(to) if f.kind == FaultKind::AisleBlocked => on_map(&format!("{key}.to_m"), to),
        Some(to) => clear_place(&format!("{key}.to_m"), to, floor),
        None if f.kind == FaultKind::CameraDark && robot.cameras.is_empty() => Err(value(
            &format!("{key}.robot"),
            format!("{:?}, which has no camera", f.robot),
            "a robot with a camera",
        )),
        None if f.kind == FaultKind::Carry => {
            Err(value(&format!("{key}.to_m"), "nothing", "a place on the map, where the robot is put down"))
        }
        None if f.kind == FaultKind::AisleBlocked => {
            Err(value(&format!("{key}.to_m"), "nothing", "a place on the map, where the box stands"))
        }
        None if f.kind == FaultKind::BookMoved && f.shelf.is_none() => {
            Err(value(&format!("{key}.shelf"), "nothing", "the shelf that a book is taken from"))
        }
        None => Ok(()),
    }
}

fn is_shelf(site: &Site, name: &str) -> bool {
    name.parse::<ShelfAddress>().is_ok_and(|a| {
        site.face(&a.face).is_some_and(|(_, f)| a.bay <= f.bays && usize::from(a.tier) <= f.tiers.len())
    })
}

fn library(s: &Scenario) -> Check {
    let l = &s.library;
    if l.floor.is_empty() || l.floor.contains(|c: char| c == '/' || c.is_whitespace()) {
        return Err(value("library.floor", format!("{:?}", l.floor), "a name without / and blanks"));
    }
    within("library.floors", f64::from(l.floors), 1.0, 20.0)?;
    if l.floors > 1 && (2..=l.floors).any(|n| l.floor == format!("{n}F")) {
        let allowed = "a name that no other floor has; those above are called 2F, 3F and so on";
        return Err(value("library.floor", format!("{:?}", l.floor), allowed));
    }
    within("library.rows", f64::from(l.rows), 1.0, 20.0)?;
    // Two markers a row; the family 36h11 has 587.
    within("library.floors", f64::from(l.floors), 1.0, f64::from(293 / l.rows.max(1)))?;
    within("library.bays", f64::from(l.bays), 1.0, 40.0)?;
    within("library.bay_width_m", l.bay_width_m, 0.3, 2.0)?;
    within("library.tiers", f64::from(l.tiers), 1.0, 8.0)?;
    within("library.first_board_m", l.first_board_m, 0.02, 1.0)?;
    within("library.tier_pitch_m", l.tier_pitch_m, 0.33, 0.6)?;
    within("library.shelf_depth_m", l.shelf_depth_m, 0.15, 0.6)?;
    within("library.aisle_m", l.aisle_m, 1.2, 5.0)?;
    within("library.fill[0]", l.fill[0], 0.1, 0.95)?;
    within("library.fill[1]", l.fill[1], l.fill[0], 0.95)?;
    for (i, at) in l.pillars.iter().enumerate() {
        for (axis, share) in at.iter().enumerate() {
            within(&format!("library.pillars[{i}][{axis}]"), *share, 0.0, 1.0)?;
        }
    }
    within("library.fore_edge_share", l.fore_edge_share, 0.0, 1.0)?;
    within("library.tag_models", l.tag_models.len() as f64, 0.0, 100.0)?;
    for (i, m) in l.tag_models.iter().enumerate() {
        let key = |field: &str| format!("library.tag_models[{i}].{field}");
        within(&key("share"), m.share, 0.0, 1.0)?;
        within(&key("needs_db"), m.needs_db, 0.0, 20.0)?;
        if m.name.is_empty() || l.tag_models[..i].iter().any(|o| o.name == m.name) {
            return Err(value(&key("name"), format!("{:?}", m.name), "a name that no other model has"));
        }
    }
    within("library.tag_models, shares together", l.tag_models.iter().map(|m| m.share).sum(), 0.0, 1.0)?;
    within("library.on_loan", f64::from(l.on_loan), 0.0, 1000.0)
}

fn errors(s: &Scenario) -> Check {
    let e = &s.errors;
    for (key, n) in [
        ("errors.missing", e.missing),
        ("errors.misplaced", e.misplaced),
        ("errors.out_of_order", e.out_of_order),
        ("errors.foreign", e.foreign),
    ] {
        within(key, f64::from(n), 0.0, 10_000.0)?;
    }
    for (key, n) in [
        ("untidy.upside_down", s.untidy.upside_down),
        ("untidy.lying", s.untidy.lying),
        ("untidy.leaning", s.untidy.leaning),
        ("untidy.pushed_back", s.untidy.pushed_back),
    ] {
        within(key, f64::from(n), 0.0, 10_000.0)?;
    }
    // Only a book that is on loan can be found on a shelf in spite of it.
    let on_loan = if s.stacks.is_some() { 10_000 } else { s.library.on_loan };
    within("errors.on_loan_on_shelf", f64::from(e.on_loan_on_shelf), 0.0, f64::from(on_loan))
}

fn check_robot(key: &str, r: &RobotSettings, site: &Site) -> Check {
    let good = r.name.starts_with(|c: char| c.is_ascii_lowercase())
        && r.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !good {
        let allowed = "lower-case letters, digits and _, a letter first";
        return Err(value(&format!("{key}.name"), format!("{:?}", r.name), allowed));
    }
    let floor = check_floor(key, r.floor.as_deref(), site)?;
    clear_place(&format!("{key}.start_m"), r.start_m, floor)?;
    within(&format!("{key}.heading_deg"), r.heading_deg, -360.0, 360.0)?;
    check_base(&format!("{key}.base"), &r.base)?;
    let (l, o, i, b) = (&r.lidar, &r.odometry, &r.imu, &r.battery);
    for (name, v, low, high) in [
        ("lidar.height_m", l.height_m, 0.05, 2.0),
        ("lidar.range_min_m", l.range_min_m, 0.0, 1.0),
        ("lidar.range_m", l.range_m, 1.0, 100.0),
        ("lidar.noise_m", l.noise_m, 0.0, 0.5),
        ("lidar.dropout", l.dropout, 0.0, 0.9),
        ("odometry.wheel_radius_error", o.wheel_radius_error, 0.0, 0.2),
        ("odometry.track_error", o.track_error, 0.0, 0.2),
        ("odometry.ticks_per_turn", f64::from(o.ticks_per_turn), 16.0, 1e6),
        ("imu.gyro_noise_radps", i.gyro_noise_radps, 0.0, 1.0),
        ("imu.gyro_bias_radps", i.gyro_bias_radps, 0.0, 0.5),
        ("imu.gyro_bias_walk", i.gyro_bias_walk, 0.0, 0.1),
        ("imu.accel_noise_mps2", i.accel_noise_mps2, 0.0, 5.0),
        ("imu.accel_bias_mps2", i.accel_bias_mps2, 0.0, 2.0),
        ("battery.capacity_wh", b.capacity_wh, 1.0, 1e5),
        ("battery.charge", b.charge, 0.0, 1.0),
        ("battery.idle_w", b.idle_w, 0.0, 5e3),
        ("battery.dock_w", b.dock_w, 0.0, 5e3),
    ] {
        within(&format!("{key}.{name}"), v, low, high)?;
    }
    if let Some(white) = l.white_range_m {
        within(&format!("{key}.lidar.white_range_m"), white, 0.5, 1_000.0)?;
    }
    within(&format!("{key}.lidar.beams"), f64::from(l.beams), 4.0, 7200.0)?;
    if r.antennas_m.len() > 32 {
        return Err(value(&format!("{key}.antennas_m"), r.antennas_m.len(), "at most 32 antennas"));
    }
    if r.cameras.len() > 8 {
        return Err(value(&format!("{key}.camera"), r.cameras.len(), "at most 8 cameras"));
    }
    for (n, camera) in r.cameras.iter().enumerate() {
        check_camera(&format!("{key}.camera[{n}]"), camera)?;
    }
    for (n, at) in r.antennas_m.iter().enumerate() {
        for (axis, v) in at.iter().enumerate() {
            within(&format!("{key}.antennas_m[{n}][{axis}]"), *v, -3.0, 3.0)?;
        }
    }
    Ok(())
}

fn check_camera(key: &str, c: &CameraSettings) -> Check {
    for (axis, v) in c.at_m.iter().enumerate() {
        within(&format!("{key}.at_m[{axis}]"), *v, -3.0, 3.0)?;
    }
    for (name, v, low, high) in [
        ("heading_deg", c.heading_deg, -360.0, 360.0),
        ("tilt_deg", c.tilt_deg, -80.0, 80.0),
        ("width", f64::from(c.width), 64.0, 4096.0),
        ("height", f64::from(c.height), 64.0, 4096.0),
        ("fov_deg", c.fov_deg, 5.0, 120.0),
        ("rate_hz", c.rate_hz, 0.01, 30.0),
        ("shutter_s", c.shutter_s, 1e-5, 0.1),
        ("gain", c.gain, 0.01, 100.0),
        ("full_well_e", c.full_well_e, 100.0, 1e6),
        ("read_noise_e", c.read_noise_e, 0.0, 1e4),
        ("quality", f64::from(c.quality), 1.0, 100.0),
    ] {
        within(&format!("{key}.{name}"), v, low, high)?;
    }
    for (i, v) in c.distortion.iter().enumerate() {
        within(&format!("{key}.distortion[{i}]"), *v, -2.0, 2.0)?;
    }
    // Every pixel needs its ray: the corners are the farthest out.
    let (right, low) = (f64::from(c.width) - 1.0, f64::from(c.height) - 1.0);
    let edge = [[0.0, 0.0], [right, 0.0], [0.0, low], [right, low], [right / 2.0, 0.0], [0.0, low / 2.0]];
    if edge.into_iter().any(|at| c.ray(at).is_none_or(|[x, y]| x.abs().max(y.abs()) > 4.0)) {
        let allowed = "a lens that sees something in every corner of the image";
        return Err(value(&format!("{key}.distortion"), format!("{:?}", c.distortion), allowed));
    }
    Ok(())
}

fn check_base(key: &str, b: &BaseSettings) -> Check {
    for (name, v, low, high) in [
        ("wheel_radius_m", b.wheel_radius_m, 0.02, 0.5),
        ("track_m", b.track_m, 0.1, 2.0),
        ("radius_m", b.radius_m, 0.05, 1.0),
        ("mass_kg", b.mass_kg, 1.0, 1000.0),
        ("max_speed_mps", b.max_speed_mps, 0.01, 3.0),
        ("max_turn_radps", b.max_turn_radps, 0.01, 6.0),
        ("max_accel_mps2", b.max_accel_mps2, 0.01, 5.0),
        ("max_turn_accel_radps2", b.max_turn_accel_radps2, 0.01, 20.0),
        ("friction", b.friction, 0.05, 2.0),
        ("slip", b.slip, 0.0, 0.5),
        ("command_timeout_s", b.command_timeout_s, 0.02, 60.0),
    ] {
        within(&format!("{key}.{name}"), v, low, high)?;
    }
    Ok(())
}

/// A robot can stand there.
fn clear_place(key: &str, at: [f64; 2], floor: &Floor) -> Check {
    on_map(key, at)?;
    too_close(floor, at).map_or(Ok(()), |what| {
        let allowed = format!("a place at least {START_CLEARANCE_M} m from walls and shelves");
        Err(value(key, format!("[{}, {}], {what}", at[0], at[1]), allowed))
    })
}

/// The floor of that name; the first one without a name.
fn check_floor<'s>(key: &str, name: Option<&str>, site: &'s Site) -> Result<&'s Floor, ScenarioError> {
    let found = match name {
        Some(name) => site.floors.iter().find(|f| f.id == name),
        None => site.floors.first(),
    };
    found.ok_or_else(|| {
        let known: Vec<&str> = site.floors.iter().map(|f| f.id.as_str()).collect();
        value(&format!("{key}.floor"), format!("{:?}", name.unwrap_or_default()), known.join(", "))
    })
}

/// What is too close to a place for a robot to stand there.
fn too_close(floor: &Floor, at: [f64; 2]) -> Option<String> {
    for face in &floor.faces {
        let p = face.face_from_map([at[0], at[1], 0.0]);
        let beside = p[0] > -START_CLEARANCE_M && p[0] < face.length_m() + START_CLEARANCE_M;
        if beside && p[1] > -face.depth_m && p[1] < START_CLEARANCE_M {
            return Some(format!("in or at row face {}", face.id));
        }
    }
    let inside = |axis: usize| {
        let ends = || floor.walls.iter().flat_map(|w| [w.from_m[axis], w.to_m[axis]]);
        let (low, high) = (ends().fold(f64::INFINITY, f64::min), ends().fold(f64::NEG_INFINITY, f64::max));
        floor.walls.is_empty() || (at[axis] > low && at[axis] < high)
    };
    let touches = floor.walls.iter().any(|w| distance(at, w) < START_CLEARANCE_M);
    (touches || !(inside(0) && inside(1))).then(|| "at or outside the walls".into())
}

/// Distance of a place from a wall, m.
fn distance(at: [f64; 2], wall: &Wall) -> f64 {
    let along = [wall.to_m[0] - wall.from_m[0], wall.to_m[1] - wall.from_m[1]];
    let from = [at[0] - wall.from_m[0], at[1] - wall.from_m[1]];
    let length2 = along[0] * along[0] + along[1] * along[1];
    let share = (from[0] * along[0] + from[1] * along[1]) / length2.max(1e-12);
    let share = share.clamp(0.0, 1.0);
    libm::hypot(from[0] - share * along[0], from[1] - share * along[1])
}

fn on_map(key: &str, at: [f64; 2]) -> Check {
    for (axis, v) in at.iter().enumerate() {
        within(&format!("{key}[{axis}]"), *v, -1000.0, 1000.0)?;
    }
    Ok(())
}

fn within(key: &str, v: f64, low: f64, high: f64) -> Check {
    // NaN is in no range.
    if v >= low && v <= high { Ok(()) } else { Err(value(key, v, format!("{low} to {high}"))) }
}

fn value(key: &str, found: impl std::fmt::Display, allowed: impl Into<String>) -> ScenarioError {
    ScenarioError::Value {
        place: String::new(),
        key: key.into(),
        found: found.to_string(),
        allowed: allowed.into(),
    }
}

/// Line and column, both from 1, of a byte of a text.
pub(crate) fn line_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Line and column of the value under a path like `robot[0].lidar.range_m`, or of the nearest table above it.
pub(crate) fn find_key(text: &str, path: &str) -> Option<(usize, usize)> {
    use toml::de::{DeTable, DeValue};
    let root = DeTable::parse(text).ok()?;
    let mut table = Some(root.get_ref());
    let mut value: Option<&DeValue<'_>> = None;
    let mut at = None;
    for part in path.split('.') {
        let mut steps = part.split(['[', ']']).filter(|s| !s.is_empty());
        let name = steps.next()?;
        let current = table.take().or_else(|| value.and_then(DeValue::as_table));
        let Some((_, found)) = current.and_then(|t| t.iter().find(|(k, _)| k.get_ref() == name)) else {
            break;
        };
        at = Some(found.span().start);
        value = Some(found.get_ref());
        for index in steps {
            let entry = value.and_then(DeValue::as_array).and_then(|a| a.get(index.parse::<usize>().ok()?));
            let Some(entry) = entry else { break };
            at = Some(entry.span().start);
            value = Some(entry.get_ref());
        }
    }
    at.map(|a| line_column(text, a))
}
