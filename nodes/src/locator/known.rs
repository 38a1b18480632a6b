//! Where each book was seen last, for whoever asks.

use std::collections::BTreeMap;

use domain::{ShelfAddress, Sighting, Site, Uid};
use interfaces::builtin_interfaces::Time;
use interfaces::geometry_msgs::Point;
use interfaces::shelfwright_msgs::{FindBookRequest, FindBookResponse};

/// Bound of the tags that are remembered: the largest building. Policy: new ones are left out and counted.
const MOST: usize = 1_000_000;

/// The newest good sighting of each tag.
#[derive(Default)]
pub(super) struct Known {
    by_uid: BTreeMap<Uid, (Sighting, bool)>,
    /// Tags that found no room.
    pub(super) left_out: u64,
}

impl Known {
    pub(super) fn len(&self) -> usize {
        self.by_uid.len()
    }

    /// Takes sightings of a pass, or first answers during one.
    pub(super) fn take(&mut self, sightings: &[Sighting], pass_over: bool) {
        for new in sightings {
            let full = self.by_uid.len() >= MOST;
            match self.by_uid.get_mut(&new.uid) {
                // A tag is read through panels too: what is more likely on the other side moves no book.
                Some((old, _))
                    if new.face_probability < 0.5 && old.face_probability > new.face_probability => {}
                Some(place) => *place = (new.clone(), pass_over),
                None if full => self.left_out += 1,
                None => {
                    self.by_uid.insert(new.uid.clone(), (new.clone(), pass_over));
                }
            }
        }
    }

    /// Where a book is.
    pub(super) fn find(&self, request: &FindBookRequest, site: &Site) -> FindBookResponse {
        let found = Uid::new(&request.uid).ok().and_then(|uid| self.by_uid.get(&uid));
        let Some((s, pass_over)) = found else { return FindBookResponse::default() };
        let mut response = FindBookResponse {
            seen: true,
            along_m: s.along_m,
            along_std_m: s.along_std_m,
            stamp: Time::from_ns(s.stamp_ns.unwrap_or_default()),
            scan: s.scan.clone(),
            pass_over: *pass_over,
            ..FindBookResponse::default()
        };
        if let Some(id) = &s.face
            && let Some((_, face)) = site.face(id)
        {
            let along = f64::from(s.along_m);
            let [x, y, z] = face.map_from_face([along, 0.0, f64::from(s.height_m)]);
            response.position = Point { x, y, z };
            response.address = match (face.bay_at(along), s.tier()) {
                (Some(bay), Some((tier, _))) => ShelfAddress { face: id.clone(), bay, tier }.to_string(),
                _ => id.to_string(),
            };
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sighting(face: &str, along_m: f32, face_probability: f32) -> Sighting {
        Sighting {
            uid: Uid::new(&[0xE2, 1]).unwrap(),
            scan: "s".into(),
            face: Some(face.parse().unwrap()),
            stamp_ns: Some(5),
            along_m,
            along_std_m: 0.02,
            range_m: 0.4,
            height_m: f32::NAN,
            tier_probability: vec![0.2, 0.8],
            face_probability,
            rank: 0,
            rank_confidence: 1.0,
            reads: 50,
            rssi_dbm: -50.0,
        }
    }

    #[test]
    fn a_book_stands_where_it_was_seen_last_and_not_where_it_was_read_through_a_panel() {
        let site: Site = toml::from_str(
            "name = 's'\n[[floor]]\nid = '1F'\n[[floor.face]]\nid = 'R01A'\norigin_m = [1, 2]\nheading_deg = 90\n\
             bays = 3\nbay_width_m = 0.9\ndepth_m = 0.25\ntier = [{ board_m = 0.1, clear_m = 0.3 }]",
        )
        .unwrap();
        let mut known = Known::default();
        let ask = |known: &Known, uid: &[u8]| known.find(&FindBookRequest { uid: uid.to_vec() }, &site);
        assert_eq!(ask(&known, &[0xE2, 1]), FindBookResponse::default());
        known.take(&[sighting("1F/R01A", 0.3, 0.9)], false);
        known.take(&[sighting("1F/R01A", 1.0, 0.95)], true);
        known.take(&[sighting("1F/R01B", 2.0, 0.1)], true);
        let found = ask(&known, &[0xE2, 1]);
        assert_eq!((found.address.as_str(), found.pass_over), ("1F/R01A/B02/T2", true));
        assert!((found.position.x - 1.0).abs() < 1e-6 && (found.position.y - 3.0).abs() < 1e-6);
        assert!(found.position.z.is_nan());
        assert!(!ask(&known, &[]).seen && !ask(&known, &[1]).seen);
    }
}
