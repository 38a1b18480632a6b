//! Services as plain publications: a node takes requests on one topic and answers each, in order, on another.
//!
//! In ROS 2 they are real services of that name; in the local host nothing calls them but other nodes.

use std::sync::Arc;

/// Topics of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTopics {
    /// Client → server.
    pub request: Arc<str>,
    /// Server → client, one for each request.
    pub response: Arc<str>,
}

impl ServiceTopics {
    /// Of a service by its full name, `/twin/step`.
    pub fn new(name: &str) -> Self {
        Self {
            request: format!("{name}/_service/request").into(),
            response: format!("{name}/_service/response").into(),
        }
    }
}
