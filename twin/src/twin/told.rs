//! What is really so, for scoring and drawing and for nothing else: no node of a robot sees it.

use super::Twin;
use crate::faults::FaultKind;
use crate::people::Person;
use crate::scenario::ObstacleSettings;
use crate::truth::{TrueBook, TrueRobot, Truth};
use crate::world::{floor_index, floor_z};

/// Furniture that leans farther than this out of the upright lies, rad: 60°.
const LIES_RAD: f64 = 1.05;

impl Twin {
    /// How often a robot began to touch something, for scoring and for nothing else.
    pub fn bumps(&self, robot: &str) -> u32 {
        self.robots.iter().find(|r| r.settings.name == robot).map_or(0, |r| r.touch.1)
    }

    /// How many trolleys and chairs lie on the floor, for scoring and for nothing else.
    pub fn tipped(&self) -> u32 {
        self.furniture().filter(|(_, tip)| *tip > LIES_RAD).count() as u32
    }

    /// Where trolleys and chairs are (centre, m) and how far they tip (rad), for scoring and for drawing.
    pub fn furniture(&self) -> impl Iterator<Item = ([f64; 3], f64)> {
        self.world.furniture()
    }

    /// Trolleys and chairs of a floor, for drawing and for nothing else: centre, m above the floor's map, and turn as a
    /// quaternion x, y, z, w.
    pub fn furniture_poses(&self, floor: usize) -> impl Iterator<Item = ([f64; 3], [f64; 4])> {
        let all = self.scenario.furniture.iter().zip(self.world.furniture_poses());
        all.filter(move |(f, _)| floor_index(&self.library.site, f.floor.as_deref()) == floor)
            .map(move |(_, ([x, y, z], turn))| ([x, y, z - floor_z(floor)], turn))
    }

    /// A robot's true pose on the map (x and y, m, and direction, rad), for scoring and for nothing else.
    pub fn true_pose(&self, robot: &str) -> Option<[f64; 3]> {
        self.robots.iter().find(|r| r.settings.name == robot).map(|r| self.world.pose(r.body))
    }

    /// Where people on a floor are and look to, for drawing and for nothing else: x and y on the map, m, and direction, rad.
    pub fn people_on(&self, floor: usize) -> impl Iterator<Item = [f64; 3]> {
        let here = move |p: &Person| floor_index(&self.library.site, p.floor()) == floor;
        self.people.iter().filter(move |(_, p)| here(p)).map(|(_, p)| {
            let [x, y] = p.at();
            [x, y, p.facing()]
        })
    }

    /// Boxes that stand in the way now, put there by the scenario or from outside; for drawing and for nothing else.
    pub fn solids(&self) -> impl Iterator<Item = &ObstacleSettings> {
        self.world.obstacles().filter(|(_, there)| *there).map(|(o, _)| o).chain(self.things.solids())
    }

    /// Whether a fault of a kind troubles a robot now.
    pub fn suffers(&self, robot: &str, kind: FaultKind) -> bool {
        let robot = self.robots.iter().find(|r| r.settings.name == robot);
        robot.is_some_and(|r| r.fault(kind, self.now_ns()).is_some())
    }

    /// The seed of the scenario.
    pub fn seed(&self) -> u64 {
        self.scenario.seed
    }

    /// The truth, for scoring and for nothing else.
    pub fn truth(&self) -> Truth {
        let mut books: Vec<TrueBook> = self
            .stacks
            .volumes
            .iter()
            .map(|v| TrueBook {
                uid: v.uid.clone(),
                barcode: v.book.map_or_else(String::new, |b| self.library.books[b].barcode.clone()),
                address: None,
                position: 0,
                tag_m: [0.0; 3],
                left_m: 0.0,
                thickness_m: v.thickness_m,
            })
            .collect();
        for s in &self.standing {
            let book = &mut books[s.volume];
            book.address = Some(s.address.clone());
            book.position = s.position;
            book.tag_m = s.tag_m;
            book.left_m = s.left_m;
        }
        let robots = self
            .robots
            .iter()
            .map(|r| TrueRobot { name: r.settings.name.clone(), pose: self.world.pose(r.body) })
            .collect();
        Truth { books, injected: self.injected.clone(), robots }
    }
}
