//! Line plots as SVG for the evaluation files: small, without a library, readable in a browser and on the web.

use std::fmt::Write as _;

/// A named line.
pub struct Line {
    /// Name in the legend.
    pub name: String,
    /// Points in plot units, in order.
    pub points: Vec<(f64, f64)>,
}

/// A plot with both axes from 0.
pub struct Plot {
    /// Title.
    pub title: String,
    /// Names of the axes, with units.
    pub axes: [String; 2],
    /// Where the axes end.
    pub ends: [f64; 2],
    /// Marks a tick every so much.
    pub ticks: [f64; 2],
    /// Lines; a dashed grey one comes first where it is named `ideal`.
    pub lines: Vec<Line>,
}

const SIZE: [f64; 2] = [560.0, 380.0];
/// Left, top, right, bottom.
const MARGIN: [f64; 4] = [56.0, 34.0, 16.0, 46.0];
const COLOURS: [&str; 6] = ["#1f6fb4", "#d1662a", "#2b8a57", "#8c4fa8", "#b3872b", "#555555"];

impl Plot {
    /// The plot as an SVG document.
    pub fn svg(&self) -> String {
        let (w, h) = (SIZE[0] - MARGIN[0] - MARGIN[2], SIZE[1] - MARGIN[1] - MARGIN[3]);
        let x = |v: f64| MARGIN[0] + w * (v / self.ends[0]).clamp(0.0, 1.0);
        let y = |v: f64| MARGIN[1] + h * (1.0 - (v / self.ends[1]).clamp(0.0, 1.0));
        let (bottom, right) = (MARGIN[1] + h, MARGIN[0] + w);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n<text x=\"{}\" y=\"20\" font-size=\"14\">{}</text>\n",
            SIZE[0], SIZE[1], MARGIN[0], self.title
        );
        let count = |axis: usize| (self.ends[axis] / self.ticks[axis]).round() as usize;
        for i in 0..=count(0) {
            let at = i as f64 * self.ticks[0];
            let px = x(at);
            let _ = writeln!(out, "<path d=\"M{px:.1} {bottom:.1}V{:.1}\" stroke=\"#ddd\"/>", MARGIN[1]);
            let _ = writeln!(
                out,
                "<text x=\"{px:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                bottom + 16.0,
                number(at)
            );
        }
        for i in 0..=count(1) {
            let at = i as f64 * self.ticks[1];
            let py = y(at);
            let _ = writeln!(out, "<path d=\"M{:.1} {py:.1}H{right:.1}\" stroke=\"#ddd\"/>", MARGIN[0]);
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                MARGIN[0] - 6.0,
                py + 4.0,
                number(at)
            );
        }
        let middle = MARGIN[0] + w / 2.0;
        let _ = writeln!(
            out,
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            bottom + 36.0,
            self.axes[0]
        );
        let across = MARGIN[1] + h / 2.0;
        let _ = writeln!(
            out,
            "<text x=\"16\" y=\"{across:.1}\" text-anchor=\"middle\" transform=\"rotate(-90 16 {across:.1})\">{}</text>",
            self.axes[1]
        );
        for (i, line) in self.lines.iter().enumerate() {
            let ideal = line.name == "ideal";
            let colour = if ideal { "#999" } else { COLOURS[i % COLOURS.len()] };
            let dash = if ideal { " stroke-dasharray=\"5 4\"" } else { "" };
            let points: Vec<String> =
                line.points.iter().map(|p| format!("{:.1},{:.1}", x(p.0), y(p.1))).collect();
            let points = points.join(" ");
            let _ = writeln!(
                out,
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>"
            );
            let at = bottom - 14.0 - 16.0 * (self.lines.len() - 1 - i) as f64;
            let _ = writeln!(
                out,
                "<path d=\"M{:.1} {:.1}h22\" stroke=\"{colour}\" stroke-width=\"2\"{dash}/>",
                right - 190.0,
                at - 4.0
            );
            let _ = writeln!(out, "<text x=\"{:.1}\" y=\"{at:.1}\">{}</text>", right - 162.0, line.name);
        }
        out + "</svg>\n"
    }
}

/// Short, without trailing zeros.
fn number(v: f64) -> String {
    let text = format!("{v:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plot_has_its_lines_and_names() {
        let line = Line { name: "ours".into(), points: vec![(0.0, 0.0), (50.0, 40.0)] };
        let ends = [100.0, 100.0];
        let axes = ["stated, %".to_owned(), "seen, %".to_owned()];
        let svg = Plot { title: "t".into(), axes, ends, ticks: [20.0, 20.0], lines: vec![line] }.svg();
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert_eq!((svg.matches("<polyline").count(), svg.matches(">ours<").count()), (1, 1));
    }
}
