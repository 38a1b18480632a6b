//! The tokio shell of the outbox: takes entries from the store, posts them, writes down what became of them.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::{Deserialize, Serialize};

use super::core::{Answer, Entry, Next, Outbox, Outcome, RetryPolicy};
use crate::event::MEDIA_TYPE;
use crate::store::{Store, StoreError};

/// Most entries held in memory at once.
const HELD: u32 = 256;
/// How often a store is looked at for new results when there is nothing to send.
const LOOK: Duration = Duration::from_millis(500);
/// Most of an answer's body that is read, bytes: enough for problem details.
const DETAIL_BYTES: usize = 2048;

/// Where events go.
#[derive(Clone)]
pub struct Destination {
    /// Address that takes `POST` of one CloudEvent, for example `https://platform/api/v1/events`.
    pub url: String,
    /// Bearer token, if the platform wants one. Never logged.
    pub bearer: Option<String>,
    /// Longest time for one request. Default 10 s.
    pub timeout: Duration,
}

impl Destination {
    /// An address without a token and with the default time-out.
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), bearer: None, timeout: Duration::from_secs(10) }
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("url", &self.url)
            .field("bearer", &self.bearer.as_ref().map(|_| "…"))
            .field("timeout", &self.timeout)
            .finish()
    }
}

/// Why the courier cannot work at all. A platform that is down is no such reason: that is waited out.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is none.
    #[error("platform address: found {url:?}, expected http://HOST/PATH or https://HOST/PATH: {reason}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No HTTP client could be made: TLS, certificates.
    #[error("HTTP client: {0}")]
    Client(reqwest::Error),
    /// The thread that works on the store died.
    #[error("store thread: {0}")]
    Thread(tokio::task::JoinError),
}

/// What a courier did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Entries that the platform took.
    pub delivered: u64,
    /// Entries parked.
    pub dead: u64,
    /// Attempts that will be repeated.
    pub retried: u64,
}

/// Delivers a store's outbox.
#[derive(Debug)]
pub struct Courier {
    store: Arc<Mutex<Store>>,
    outbox: Outbox,
    client: reqwest::Client,
    url: reqwest::Url,
    bearer: Option<String>,
    tally: Tally,
}

impl Courier {
    /// A courier with its own connection to the store.
    pub fn new(store: Store, destination: &Destination, policy: RetryPolicy) -> Result<Self, CourierError> {
        install_tls();
        let bad = |reason: String| CourierError::Url { url: destination.url.clone(), reason };
        let url = reqwest::Url::parse(&destination.url).map_err(|e| bad(e.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad(format!("found scheme {:?}", url.scheme())));
        }
        let client = client(&url, destination.timeout).map_err(CourierError::Client)?;
        Ok(Self {
            store: Arc::new(Mutex::new(store)),
            outbox: Outbox::new(policy),
            client,
            url,
            bearer: destination.bearer.clone(),
            tally: Tally::default(),
        })
    }

    /// Delivers what is there and what comes, until `stop`. A request under way is finished first.
    pub async fn run(&mut self, stop: impl Future<Output = ()>) -> Result<Tally, CourierError> {
        self.work(stop, false).await
    }

    /// Delivers until nothing is pending, or until `stop` (a platform that is down is waited for).
    pub async fn drain(&mut self, stop: impl Future<Output = ()>) -> Result<Tally, CourierError> {
        self.work(stop, true).await
    }

    async fn work(
        &mut self,
        stop: impl Future<Output = ()>,
        until_empty: bool,
    ) -> Result<Tally, CourierError> {
        let mut stop = pin!(stop);
        loop {
            if self.outbox.is_empty() {
                self.refill().await?;
            }
            let pause = match self.outbox.next(now_ns()) {
                Next::Send(entry) => {
                    let entry = entry.clone();
                    self.deliver(&entry).await?;
                    Duration::ZERO
                }
                Next::Empty if until_empty => return Ok(self.tally),
                Next::Empty => LOOK,
                Next::Wait(until_ns) => {
                    // Another run may have come meanwhile, which need not wait.
                    self.refill().await?;
                    Duration::from_nanos(until_ns.saturating_sub(now_ns()).max(0) as u64).min(LOOK)
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => return Ok(self.tally),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn refill(&mut self) -> Result<(), CourierError> {
        let entries = self.with_store(|store| store.pending(HELD)).await?;
        let now = now_ns();
        for entry in entries {
            self.outbox.offer(entry, now);
        }
        Ok(())
    }

    async fn deliver(&mut self, entry: &Entry) -> Result<(), CourierError> {
        let answer = self.post(entry).await;
        let now = now_ns();
        let Some(outcome) = self.outbox.answered(entry.seq, &answer, now) else { return Ok(()) };
        let (key, run) = (entry.key.as_str(), entry.run.as_str());
        match &outcome {
            Outcome::Delivered => {
                self.tally.delivered += 1;
                tracing::debug!(key, run, "event delivered");
            }
            Outcome::Retry { not_before_ns, reason, .. } => {
                self.tally.retried += 1;
                let wait_s = (not_before_ns - now) as f64 * 1e-9;
                tracing::warn!(key, run, reason, wait_s, "event not taken, will try again");
            }
            Outcome::Dead { reason } => {
                self.tally.dead += 1;
                tracing::error!(key, run, reason, "event refused for good, parked");
            }
        }
        let seq = entry.seq;
        self.with_store(move |store| store.settle(seq, &outcome, now)).await
    }

    async fn post(&self, entry: &Entry) -> Answer {
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header("Idempotency-Key", &entry.key)
            .body(entry.body.clone());
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(e) => return Answer::Lost(chain(&e)),
        };
        let code = response.status().as_u16();
        let retry_after_ns =
            response.headers().get(RETRY_AFTER).and_then(|v| retry_after_ns(v.to_str().ok()?));
        let mut detail = Vec::new();
        // The status is what counts; a body that breaks off changes nothing.
        while let Ok(Some(part)) = response.chunk().await {
            detail.extend_from_slice(&part[..part.len().min(DETAIL_BYTES - detail.len())]);
            if detail.len() == DETAIL_BYTES {
                break;
            }
        }
        Answer::Status { code, retry_after_ns, detail: brief(&detail) }
    }

    async fn with_store<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, CourierError> {
        let store = Arc::clone(&self.store);
        let done = tokio::task::spawn_blocking(move || {
            // A panic elsewhere leaves SQLite's transaction rolled back, so the store is still whole.
            work(&mut store.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(done.await.map_err(CourierError::Thread)??)
    }
}

/// A client for one address. Plain HTTP needs no certificates, so a machine that has none can still talk to the
/// embedded platform; and what is on this machine is never asked for through a proxy.
fn client(url: &reqwest::Url, timeout: Duration) -> reqwest::Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .timeout(timeout)
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("shelfwright/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" {
        let config = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder = builder.tls_backend_preconfigured(config);
    }
    let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
    if host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback()) {
        builder = builder.no_proxy();
    }
    builder.build()
}

/// Chooses ring as rustls' provider, once per process; a choice already made by the program stays.
fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a TLS provider was installed before");
        }
    });
}

/// Wall time, ns since 1970 UTC: waits must outlive the process.
fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
}

/// `Retry-After` in seconds or as an HTTP date, as a wait from now.
fn retry_after_ns(value: &str) -> Option<i64> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u32>() {
        return Some(i64::from(seconds) * 1_000_000_000);
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let wait = at.duration_since(SystemTime::now()).unwrap_or_default();
    Some(i64::try_from(wait.as_nanos()).unwrap_or(i64::MAX))
}

/// The title and detail of problem details (RFC 9457), or the start of whatever came, in one line.
fn brief(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Problem {
        title: String,
        #[serde(default)]
        detail: String,
    }
    let text = match serde_json::from_slice::<Problem>(body) {
        Ok(p) if p.detail.is_empty() => p.title,
        Ok(p) => format!("{}: {}", p.title, p.detail),
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    };
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// An error with its causes: reqwest's own text leaves out why.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(e) = cause {
        text.push_str(": ");
        text.push_str(&e.to_string());
        cause = e.source();
    }
    text
}
