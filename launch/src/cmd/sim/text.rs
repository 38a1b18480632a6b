//! What a run came to, in words.

use super::RunResult;

/// For people.
pub(super) fn text(r: &RunResult) -> String {
    let f = &r.facts;
    let mut text = format!(
        "\n{} reads of {} tags in {} passes, {:.0} m driven, {:.0} s simulated in {:.0} s ({:.1}× real time)\n",
        f.run.reads, f.run.tags, f.run.passes, f.run.distance_m, f.simulated_s, f.wall_s, f.real_time_factor
    );
    text += &format!(
        "{} books expected, {} in place, {} findings\n\n",
        r.summary.expected,
        r.summary.in_place,
        r.summary.total()
    );
    text += "against what the scenario put wrong (which no node has seen):\n\
             class            injected  reported  right  precision  recall\n";
    let s = &r.scores;
    for (name, c) in [
        ("misplaced", &s.far_misplaced),
        ("missing", &s.missing),
        ("out of order", &s.out_of_order),
        ("not catalogued", &s.foreign),
        ("on loan", &s.on_loan),
    ] {
        let share = |v: Option<f64>| v.map_or("    –".into(), |v| format!("{v:.3}"));
        text += &format!(
            "{name:<16} {:>8}  {:>8}  {:>5}  {:>9}  {:>6}\n",
            c.score.injected,
            c.score.reported,
            c.score.hits,
            share(c.precision),
            share(c.recall)
        );
    }
    let l = &f.localizer;
    text += &format!(
        "not verified: {}; localizer RMS while scanning: {:.1} cm along, {:.1} cm across, {:.2}°\n\n",
        s.not_verified,
        100.0 * l.along_m,
        100.0 * l.across_m,
        l.heading_deg
    );
    for failed in &r.failed {
        text += &format!("could not be done: {failed}\n");
    }
    if let Some(d) = &r.delivery {
        text += &format!(
            "platform: {} events delivered, {} waiting, {} refused\n",
            d.delivered, d.pending, d.dead
        );
    }
    text += &format!(
        "report:   {}\nbag:      {}\n",
        r.out.join("report.html").display(),
        r.out.join("bag").display()
    );
    text
}
