//! Radios that are known, found again from what their passes look like.

use std::fmt::Write as _;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use twin::calibrate::{Draw, KnownRow, RowStudy, Study, narrow};
use twin::radio::{RadioPrior, RowLayout, RowSchool};

use crate::AnyError;

/// Seed of the layouts.
const LAYOUTS: u64 = 21;
/// Seed of the radios that are looked for; draws have another.
const SOUGHT: u64 = 22;
pub const DRAWS: u64 = 7;
const RADIOS: u64 = 200;
const PASSES: usize = 24;

/// A table of recovery from rows.
pub fn rows() -> Result<String, AnyError> {
    let school = RowSchool::new(RadioPrior::default());
    let mut rng = ChaCha8Rng::seed_from_u64(LAYOUTS);
    let mut known = Vec::new();
    // Which radio these passes have does not matter: only their layouts are used, and which tags are read at all.
    let strong =
        RadioPrior { read_range_db: [32.0, 32.0], carriers_hz: vec![922.375e6], ..RadioPrior::default() };
    while known.len() < PASSES {
        let layout = RowLayout::draw(&mut rng);
        if layout.tags.len() >= 5 && layout.tags.iter().all(|t| t.1 >= 0) {
            let lesson = school.pass(&strong, &layout, LAYOUTS, known.len() as u64);
            known.extend(KnownRow::of_lesson(&lesson, &layout));
        }
    }
    let study = RowStudy::new(RadioPrior::default(), known)?;
    let mut text = format!(
        "\n## Known radios, found again\n\n**Rows.** {RADIOS} radios drawn from the default prior pass {PASSES} layouts \
        ({} tags) of the lessons' kind; each is looked for among 4000 radios of another seed. *Held*: the true value lies in \
        the narrowed range; *central*: in the 90% before it is widened; *width*: of the narrowed range over the default's, on \
        average.\n\n",
        study.tags()
    );
    let made = many(4000, |n| study.draw(DRAWS, n))?;
    let sought = many(RADIOS, |n| study.draw(SOUGHT, n))?;
    text += &table(&study, &made, &sought)?;
    Ok(text)
}

/// How often the narrowed range of each parameter holds the true value of radios that are sought among those made.
pub fn table(study: &impl Study, made: &[Draw], sought: &[Draw]) -> Result<String, AnyError> {
    let mut sums = vec![[0.0; 4]; study.parameters().len()];
    for radio in sought {
        let found = narrow(study, &radio.figures, made);
        for ((f, share), (sum, p)) in
            found.findings.iter().zip(&radio.shares).zip(sums.iter_mut().zip(study.parameters()))
        {
            let value = p.at(*share);
            let holds = |[low, high]: [f64; 2]| f64::from(u8::from((low..=high).contains(&value)));
            sum[0] += holds(f.range);
            sum[1] += holds(f.central);
            sum[2] += f.width;
            sum[3] += f64::from(u8::from(f.told));
        }
    }
    let mut text = String::from(
        "| parameter | held % | central % | width % | narrowed at all % |\n|---|---|---|---|---|\n",
    );
    for (sum, p) in sums.iter().zip(study.parameters()) {
        let [held, central, width, told] = sum.map(|s| 100.0 * s / sought.len() as f64);
        writeln!(text, "| `{}` | {held:.0} | {central:.0} | {width:.0} | {told:.0} |", p.key)?;
    }
    Ok(text)
}

/// So many draws, on all cores, in order.
pub fn many<E: Send + Into<AnyError>>(
    count: u64,
    draw: impl Fn(u64) -> Result<Draw, E> + Sync,
) -> Result<Vec<Draw>, AnyError> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let parts: Vec<Result<Vec<(u64, Draw)>, E>> = std::thread::scope(|scope| {
        let draw = &draw;
        let part = |first: u64| {
            move || (first..count).step_by(threads as usize).map(|n| Ok((n, draw(n)?))).collect()
        };
        let running: Vec<_> = (0..threads).map(|first| scope.spawn(part(first))).collect();
        running.into_iter().filter_map(|r| r.join().ok()).collect()
    });
    let mut all = Vec::new();
    for part in parts {
        all.extend(part.map_err(Into::into)?);
    }
    all.sort_by_key(|d| d.0);
    Ok(all.into_iter().map(|d| d.1).collect())
}
