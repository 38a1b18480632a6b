//! Actions of ROS 2 behind the plain publications that nodes exchange (`crate::action`): one bridge serves an
//! action for a node, another calls one. Messages pass as CDR, so nothing is converted field by field.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use futures::{FutureExt, Stream, StreamExt};
use interfaces::action_msgs::{CancelGoalRequest, GoalInfo};
use interfaces::unique_identifier_msgs::UUID;
use interfaces::{AnyMessage, Publication};
use r2r::{
    ActionClient, ActionClientGoal, ActionServerCancelRequest, ActionServerGoal, ActionServerGoalRequest,
    GoalStatus, WrappedActionTypeSupport, WrappedServiceTypeSupport, WrappedTypesupport,
};

use super::calls;
use crate::action::{ActionTopics, status};

type SendRequest<T> = <<T as WrappedActionTypeSupport>::SendGoal as WrappedServiceTypeSupport>::Request;
type SendResponse<T> = <<T as WrappedActionTypeSupport>::SendGoal as WrappedServiceTypeSupport>::Response;
type ResultResponse<T> = <<T as WrappedActionTypeSupport>::GetResult as WrappedServiceTypeSupport>::Response;
type Feedback<T> = <T as WrappedActionTypeSupport>::Feedback;
type ActionResult<T> = <T as WrappedActionTypeSupport>::Result;

/// One side of one action. Lives on its node's spin thread.
pub trait Bridge {
    /// What has come in from the other side, for the node.
    fn poll(&mut self, active: bool, out: &mut Vec<Publication>);

    /// Takes what the node publishes, where it is of this action.
    fn take(&mut self, publication: &Publication) -> bool;
}

/// The part of a subscription's name before `/_action/`, where the node serves or calls the action of that name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The node takes goals.
    Server(String),
    /// The node sends goals.
    Client(String),
    /// The node answers requests.
    Service(String),
}

/// What a subscription says about actions and services.
pub fn role(topic: &str) -> Option<Role> {
    if let Some(name) = topic.strip_suffix("/_service/request") {
        return Some(Role::Service(name.into()));
    }
    let (name, part) = topic.split_once("/_action/")?;
    match part {
        "send_goal_request" => Some(Role::Server(name.into())),
        "get_result_response" => Some(Role::Client(name.into())),
        _ => None,
    }
}

/// Whether a topic is a part of an action or a service, and none of its own.
pub fn is_part(topic: &str) -> bool {
    topic.contains("/_action/") || topic.contains("/_service/")
}

/// Makes the bridge of a role.
///
/// # Errors
/// An action that no node here has, or what ROS says.
pub fn bridge(node: &mut r2r::Node, role: &Role) -> Result<Box<dyn Bridge>, String> {
    let (Role::Server(name) | Role::Client(name) | Role::Service(name)) = role;
    if matches!(role, Role::Service(_)) {
        return calls::bridge(node, name);
    }
    match name.rsplit('/').next() {
        Some("navigate_to_pose") => make::<r2r::nav2_msgs::action::NavigateToPose::Action>(
            node,
            role,
            "nav2_msgs/action/NavigateToPose",
        ),
        Some("follow_face") => make::<r2r::shelfwright_msgs::action::FollowFace::Action>(
            node,
            role,
            "shelfwright_msgs/action/FollowFace",
        ),
        Some("run_mission") => make::<r2r::shelfwright_msgs::action::RunMission::Action>(
            node,
            role,
            "shelfwright_msgs/action/RunMission",
        ),
        _ => Err(format!("no action {name}, there are navigate_to_pose, follow_face and run_mission")),
    }
}

fn make<T: WrappedActionTypeSupport + 'static>(
    node: &mut r2r::Node,
    role: &Role,
    type_name: &'static str,
) -> Result<Box<dyn Bridge>, String> {
    let (Role::Server(name) | Role::Client(name) | Role::Service(name)) = role;
    let topics = match name.trim_start_matches('/').rsplit_once('/') {
        Some((robot, action)) => ActionTopics::new(robot, action),
        None => return Err(format!("{name} has no robot's namespace")),
    };
    let failed = |e: r2r::Error| format!("{name}: {e}");
    Ok(match role {
        Role::Server(_) => Box::new(Server::<T> {
            type_name,
            topics,
            requests: Box::new(node.create_action_server::<T>(name).map_err(failed)?),
            waiting: VecDeque::new(),
            goals: VecDeque::new(),
            cancels: VecDeque::new(),
            ended: Vec::new(),
        }),
        Role::Client(_) | Role::Service(_) => {
            let client = node.create_action_client::<T>(name).map_err(failed)?;
            let available = r2r::Node::is_available(&client).map_err(failed)?;
            Box::new(Client::<T> {
                type_name,
                topics,
                client,
                available: Some(Box::pin(available)),
                unsent: VecDeque::new(),
                calls: Vec::new(),
            })
        }
    })
}

/// Ours from theirs, by CDR. Both were made from the same definition.
fn ours(type_name: &str, part: &str, theirs: &impl WrappedTypesupport) -> Option<AnyMessage> {
    let bytes = theirs.to_serialized_bytes().ok()?;
    match AnyMessage::from_cdr(&format!("{type_name}_{part}"), &bytes) {
        Ok(message) => Some(message),
        Err(error) => {
            tracing::error!(%error, "an action's message does not decode");
            None
        }
    }
}

pub(super) fn theirs<M: WrappedTypesupport>(ours: &AnyMessage) -> Option<M> {
    M::from_serialized_bytes(&ours.to_cdr()).ok()
}

pub(super) fn put(out: &mut Vec<Publication>, topic: &Arc<str>, message: AnyMessage) {
    // The node stamps what it handles by its own clock.
    out.push(Publication { topic: topic.clone(), stamp_ns: 0, message: Arc::new(message) });
}

fn uuid(bytes: &[u8]) -> UUID {
    let mut uuid = [0; 16];
    for (to, from) in uuid.iter_mut().zip(bytes) {
        *to = *from;
    }
    UUID { uuid }
}

fn cancel_request(goal_id: UUID) -> AnyMessage {
    CancelGoalRequest { goal_info: GoalInfo { goal_id, ..GoalInfo::default() } }.into()
}

type Cancels = Box<dyn Stream<Item = ActionServerCancelRequest> + Unpin>;

/// Serves an action for a node, which works on one goal after the other.
struct Server<T: WrappedActionTypeSupport> {
    type_name: &'static str,
    topics: ActionTopics,
    requests: Box<dyn Stream<Item = ActionServerGoalRequest<T>> + Unpin>,
    /// Goals that the node has not answered yet.
    waiting: VecDeque<ActionServerGoalRequest<T>>,
    /// Accepted goals, oldest first.
    goals: VecDeque<(ActionServerGoal<T>, Cancels)>,
    /// Cancel requests that the node has not answered yet.
    cancels: VecDeque<ActionServerCancelRequest>,
    /// Results of cancelled goals: r2r has to answer the cancel request first.
    ended: Vec<(ActionServerGoal<T>, ActionResult<T>)>,
}

impl<T: WrappedActionTypeSupport + 'static> Server<T> {
    fn finish(&mut self, message: &AnyMessage) -> Option<()> {
        let (mut goal, _) = self.goals.pop_front()?;
        let (code, result) = T::destructure_result_response_msg(theirs::<ResultResponse<T>>(message)?);
        let told = match code {
            status::SUCCEEDED => goal.succeed(result),
            status::CANCELED => {
                self.ended.push((goal, result));
                Ok(())
            }
            _ => goal.abort(result),
        };
        told.map_err(|error| tracing::error!(%error, action = self.type_name, "a result was not sent")).ok()
    }

    fn answer(&mut self, message: &AnyMessage) -> Option<()> {
        let request = self.waiting.pop_front()?;
        let (accepted, _) = T::destructure_goal_response_msg(theirs::<SendResponse<T>>(message)?);
        let told = if accepted {
            request.accept().map(|(goal, cancels)| self.goals.push_back((goal, Box::new(cancels))))
        } else {
            request.reject()
        };
        told.map_err(|error| tracing::error!(%error, action = self.type_name, "a goal was not answered")).ok()
    }
}

impl<T: WrappedActionTypeSupport + 'static> Bridge for Server<T> {
    fn poll(&mut self, active: bool, out: &mut Vec<Publication>) {
        for (mut goal, result) in self.ended.drain(..) {
            if let Err(error) = goal.cancel(result) {
                tracing::error!(%error, action = self.type_name, "a result was not sent");
            }
        }
        while let Some(Some(request)) = self.requests.next().now_or_never() {
            let id = r2r::unique_identifier_msgs::msg::UUID { uuid: request.uuid.as_bytes().to_vec() };
            let message = T::make_goal_request_msg(id, request.goal.clone());
            match ours(self.type_name, "SendGoal_Request", &message) {
                Some(message) if active => {
                    put(out, &self.topics.send_goal, message);
                    self.waiting.push_back(request);
                }
                _ => {
                    if let Err(error) = request.reject() {
                        tracing::error!(%error, action = self.type_name, "a goal was not refused");
                    }
                }
            }
        }
        for (goal, cancels) in &mut self.goals {
            while let Some(Some(request)) = cancels.next().now_or_never() {
                put(out, &self.topics.cancel, cancel_request(uuid(goal.uuid.as_bytes())));
                self.cancels.push_back(request);
            }
        }
    }

    fn take(&mut self, publication: &Publication) -> bool {
        let (topic, message) = (&publication.topic, &*publication.message);
        if *topic == self.topics.send_goal_response {
            self.answer(message);
        } else if *topic == self.topics.result {
            self.finish(message);
        } else if *topic == self.topics.feedback {
            let feedback = theirs::<T::FeedbackMessage>(message).map(|m| T::destructure_feedback_msg(m).1);
            if let (Some(feedback), Some((goal, _))) = (feedback, self.goals.back())
                && let Err(error) = goal.publish_feedback(feedback)
            {
                tracing::warn!(%error, action = self.type_name, "feedback was not sent");
            }
        } else if *topic == self.topics.cancel_response {
            let AnyMessage::CancelGoalResponse(response) = message else { return true };
            match self.cancels.pop_front() {
                Some(request) if !response.goals_canceling.is_empty() => request.accept(),
                Some(request) => request.reject(),
                None => {}
            }
        } else {
            return false;
        }
        true
    }
}

type Pending<V> = Pin<Box<dyn Future<Output = V>>>;
type Accepted<T> = (
    ActionClientGoal<T>,
    Pending<r2r::Result<(GoalStatus, ActionResult<T>)>>,
    Box<dyn Stream<Item = Feedback<T>> + Unpin>,
);

enum Step<T: WrappedActionTypeSupport> {
    Asked(Pending<r2r::Result<Accepted<T>>>),
    Running(Accepted<T>),
    Over,
}

struct Call<T: WrappedActionTypeSupport> {
    /// As the node knows it; ROS has given it another one.
    id: UUID,
    step: Step<T>,
    cancel: bool,
    cancelled: Option<Pending<r2r::Result<()>>>,
}

/// Calls an action for a node.
struct Client<T: WrappedActionTypeSupport> {
    type_name: &'static str,
    topics: ActionTopics,
    client: ActionClient<T>,
    /// Until a server is there.
    available: Option<Pending<r2r::Result<()>>>,
    unsent: VecDeque<(UUID, T::Goal)>,
    calls: Vec<Call<T>>,
}

impl<T: WrappedActionTypeSupport + 'static> Client<T> {
    fn ask(&mut self, id: UUID, goal: T::Goal) {
        // Whoever has not answered a cancellation by now is gone.
        self.calls.retain(|c| !matches!(c.step, Step::Over));
        match self.client.send_goal_request(goal) {
            Ok(asked) => {
                let asked = asked.map(|answer| {
                    answer.map(|(goal, result, feedback)| {
                        let result: Pending<_> = Box::pin(result);
                        let feedback: Box<dyn Stream<Item = Feedback<T>> + Unpin> = Box::new(feedback);
                        (goal, result, feedback)
                    })
                });
                self.calls.push(Call {
                    id,
                    step: Step::Asked(Box::pin(asked)),
                    cancel: false,
                    cancelled: None,
                });
            }
            Err(error) => tracing::error!(%error, action = self.type_name, "a goal was not sent"),
        }
    }

    fn end(type_name: &str, topics: &ActionTopics, code: i8, result: T::Result, out: &mut Vec<Publication>) {
        let message = T::make_result_response_msg(code, result);
        if let Some(message) = ours(type_name, "GetResult_Response", &message) {
            put(out, &topics.result, message);
        }
    }

    fn advance(type_name: &str, topics: &ActionTopics, call: &mut Call<T>, out: &mut Vec<Publication>) {
        // A future must not be asked again after its answer.
        if let Some(answer) = call.cancelled.as_mut().and_then(|c| c.as_mut().now_or_never()) {
            call.cancelled = None;
            // A server that was started anew: no result will come.
            if matches!(answer, Err(r2r::Error::GoalCancelUnknownGoalID)) {
                Self::end(type_name, topics, status::ABORTED, ActionResult::<T>::default(), out);
                call.step = Step::Over;
            }
        }
        let time = r2r::builtin_interfaces::msg::Time::default;
        if let Step::Asked(asked) = &mut call.step
            && let Some(answer) = asked.as_mut().now_or_never()
        {
            let message = T::make_goal_response_msg(answer.is_ok(), time());
            if let Some(message) = ours(type_name, "SendGoal_Response", &message) {
                put(out, &topics.send_goal_response, message);
            }
            call.step = answer.map_or(Step::Over, Step::Running);
        }
        let Step::Running((goal, result, feedback)) = &mut call.step else { return };
        if std::mem::take(&mut call.cancel) {
            call.cancelled = goal.cancel().ok().map(|c| Box::pin(c) as Pending<_>);
        }
        while let Some(Some(feedback)) = feedback.next().now_or_never() {
            let id = r2r::unique_identifier_msgs::msg::UUID { uuid: call.id.uuid.to_vec() };
            if let Some(message) = ours(type_name, "FeedbackMessage", &T::make_feedback_msg(id, feedback)) {
                put(out, &topics.feedback, message);
            }
        }
        if let Some(ended) = result.as_mut().now_or_never() {
            let (code, result) = match ended {
                Ok((GoalStatus::Succeeded, result)) => (status::SUCCEEDED, result),
                Ok((GoalStatus::Canceled, result)) => (status::CANCELED, result),
                Ok((_, result)) => (status::ABORTED, result),
                Err(_) => (status::ABORTED, ActionResult::<T>::default()),
            };
            Self::end(type_name, topics, code, result, out);
            call.step = Step::Over;
        }
    }
}

impl<T: WrappedActionTypeSupport + 'static> Bridge for Client<T> {
    fn poll(&mut self, _: bool, out: &mut Vec<Publication>) {
        if self.available.as_mut().is_some_and(|a| a.as_mut().now_or_never().is_some()) {
            self.available = None;
        }
        if self.available.is_none() {
            while let Some((id, goal)) = self.unsent.pop_front() {
                self.ask(id, goal);
            }
        }
        for call in &mut self.calls {
            Self::advance(self.type_name, &self.topics, call, out);
        }
        self.calls.retain(|c| !matches!(c.step, Step::Over) || c.cancelled.is_some());
    }

    fn take(&mut self, publication: &Publication) -> bool {
        let (topic, message) = (&publication.topic, &*publication.message);
        if *topic == self.topics.send_goal {
            if let Some(request) = theirs::<SendRequest<T>>(message) {
                let (id, goal) = T::destructure_goal_request_msg(request);
                // One goal at a time: one that never got to a server is replaced.
                self.unsent.clear();
                self.unsent.push_back((uuid(&id.uuid), goal));
            }
        } else if *topic == self.topics.cancel {
            let AnyMessage::CancelGoalRequest(request) = message else { return true };
            let asked = &request.goal_info.goal_id;
            self.unsent.retain(|(id, _)| id != asked);
            self.calls.iter_mut().filter(|c| c.id == *asked).for_each(|c| c.cancel = true);
        } else {
            return false;
        }
        true
    }
}
