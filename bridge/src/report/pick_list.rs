//! The pick list: findings in the order in which staff walk past them.
//!
//! A book that was found is picked up where it was found, any other is looked for where it belongs. Faces come
//! in the order of the site, then bays from the left, tiers from the top, books from the left. What has no
//! place at all comes last.

use domain::audit::Audit;
use domain::{FaceId, ShelfAddress, ShelfError, Site};

/// One stop of the pick list.
#[derive(Debug, Clone, PartialEq)]
pub struct Pick<'a> {
    /// Walk order, from 1.
    pub number: u32,
    /// Where to go; `None` when neither a place nor a home is known.
    pub stop: Option<ShelfAddress>,
    /// What is to be done there.
    pub error: &'a ShelfError,
}

/// The pick list of an audit. Findings at one place keep the audit's order.
pub fn pick_list<'a>(audit: &'a Audit, site: &Site) -> Vec<Pick<'a>> {
    let order: Vec<FaceId> = site.faces().map(|(id, _, _)| id).collect();
    let face_place = |id: &FaceId| order.iter().position(|f| f == id).unwrap_or(order.len());
    let mut picks: Vec<Pick<'a>> = audit
        .errors
        .iter()
        .map(|error| {
            let found = error.found.as_ref().map(|p| p.address.clone());
            let stop = found.or_else(|| error.home.as_ref().map(|h| h.first.clone()));
            Pick { number: 0, stop, error }
        })
        .collect();
    picks.sort_by(|a, b| {
        let key = |p: &Pick<'a>| {
            let s = p.stop.clone();
            (s.is_none(), s.map(|s| (face_place(&s.face), s.face, s.bay, std::cmp::Reverse(s.tier))))
        };
        let along = |p: &Pick<'a>| p.error.found.as_ref().map_or(f32::INFINITY, |f| f.along_m);
        key(a).cmp(&key(b)).then(along(a).total_cmp(&along(b)))
    });
    for (number, pick) in (1..).zip(&mut picks) {
        pick.number = number;
    }
    picks
}
