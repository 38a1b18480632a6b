//! Services of ROS 2 behind the plain publications that nodes exchange (`crate::service`), and calls of them from outside.
//! Messages pass as CDR.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use futures::FutureExt;
use interfaces::{AnyMessage, Publication};
use r2r::{QosProfile, ServiceRequest, WrappedServiceTypeSupport, WrappedTypesupport};

use super::actions::{Bridge, put, theirs};
use super::host::RosError;
use super::services::{Requests, respond};
use crate::service::ServiceTopics;

/// The services that a node here may offer, by the end of their names.
macro_rules! services {
    ($($end:literal: $package:ident / $name:ident,)*) => {
        /// Offers a service for a node.
        pub fn bridge(node: &mut r2r::Node, name: &str) -> Result<Box<dyn Bridge>, String> {
            $(if called(name, $end) {
                let type_name = concat!(stringify!($package), "/srv/", stringify!($name));
                return make::<r2r::$package::srv::$name::Service>(node, name, type_name);
            })*
            Err(unknown(name))
        }

        fn ask_any(node: &mut r2r::Node, name: &str, request: &AnyMessage) -> Result<AnyMessage, String> {
            $(if called(name, $end) {
                let type_name = concat!(stringify!($package), "/srv/", stringify!($name));
                return ask::<r2r::$package::srv::$name::Service>(node, name, type_name, request);
            })*
            Err(unknown(name))
        }

        fn unknown(name: &str) -> String {
            format!("no service {name}, there are {}", [$($end),*].join(", "))
        }
    };
}

services! {
    "mission/start": shelfwright_msgs / StartMission,
    "mission/pause": std_srvs / Trigger,
    "mission/resume": std_srvs / Trigger,
    "mission/cancel": std_srvs / Trigger,
    "find_book": shelfwright_msgs / FindBook,
    "twin/pause": std_srvs / SetBool,
    "twin/step": shelfwright_msgs / StepTwin,
    "twin/reset": std_srvs / Trigger,
    "twin/set_speed": shelfwright_msgs / SetSpeed,
    "twin/spawn": shelfwright_msgs / SpawnThing,
    "twin/move": shelfwright_msgs / MoveThing,
    "twin/remove": shelfwright_msgs / RemoveThing,
    "twin/inject_fault": shelfwright_msgs / InjectFault,
}

fn called(name: &str, end: &str) -> bool {
    name.strip_suffix(end).is_some_and(|before| before.ends_with('/'))
}

/// How long a call waits for the service to appear, and then for its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Calls a service once, from a process that has no node of its own.
///
/// # Errors
/// No such service here, nobody who offers it, or no answer within 5 s.
pub fn call(name: &str, request: &AnyMessage) -> Result<AnyMessage, RosError> {
    let failed = |error: String| RosError::Ros { node: name.into(), error };
    let context = r2r::Context::create().map_err(|e| failed(e.to_string()))?;
    let own = format!("shelfwright_{}", std::process::id());
    let mut node = r2r::Node::create(context, &own, "").map_err(|e| failed(e.to_string()))?;
    ask_any(&mut node, name, request).map_err(failed)
}

fn ask<T: WrappedServiceTypeSupport + 'static>(
    node: &mut r2r::Node,
    name: &str,
    type_name: &str,
    request: &AnyMessage,
) -> Result<AnyMessage, String> {
    let client = node.create_client::<T>(name, QosProfile::services_default()).map_err(|e| e.to_string())?;
    let available = r2r::Node::is_available(&client).map_err(|e| e.to_string())?;
    wait(node, available).ok_or("nobody offers this service")?.map_err(|e| e.to_string())?;
    let request = theirs::<T::Request>(request).ok_or("the request is of another type")?;
    let answer = client.request(&request).map_err(|e| e.to_string())?;
    let answer = wait(node, answer).ok_or("no answer came")?.map_err(|e| e.to_string())?;
    let bytes = answer.to_serialized_bytes().map_err(|e| e.to_string())?;
    AnyMessage::from_cdr(&format!("{type_name}_Response"), &bytes).map_err(|e| e.to_string())
}

fn wait<V>(node: &mut r2r::Node, future: impl Future<Output = V>) -> Option<V> {
    let mut future = Box::pin(future);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(value) = future.as_mut().now_or_never() {
            return Some(value);
        }
        node.spin_once(Duration::from_millis(10));
    }
    None
}

fn make<T: WrappedServiceTypeSupport + 'static>(
    node: &mut r2r::Node,
    name: &str,
    type_name: &'static str,
) -> Result<Box<dyn Bridge>, String> {
    let requests = Requests::<T>::named(node, name).map_err(|e| format!("{name}: {e}"))?;
    Ok(Box::new(Service { type_name, topics: ServiceTopics::new(name), requests, waiting: VecDeque::new() }))
}

/// Offers one service for a node.
struct Service<T: WrappedServiceTypeSupport> {
    type_name: &'static str,
    topics: ServiceTopics,
    requests: Requests<T>,
    /// Requests that the node has not answered yet, oldest first.
    waiting: VecDeque<ServiceRequest<T>>,
}

impl<T: WrappedServiceTypeSupport + 'static> Bridge for Service<T> {
    fn poll(&mut self, active: bool, out: &mut Vec<Publication>) {
        while let Some(request) = self.requests.next() {
            let ours = request.message.to_serialized_bytes().ok();
            let ours =
                ours.and_then(|b| AnyMessage::from_cdr(&format!("{}_Request", self.type_name), &b).ok());
            match ours {
                Some(message) if active => {
                    put(out, &self.topics.request, message);
                    self.waiting.push_back(request);
                }
                // All zeros: no success.
                _ => respond(request, T::Response::default()),
            }
        }
    }

    fn take(&mut self, publication: &Publication) -> bool {
        if publication.topic != self.topics.response {
            return false;
        }
        if let (Some(request), Some(response)) = (self.waiting.pop_front(), theirs(&publication.message)) {
            respond(request, response);
        }
        true
    }
}
