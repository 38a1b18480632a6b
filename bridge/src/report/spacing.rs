//! Moving things apart along a line, each as little as possible.

/// Left edges and widths for spines given as (centre, width): the least movement (sum of squares) that keeps
/// their order, lets none overlap and keeps all between the ends; squeezed where they do not fit.
pub(super) fn spread(wanted: &[(f64, f64)], from: f64, to: f64) -> Vec<(f64, f64)> {
    let total: f64 = wanted.iter().map(|(_, w)| w).sum();
    let squeeze = if total > to - from { (to - from) / total } else { 1.0 };
    // With the widths before it taken off, "no overlap" reads "not decreasing": isotonic regression, solved by
    // pooling adjacent violators.
    let mut pools: Vec<(f64, usize)> = Vec::new();
    let mut before = 0.0;
    for &(centre, w) in wanted {
        pools.push((centre - w * squeeze / 2.0 - before, 1));
        before += w * squeeze;
        while let [.., (a, n), (b, m)] = pools[..]
            && a > b
        {
            pools.truncate(pools.len() - 2);
            pools.push(((a * n as f64 + b * m as f64) / (n + m) as f64, n + m));
        }
    }
    let last = to - total * squeeze;
    let starts = pools.into_iter().flat_map(|(z, n)| std::iter::repeat_n(z.clamp(from, last.max(from)), n));
    let mut before = 0.0;
    wanted
        .iter()
        .zip(starts)
        .map(|(&(_, w), z)| {
            let left = z + before;
            before += w * squeeze;
            (left, w * squeeze)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_spine_hides_another(
            books in prop::collection::vec((-0.2f64..1.1, 0.003f64..0.06), 0..60)
        ) {
            let mut books = books;
            books.sort_by(|a, b| a.0.total_cmp(&b.0));
            let placed = spread(&books, 0.0, 0.9);
            prop_assert_eq!(placed.len(), books.len());
            let mut end = -1e-9;
            for (left, w) in placed {
                prop_assert!(left >= end - 1e-9, "{left} before {end}");
                end = left + w;
            }
            prop_assert!(end <= 0.9 + 1e-9);
        }
    }

    #[test]
    fn a_spine_that_fits_stays_where_it_was_found() {
        let placed = spread(&[(0.10, 0.02), (0.50, 0.04)], 0.0, 0.9);
        assert!((placed[0].0 - 0.09).abs() < 1e-12 && (placed[1].0 - 0.48).abs() < 1e-12);
    }
}
