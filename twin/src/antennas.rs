//! Joins shelves and radio: tags, panels and shelf fronts on the map, antennas where the robot carries them.

use std::collections::BTreeSet;

use domain::site::Face;
use domain::{Site, Uid};

use crate::radio::{AntennaPose, Panel, RadioError, RadioSettings, ShelfFront, TagField, TagPlacement};
use crate::stacks::{Stacks, Standing, panel_behind_m};
use crate::world::{PlanarPose, floor_index, floor_z};

/// One-way loss through a row's back panel, dB: steel, with gaps beside and above it.
const PANEL_LOSS_DB: f64 = 15.0;

/// The tags of a site with what stands around them.
pub(crate) fn tag_field(
    settings: &RadioSettings,
    site: &Site,
    stacks: &Stacks,
    standing: &[Standing],
    seed: u64,
) -> Result<TagField, RadioError> {
    let faces: Vec<_> = site.faces().collect();
    let mut panels = Vec::new();
    let mut fronts = Vec::new();
    let mut rows_seen = BTreeSet::new();
    for (id, floor, face) in &faces {
        let z = floor_z(floor_index(site, Some(&floor.id)));
        let on_map = |x: f64, y: f64| {
            let p = face.map_from_face([x, y, 0.0]);
            [p[0], p[1]]
        };
        let (origin, out) = (on_map(0.0, 0.0), on_map(0.0, 1.0));
        fronts.push(ShelfFront {
            origin_m: origin,
            outward: [out[0] - origin[0], out[1] - origin[1]],
            boards_m: face.tiers.iter().map(|t| z + t.board_m).collect(),
        });
        // The two sides of a row share one panel: the first of them brings it.
        if rows_seen.insert((&id.floor, &id.row)) {
            let behind = -panel_behind_m(face.depth_m);
            panels.push(Panel {
                from_m: on_map(0.0, behind),
                to_m: on_map(face.length_m(), behind),
                z_m: [z, z + face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m)],
                loss_db: PANEL_LOSS_DB,
            });
        }
    }
    let mut tags = Vec::with_capacity(standing.len());
    let mut front = 0;
    for s in standing {
        // Volumes come face by face, so this mostly looks once.
        if faces.get(front).is_none_or(|(id, ..)| *id != s.address.face) {
            let Some(found) = faces.iter().position(|(id, ..)| *id == s.address.face) else { continue };
            front = found;
        }
        let (_, floor, face) = &faces[front];
        let uid = &stacks.volumes[s.volume].uid;
        if uid.as_bytes().is_empty() {
            continue;
        }
        tags.push(TagPlacement {
            uid: uid.clone(),
            needs_db: stacks.volumes[s.volume].needs_db,
            ..placement(face, floor_z(floor_index(site, Some(&floor.id))), s, front as u32)
        });
    }
    TagField::new(settings, tags, panels, fronts, seed)
}

/// Where a volume of a site stands for the radio.
pub(crate) fn place_of(site: &Site, s: &Standing) -> Option<TagPlacement> {
    let front = site.faces().position(|(id, ..)| id == s.address.face)?;
    let (floor, face) = site.face(&s.address.face)?;
    Some(placement(face, floor_z(floor_index(site, Some(&floor.id))), s, front as u32))
}

/// Where a standing volume's tag is in the radio's space; whose it is comes from elsewhere.
pub(crate) fn placement(face: &Face, floor_z_m: f64, s: &Standing, front: u32) -> TagPlacement {
    let on_map = |p: [f64; 3]| face.map_from_face(p);
    let (origin, right, out) = (on_map([0.0; 3]), on_map([1.0, 0.0, 0.0]), on_map([0.0, 1.0, 0.0]));
    let mut position_m = on_map(s.tag_m);
    position_m[2] += floor_z_m;
    TagPlacement {
        uid: Uid::default(),
        position_m,
        axis: [s.axis[0] * (right[0] - origin[0]), s.axis[0] * (right[1] - origin[1]), s.axis[2]],
        outward: [out[0] - origin[0], out[1] - origin[1], 0.0],
        front: Some(front),
        needs_db: 0.0,
    }
}

/// Where a robot's antennas are in the radio's space. They look to its left.
pub(crate) fn poses(mounts_m: &[[f64; 3]], floor_z_m: f64, [x, y, yaw]: PlanarPose) -> Vec<AntennaPose> {
    let (s, c) = (libm::sin(yaw), libm::cos(yaw));
    mounts_m
        .iter()
        .zip(1u8..)
        .map(|(m, port)| AntennaPose {
            port,
            position_m: [x + c * m[0] - s * m[1], y + s * m[0] + c * m[1], floor_z_m + m[2]],
            boresight: [-s, c, 0.0],
        })
        .collect()
}
