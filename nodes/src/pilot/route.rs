//! The order in which a mission visits its faces: the shortest way from face end to face start.
//!
//! A face is driven in one direction only, so the ways between two faces differ both ways round. Up to ten
//! faces the best order is found exactly (Held and Karp 1962), beyond that the nearest start comes next.

use positioning::Pose2;

use crate::navigator::planner::Planner;

/// Where a pass over a face begins and ends, on the map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Leg {
    /// Pose at the start.
    pub start: Pose2,
    /// Pose at the end.
    pub end: Pose2,
}

const EXACT: usize = 10;
/// Stands for "no way": worse than every way, and still comparable.
const NO_WAY: f64 = 1e6;

/// The order of the legs, as indices, for a robot that stands at `from`.
pub fn order(planner: &Planner, from: Pose2, legs: &[Leg]) -> Vec<usize> {
    if legs.len() > EXACT {
        return nearest_next(planner, from, legs);
    }
    let first = costs(planner, from, legs);
    let between: Vec<Vec<f64>> = legs.iter().map(|leg| costs(planner, leg.end, legs)).collect();
    shortest(&first, &between)
}

fn costs(planner: &Planner, from: Pose2, legs: &[Leg]) -> Vec<f64> {
    let reach = planner.reach([from.x, from.y]);
    legs.iter()
        .map(|leg| {
            let way = reach.as_ref().ok().and_then(|r| r.cost_to([leg.start.x, leg.start.y]));
            way.unwrap_or(NO_WAY)
        })
        .collect()
}

fn nearest_next(planner: &Planner, from: Pose2, legs: &[Leg]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..legs.len()).collect();
    let mut order = Vec::with_capacity(legs.len());
    let mut at = from;
    while !left.is_empty() {
        let way = costs(planner, at, legs);
        // The first of equals, so that the order is a function of the inputs.
        let mut best = 0;
        for i in 1..left.len() {
            if way[left[i]] < way[left[best]] {
                best = i;
            }
        }
        let next = left.remove(best);
        order.push(next);
        at = legs[next].end;
    }
    order
}

/// Held–Karp: `first[i]` to the first leg, `between[i][j]` from the end of leg i to the start of leg j.
fn shortest(first: &[f64], between: &[Vec<f64>]) -> Vec<usize> {
    let n = first.len();
    if n == 0 {
        return Vec::new();
    }
    let sets = 1usize << n;
    // best[set][last]: cost of visiting `set` and ending with `last`, and the one before it.
    let mut best = vec![vec![(f64::INFINITY, usize::MAX); n]; sets];
    for i in 0..n {
        best[1 << i][i] = (first[i], usize::MAX);
    }
    for set in 1..sets {
        for last in (0..n).filter(|l| set & (1 << l) != 0) {
            let cost = best[set][last].0;
            for next in (0..n).filter(|x| set & (1 << x) == 0) {
                let through = cost + between[last][next];
                let entry = &mut best[set | (1 << next)][next];
                if through < entry.0 {
                    *entry = (through, last);
                }
            }
        }
    }
    let mut set = sets - 1;
    let mut last = 0;
    for i in 1..n {
        if best[set][i].0 < best[set][last].0 {
            last = i;
        }
    }
    let mut order = vec![last];
    while let (_, before) = best[set][last]
        && before != usize::MAX
    {
        set &= !(1 << last);
        last = before;
        order.push(last);
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_order_is_found_where_the_nearest_first_misleads() {
        // From the start, leg 0 is nearest, but its end is far from all else.
        let first = [1.0, 2.0, 3.0];
        let between = vec![vec![0.0, 50.0, 50.0], vec![2.0, 0.0, 1.0], vec![1.0, 1.0, 0.0]];
        assert_eq!(shortest(&first, &between), [1, 2, 0]);
        assert_eq!(shortest(&[], &[]), [] as [usize; 0]);
        assert_eq!(shortest(&[NO_WAY], &[vec![0.0]]), [0]);
    }
}
