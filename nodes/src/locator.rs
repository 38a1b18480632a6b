//! The locator: reads and transforms of one pass along a row face in, sightings and coverage out.
//!
//! It collects while the pilot says that a pass is on (`MissionState` SCANNING), joins each read with the
//! antenna's place at the read's stamp, and hands the pass to [`positioning::locate_face`] when it is over. Until
//! then `live_sightings` has a first answer for each tag soon after the antennas have passed it. Of a pass on which the robot
//! lost its place it tells nothing. It knows the site, and neither catalogue nor truth. Asked by the service `find_book`, it
//! tells where it has seen a tag last.

mod known;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use domain::{FaceId, Read, Scan, Sighting, Site, Uid};
use interfaces::geometry_msgs::PoseWithCovarianceStamped;
use interfaces::shelfwright_msgs::{Coverage, MissionState, Sightings, TagRead};
use interfaces::std_msgs::Header;
use interfaces::tf2_msgs::TFMessage;
use interfaces::{AnyMessage, Publication};
use positioning::tf::TfBuffer;
use positioning::{FaceGeometry, Live, LocateSettings, Taught, locate_face};

use crate::node::{Health, Level, Node, Outbox};
use crate::planar::isometry_from_transform;
use crate::service::ServiceTopics;
use known::Known;

/// Bound of one pass: an hour at the fastest reader. Policy: the newest are dropped and counted.
const MAX_READS: usize = 4_000_000;
/// How long a read waits for the transform at its stamp before it is given up, ns. The localizer corrects at
/// 10 Hz, so half a second means that it has stopped.
const TF_PATIENCE_NS: i64 = 500_000_000;
/// Silence of the reader in the middle of a pass that is an error, ns: along shelves reads come every 50 ms at the least.
const SILENT_NS: i64 = 1_000_000_000;
/// The same of HF plates, which read nothing until they stand right before a book.
const SILENT_HF_NS: i64 = 10_000_000_000;
/// Passes whose sightings outlive the process. Policy: the newest stay.
const MOST_TOLD: usize = 200;
/// Standard deviation of the robot's position beyond which it is lost, m.
const LOST_STD_M: f64 = 0.25;
/// A pose so far from the one before, m, and faster than this, m/s, is a correction of a wrong one.
const JUMP_M: f64 = 0.25;
const FASTEST_MPS: f64 = 2.0;

/// A read that waits for its transform.
struct Waiting {
    stamp_ns: i64,
    frame: String,
    uid: Uid,
    read: Read,
}

/// One pass in the making.
struct Pass {
    face: FaceId,
    scan: Scan,
    live: Live,
    index: BTreeMap<Uid, u32>,
    waiting: VecDeque<Waiting>,
    closing_since_ns: Option<i64>,
    /// When the last read came, or the pass began, ns.
    heard_ns: i64,
    /// Pose before: stamp, ns, and place on the map, m.
    pose: Option<(i64, [f64; 2])>,
    /// The robot did not know its place for a while, or was somewhere else all at once.
    spoilt: bool,
}

/// One pass as the locator gets it: reads in face coordinates.
#[derive(Debug, Clone)]
pub struct JoinedPass {
    /// The face that was passed.
    pub face: FaceId,
    /// Its reads.
    pub scan: Scan,
}

/// What went wrong with reads, by name.
#[derive(Debug, Default)]
struct Counters {
    located: u64,
    outside_pass: u64,
    bad_uid: u64,
    bad_value: u64,
    no_transform: u64,
    overflow: u64,
    bad_transform: u64,
    unknown_face: u64,
    spoilt_passes: u64,
    bad_pose: u64,
}

/// The locator node of one robot.
pub struct LocatorNode {
    site: Arc<Site>,
    robot: Arc<str>,
    settings: LocateSettings,
    tf: TfBuffer,
    pass: Option<Pass>,
    /// What finished passes taught of the reader.
    taught: Taught,
    now_ns: i64,
    /// The robot's reader has turned out to be HF.
    hf: bool,
    count: Counters,
    known: Known,
    /// Sightings of finished passes, for a process that takes this one's place.
    told: Vec<Publication>,
    told_anew: bool,
    /// Passes kept in place of being located.
    kept: Option<Vec<JoinedPass>>,
    topics: Topics,
}

struct Topics {
    reads: Arc<str>,
    missions: Arc<str>,
    pose: Arc<str>,
    tf: Arc<str>,
    tf_static: Arc<str>,
    sightings: Arc<str>,
    live: Arc<str>,
    coverage: Arc<str>,
    find: ServiceTopics,
}

impl LocatorNode {
    /// A locator for `robot` (its name is the namespace) in `site`.
    pub fn new(robot: &str, site: Arc<Site>, settings: LocateSettings) -> Self {
        let own = |name: &str| Arc::from(format!("/{robot}/{name}"));
        Self {
            site,
            robot: robot.into(),
            settings,
            tf: TfBuffer::default(),
            pass: None,
            taught: Taught::default(),
            now_ns: 0,
            hf: false,
            count: Counters::default(),
            known: Known::default(),
            told: Vec::new(),
            told_anew: false,
            kept: None,
            topics: Topics {
                reads: own("reads"),
                missions: own("missions"),
                pose: own("pose"),
                tf: "/tf".into(),
                tf_static: "/tf_static".into(),
                sightings: own("sightings"),
                live: own("live_sightings"),
                coverage: own("coverage"),
                find: ServiceTopics::new(&format!("/{robot}/find_book")),
            },
        }
    }

    /// The passes of a recording, reads and antenna places joined as the locator joins them and nothing located. The recording
    /// comes in its order; `/clock` drives the time.
    pub fn passes(robot: &str, site: Arc<Site>, recording: &[Publication]) -> Vec<JoinedPass> {
        let mut node = Self { kept: Some(Vec::new()), ..Self::new(robot, site, LocateSettings::default()) };
        let inputs = node.inputs();
        let mut now_ns = 0;
        for publication in recording {
            if let AnyMessage::Clock(clock) = &*publication.message {
                now_ns = clock.clock.to_ns();
                node.on_time(&mut Outbox::at(now_ns));
            } else if inputs.contains(&publication.topic) {
                node.on_message(publication, &mut Outbox::at(now_ns));
            }
        }
        node.finish(&mut Outbox::at(now_ns));
        node.kept.unwrap_or_default()
    }

    /// The topics that a replay must feed, in full.
    pub fn inputs(&self) -> Vec<Arc<str>> {
        let t = &self.topics;
        vec![t.reads.clone(), t.missions.clone(), t.pose.clone(), t.tf.clone(), t.tf_static.clone()]
    }

    fn on_mission(&mut self, state: &MissionState, out: &mut Outbox) {
        let scanning = state.state == MissionState::SCANNING;
        let name = format!("{}/{}/{}", self.robot, state.face, state.pass_number);
        if scanning && self.pass.as_ref().is_some_and(|p| p.scan.name == name) {
            return;
        }
        if let Some(pass) = &mut self.pass {
            pass.closing_since_ns.get_or_insert(out.now_ns());
        }
        if scanning {
            // The pilot has gone on to the next pass at once: what still waits is given up rather than mixed.
            self.finish(out);
            let face = state.face.parse::<FaceId>().ok();
            match face.and_then(|id| Some((self.site.face(&id)?.1, id))) {
                Some((face, id)) => {
                    let geometry = FaceGeometry::new(id.clone(), face);
                    self.pass = Some(Pass {
                        face: id,
                        scan: Scan { name, ..Scan::default() },
                        live: Live::new(geometry, self.settings.clone(), self.taught.clone()),
                        index: BTreeMap::new(),
                        waiting: VecDeque::new(),
                        closing_since_ns: None,
                        heard_ns: out.now_ns(),
                        pose: None,
                        spoilt: false,
                    });
                }
                None => self.count.unknown_face += 1,
            }
        }
    }

    /// Watches whether the robot knows where it is: what was read from a wrong place would put books where they are not.
    fn on_pose(&mut self, pose: &PoseWithCovarianceStamped) {
        let p = &pose.pose.pose.position;
        if !(p.x.is_finite() && p.y.is_finite()) {
            self.count.bad_pose += 1;
            return;
        }
        let Some(pass) = &mut self.pass else { return };
        let (stamp_ns, at) = (pose.header.stamp.to_ns(), &pose.pose.pose.position);
        let std_m = pose.pose.covariance[0].max(pose.pose.covariance[7]).sqrt();
        let jumped = pass.pose.is_some_and(|(before_ns, from)| {
            let seconds = (stamp_ns - before_ns).max(0) as f64 * 1e-9;
            (at.x - from[0]).hypot(at.y - from[1]) > JUMP_M + FASTEST_MPS * seconds
        });
        pass.pose = Some((stamp_ns, [at.x, at.y]));
        if !pass.spoilt && (jumped || std_m > LOST_STD_M) {
            pass.spoilt = true;
            tracing::warn!(scan = %pass.scan.name, "the robot lost its place: nothing is told of this pass");
        }
    }

    fn on_read(&mut self, read: &TagRead, now_ns: i64) {
        let Ok(uid) = Uid::new(&read.uid) else {
            self.count.bad_uid += 1;
            return;
        };
        let Some(pass) = self.pass.as_mut().filter(|p| p.closing_since_ns.is_none()) else {
            self.count.outside_pass += 1;
            return;
        };
        pass.heard_ns = now_ns;
        self.hf = read.protocol == TagRead::HF_ISO15693;
        // Its tag's number and the antenna's place are joined in when the transform has come.
        let stamp_ns = read.header.stamp.to_ns();
        let bare = Read {
            stamp_ns: Some(stamp_ns),
            tag: 0,
            antenna: read.antenna,
            frequency_hz: read.frequency_hz,
            rssi_dbm: read.rssi_dbm,
            phase_rad: read.phase_rad,
            antenna_m: [0.0; 3],
        };
        if bare.problem().is_some() {
            self.count.bad_value += 1;
            return;
        }
        if pass.scan.reads.len() + pass.waiting.len() >= MAX_READS {
            self.count.overflow += 1;
            return;
        }
        pass.waiting.push_back(Waiting { stamp_ns, frame: read.header.frame_id.clone(), uid, read: bare });
    }

    fn on_tf(&mut self, message: &TFMessage, fixed: bool) {
        for t in &message.transforms {
            let (parent, child, stamp_ns) = (&t.header.frame_id, &t.child_frame_id, t.header.stamp.to_ns());
            let inserted = match isometry_from_transform(&t.transform) {
                Some(pose) if fixed => self.tf.insert_static(parent, child, pose).is_ok(),
                Some(pose) => self.tf.insert(parent, child, stamp_ns, pose).is_ok(),
                None => false,
            };
            self.count.bad_transform += u64::from(!inserted);
        }
    }

    /// Joins waiting reads with the antenna's place, as far as transforms reach.
    fn join(&mut self, now_ns: i64) {
        let Some(pass) = &mut self.pass else { return };
        let Some((_, face)) = self.site.face(&pass.face) else { return };
        while let Some(next) = pass.waiting.front() {
            match self.tf.lookup("map", &next.frame, next.stamp_ns) {
                Ok(map_from_antenna) => {
                    let at = map_from_antenna.translation.vector;
                    let at = face.face_from_map([at.x, at.y, at.z]);
                    let tags = &mut pass.scan.tags;
                    let tag = *pass.index.entry(next.uid.clone()).or_insert_with_key(|uid| {
                        tags.push(uid.clone());
                        tags.len() as u32 - 1
                    });
                    pass.scan.reads.push(Read { tag, antenna_m: at.map(|v| v as f32), ..next.read });
                    self.count.located += 1;
                }
                Err(_) if now_ns - next.stamp_ns < TF_PATIENCE_NS => return,
                Err(error) => {
                    tracing::debug!(%error, "a read has no transform at its stamp");
                    self.count.no_transform += 1;
                }
            }
            pass.waiting.pop_front();
        }
    }

    /// First answers for the tags that the antennas have just passed, better ones for those half a metre behind.
    fn tell_passed(&mut self, out: &mut Outbox) {
        let Some(pass) = self.pass.as_mut().filter(|p| !p.spoilt && self.kept.is_none()) else { return };
        let passed = pass.live.passed(&pass.scan);
        if !passed.is_empty() {
            self.known.take(&passed, false);
            let message = sightings_message(out.now_ns(), &self.robot, &pass.scan.name, &passed);
            out.publish(&self.topics.live, message);
        }
    }

    fn finish(&mut self, out: &mut Outbox) {
        self.join(out.now_ns());
        let Some(pass) = self.pass.take() else { return };
        self.count.no_transform += pass.waiting.len() as u64;
        if pass.spoilt {
            self.count.spoilt_passes += 1;
            return;
        }
        if let Some(kept) = &mut self.kept {
            kept.push(JoinedPass { face: pass.face, scan: pass.scan });
            return;
        }
        self.taught = pass.live.taught().clone();
        let Some((_, face)) = self.site.face(&pass.face) else { return };
        let geometry = FaceGeometry::new(pass.face.clone(), face);
        let result = locate_face(&pass.scan, &geometry, &self.settings);
        let header = Header::new(out.now_ns(), "map");
        let robot = self.robot.to_string();
        let message = sightings_message(out.now_ns(), &self.robot, &pass.scan.name, &result.sightings);
        self.known.take(&result.sightings, true);
        let told = Publication::new(self.topics.sightings.clone(), out.now_ns(), message);
        if self.told.len() >= MOST_TOLD {
            self.told.remove(0);
        }
        self.told.push(told.clone());
        self.told_anew = true;
        out.forward(told);
        for tier in result.coverage {
            let coverage = Coverage {
                header: header.clone(),
                robot: robot.clone(),
                scan: tier.scan,
                face: tier.face.to_string(),
                tier: tier.tier,
                bin_m: tier.bin_m,
                read_probability: tier.read_probability,
            };
            out.publish(&self.topics.coverage, coverage);
        }
    }
}

fn sightings_message(now_ns: i64, robot: &str, scan: &str, sightings: &[Sighting]) -> Sightings {
    Sightings {
        header: Header::new(now_ns, "map"),
        robot: robot.into(),
        scan: scan.into(),
        sightings: sightings.iter().map(Into::into).collect(),
    }
}

impl Node for LocatorNode {
    fn name(&self) -> &str {
        "locator"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        let mut all = self.inputs();
        all.push(self.topics.find.request.clone());
        all
    }

    fn publications(&self) -> Vec<Arc<str>> {
        let t = &self.topics;
        vec![t.sightings.clone(), t.live.clone(), t.coverage.clone()]
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        match &*input.message {
            AnyMessage::TagRead(read) => self.on_read(read, out.now_ns()),
            AnyMessage::MissionState(state) => self.on_mission(state, out),
            AnyMessage::PoseWithCovarianceStamped(pose) => self.on_pose(pose),
            AnyMessage::FindBookRequest(request) => {
                let response = self.known.find(request, &self.site);
                out.publish(&self.topics.find.response, response);
            }
            AnyMessage::TFMessage(tf) => self.on_tf(tf, input.topic == self.topics.tf_static),
            _ => {}
        }
    }

    fn take_memory(&mut self) -> Option<Vec<Publication>> {
        std::mem::take(&mut self.told_anew).then(|| self.told.clone())
    }

    fn recall(&mut self, memory: &[Publication]) {
        for publication in memory {
            if let AnyMessage::Sightings(message) = &*publication.message {
                let sightings: Vec<Sighting> =
                    message.sightings.iter().filter_map(|s| Sighting::try_from(s).ok()).collect();
                self.known.take(&sightings, true);
            }
        }
        self.told = memory.to_vec();
    }

    fn on_time(&mut self, out: &mut Outbox) {
        self.now_ns = out.now_ns();
        self.join(out.now_ns());
        self.tell_passed(out);
        let over = self.pass.as_ref().is_some_and(|p| p.closing_since_ns.is_some() && p.waiting.is_empty());
        if over {
            self.finish(out);
        }
    }

    fn health(&self) -> Health {
        let c = &self.count;
        let bad = c.bad_uid
            + c.bad_value
            + c.no_transform
            + c.overflow
            + c.unknown_face
            + c.bad_transform
            + c.spoilt_passes
            + c.bad_pose;
        let open = self.pass.as_ref().filter(|p| p.closing_since_ns.is_none());
        let silent_ns = open.map_or(0, |p| self.now_ns - p.heard_ns);
        let (level, summary) = if silent_ns > if self.hf { SILENT_HF_NS } else { SILENT_NS } {
            (Level::Error, format!("the reader has been silent for {:.0} s", silent_ns as f64 * 1e-9))
        } else if bad > 0 {
            (Level::Warn, format!("{bad} inputs left out"))
        } else {
            (Level::Ok, "ok".into())
        };
        Health {
            level,
            summary,
            values: vec![
                ("reads_located", c.located.to_string()),
                ("reads_outside_a_pass", c.outside_pass.to_string()),
                ("reads_bad_uid", c.bad_uid.to_string()),
                ("reads_bad_value", c.bad_value.to_string()),
                ("reads_without_transform", c.no_transform.to_string()),
                ("reads_dropped_queue_full", c.overflow.to_string()),
                ("transforms_refused", c.bad_transform.to_string()),
                ("poses_refused", c.bad_pose.to_string()),
                ("passes_on_unknown_face", c.unknown_face.to_string()),
                ("passes_spoilt_by_a_lost_robot", c.spoilt_passes.to_string()),
                ("tags_known", self.known.len().to_string()),
                ("tags_not_kept", self.known.left_out.to_string()),
            ],
        }
    }
}
