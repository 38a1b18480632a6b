//! Routes and queries of the receiver.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::archive::{Archive, ArchiveError, Filter, Listed, Run, Taken};
use super::problem::Problem;
use super::{intake, openapi, page};
use crate::words;

/// Items on a page unless asked otherwise, and at most.
pub(super) const PAGE: u32 = 100;
pub(super) const LARGEST_PAGE: u32 = 1000;

pub(super) type Shared = Arc<Mutex<Archive>>;

pub(super) fn router(archive: Shared, body_limit: usize) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/healthz", get(health))
        .route("/openapi.json", get(|| async { Json(openapi::document()) }))
        .route("/api/v1/events", post(take))
        .route("/api/v1/runs", get(runs))
        .route("/api/v1/shelf-errors", get(shelf_errors))
        .fallback(|uri: Uri| async move {
            Problem::not_found(format!("found path {:?}, expected one of openapi.json", uri.path()))
        })
        .method_not_allowed_fallback(|| async {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "/problems/method",
                "The method is not allowed here",
                "openapi.json says which are".into(),
            )
        })
        .layer(DefaultBodyLimit::max(body_limit))
        .with_state(archive)
}

/// Works on the archive off the async threads.
async fn with<T: Send + 'static>(
    archive: Shared,
    work: impl FnOnce(&mut Archive) -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, Problem> {
    let done = tokio::task::spawn_blocking(move || {
        // A panic elsewhere leaves SQLite's transaction rolled back, so the archive is still whole.
        work(&mut archive.lock().unwrap_or_else(PoisonError::into_inner))
    });
    match done.await {
        Ok(result) => result.map_err(|e| Problem::internal(&e)),
        Err(e) => Err(Problem::internal(&e)),
    }
}

async fn health(State(archive): State<Shared>) -> Result<Json<serde_json::Value>, Problem> {
    let runs = with(archive, |a| a.run_count()).await?;
    Ok(Json(serde_json::json!({ "status": "ok", "runs": runs })))
}

/// Answer to `POST /api/v1/events`.
#[derive(Serialize)]
struct Receipt {
    accepted: u32,
    duplicates: u32,
}

async fn take(
    State(archive): State<Shared>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let text = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    intake::media_type(text(header::CONTENT_TYPE.as_str()))?;
    let body = body
        .map_err(|e| Problem::new(e.status(), "/problems/body", "The body cannot be read", e.body_text()))?;
    let events = intake::read(&body, text("idempotency-key"))?;
    let now_ns = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX));
    let (taken, events) = with(archive, move |a| Ok((a.take(&events, now_ns)?, events))).await?;
    match taken {
        Taken::Kept { new, duplicates } => {
            let status = if new > 0 { StatusCode::CREATED } else { StatusCode::OK };
            Ok((status, Json(Receipt { accepted: new, duplicates })).into_response())
        }
        Taken::KeyReused { index } => {
            let id = events.get(index).map_or("", |e| e.id.as_str());
            Err(Problem::bad_event(format!(
                "id: found {id:?} with another content than before, expected a new id for a new event"
            )))
        }
    }
}

/// A page of a list.
#[derive(Serialize)]
struct Page<T> {
    items: Vec<T>,
    /// Items that match, on all pages.
    total: u64,
    /// `cursor` for the next page; null on the last.
    next: Option<i64>,
}

fn page_of<T>(mut items: Vec<T>, limit: u32, total: u64, cursor: impl Fn(&T) -> i64) -> Json<Page<T>> {
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = if more { items.last().map(cursor) } else { None };
    Json(Page { items, total, next })
}

fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(PAGE),
        Some(n) if (1..=LARGEST_PAGE).contains(&n) => Ok(n),
        Some(n) => Err(Problem::bad_query(format!("limit: found {n}, expected 1 to {LARGEST_PAGE}"))),
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunsQuery {
    limit: Option<u32>,
    cursor: Option<i64>,
}

async fn runs(
    State(archive): State<Shared>,
    query: Result<Query<RunsQuery>, QueryRejection>,
) -> Result<Json<Page<Run>>, Problem> {
    let Query(q) = query.map_err(|e| Problem::bad_query(e.body_text()))?;
    let limit = limit(q.limit)?;
    let (items, total) = with(archive, move |a| Ok((a.runs(limit + 1, q.cursor)?, a.run_count()?))).await?;
    Ok(page_of(items, limit, total, |r| r.cursor))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorsQuery {
    pub run: Option<String>,
    pub kind: Option<String>,
    pub face: Option<String>,
    pub barcode: Option<String>,
    pub uid: Option<String>,
    pub min_confidence: Option<f64>,
    pub limit: Option<u32>,
    pub cursor: Option<i64>,
}

impl ErrorsQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        let kind = match self.kind.as_deref().filter(|k| !k.is_empty()) {
            None => None,
            Some(k) => Some(words::kind(k).map(words::name).ok_or_else(|| {
                let allowed: Vec<_> = words::KINDS.into_iter().map(words::name).collect();
                Problem::bad_query(format!("kind: found {k:?}, expected {}", allowed.join(" or ")))
            })?),
        };
        if let Some(c) = self.min_confidence.filter(|c| !(0.0..=1.0).contains(c)) {
            return Err(Problem::bad_query(format!("min_confidence: found {c}, expected 0 to 1")));
        }
        // An empty field of the page's form is one that was left open.
        let given = |v: &Option<String>| v.clone().filter(|v| !v.is_empty());
        Ok(Filter {
            run: given(&self.run),
            kind,
            face: given(&self.face),
            barcode: given(&self.barcode),
            uid: given(&self.uid).map(|u| u.to_ascii_uppercase()),
            min_confidence: self.min_confidence,
        })
    }
}

async fn shelf_errors(
    State(archive): State<Shared>,
    query: Result<Query<ErrorsQuery>, QueryRejection>,
) -> Result<Json<Page<Listed>>, Problem> {
    let Query(q) = query.map_err(|e| Problem::bad_query(e.body_text()))?;
    let (filter, limit) = (q.filter()?, limit(q.limit)?);
    let (items, total) = with(archive, move |a| a.shelf_errors(&filter, limit + 1, q.cursor)).await?;
    Ok(page_of(items, limit, total, |e| e.cursor))
}

async fn index(
    State(archive): State<Shared>,
    query: Result<Query<ErrorsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(q) = query.map_err(|e| Problem::bad_query(e.body_text()))?;
    let (filter, limit) = (q.filter()?, limit(q.limit)?);
    let shown = filter.clone();
    let (runs, run_count, (mut errors, total)) = with(archive, move |a| {
        Ok((a.runs(12, None)?, a.run_count()?, a.shelf_errors(&filter, limit + 1, q.cursor)?))
    })
    .await?;
    let more = errors.len() > limit as usize;
    errors.truncate(limit as usize);
    let next = if more { errors.last().map(|e| e.cursor) } else { None };
    let html =
        page::render(&runs, run_count, &errors, total, &shown, next).map_err(|e| Problem::internal(&e))?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                  frame-ancestors 'none'";
    Ok(([(header::CONTENT_SECURITY_POLICY, policy), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")], Html(html))
        .into_response())
}
