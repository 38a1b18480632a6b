//! Joins shelves and radio: tags, panels and shelf fronts on the map, antennas where the robot carries them.

use domain::Site;

use crate::radio::{AntennaPose, Panel, RadioError, RadioSettings, ShelfFront, TagField, TagPlacement};
use crate::stacks::{Stacks, Standing, panel_behind_m};
use crate::world::PlanarPose;

/// One-way loss through a row's back panel, dB: steel, with gaps beside and above it.
const PANEL_LOSS_DB: f64 = 15.0;

/// The tags of a site with what stands around them. Tag `i` of the field is `standing[i]`.
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
    for (i, (id, _, face)) in faces.iter().enumerate() {
        let on_map = |x: f64, y: f64| {
            let p = face.map_from_face([x, y, 0.0]);
            [p[0], p[1]]
        };
        let (origin, out) = (on_map(0.0, 0.0), on_map(0.0, 1.0));
        fronts.push(ShelfFront {
            origin_m: origin,
            outward: [out[0] - origin[0], out[1] - origin[1]],
            boards_m: face.tiers.iter().map(|t| t.board_m).collect(),
        });
        // The two sides of a row share one panel: the first of them brings it.
        let shared = faces[..i].iter().any(|(other, ..)| other.floor == id.floor && other.row == id.row);
        if !shared {
            let behind = -panel_behind_m(face.depth_m);
            panels.push(Panel {
                from_m: on_map(0.0, behind),
                to_m: on_map(face.length_m(), behind),
                z_m: [0.0, face.tiers.last().map_or(0.0, |t| t.board_m + t.clear_m)],
                loss_db: PANEL_LOSS_DB,
            });
        }
    }
    let mut tags = Vec::with_capacity(standing.len());
    for s in standing {
        let Some(front) = faces.iter().position(|(id, ..)| *id == s.address.face) else { continue };
        let outward = fronts[front].outward;
        tags.push(TagPlacement {
            uid: stacks.volumes[s.volume].uid.clone(),
            position_m: faces[front].2.map_from_face(s.tag_m),
            axis: [0.0, 0.0, 1.0],
            outward: [outward[0], outward[1], 0.0],
            front: Some(front as u32),
        });
    }
    TagField::new(settings, tags, panels, fronts, seed)
}

/// Where a robot's antennas are on the map. They look to its left.
pub(crate) fn poses(mounts_m: &[[f64; 3]], [x, y, yaw]: PlanarPose) -> Vec<AntennaPose> {
    let (s, c) = (libm::sin(yaw), libm::cos(yaw));
    mounts_m
        .iter()
        .zip(1u8..)
        .map(|(m, port)| AntennaPose {
            port,
            position_m: [x + c * m[0] - s * m[1], y + s * m[0] + c * m[1], m[2]],
            boresight: [-s, c, 0.0],
        })
        .collect()
}
