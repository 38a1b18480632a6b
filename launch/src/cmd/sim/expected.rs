//! What a scenario expects of its run, held against what came of it.

use twin::scenario::ExpectSettings;

use super::RunResult;

/// Where a run came to something else than was expected.
pub(super) fn differences(expect: &ExpectSettings, r: &RunResult) -> Vec<String> {
    let mut out = Vec::new();
    if let Some(finished) = expect.finished
        && finished != r.failed.is_empty()
    {
        out.push(match finished {
            true => format!("not all row faces were done ({})", r.failed.join("; ")),
            false => "all row faces were done".into(),
        });
    }
    let passes = r.facts.run.passes;
    if let Some([fewest, most]) = expect.passes
        && !(fewest..=most).contains(&passes)
    {
        out.push(format!("{passes} passes, expected {fewest} to {most}"));
    }
    let classes = [
        ("misplaced", expect.misplaced, &r.scores.far_misplaced),
        ("missing", expect.missing, &r.scores.missing),
    ];
    for (name, wanted, found) in classes {
        let Some([precision, recall]) = wanted else { continue };
        for (what, least, share) in
            [("precision", precision, found.precision), ("recall", recall, found.recall)]
        {
            // Nothing reported, or nothing there to find, is no mistake.
            if share.is_some_and(|s| s < least) {
                out.push(format!("{what} of {name} {:.2}, expected {least} or more", share.unwrap_or(0.0)));
            }
        }
    }
    if let Some([fewest, most]) = expect.bumps
        && !(fewest..=most).contains(&r.facts.bumps)
    {
        out.push(format!("{} bumps, expected {fewest} to {most}", r.facts.bumps));
    }
    if let Some([fewest, most]) = expect.tipped
        && !(fewest..=most).contains(&r.facts.tipped)
    {
        out.push(format!("{} things lie on the floor, expected {fewest} to {most}", r.facts.tipped));
    }
    if let Some(reason) = &expect.reason
        && !r.failed.iter().any(|f| f.contains(reason.as_str()))
    {
        out.push(format!("no failure that says {reason:?} ({})", r.failed.join("; ")));
    }
    let along_cm = 100.0 * r.facts.localizer.along_m;
    if let Some(most) = expect.localizer_cm
        && along_cm > most
    {
        out.push(format!("localizer {along_cm:.1} cm off along the aisle, expected {most} or less"));
    }
    out
}
