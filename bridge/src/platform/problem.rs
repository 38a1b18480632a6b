//! Problem details (RFC 9457): every refusal says what was found and what is allowed.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A refusal as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// Which problem; relative, so that it needs no host.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub title: &'static str,
    pub status: u16,
    pub detail: String,
    /// Place in the body, as a JSON pointer; left out where it is not about the body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pointer: String,
}

impl Problem {
    pub fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: String) -> Self {
        Self { kind, title, status: status.as_u16(), detail, pointer: String::new() }
    }

    pub fn at(mut self, pointer: String) -> Self {
        self.pointer = pointer;
        self
    }

    pub fn bad_body(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/problems/bad-body", "The body is no event", detail)
    }

    pub fn bad_event(detail: String) -> Self {
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "/problems/bad-event",
            "The event cannot be taken as it is",
            detail,
        )
    }

    pub fn bad_query(detail: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "/problems/bad-query", "The query cannot be answered", detail)
    }

    pub fn not_found(detail: String) -> Self {
        Self::new(StatusCode::NOT_FOUND, "/problems/not-found", "There is nothing here", detail)
    }

    /// Our own fault; the details go to the log, not to the caller.
    pub fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(%error, "request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "/problems/internal",
            "The platform failed",
            "its log says why; the request may be repeated".into(),
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        match serde_json::to_vec(&self) {
            Ok(body) => (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response(),
            Err(_) => status.into_response(),
        }
    }
}
