//! The truth about a simulated library, for scoring and for nothing else: no node may see it.

use domain::{ErrorKind, FaceId, ShelfAddress, Uid};
use serde::{Deserialize, Serialize};

pub use crate::inject::Injected;

/// Where every book really is and what was put wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Every tag of the scenario: the library's books in catalogue order, then what is not the library's.
    pub books: Vec<TrueBook>,
    /// What was put wrong.
    pub injected: Vec<Injected>,
    /// Where the robots are now.
    pub robots: Vec<TrueRobot>,
}

/// One tag and where it really is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueBook {
    /// Tag identifier.
    pub uid: Uid,
    /// Barcode; empty for what is not the library's.
    pub barcode: String,
    /// The shelf it stands on; `None` when it stands nowhere.
    pub address: Option<ShelfAddress>,
    /// Position on the shelf from its left end, from 1; 0 when it stands nowhere.
    pub position: u32,
    /// The tag's centre in face coordinates, m: x along the face, y out of the shelf, z above the floor;
    /// zeros when it stands nowhere.
    pub tag_m: [f64; 3],
    /// Left side of the book along the face, m; 0 when it stands nowhere.
    pub left_m: f64,
    /// Thickness, m.
    pub thickness_m: f64,
}

impl TrueBook {
    /// Where its tag is along the face, m.
    pub fn along_m(&self) -> f64 {
        self.tag_m[0]
    }
}

/// A robot's true pose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueRobot {
    /// Name.
    pub name: String,
    /// On the map: x and y, m, and direction, rad.
    pub pose: [f64; 3],
}

impl Truth {
    /// The same truth for an audit of some row faces only: of the errors, those that such an audit can find. A
    /// missing book counts by its home, anything else by where it stands.
    pub fn within(&self, faces: &[FaceId]) -> Self {
        let here = |a: &Option<ShelfAddress>| a.as_ref().is_some_and(|a| faces.contains(&a.face));
        let injected = self
            .injected
            .iter()
            .filter(|e| if e.kind == ErrorKind::Missing { here(&e.home) } else { here(&e.stands) })
            .cloned()
            .collect();
        Self {
            books: self.books.iter().filter(|b| here(&b.address)).cloned().collect(),
            injected,
            robots: self.robots.clone(),
        }
    }
}
