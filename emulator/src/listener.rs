//! The listeners that stand for a part of Cloudflare, and the switches that make each of them slow or dead.

use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The listeners that stand for a part of Cloudflare, and so can be made slow or dead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listener {
    /// The team domain: certs and login.
    Team,
    /// The application in front of the page and of the Worker.
    App,
    /// The application in front of the API.
    Api,
}

/// What makes a listener misbehave.
#[derive(Debug, Default)]
pub(crate) struct Switches {
    delay_ms: AtomicU64,
    drop_connections: AtomicBool,
    cloudflare_error: AtomicU16,
}

impl Switches {
    pub(crate) fn set_delay(&self, delay: Duration) {
        self.delay_ms.store(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(crate) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.load(Ordering::Relaxed))
    }

    /// An error of Cloudflare's own in place of the backend's answers; 0 for none.
    pub(crate) fn set_cloudflare_error(&self, error: u16) {
        self.cloudflare_error.store(error, Ordering::Relaxed);
    }

    pub(crate) fn cloudflare_error(&self) -> u16 {
        self.cloudflare_error.load(Ordering::Relaxed)
    }

    pub(crate) fn set_drop_connections(&self, on: bool) {
        self.drop_connections.store(on, Ordering::Relaxed);
    }

    pub(crate) fn drops_connections(&self) -> bool {
        self.drop_connections.load(Ordering::Relaxed)
    }
}
