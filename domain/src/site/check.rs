//! What makes a site sound. The first thing that does not is reported.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::geometry::{crosses, overlap, simple, within_walls};
use super::{Face, Floor, Site};
use crate::address::FaceId;

/// Something in a site that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: found {found}, expected {allowed}")]
pub struct Finding {
    /// Path of the key, `floor[0].face[2].bays`.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What is allowed.
    pub allowed: &'static str,
}

/// Largest coordinate of a building, m: beyond it somebody has written millimetres.
const EXTENT_M: f64 = 2_000.0;

pub(super) fn check(site: &Site) -> Option<Finding> {
    if site.name.trim().is_empty() {
        return finding("name", format!("{:?}", site.name), "a name for people");
    }
    if site.floors.is_empty() {
        return finding("floor", "none", "at least one [[floor]]");
    }
    let mut markers = BTreeMap::new();
    for (i, floor) in site.floors.iter().enumerate() {
        let key = format!("floor[{i}]");
        if floor.id.is_empty() || floor.id.contains('/') {
            return finding(format!("{key}.id"), &floor.id, "a name without a slash, for example 3F");
        }
        if site.floors[..i].iter().any(|f| f.id == floor.id) {
            return finding(format!("{key}.id"), &floor.id, "a name that no other floor has");
        }
        let found = check_floor(floor, &key).or_else(|| check_markers(floor, &key, &mut markers));
        if found.is_some() {
            return found;
        }
    }
    None
}

fn check_floor(floor: &Floor, key: &str) -> Option<Finding> {
    for (j, wall) in floor.walls.iter().enumerate() {
        for (name, p) in [("from_m", wall.from_m), ("to_m", wall.to_m)] {
            let found = coordinates(&format!("{key}.wall[{j}].{name}"), &p);
            if found.is_some() {
                return found;
            }
        }
        if wall.from_m == wall.to_m {
            return finding(
                format!("{key}.wall[{j}].to_m"),
                "the same point as from_m",
                "a wall of some length",
            );
        }
    }
    for (j, face) in floor.faces.iter().enumerate() {
        let key = format!("{key}.face[{j}]");
        let found = check_face(floor, face, &key);
        if found.is_some() {
            return found;
        }
        if floor.faces[..j].iter().any(|f| f.id == face.id) {
            return finding(format!("{key}.id"), &face.id, "a row face that occurs once on its floor");
        }
        if let Some(other) = floor.faces[..j].iter().find(|f| overlap(f, face)) {
            let found = format!("a row face whose shelves stand in those of {}", other.id);
            return finding(format!("{key}.origin_m"), found, "row faces side by side or back to back");
        }
        if let Some(wall) = floor.walls.iter().position(|w| crosses(w, face)) {
            let found = format!("a row face that wall[{wall}] runs through");
            return finding(format!("{key}.origin_m"), found, "shelves clear of all walls");
        }
        if !within_walls(floor, face) {
            let found = format!(
                "a row face from {:?} over {:.2} m, beyond the walls",
                face.origin_m,
                face.length_m()
            );
            return finding(format!("{key}.origin_m"), found, "shelves between the outermost walls");
        }
    }
    let mut names: Vec<&str> = Vec::new();
    let named = [("dock", &floor.docks), ("desk", &floor.desks), ("place", &floor.places)];
    for (kind, poses) in named {
        for (j, pose) in poses.iter().enumerate() {
            let key = format!("{key}.{kind}[{j}]");
            if pose.id.trim().is_empty() || names.contains(&pose.id.as_str()) {
                let allowed = "a name that no other dock, desk or place of the floor has";
                return finding(format!("{key}.id"), format!("{:?}", pose.id), allowed);
            }
            names.push(&pose.id);
            let found = coordinates(&format!("{key}.at_m"), &pose.at_m)
                .or_else(|| angle(&format!("{key}.heading_deg"), pose.heading_deg));
            if found.is_some() {
                return found;
            }
        }
    }
    for (j, zone) in floor.no_go.iter().enumerate() {
        if zone.id.trim().is_empty() || floor.no_go[..j].iter().any(|z| z.id == zone.id) {
            let found = format!("{:?}", zone.id);
            return finding(
                format!("{key}.no_go[{j}].id"),
                found,
                "a name that no other zone of the floor has",
            );
        }
        let key = format!("{key}.no_go[{j}].polygon_m");
        if zone.polygon_m.len() < 3 {
            return finding(key, format!("{} corners", zone.polygon_m.len()), "at least three corners");
        }
        if let Some(found) = zone.polygon_m.iter().find_map(|p| coordinates(&key, p)) {
            return Some(found);
        }
        if !simple(&zone.polygon_m) {
            return finding(key, "edges that cross or an area of 0", "corners in order around an area");
        }
    }
    None
}

fn check_face(floor: &Floor, face: &Face, key: &str) -> Option<Finding> {
    if format!("{}/{}", floor.id, face.id).parse::<FaceId>().is_err() {
        return finding(
            format!("{key}.id"),
            format!("{:?}", face.id),
            "a row and its side A or B, for example R07A",
        );
    }
    if face.bays == 0 || face.bays > 1_000 {
        return finding(format!("{key}.bays"), face.bays, "1 to 1000 bays");
    }
    let found = coordinates(&format!("{key}.origin_m"), &face.origin_m)
        .or_else(|| angle(&format!("{key}.heading_deg"), face.heading_deg))
        .or_else(|| length(&format!("{key}.bay_width_m"), face.bay_width_m, 0.1, 5.0, "0.1 to 5 m"))
        .or_else(|| length(&format!("{key}.depth_m"), face.depth_m, 0.05, 2.0, "0.05 to 2 m"));
    if found.is_some() {
        return found;
    }
    if face.tiers.is_empty() || face.tiers.len() > 30 {
        return finding(format!("{key}.tier"), format!("{} tiers", face.tiers.len()), "1 to 30 tiers");
    }
    let mut top = 0.0;
    for (k, tier) in face.tiers.iter().enumerate() {
        let key = format!("{key}.tier[{k}]");
        let found = length(&format!("{key}.clear_m"), tier.clear_m, 0.05, 3.0, "0.05 to 3 m");
        if found.is_some() {
            return found;
        }
        if !(tier.board_m.is_finite() && tier.board_m >= top && tier.board_m < 20.0) {
            let found = format!("{}, the tier below ends at {top:.3}", tier.board_m);
            return finding(format!("{key}.board_m"), found, "tiers from the bottom up that do not overlap");
        }
        top = tier.board_m + tier.clear_m;
    }
    None
}

fn check_markers(floor: &Floor, key: &str, seen: &mut BTreeMap<u16, String>) -> Option<Finding> {
    for (j, marker) in floor.markers.iter().enumerate() {
        let key = format!("{key}.marker[{j}]");
        if marker.id > 586 {
            return finding(format!("{key}.id"), marker.id, "0 to 586, the family 36h11");
        }
        let found = coordinates(&format!("{key}.at_m"), &marker.at_m)
            .or_else(|| angle(&format!("{key}.heading_deg"), marker.heading_deg))
            .or_else(|| length(&format!("{key}.size_m"), marker.size_m, 0.005, 2.0, "0.005 to 2 m"));
        if found.is_some() {
            return found;
        }
        if let Some(other) = seen.insert(marker.id, key.clone()) {
            return finding(
                format!("{key}.id"),
                format!("{}, as {other}", marker.id),
                "a marker that hangs once",
            );
        }
    }
    None
}

fn coordinates(key: &str, p: &[f64]) -> Option<Finding> {
    let wrong = p.iter().find(|v| !(v.is_finite() && v.abs() <= EXTENT_M))?;
    finding(key, wrong, "finite metres within ±2000")
}

fn angle(key: &str, degrees: f64) -> Option<Finding> {
    if degrees.is_finite() && degrees.abs() <= 720.0 { None } else { finding(key, degrees, "degrees") }
}

fn length(key: &str, value: f64, low: f64, high: f64, allowed: &'static str) -> Option<Finding> {
    if (low..=high).contains(&value) { None } else { finding(key, value, allowed) }
}

fn finding(key: impl Display, found: impl Display, allowed: &'static str) -> Option<Finding> {
    Some(Finding { key: key.to_string(), found: found.to_string(), allowed })
}
