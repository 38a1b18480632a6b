//! The plan of a floor as SVG: what staff and operators look at.

use std::fmt::Write;

use super::{Face, Floor};

const PX_PER_M: f64 = 90.0;
const RIM_M: f64 = 0.6;
/// Room for title and scale, px.
const HEAD_PX: f64 = 64.0;

const STYLE: &str = "text{font-family:system-ui,'Noto Sans CJK SC','Noto Sans SC',sans-serif;fill:#26323d}\
.wall{stroke:#26323d;stroke-width:7;stroke-linecap:square}\
.shelf{fill:#e9dcc3;stroke:#8a6d3b;stroke-width:1.5}.bay{stroke:#8a6d3b;stroke-width:.7}\
.front{stroke:#b4541a;stroke-width:4}.row{font-size:17px;font-weight:650;text-anchor:middle}\
.small{font-size:12px}.bayno{font-size:10px;text-anchor:middle;fill:#7a6238}\
.dock{fill:#1f7a4d}.desk{fill:#2b5f9e}.place{fill:#6b7580}.marker{fill:#26323d}\
.aisle{stroke:#6b7580;stroke-width:1;stroke-dasharray:4 3}.nogo{fill:#c0392b22;stroke:#c0392b;stroke-dasharray:6 4}.scale{stroke:#26323d;stroke-width:2}";

impl Floor {
    /// Draws walls, row faces with their bays, markers, docks, desks, places and no-go zones. Map x points to
    /// the right, y up.
    pub fn plan_svg(&self, site_name: &str) -> String {
        let [low, high] = self.bounds_m().unwrap_or([[0.0, 0.0], [1.0, 1.0]]);
        let width = (high[0] - low[0] + 2.0 * RIM_M) * PX_PER_M;
        let height = (high[1] - low[1] + 2.0 * RIM_M) * PX_PER_M + HEAD_PX;
        let px =
            |p: [f64; 2]| ((p[0] - low[0] + RIM_M) * PX_PER_M, HEAD_PX + (high[1] - p[1] + RIM_M) * PX_PER_M);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\">\n<title>{name}, floor {id}</title>\n\
             <style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fbfaf7\"/>\n\
             <text x=\"24\" y=\"36\" font-size=\"22\" font-weight=\"700\">{name}</text>\
             <text x=\"24\" y=\"56\" class=\"small\">Floor {id} · {faces} row faces</text>\n",
            name = escape(site_name),
            id = escape(&self.id),
            faces = self.faces.len(),
        );
        self.draw_zones(&mut svg, &px);
        self.draw_aisles(&mut svg, &px);
        self.draw_faces(&mut svg, &px);
        for wall in &self.walls {
            let ((x1, y1), (x2, y2)) = (px(wall.from_m), px(wall.to_m));
            let _ = writeln!(svg, "<path class=\"wall\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
        }
        self.draw_points(&mut svg, &px);
        let (x, y) = (width - 24.0 - PX_PER_M, 44.0);
        let _ = write!(
            svg,
            "<path class=\"scale\" d=\"M{x:.1} {y}h{PX_PER_M}m0 -5v10M{x:.1} {a}v10\"/>\
             <text class=\"small\" x=\"{m:.1}\" y=\"{t}\" text-anchor=\"middle\">1 m</text>\n\
             <path class=\"place\" d=\"M{n:.1} 56l-7 0l7 -32l7 32z\"/>\
             <text class=\"small\" x=\"{n:.1}\" y=\"18\" text-anchor=\"middle\">y</text>\n</svg>\n",
            a = y - 5.0,
            m = x + PX_PER_M / 2.0,
            t = y - 10.0,
            n = x - 40.0,
        );
        svg
    }

    fn draw_zones(&self, svg: &mut String, px: &impl Fn([f64; 2]) -> (f64, f64)) {
        for zone in &self.no_go {
            let points: Vec<String> = zone
                .polygon_m
                .iter()
                .map(|&p| {
                    let (x, y) = px(p);
                    format!("{x:.1},{y:.1}")
                })
                .collect();
            let corners = zone.polygon_m.len().max(1) as f64;
            let mean = |axis: usize| zone.polygon_m.iter().map(|p| p[axis]).sum::<f64>() / corners;
            let middle = px([mean(0), mean(1)]);
            let _ = writeln!(
                svg,
                "<polygon class=\"nogo\" points=\"{}\"/>\
                 <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                points.join(" "),
                middle.0,
                middle.1 + 4.0,
                escape(&zone.id)
            );
        }
    }

    /// The width of each aisle: where two faces look at each other.
    fn draw_aisles(&self, svg: &mut String, px: &impl Fn([f64; 2]) -> (f64, f64)) {
        for (i, a) in self.faces.iter().enumerate() {
            for b in &self.faces[i + 1..] {
                let Some((from, to)) = aisle_between(a, b) else { continue };
                let width = (to[0] - from[0]).hypot(to[1] - from[1]);
                let (p, q) = (px(from), px(to));
                let _ = writeln!(
                    svg,
                    "<path class=\"aisle\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>\
                     <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{width:.2} m</text>",
                    p.0,
                    p.1,
                    q.0,
                    q.1,
                    (p.0 + q.0) / 2.0 + 6.0,
                    (p.1 + q.1) / 2.0 + 4.0
                );
            }
        }
    }

    fn draw_faces(&self, svg: &mut String, px: &impl Fn([f64; 2]) -> (f64, f64)) {
        for face in &self.faces {
            let at = |x: f64, y: f64| {
                let p = face.map_from_face([x, y, 0.0]);
                px([p[0], p[1]])
            };
            let (l, d) = (face.length_m(), face.depth_m);
            let [a, b, c, e] = [at(0.0, 0.0), at(l, 0.0), at(l, -d), at(0.0, -d)];
            let _ = writeln!(
                svg,
                "<path class=\"shelf\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}z\"/>",
                a.0, a.1, b.0, b.1, c.0, c.1, e.0, e.1
            );
            for bay in 0..face.bays {
                let x = f64::from(bay) * face.bay_width_m;
                let (p, q) = (at(x, 0.0), at(x, -d));
                let _ =
                    writeln!(svg, "<path class=\"bay\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>", p.0, p.1, q.0, q.1);
                let n = at(x + face.bay_width_m / 2.0, -d / 2.0);
                let _ = writeln!(
                    svg,
                    "<text class=\"bayno\" x=\"{:.1}\" y=\"{:.1}\">B{:02}</text>",
                    n.0,
                    n.1 + 3.5,
                    bay + 1
                );
            }
            let _ =
                writeln!(svg, "<path class=\"front\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>", a.0, a.1, b.0, b.1);
            let n = at(l / 2.0, 0.22);
            let _ = writeln!(
                svg,
                "<text class=\"row\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                n.0,
                n.1 + 6.0,
                escape(&face.id)
            );
        }
    }

    fn draw_points(&self, svg: &mut String, px: &impl Fn([f64; 2]) -> (f64, f64)) {
        for marker in &self.markers {
            let (x, y) = px([marker.at_m[0], marker.at_m[1]]);
            let _ = writeln!(
                svg,
                "<rect class=\"marker\" x=\"{:.1}\" y=\"{:.1}\" width=\"7\" height=\"7\"><title>marker {}</title></rect>",
                x - 3.5,
                y - 3.5,
                marker.id
            );
        }
        for (class, poses) in [("dock", &self.docks), ("desk", &self.desks), ("place", &self.places)] {
            for pose in poses {
                let (x, y) = px(pose.at_m);
                let (s, c) = pose.heading_deg.to_radians().sin_cos();
                let tip = (x + 20.0 * c, y - 20.0 * s);
                let left = (x - 10.0 * s, y - 10.0 * c);
                let right = (x + 10.0 * s, y + 10.0 * c);
                let _ = writeln!(
                    svg,
                    "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\"/>\
                     <path class=\"{class}\" d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}z\"/>\
                     <text class=\"small\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
                    tip.0,
                    tip.1,
                    left.0,
                    left.1,
                    right.0,
                    right.1,
                    x + 14.0,
                    y + 26.0,
                    escape(&pose.id)
                );
            }
        }
    }
}

/// Both ends of a line across the aisle between two faces, on the map, m; `None` where they do not look at each
/// other over less than 4 m.
fn aisle_between(a: &Face, b: &Face) -> Option<([f64; 2], [f64; 2])> {
    let turn = (a.heading_deg - b.heading_deg).rem_euclid(360.0);
    let ends = [0.0, b.length_m()].map(|x| a.face_from_map(b.map_from_face([x, 0.0, 0.0])));
    let width = (ends[0][1] + ends[1][1]) / 2.0;
    let low = ends[0][0].min(ends[1][0]).max(0.0);
    let high = ends[0][0].max(ends[1][0]).min(a.length_m());
    // A quarter of the way along: the rows' names stand in the middle.
    let x = low + (high - low) / 4.0;
    let at = |y: f64| {
        let p = a.map_from_face([x, y, 0.0]);
        [p[0], p[1]]
    };
    ((turn - 180.0).abs() < 5.0 && width > 0.2 && width < 4.0 && high > low).then(|| (at(0.0), at(width)))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
