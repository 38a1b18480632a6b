//! A buffer of transforms over time: which frame stood where, when.
//!
//! What `tf2` does, without ROS: frames form a tree, each edge is either fixed for ever or a bounded history of
//! stamped transforms. Between two stamps the buffer interpolates (linear and slerp); it never extrapolates,
//! because a read joined with a guessed antenna position is worse than a read that waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use nalgebra::Isometry3;

/// Why a transform is not accepted or not available. Stamps are ns.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TfError {
    /// Nothing was ever inserted that names this frame.
    #[error("unknown frame {frame:?}; known are {}", list(known))]
    UnknownFrame {
        /// The frame that was asked for.
        frame: String,
        /// All frames of the buffer, sorted.
        known: Vec<String>,
    },
    /// The two frames hang on different trees.
    #[error(
        "{target_frame:?} and {source_frame:?} are not connected: their trees have the roots {target_root:?} and {source_root:?}"
    )]
    NotConnected {
        /// Frame to transform into.
        target_frame: String,
        /// Frame to transform from.
        source_frame: String,
        /// Root of the target's tree.
        target_root: String,
        /// Root of the source's tree.
        source_root: String,
    },
    /// The stamp lies outside what the buffer holds for one edge on the way.
    #[error(
        "no transform {parent:?} -> {child:?} at {stamp_ns} ns: it would be extrapolated {}, the buffer holds {oldest_ns} to {newest_ns} ns",
        side(*stamp_ns, *oldest_ns, *newest_ns)
    )]
    Extrapolation {
        /// Upper frame of the edge.
        parent: String,
        /// Lower frame of the edge.
        child: String,
        /// The stamp that was asked for.
        stamp_ns: i64,
        /// Oldest stamp held.
        oldest_ns: i64,
        /// Newest stamp held.
        newest_ns: i64,
    },
    /// A frame has one parent and keeps its kind.
    #[error("frame {child:?} hangs on {held}, and a transform makes it hang on {found}")]
    Reparented {
        /// The frame.
        child: String,
        /// What the buffer holds.
        held: String,
        /// What came.
        found: String,
    },
    /// The new edge would close a loop.
    #[error("frame {child:?} cannot hang on {parent:?}: {parent:?} hangs on {child:?} already")]
    Loop {
        /// Upper frame of the refused edge.
        parent: String,
        /// Lower frame of the refused edge.
        child: String,
    },
    /// A number is NaN or infinite, or the rotation is no unit quaternion.
    #[error("transform {parent:?} -> {child:?} at {stamp_ns} ns is not a finite rigid transform")]
    NotRigid {
        /// Upper frame.
        parent: String,
        /// Lower frame.
        child: String,
        /// Its stamp.
        stamp_ns: i64,
    },
    /// The transform is older than the history that the buffer keeps.
    #[error(
        "transform {parent:?} -> {child:?} at {stamp_ns} ns is older than the buffer keeps (since {oldest_ns} ns)"
    )]
    TooOld {
        /// Upper frame.
        parent: String,
        /// Lower frame.
        child: String,
        /// Its stamp.
        stamp_ns: i64,
        /// Where the kept history begins.
        oldest_ns: i64,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn side(stamp: i64, oldest: i64, newest: i64) -> String {
    if stamp > newest {
        format!("{} ns into the future", stamp - newest)
    } else {
        format!("{} ns into the past", oldest - stamp)
    }
}

#[derive(Debug, Clone)]
enum History {
    Static(Isometry3<f64>),
    /// Sorted by stamp, stamps unique, never empty.
    Dynamic(VecDeque<(i64, Isometry3<f64>)>),
}

#[derive(Debug, Clone)]
struct Edge {
    parent: Arc<str>,
    history: History,
}

/// Edges with their child frames, from a frame upwards.
type Way<'a> = Vec<(&'a Arc<str>, &'a Edge)>;

/// Transforms over time. See the module's text.
#[derive(Debug, Clone)]
pub struct TfBuffer {
    history_ns: i64,
    /// By child frame.
    edges: BTreeMap<Arc<str>, Edge>,
}

/// Longer than a pass along one face takes, so that a pass can be joined at its end.
const DEFAULT_HISTORY_NS: i64 = 300_000_000_000;
/// A stream at 1 kHz over the default history; beyond it the oldest go first.
const MAX_SAMPLES: usize = 300_000;

impl Default for TfBuffer {
    fn default() -> Self {
        Self::new(DEFAULT_HISTORY_NS)
    }
}

impl TfBuffer {
    /// An empty buffer that keeps `history_ns` before the newest stamp of each edge.
    pub fn new(history_ns: i64) -> Self {
        Self { history_ns: history_ns.max(0), edges: BTreeMap::new() }
    }

    /// Adds `parent_from_child` for all times (`/tf_static`). The same edge may come again and replaces the old one.
    pub fn insert_static(
        &mut self,
        parent: &str,
        child: &str,
        parent_from_child: Isometry3<f64>,
    ) -> Result<(), TfError> {
        let edge = self.edge_for(parent, child, 0, &parent_from_child, true)?;
        edge.history = History::Static(parent_from_child);
        Ok(())
    }

    /// Adds `parent_from_child` at one stamp, ns (`/tf`). A second transform at the same stamp replaces the first.
    pub fn insert(
        &mut self,
        parent: &str,
        child: &str,
        stamp_ns: i64,
        parent_from_child: Isometry3<f64>,
    ) -> Result<(), TfError> {
        let history_ns = self.history_ns;
        let edge = self.edge_for(parent, child, stamp_ns, &parent_from_child, false)?;
        let History::Dynamic(samples) = &mut edge.history else {
            return Ok(());
        };
        let keep_from = samples.back().map_or(i64::MIN, |&(t, _)| t.saturating_sub(history_ns));
        if stamp_ns < keep_from {
            return Err(TfError::TooOld {
                parent: parent.into(),
                child: child.into(),
                stamp_ns,
                oldest_ns: keep_from,
            });
        }
        let at = samples.partition_point(|&(t, _)| t < stamp_ns);
        match samples.get_mut(at) {
            Some(same) if same.0 == stamp_ns => same.1 = parent_from_child,
            _ => samples.insert(at, (stamp_ns, parent_from_child)),
        }
        let newest = samples.back().map_or(stamp_ns, |&(t, _)| t);
        let keep_from = newest.saturating_sub(history_ns);
        // One sample before the kept span stays, so that its first instant can still be interpolated.
        while samples.len() > MAX_SAMPLES || samples.get(1).is_some_and(|&(t, _)| t <= keep_from) {
            samples.pop_front();
        }
        Ok(())
    }

    /// `target_from_source` at a stamp, ns.
    pub fn lookup(&self, target: &str, source: &str, stamp_ns: i64) -> Result<Isometry3<f64>, TfError> {
        let (up_target, up_source) = self.ways_to_common(target, source)?;
        let root_from_target = self.compose(&up_target, stamp_ns)?;
        let root_from_source = self.compose(&up_source, stamp_ns)?;
        Ok(root_from_target.inverse() * root_from_source)
    }

    /// The newest stamp at which [`TfBuffer::lookup`] succeeds; `None` where all edges on the way are static.
    pub fn latest_stamp(&self, target: &str, source: &str) -> Result<Option<i64>, TfError> {
        let (up_target, up_source) = self.ways_to_common(target, source)?;
        Ok(up_target.iter().chain(&up_source).filter_map(|(_, edge)| newest(edge)).min())
    }

    /// All frames, sorted.
    pub fn frames(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.edges.iter().flat_map(|(c, e)| [c.to_string(), e.parent.to_string()]).collect();
        names.sort();
        names.dedup();
        names
    }

    fn edge_for(
        &mut self,
        parent: &str,
        child: &str,
        stamp_ns: i64,
        transform: &Isometry3<f64>,
        is_static: bool,
    ) -> Result<&mut Edge, TfError> {
        let rigid = transform.translation.vector.iter().all(|v| v.is_finite())
            && (transform.rotation.quaternion().norm() - 1.0).abs() < 1e-3;
        if !rigid {
            return Err(TfError::NotRigid { parent: parent.into(), child: child.into(), stamp_ns });
        }
        if let Some(held) = self.edges.get(child) {
            let held_static = matches!(held.history, History::Static(_));
            if *held.parent != *parent || held_static != is_static {
                return Err(TfError::Reparented {
                    child: child.into(),
                    held: describe(&held.parent, held_static),
                    found: describe(parent, is_static),
                });
            }
        } else if parent == child || self.way_up(parent).last().is_some_and(|(_, e)| *e.parent == *child) {
            return Err(TfError::Loop { parent: parent.into(), child: child.into() });
        }
        let empty = if is_static {
            History::Static(Isometry3::identity())
        } else {
            History::Dynamic(VecDeque::new())
        };
        Ok(self.edges.entry(child.into()).or_insert_with(|| Edge { parent: parent.into(), history: empty }))
    }

    /// The edges from a frame to the root of its tree, lowest first. Ends, because no loop is ever inserted.
    fn way_up(&self, frame: &str) -> Way<'_> {
        let mut way = Vec::new();
        let mut at = frame;
        while let Some((child, edge)) = self.edges.get_key_value(at) {
            way.push((child, edge));
            at = &edge.parent;
        }
        way
    }

    /// The edges from each of two frames up to their lowest common frame.
    fn ways_to_common(&self, target: &str, source: &str) -> Result<(Way<'_>, Way<'_>), TfError> {
        for frame in [target, source] {
            let known = self.edges.contains_key(frame) || self.edges.values().any(|e| *e.parent == *frame);
            if !known {
                return Err(TfError::UnknownFrame { frame: frame.into(), known: self.frames() });
            }
        }
        let (mut up_target, mut up_source) = (self.way_up(target), self.way_up(source));
        let root = |way: &[(&Arc<str>, &Edge)], frame: &str| {
            way.last().map_or_else(|| frame.to_owned(), |(_, edge)| edge.parent.to_string())
        };
        let (target_root, source_root) = (root(&up_target, target), root(&up_source, source));
        if target_root != source_root {
            return Err(TfError::NotConnected {
                target_frame: target.into(),
                source_frame: source.into(),
                target_root,
                source_root,
            });
        }
        while let (Some(a), Some(b)) = (up_target.last(), up_source.last()) {
            if a.0 != b.0 {
                break;
            }
            up_target.pop();
            up_source.pop();
        }
        Ok((up_target, up_source))
    }

    /// `top_from_frame` along edges that go up from a frame.
    fn compose(&self, way: &[(&Arc<str>, &Edge)], stamp_ns: i64) -> Result<Isometry3<f64>, TfError> {
        let mut top_from_frame = Isometry3::identity();
        for (child, edge) in way {
            top_from_frame = at_stamp(child, edge, stamp_ns)? * top_from_frame;
        }
        Ok(top_from_frame)
    }
}

fn describe(parent: &str, is_static: bool) -> String {
    format!("{parent:?} ({})", if is_static { "static" } else { "dynamic" })
}

fn newest(edge: &Edge) -> Option<i64> {
    match &edge.history {
        History::Static(_) => None,
        History::Dynamic(samples) => samples.back().map(|&(t, _)| t),
    }
}

fn at_stamp(child: &str, edge: &Edge, stamp_ns: i64) -> Result<Isometry3<f64>, TfError> {
    let samples = match &edge.history {
        History::Static(transform) => return Ok(*transform),
        History::Dynamic(samples) => samples,
    };
    let after = samples.partition_point(|&(t, _)| t < stamp_ns);
    match (after.checked_sub(1).and_then(|i| samples.get(i)), samples.get(after)) {
        (_, Some(&(t, transform))) if t == stamp_ns => Ok(transform),
        (Some(&(t0, a)), Some(&(t1, b))) => {
            let share = (stamp_ns - t0) as f64 / (t1 - t0) as f64;
            Ok(interpolate(&a, &b, share))
        }
        _ => Err(TfError::Extrapolation {
            parent: edge.parent.to_string(),
            child: child.into(),
            stamp_ns,
            oldest_ns: samples.front().map_or(0, |&(t, _)| t),
            newest_ns: samples.back().map_or(0, |&(t, _)| t),
        }),
    }
}

/// Linear in the translation, slerp in the rotation. Half a turn between two samples has no shorter way; the
/// nearer sample stands then.
fn interpolate(a: &Isometry3<f64>, b: &Isometry3<f64>, share: f64) -> Isometry3<f64> {
    a.try_lerp_slerp(b, share, 1e-9).unwrap_or(if share < 0.5 { *a } else { *b })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pose::Pose2;
    use nalgebra::{Translation3, UnitQuaternion};

    fn planar(x: f64, y: f64, theta: f64) -> Isometry3<f64> {
        Pose2::new(x, y, theta).to_isometry()
    }

    /// map → inv_1/odom → inv_1/base_link → inv_1/antenna_1, as on the robot.
    fn robot() -> TfBuffer {
        let mut tf = TfBuffer::new(10_000);
        let antenna = Isometry3::from_parts(
            Translation3::new(0.0, 0.25, 0.4),
            UnitQuaternion::from_euler_angles(0.0, 0.0, 1.5),
        );
        tf.insert_static("inv_1/base_link", "inv_1/antenna_1", antenna).unwrap();
        for (t, x) in [(0, 0.0), (1_000, 1.0), (2_000, 2.0)] {
            tf.insert("inv_1/odom", "inv_1/base_link", t, planar(x, 0.0, 0.2 * x)).unwrap();
        }
        for t in [0, 1_500] {
            tf.insert("map", "inv_1/odom", t, planar(5.0, 1.0, 0.0)).unwrap();
        }
        tf
    }

    #[test]
    fn a_read_gets_the_antenna_position_between_two_stamps() {
        let tf = robot();
        let map_from_antenna = tf.lookup("map", "inv_1/antenna_1", 500).unwrap();
        let expected = planar(5.5, 1.0, 0.1) * tf.lookup("inv_1/base_link", "inv_1/antenna_1", 0).unwrap();
        assert!((map_from_antenna.translation.vector - expected.translation.vector).norm() < 1e-12);
        assert!(map_from_antenna.rotation.angle_to(&expected.rotation) < 1e-12);
        let back = tf.lookup("inv_1/antenna_1", "map", 500).unwrap() * map_from_antenna;
        assert!(back.translation.vector.norm() < 1e-12);
    }

    #[test]
    fn a_position_is_never_guessed_outside_the_stamps() {
        let tf = robot();
        let late = tf.lookup("map", "inv_1/base_link", 1_600).unwrap_err();
        assert_eq!(
            late.to_string(),
            "no transform \"map\" -> \"inv_1/odom\" at 1600 ns: it would be extrapolated 100 ns into the future, the buffer holds 0 to 1500 ns"
        );
        assert!(
            tf.lookup("map", "inv_1/base_link", -1).unwrap_err().to_string().contains("1 ns into the past")
        );
        assert_eq!(tf.latest_stamp("map", "inv_1/antenna_1").unwrap(), Some(1_500));
        assert_eq!(tf.latest_stamp("inv_1/base_link", "inv_1/antenna_1").unwrap(), None);
    }

    #[test]
    fn a_wrong_frame_is_named_with_those_that_exist() {
        let tf = robot();
        let text = tf.lookup("map", "inv_1/antena_1", 0).unwrap_err().to_string();
        assert!(text.contains("\"inv_1/antena_1\"") && text.contains("inv_1/antenna_1"), "{text}");
        let mut two = robot();
        two.insert_static("inv_2/base_link", "inv_2/laser", planar(0.0, 0.0, 0.0)).unwrap();
        assert!(matches!(two.lookup("map", "inv_2/laser", 0), Err(TfError::NotConnected { .. })));
    }

    #[test]
    fn a_tree_stays_a_tree() {
        let mut tf = robot();
        let t = planar(0.0, 0.0, 0.0);
        assert!(matches!(tf.insert("map", "inv_1/base_link", 0, t), Err(TfError::Reparented { .. })));
        assert!(matches!(tf.insert_static("map", "inv_1/odom", t), Err(TfError::Reparented { .. })));
        assert!(matches!(tf.insert("inv_1/antenna_1", "map", 0, t), Err(TfError::Loop { .. })));
        assert!(matches!(tf.insert("a", "a", 0, t), Err(TfError::Loop { .. })));
        assert!(matches!(
            tf.insert("map", "b", 0, planar(f64::NAN, 0.0, 0.0)),
            Err(TfError::NotRigid { .. })
        ));
    }

    #[test]
    fn a_long_run_does_not_fill_the_memory() {
        let mut tf = TfBuffer::new(100);
        for t in 0..10_000 {
            tf.insert("a", "b", t, planar(t as f64, 0.0, 0.0)).unwrap();
        }
        assert!(tf.lookup("a", "b", 9_899).is_ok());
        assert!(matches!(tf.lookup("a", "b", 9_898), Err(TfError::Extrapolation { .. })));
        assert!(matches!(tf.insert("a", "b", 9_000, planar(0.0, 0.0, 0.0)), Err(TfError::TooOld { .. })));
    }

    #[test]
    fn late_transforms_fall_into_their_place() {
        let mut tf = TfBuffer::new(1_000);
        for t in [0, 200, 100] {
            tf.insert("a", "b", t, planar(t as f64, 0.0, 0.0)).unwrap();
        }
        tf.insert("a", "b", 100, planar(50.0, 0.0, 0.0)).unwrap();
        assert!((tf.lookup("a", "b", 150).unwrap().translation.x - 125.0).abs() < 1e-9);
    }
}
