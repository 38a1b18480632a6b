//! The twin as the local host's world, and a stand-in for the locator, so that driving can be looked at alone.

use std::sync::Arc;

use domain::{FaceId, Site};
use interfaces::shelfwright_msgs::{Coverage, MissionState};
use interfaces::{AnyMessage, Publication};
use nodes::host::{LocalHost, World};
use nodes::localizer::{DriveError, LocalizerNode, LocalizerParams};
use nodes::navigator::{NavigatorNode, NavigatorParams};
use nodes::pilot::{PilotNode, PilotParams};
use nodes::{Node, Outbox};
use positioning::Pose2;
use twin::Twin;

/// The twin with its robot `inv_1`.
pub struct TwinWorld(pub Twin);

impl World for TwinWorld {
    fn step(&mut self, out: &mut Vec<Publication>) {
        self.0.step(out);
    }

    fn command(&mut self, command: &Publication) {
        if let AnyMessage::TwistStamped(twist) = &*command.message {
            assert!(self.0.command("inv_1", twist).is_ok(), "the scenario has no inv_1");
        }
    }

    fn command_topics(&self) -> Vec<Arc<str>> {
        vec!["/inv_1/cmd_vel".into()]
    }
}

/// The driving nodes of `inv_1`, started at a pose, for a mission over row faces that [`AllRead`] takes for read.
///
/// # Errors
/// A site without the floor `1F`, or one that makes no map.
pub fn driving(
    site: &Site,
    start: Pose2,
    faces: &[FaceId],
    localizer: LocalizerParams,
    pilot: PilotParams,
) -> Result<LocalHost, DriveError> {
    let mut host = LocalHost::new();
    host.add(Box::new(LocalizerNode::new("inv_1", site, "1F", start, localizer)?));
    host.add(Box::new(NavigatorNode::new("inv_1", site, "1F", NavigatorParams::default())?));
    host.add(Box::new(PilotNode::new("inv_1", site, "1F", "test", faces, pilot)?));
    host.add(Box::new(AllRead::new(site.clone())));
    Ok(host)
}

/// Answers each pass with full coverage.
pub struct AllRead {
    site: Site,
    scan: Option<(String, FaceId)>,
}

impl AllRead {
    /// For the faces of a site.
    pub fn new(site: Site) -> Self {
        Self { site, scan: None }
    }
}

impl Node for AllRead {
    fn name(&self) -> &str {
        "all_read"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        vec!["/inv_1/missions".into()]
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        let AnyMessage::MissionState(m) = &*input.message else { return };
        if m.state == MissionState::SCANNING {
            self.scan = m.face.parse().ok().map(|face| (format!("inv_1/{}/{}", m.face, m.pass_number), face));
        } else if let Some((scan, face)) = self.scan.take_if(|_| m.state == MissionState::WAITING) {
            let Some((_, geometry)) = self.site.face(&face) else { return };
            let bins = (geometry.length_m() / 0.05).ceil() as usize;
            for tier in 1..=geometry.tiers.len() {
                let read_probability = vec![1.0; bins];
                let (face, scan, tier) = (face.to_string(), scan.clone(), tier as u8);
                let message =
                    Coverage { scan, face, tier, bin_m: 0.05, read_probability, ..Coverage::default() };
                out.publish(&"/inv_1/coverage".into(), message);
            }
        }
    }
}
