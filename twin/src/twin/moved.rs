//! Books that are moved in mid-run, and other faults that happen to the place and not to a robot.

use domain::ShelfAddress;

use super::Twin;
use crate::antennas;
use crate::faults::{FaultKind, FaultSettings};
use crate::rows::Rows;

impl Twin {
    /// Lets a fault happen, as if the scenario had held it.
    pub(crate) fn add_fault(&mut self, fault: FaultSettings) {
        if let Some(obstacle) = fault.obstacle(&self.scenario) {
            self.world.add_obstacle(&self.library.site, &obstacle);
        }
        if fault.kind == FaultKind::BookMoved {
            let later = self.moves[self.moved..].iter().position(|m| m.at_s > fault.at_s);
            let at = later.map_or(self.moves.len(), |i| self.moved + i);
            self.moves.insert(at, fault.clone());
        } else if let Some(robot) = self.robots.iter_mut().find(|r| r.settings.name == fault.robot) {
            robot.faults.push(fault.clone());
        }
        self.scenario.faults.push(fault);
    }

    /// Moves the books whose time has come.
    pub(super) fn move_books(&mut self) {
        let now_s = self.now_ns() as f64 * 1e-9;
        while let Some(fault) = self.moves.get(self.moved).filter(|f| f.at_s <= now_s).cloned() {
            self.moved += 1;
            let parsed = |s: &Option<String>| s.as_ref().and_then(|s| s.parse::<ShelfAddress>().ok());
            if let Some(from) = parsed(&fault.shelf) {
                self.move_book(&from, fault.position, parsed(&fault.to_shelf).as_ref());
            }
        }
    }

    /// Takes a book off its shelf, so that a gap stays, and puts it at the end of another where there is room.
    fn move_book(&mut self, from: &ShelfAddress, position: u32, to: Option<&ShelfAddress>) {
        let Some(volume) = self.stacks.take(from, position) else { return };
        if let Some(to) = to {
            self.stacks.append(to, volume, &self.library.site);
        }
        self.standing = self.stacks.standing(&self.library.site);
        self.rows = Rows::new(&self.library.site, &self.stacks, &self.standing);
        let Some(tag) = self.field.find(&self.stacks.volumes[volume].uid) else { return };
        let stands = self.standing.iter().find(|s| s.volume == volume);
        let placed = stands.and_then(|s| antennas::place_of(&self.library.site, s));
        // The field knows the tag and its place is one of the site's, so neither can be refused.
        let _ = match placed {
            Some(placement) => self.field.replace(tag, &placement),
            None => self.field.remove(tag),
        };
    }
}
