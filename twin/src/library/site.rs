//! The demo site: one floor or several alike, rows of double-sided steel shelving between walls, a dock.

use domain::site::{Face, Floor, Marker, NamedPose, Site, Tier, Wall};

use super::LibrarySettings;

/// Width of the back panel between the two sides of a row, m.
pub const PANEL_M: f64 = 0.02;
/// Thickness of a shelf board, m.
pub const BOARD_M: f64 = 0.02;
/// Width of an upright between two bays, m.
pub const UPRIGHT_M: f64 = 0.03;
/// Free floor at both ends of the rows, m: room to turn in.
const END_M: f64 = 2.0;

/// Edge of a pillar, m.
const PILLAR_M: f64 = 0.4;

/// Builds the site: rows along the map's x, side A looking to −y, side B to +y.
pub fn demo_site(s: &LibrarySettings) -> Site {
    let length = f64::from(s.bays) * s.bay_width_m;
    let row_depth = 2.0 * s.shelf_depth_m + PANEL_M;
    let width = length + 2.0 * END_M;
    let depth = s.aisle_m + f64::from(s.rows) * (row_depth + s.aisle_m);
    let tiers: Vec<Tier> = (0..s.tiers)
        .map(|t| Tier {
            board_m: s.first_board_m + f64::from(t) * s.tier_pitch_m,
            clear_m: s.tier_pitch_m - BOARD_M,
        })
        .collect();
    let mut faces = Vec::new();
    let mut markers = Vec::new();
    for row in 0..s.rows {
        let south = s.aisle_m + f64::from(row) * (row_depth + s.aisle_m);
        let north = south + row_depth;
        let mut face = |side: char, origin_m: [f64; 2], heading_deg: f64| {
            faces.push(Face {
                id: format!("R{:02}{side}", row + 1),
                origin_m,
                heading_deg,
                bays: s.bays,
                bay_width_m: s.bay_width_m,
                depth_m: s.shelf_depth_m,
                tiers: tiers.clone(),
            });
        };
        face('A', [END_M, south], 0.0);
        face('B', [END_M + length, north], 180.0);
        for (end, (x, heading_deg)) in [(END_M, 180.0), (END_M + length, 0.0)].into_iter().enumerate() {
            markers.push(Marker {
                id: row * 2 + end as u16,
                at_m: [x, south + row_depth / 2.0, 1.2],
                heading_deg,
                size_m: 0.12,
            });
        }
    }
    let mut walls = outline([0.0, 0.0], [width, depth]);
    for [across, along] in &s.pillars {
        let around =
            |share: f64, size: f64, side: f64| (share * size + side * PILLAR_M / 2.0).clamp(0.0, size);
        let corner = |side: f64| [around(*across, width, side), around(*along, depth, side)];
        walls.extend(outline(corner(-1.0), corner(1.0)));
    }
    let markers_per_floor = 2 * s.rows;
    let floors = (0..s.floors)
        .map(|n| Floor {
            id: if n == 0 { s.floor.clone() } else { format!("{}F", n + 1) },
            walls: walls.clone(),
            faces: faces.clone(),
            markers: markers
                .iter()
                .map(|m| Marker { id: n * markers_per_floor + m.id, ..m.clone() })
                .collect(),
            docks: vec![NamedPose { id: "dock_1".into(), at_m: [0.6, s.aisle_m / 2.0], heading_deg: 0.0 }],
            desks: vec![NamedPose {
                id: "desk_1".into(),
                at_m: [width - 0.6, s.aisle_m / 2.0],
                heading_deg: 180.0,
            }],
            places: vec![],
            no_go: vec![],
        })
        .collect();
    Site { name: "Demo library".into(), floors }
}

/// The four sides of a rectangle.
fn outline(low: [f64; 2], high: [f64; 2]) -> Vec<Wall> {
    let corners = [low, [high[0], low[1]], high, [low[0], high[1]]];
    (0..4).map(|i| Wall { from_m: corners[i], to_m: corners[(i + 1) % 4] }).collect()
}
