//! The life of a managed node (lifecycle_msgs): states and the transitions between them.

/// States that a node rests in, numbered as in `lifecycle_msgs/msg/State`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Has parameters, and nothing else.
    Unconfigured = 1,
    /// Is made, and neither hears nor speaks.
    Inactive = 2,
    /// Works.
    Active = 3,
    /// Is over.
    Finalized = 4,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Unconfigured, Self::Inactive, Self::Active, Self::Finalized];

    /// Its number.
    pub fn id(self) -> u8 {
        self as u8
    }

    /// Its name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unconfigured => "unconfigured",
            Self::Inactive => "inactive",
            Self::Active => "active",
            Self::Finalized => "finalized",
        }
    }
}

/// A change of state, numbered as in `lifecycle_msgs/msg/Transition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Its number.
    pub id: u8,
    /// Its name.
    pub label: &'static str,
    /// From here.
    pub start: State,
    /// To there.
    pub goal: State,
}

const fn transition(id: u8, label: &'static str, start: State, goal: State) -> Transition {
    Transition { id, label, start, goal }
}

/// Every transition.
pub const TRANSITIONS: [Transition; 7] = [
    transition(1, "configure", State::Unconfigured, State::Inactive),
    transition(2, "cleanup", State::Inactive, State::Unconfigured),
    transition(3, "activate", State::Inactive, State::Active),
    transition(4, "deactivate", State::Active, State::Inactive),
    transition(5, "shutdown", State::Unconfigured, State::Finalized),
    transition(6, "shutdown", State::Inactive, State::Finalized),
    transition(7, "shutdown", State::Active, State::Finalized),
];

/// The transition that is asked for, by its name or else by its number; `None` where this state has no such one.
pub fn find(state: State, id: u8, label: &str) -> Option<Transition> {
    from(state).find(|t| if label.is_empty() { t.id == id } else { t.label == label })
}

/// Transitions that lead out of a state.
pub fn from(state: State) -> impl Iterator<Item = Transition> {
    TRANSITIONS.into_iter().filter(move |t| t.start == state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_changes_only_along_the_transitions() {
        assert_eq!(find(State::Unconfigured, 1, "").unwrap().goal, State::Inactive);
        assert_eq!(find(State::Unconfigured, 3, ""), None);
        assert_eq!(find(State::Active, 0, "shutdown").unwrap().id, 7);
        assert_eq!(from(State::Finalized).count(), 0);
    }
}
