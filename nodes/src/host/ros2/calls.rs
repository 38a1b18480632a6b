//! Services of ROS 2 behind the plain publications that nodes exchange (`crate::service`). Messages pass as CDR.

use std::collections::VecDeque;

use interfaces::{AnyMessage, Publication};
use r2r::{ServiceRequest, WrappedServiceTypeSupport, WrappedTypesupport};

use super::actions::{Bridge, put, theirs};
use super::services::{Requests, respond};
use crate::service::ServiceTopics;

/// The services that a node here may offer, by the last part of their names.
pub fn bridge(node: &mut r2r::Node, name: &str) -> Result<Box<dyn Bridge>, String> {
    match name.rsplit('/').next() {
        Some("pause") => make::<r2r::std_srvs::srv::SetBool::Service>(node, name, "std_srvs/srv/SetBool"),
        Some("reset") => make::<r2r::std_srvs::srv::Trigger::Service>(node, name, "std_srvs/srv/Trigger"),
        Some("step") => {
            make::<r2r::shelfwright_msgs::srv::StepTwin::Service>(node, name, "shelfwright_msgs/srv/StepTwin")
        }
        _ => Err(format!("no service {name}, there are pause, reset and step")),
    }
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
