//! The reference receiver: a small library platform that takes events, keeps each exactly once, and lists them.
//!
//! It is the embedded default and a contract to test against; it is no library system. `openapi.json` says
//! what it answers.

mod api;
mod archive;
mod intake;
mod openapi;
mod page;
mod problem;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;

pub use archive::ArchiveError;
pub use openapi::document as openapi;

/// How to run the receiver.
#[derive(Debug, Clone)]
pub struct PlatformSettings {
    /// Address to listen on; port 0 takes a free one. Default `127.0.0.1:8080`: it knows no users, so it is
    /// not to be reached from other machines unless a proxy guards it.
    pub bind: SocketAddr,
    /// The SQLite file it keeps events in.
    pub database: PathBuf,
    /// Largest body it takes, bytes. Default 4 MiB, about four thousand shelf errors in one batch.
    pub body_limit: usize,
}

impl PlatformSettings {
    /// The defaults with this database.
    pub fn new(database: impl Into<PathBuf>) -> Self {
        Self {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database: database.into(),
            body_limit: 4 << 20,
        }
    }
}

/// Why the receiver cannot run.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// Its database cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// It cannot listen there.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The listener failed while serving.
    #[error("listener: {0}")]
    Serve(io::Error),
}

/// The receiver, listening.
#[derive(Debug)]
pub struct Platform {
    listener: TcpListener,
    address: SocketAddr,
    app: axum::Router,
}

impl Platform {
    /// Opens the database and starts to listen; requests are answered once [`Platform::serve`] runs.
    pub async fn bind(settings: &PlatformSettings) -> Result<Self, PlatformError> {
        let archive = archive::Archive::open(&settings.database)?;
        let bind = |source| PlatformError::Bind { address: settings.bind, source };
        let listener = TcpListener::bind(settings.bind).await.map_err(bind)?;
        let address = listener.local_addr().map_err(bind)?;
        let app = api::router(Arc::new(Mutex::new(archive)), settings.body_limit);
        Ok(Self { listener, address, app })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where people look at it, `http://127.0.0.1:8080/`.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Where a [`crate::Courier`] sends to.
    pub fn events_url(&self) -> String {
        format!("http://{}/api/v1/events", self.address)
    }

    /// Answers requests until `stop`; those under way are finished.
    pub async fn serve(self, stop: impl Future<Output = ()> + Send + 'static) -> Result<(), PlatformError> {
        axum::serve(self.listener, self.app).with_graceful_shutdown(stop).await.map_err(PlatformError::Serve)
    }
}
