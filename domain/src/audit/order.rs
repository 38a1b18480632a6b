//! The smallest set of books to move so that a shelf is in order: a longest increasing subsequence that knows how
//! sure each position is.
//!
//! Books in call-number order with positions that grow are in order. Keeping two consecutive ones whose positions say
//! otherwise costs −ln P(order), from both standard deviations; moving a book costs a constant. The cheapest chain is
//! found by dynamic programming. With exact positions it is the longest increasing subsequence (Fredman 1975).

use super::stat::{ln_normal_cdf, normal_cdf};

/// A book on its shelf; the slice that holds it is in call-number order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shelved {
    /// Equal for books whose call numbers are equal: these may stand in any order.
    pub class: usize,
    pub along_m: f64,
    pub along_std_m: f64,
    /// Probability that the position is grossly off.
    pub gross_share: f64,
}

/// Longest run of moved books that is looked across; more than any shelf holds.
const REACH: usize = 400;

/// Indices, ascending, of the books to move. `move_cost` in nats: by so much the positions' likelihood must gain for
/// a book to count as out of order.
pub fn smallest_move_set(books: &[Shelved], move_cost: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..books.len()).collect();
    order.sort_by(|&a, &b| {
        (books[a].class.cmp(&books[b].class))
            .then(books[a].along_m.total_cmp(&books[b].along_m))
            .then(a.cmp(&b))
    });
    let n = order.len();
    // cheapest[i]: cost of the first i + 1 books when book i stays; before[i]: the one that stays before it.
    let mut cheapest = vec![0.0; n];
    let mut before: Vec<Option<usize>> = vec![None; n];
    for i in 0..n {
        cheapest[i] = move_cost * i as f64;
        for j in (i.saturating_sub(REACH)..i).rev() {
            let cost = cheapest[j]
                + move_cost * (i - j - 1) as f64
                + disorder_cost(&books[order[j]], &books[order[i]]);
            if cost < cheapest[i] {
                cheapest[i] = cost;
                before[i] = Some(j);
            }
        }
    }
    let mut last: Option<usize> = None;
    let mut least = move_cost * n as f64;
    for i in (0..n).rev() {
        let cost = cheapest[i] + move_cost * (n - 1 - i) as f64;
        if cost < least {
            least = cost;
            last = Some(i);
        }
    }
    let mut stays = vec![false; n];
    while let Some(i) = last {
        stays[order[i]] = true;
        last = before[i];
    }
    (0..n).filter(|&i| !stays[i]).collect()
}

/// −ln P(right stands to the right of left), as far as it is worse than not knowing.
fn disorder_cost(left: &Shelved, right: &Shelved) -> f64 {
    let std = left.along_std_m.hypot(right.along_std_m).max(1e-9);
    let z = (right.along_m - left.along_m) / std;
    let gross = 1.0 - (1.0 - left.gross_share) * (1.0 - right.gross_share);
    let ln_right = if gross > 0.0 {
        ((1.0 - gross) * normal_cdf(z) + 0.5 * gross).ln()
    } else {
        ln_normal_cdf(z.max(-1e8))
    };
    // Up to even odds there is no evidence of disorder.
    (-ln_right - std::f64::consts::LN_2).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact(along: &[f64]) -> Vec<Shelved> {
        along
            .iter()
            .enumerate()
            .map(|(class, &along_m)| Shelved { class, along_m, along_std_m: 1e-6, gross_share: 0.0 })
            .collect()
    }

    fn brute_force(along: &[f64]) -> usize {
        (0u32..1 << along.len())
            .filter(|set| {
                let kept: Vec<f64> =
                    (0..along.len()).filter(|i| set >> i & 1 == 1).map(|i| along[i]).collect();
                kept.windows(2).all(|w| w[0] <= w[1])
            })
            .map(|set| along.len() - set.count_ones() as usize)
            .min()
            .unwrap_or(0)
    }

    proptest! {
        #[test]
        fn staff_never_move_more_books_than_needed(places in prop::collection::vec(0u8..12, 0..10)) {
            let along: Vec<f64> = places.iter().map(|p| f64::from(*p) * 0.03).collect();
            let moved = smallest_move_set(&exact(&along), 5.0);
            prop_assert_eq!(moved.len(), brute_force(&along));
            let kept: Vec<f64> = (0..along.len()).filter(|i| !moved.contains(i)).map(|i| along[i]).collect();
            prop_assert!(kept.windows(2).all(|w| w[0] <= w[1]));
        }
    }

    #[test]
    fn a_swap_within_the_noise_is_no_finding() {
        let mut books = exact(&[0.10, 0.15, 0.14, 0.20]);
        books.iter_mut().for_each(|b| b.along_std_m = 0.01);
        assert!(smallest_move_set(&books, 5.0).is_empty());
        books.iter_mut().for_each(|b| b.along_std_m = 0.001);
        assert_eq!(smallest_move_set(&books, 5.0).len(), 1);
    }

    #[test]
    fn copies_may_stand_in_any_order() {
        let mut books = exact(&[0.1, 0.4, 0.3, 0.2, 0.5]);
        for b in &mut books[1..4] {
            b.class = 1;
        }
        assert!(smallest_move_set(&books, 5.0).is_empty());
    }

    #[test]
    fn one_book_put_far_back_is_the_one_to_move() {
        assert_eq!(smallest_move_set(&exact(&[0.1, 0.9, 0.2, 0.3, 0.4, 0.5]), 5.0), [1]);
        assert_eq!(smallest_move_set(&exact(&[0.1, 0.2, 0.3, 0.4, 0.05, 0.5]), 5.0), [4]);
    }
}
