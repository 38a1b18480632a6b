//! Serves `run_mission`: makes a pilot for each mission, and tells its state as feedback and its end as the result.
//!
//! One mission at a time; a goal that comes during one is refused. Between missions the robot is IDLE. Services start a
//! mission without waiting for its end, pause it, let it go on, and cancel it.

mod memory;
mod services;

use std::sync::Arc;

use domain::{FaceId, Site};
use interfaces::action_msgs::{CancelGoalRequest, CancelGoalResponse, GoalInfo};
use interfaces::builtin_interfaces::Time;
use interfaces::shelfwright_msgs::{
    MissionState, RunMissionFeedbackMessage, RunMissionGetResultResponse, RunMissionSendGoalRequest,
    RunMissionSendGoalResponse,
};
use interfaces::std_msgs::Empty;
use interfaces::unique_identifier_msgs::UUID;
use interfaces::{AnyMessage, Publication};

use crate::action::{ActionTopics, status};
use crate::localizer::DriveError;
use crate::node::{Health, Node, Outbox};
use crate::pilot::{PilotNode, PilotParams};
use crate::planar::{header, topic};
use services::Services;

const REPORT_NS: i64 = 1_000_000_000;

/// See the module's text.
pub struct MissionServer {
    robot: String,
    site: Arc<Site>,
    floor: String,
    params: PilotParams,
    action: ActionTopics,
    missions: Arc<str>,
    cancel: Arc<str>,
    inputs: Vec<Arc<str>>,
    pilot: Option<PilotNode>,
    /// The goal of the mission at hand; a mission that was begun without the action has none.
    goal: Option<UUID>,
    state: MissionState,
    report_ns: Option<i64>,
    refused: u64,
    services: Services,
    /// What was last kept of the mission.
    remembered: Vec<MissionState>,
}

impl MissionServer {
    /// For a robot on one floor. With a mission it begins with that at the robot's first pose.
    pub fn new(
        robot: &str,
        site: Arc<Site>,
        floor: &str,
        mission: Option<(&str, &[FaceId])>,
        params: PilotParams,
    ) -> Result<Self, DriveError> {
        let pilot =
            |name: &str, faces: &[FaceId]| PilotNode::new(robot, &site, floor, name, faces, params.clone());
        let action = ActionTopics::new(robot, "run_mission");
        let mut inputs = pilot("", &[])?.subscriptions();
        inputs.extend([action.send_goal.clone(), action.cancel.clone()]);
        let services = Services::new(robot);
        inputs.extend(services.requests());
        Ok(Self {
            pilot: mission.map(|(name, faces)| pilot(name, faces)).transpose()?,
            robot: robot.into(),
            floor: floor.into(),
            action,
            missions: topic(robot, "missions"),
            cancel: topic(robot, "missions/cancel"),
            inputs,
            goal: None,
            state: MissionState { state: MissionState::IDLE, robot: robot.into(), ..MissionState::default() },
            report_ns: None,
            refused: 0,
            services,
            remembered: Vec::new(),
            site,
            params,
        })
    }

    fn begin(&mut self, request: &RunMissionSendGoalRequest, out: &mut Outbox) {
        let accepted = !self.busy();
        let stamp = Time::from_ns(out.now_ns());
        out.publish(&self.action.send_goal_response, RunMissionSendGoalResponse { accepted, stamp });
        if !accepted {
            self.refused += 1;
            return;
        }
        self.goal = Some(request.goal_id.clone());
        if let Err(reason) = self.make(&request.goal.mission, &request.goal.faces) {
            // Accepted and ended at once, because only a result can say why.
            self.refused += 1;
            self.state = MissionState { state: MissionState::FAILED, reason, ..self.state.clone() };
            self.finish(out);
        }
    }

    /// Makes the pilot of a mission.
    fn make(&mut self, mission: &str, faces: &[String]) -> Result<(), String> {
        let faces = faces
            .iter()
            .map(|name| name.parse::<FaceId>().map_err(|e| format!("faces: {name:?}: {e}")))
            .collect::<Result<Vec<_>, _>>()?;
        let all = || self.site.faces().map(|(id, ..)| id).filter(|id| *id.floor == *self.floor).collect();
        let faces = if faces.is_empty() { all() } else { faces };
        let params = self.params.clone();
        let pilot = PilotNode::new(&self.robot, &self.site, &self.floor, mission, &faces, params)
            .map_err(|e| e.to_string())?;
        self.state =
            MissionState { robot: self.robot.clone(), mission: mission.into(), ..MissionState::default() };
        self.pilot = Some(pilot);
        Ok(())
    }

    fn busy(&self) -> bool {
        self.pilot.is_some() && !self.over()
    }

    fn over(&self) -> bool {
        matches!(self.state.state, MissionState::DONE | MissionState::FAILED | MissionState::CANCELLED)
    }

    /// The mission's end as the result of its goal.
    fn finish(&mut self, out: &mut Outbox) {
        if self.goal.take().is_none() {
            return;
        }
        let s = &self.state;
        let mut response = RunMissionGetResultResponse {
            status: match s.state {
                MissionState::DONE => status::SUCCEEDED,
                MissionState::CANCELLED => status::CANCELED,
                _ => status::ABORTED,
            },
            ..RunMissionGetResultResponse::default()
        };
        (response.result.state, response.result.faces_done, response.result.faces_total) =
            (s.state, s.faces_done, s.faces_total);
        response.result.reason.clone_from(&s.reason);
        out.publish(&self.action.result, response);
    }

    fn cancel(&mut self, request: &CancelGoalRequest, out: &mut Outbox) {
        let asked = &request.goal_info.goal_id;
        let goal = self.goal.clone().filter(|id| asked.uuid == [0; 16] || asked == id);
        let mut response = CancelGoalResponse::default();
        match &goal {
            Some(goal_id) => {
                response.goals_canceling.push(GoalInfo { goal_id: goal_id.clone(), ..GoalInfo::default() });
            }
            None => response.return_code = CancelGoalResponse::ERROR_UNKNOWN_GOAL_ID,
        }
        out.publish(&self.action.cancel_response, response);
        if goal.is_some() {
            let stop = Publication::new(self.cancel.clone(), out.now_ns(), Empty::default());
            self.ask(out, |pilot, said| pilot.on_message(&stop, said));
        }
    }

    /// Lets the pilot work, passes on what it says, and follows its state.
    fn ask(&mut self, out: &mut Outbox, work: impl FnOnce(&mut PilotNode, &mut Outbox)) {
        let Some(pilot) = &mut self.pilot else { return };
        let mut said = Outbox::at(out.now_ns());
        work(pilot, &mut said);
        for publication in said.into_publications() {
            if let AnyMessage::MissionState(state) = &*publication.message {
                self.state = state.clone();
                if let Some(goal_id) = &self.goal {
                    let mut message =
                        RunMissionFeedbackMessage { goal_id: goal_id.clone(), ..Default::default() };
                    message.feedback.state = state.clone();
                    out.publish(&self.action.feedback, message);
                }
            }
            out.forward(publication);
        }
        if self.over() {
            self.finish(out);
        }
    }
}

impl Node for MissionServer {
    fn name(&self) -> &str {
        "pilot"
    }

    fn subscriptions(&self) -> Vec<Arc<str>> {
        self.inputs.clone()
    }

    fn publications(&self) -> Vec<Arc<str>> {
        vec![self.missions.clone()]
    }

    fn retune(&mut self, parameters: &toml::Table) -> Result<(), String> {
        self.params = parameters.clone().try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
        self.pilot.as_mut().map_or(Ok(()), |pilot| pilot.retune(parameters))
    }

    fn on_message(&mut self, input: &Publication, out: &mut Outbox) {
        match &*input.message {
            AnyMessage::RunMissionSendGoalRequest(request) => self.begin(request, out),
            AnyMessage::CancelGoalRequest(request) if input.topic == self.action.cancel => {
                self.cancel(request, out);
            }
            _ if self.serve(input, out) => {}
            _ => self.ask(out, |pilot, said| pilot.on_message(input, said)),
        }
    }

    fn take_memory(&mut self) -> Option<Vec<Publication>> {
        self.changed_memory()
    }

    fn recall(&mut self, memory: &[Publication]) {
        self.go_on(memory);
    }

    fn on_time(&mut self, out: &mut Outbox) {
        if self.pilot.is_some() {
            self.ask(out, |pilot, said| pilot.on_time(said));
        } else if self.report_ns.is_none_or(|due| out.now_ns() >= due) {
            self.report_ns = Some(out.now_ns() + REPORT_NS);
            self.state.header = header(out.now_ns(), "map");
            out.publish(&self.missions, self.state.clone());
        }
    }

    fn health(&self) -> Health {
        let mut health = match &self.pilot {
            Some(pilot) => pilot.health(),
            None => Health { summary: "no mission yet".into(), ..Health::default() },
        };
        health.values.push(("missions_refused", self.refused.to_string()));
        health
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::site::Floor;
    use interfaces::geometry_msgs::PoseWithCovarianceStamped;
    use interfaces::shelfwright_msgs::StartMissionRequest;
    use interfaces::std_srvs::{TriggerRequest, TriggerResponse};

    fn server() -> MissionServer {
        let wall = |from_m, to_m| domain::site::Wall { from_m, to_m };
        let corners = [[0.0, 0.0], [5.0, 0.0], [5.0, 5.0], [0.0, 5.0]];
        let floor = Floor {
            id: "1F".into(),
            walls: (0..4).map(|i| wall(corners[i], corners[(i + 1) % 4])).collect(),
            faces: vec![],
            markers: vec![],
            docks: vec![],
            desks: vec![],
            places: vec![],
            no_go: vec![],
        };
        let site = Arc::new(Site { name: "one room".into(), floors: vec![floor] });
        MissionServer::new("inv_1", site, "1F", None, PilotParams::default()).unwrap()
    }

    fn hear(server: &mut MissionServer, topic: Arc<str>, message: impl Into<AnyMessage>) -> Vec<AnyMessage> {
        let mut out = Outbox::at(1_000);
        server.on_message(&Publication::new(topic, 1_000, message), &mut out);
        out.into_publications().iter().map(|p| (*p.message).clone()).collect()
    }

    fn goal(byte: u8, faces: &[&str]) -> RunMissionSendGoalRequest {
        let mut request =
            RunMissionSendGoalRequest { goal_id: UUID { uuid: [byte; 16] }, ..Default::default() };
        request.goal.faces = faces.iter().map(ToString::to_string).collect();
        request
    }

    fn trigger(server: &mut MissionServer, name: &str) -> TriggerResponse {
        let said =
            hear(server, format!("/inv_1/mission/{name}/_service/request").into(), TriggerRequest::default());
        said.iter()
            .find_map(|m| match m {
                AnyMessage::TriggerResponse(r) => Some(r.clone()),
                _ => None,
            })
            .unwrap()
    }

    #[test]
    fn a_mission_is_started_paused_resumed_and_cancelled_by_services() {
        let mut server = server();
        assert!(trigger(&mut server, "pause").message.contains("no mission"));
        let start = StartMissionRequest { mission: "m".into(), faces: vec!["1F/R01A".into()] };
        let topic: Arc<str> = "/inv_1/mission/start/_service/request".into();
        let started = |said: &[AnyMessage]| match &said[0] {
            AnyMessage::StartMissionResponse(r) => r.clone(),
            other => panic!("{other:?}"),
        };
        assert!(started(&hear(&mut server, topic.clone(), start.clone())).success);
        assert!(started(&hear(&mut server, topic, start)).message.contains("\"m\" is under way"));
        assert!(trigger(&mut server, "resume").message.contains("not paused"));
        assert!(trigger(&mut server, "pause").success);
        assert_eq!(server.state.state, MissionState::PAUSED);
        assert!(trigger(&mut server, "pause").message.contains("paused already"));
        assert!(trigger(&mut server, "resume").success);
        assert!(trigger(&mut server, "cancel").success);
        assert_eq!(server.state.state, MissionState::CANCELLED);
    }

    #[test]
    fn a_mission_is_run_refused_while_one_runs_and_cancelled() {
        let mut server = server();
        let (send, cancel) = (server.action.send_goal.clone(), server.action.cancel.clone());
        let accepted =
            |said: &[AnyMessage]| matches!(&said[0], AnyMessage::RunMissionSendGoalResponse(r) if r.accepted);
        assert!(accepted(&hear(&mut server, send.clone(), goal(1, &["1F/R01A"]))));
        assert!(!accepted(&hear(&mut server, send.clone(), goal(2, &[]))));
        let request = CancelGoalRequest::default();
        let said = hear(&mut server, cancel, request);
        let result = |said: &[AnyMessage]| {
            said.iter().find_map(|m| match m {
                AnyMessage::RunMissionGetResultResponse(r) => Some((r.status, r.result.reason.clone())),
                _ => None,
            })
        };
        assert_eq!(result(&said).unwrap().0, status::CANCELED);
        // A name that is none ends the goal with the reason; a face that the floor lacks fails the mission.
        let said = hear(&mut server, send.clone(), goal(3, &["R01"]));
        assert!(accepted(&said) && result(&said).unwrap().1.contains("R01"));
        hear(&mut server, send, goal(4, &["1F/R09A"]));
        let pose: Arc<str> = "/inv_1/pose".into();
        let said = hear(&mut server, pose, PoseWithCovarianceStamped::default());
        let (status, reason) = result(&said).unwrap();
        assert!(status == super::status::ABORTED && reason.contains("1F/R09A"), "{reason}");
    }
}
