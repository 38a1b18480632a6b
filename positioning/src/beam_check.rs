//! How well the beams of one scan agree with a place: a beam model in four kinds (after Thrun, Burgard, Fox, ch. 6.3).
//!
//! Beams are not alike as evidence. People and carts shorten them, nothing makes them longer: a beam that would have gone
//! through a wall tells more than ten that end near one. A shelf's front is no wall: where no book stands a beam goes in,
//! as far as the shelf is deep.

use crate::floor_map::FloorMap;
use crate::pose::Pose2;
use crate::scan_match::MatchSettings;

/// Beams that are looked at.
pub(crate) const CHECK_BEAMS: usize = 72;
/// A beam this much longer than anything solid allows went through, m; this close to an obstacle it hit.
const THROUGH_M: f64 = 0.15;
const HIT_M: f64 = 0.12;
/// What a beam of each kind costs, against one that hits: −ln of the likelihood ratio.
const SHORT: f64 = 1.2;
const GAP: f64 = 0.3;
const THROUGH: f64 = 4.0;
/// A third of the echoes must lie farther than this before a lost robot is searched, m.
const FAR_M: f64 = 1.0;

/// One scan: echoes in the base frame, m, and what they are held against.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub map: &'a FloorMap,
    pub points: &'a [[f64; 2]],
    pub base_from_laser: Pose2,
    pub settings: &'a MatchSettings,
}

/// Shares of the beams, by what became of them at a place.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Check {
    /// Ended before anything on the map.
    pub short: f64,
    /// Ended inside a shelf.
    pub gap: f64,
    /// Would have gone through something solid.
    pub through: f64,
}

impl Check {
    /// Mean log-likelihood of a beam: 0 where all hit what the map has there.
    pub fn score(self) -> f64 {
        -(SHORT * self.short + GAP * self.gap + THROUGH * self.through)
    }
}

impl Sight<'_> {
    /// A robot with people close all around sees a ring that fits many places.
    pub fn is_far(&self) -> bool {
        3 * self.points.iter().filter(|p| p[0].hypot(p[1]) > FAR_M).count() > self.points.len()
    }

    /// Compares the echoes with what the map lets the lidar see from a place.
    pub fn check(&self, map_from_base: Pose2) -> Check {
        let eye = (map_from_base * self.base_from_laser).transform([0.0, 0.0]);
        let stride = self.points.len().div_ceil(CHECK_BEAMS).max(1);
        let (mut sum, mut all) = (Check::default(), 0.0);
        for p in self.points.iter().step_by(stride) {
            let end = map_from_base.transform(*p);
            let (dx, dy) = (end[0] - eye[0], end[1] - eye[1]);
            let range = dx.hypot(dy);
            all += 1.0;
            let Some(reach) = self.map.reach(eye, dy.atan2(dx)) else { continue };
            // A beam that grazes an edge may pass it or not: an end near any obstacle is a hit.
            let hit = || self.map.nearest(end).is_some_and(|n| n.signed_m.abs() < HIT_M);
            if range > reach.solid_m + THROUGH_M {
                sum.through += 1.0;
            } else if hit() {
            } else if range > reach.first_m {
                sum.gap += 1.0;
            } else {
                sum.short += 1.0;
            }
        }
        let share = |count: f64| if all > 0.0 { count / all } else { 1.0 };
        Check { short: share(sum.short), gap: share(sum.gap), through: share(sum.through) }
    }
}
