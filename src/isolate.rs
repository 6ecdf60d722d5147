//! What one isolate knows: plain data that requests share, never a promise.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use access_relay_core::caller::gate::Gate;
use access_relay_core::messages::trace::Randomness;
use worker::Env;

use crate::border;
use crate::settings::{Settings, Unsound, load};
use crate::workers::Workers;

/// A configuration that cannot serve is read again after this time, in seconds: a store may only have failed for a moment.
const UNSOUND_SECONDS: i64 = 2;

/// Secrets of a store are read again at most once in 30 seconds: Access may refuse a request for another reason than the token.
const REREAD_SECONDS: i64 = 30;

/// How many bytes of randomness are fetched at once: for 42 traces.
const POOL: usize = 42 * size_of::<Randomness>();

thread_local! {
    /// The latest configuration that can serve.
    static CONFIG: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    /// Whether the next request reads the configuration again.
    static REREAD: Cell<bool> = const { Cell::new(false) };
    /// When `REREAD` was last set, in seconds since the epoch.
    static READ_AGAIN_AT: Cell<i64> = const { Cell::new(0) };
    /// The latest configuration that could not serve, and when it was read, in seconds since the epoch.
    static UNSOUND: RefCell<Option<(i64, Rc<Unsound>)>> = const { RefCell::new(None) };
    /// The caller check.
    static GATE: Rc<Gate<Workers>> = Gate::new(Workers);
    /// Randomness for the next traces.
    static RANDOM: RefCell<[u8; POOL]> = const { RefCell::new([0; POOL]) };
    /// How many bytes of it are used up.
    static SPENT: Cell<usize> = const { Cell::new(POOL) };
}

/// The caller check, with the keys and the tokens that it knows.
pub fn gate() -> Rc<Gate<Workers>> {
    GATE.with(Rc::clone)
}

/// Whether answers say how long they took, as far as is known: before the first reading it is not.
pub fn may_be_timed() -> bool {
    CONFIG.with_borrow(|known| known.as_ref().is_none_or(|known| known.config.server_timing))
}

/// The isolate's configuration, where it is known and need not be read again.
pub fn settings() -> Option<Rc<Settings>> {
    CONFIG.with_borrow(|known| known.clone().filter(|_| !REREAD.get()))
}

/// The isolate's configuration, read by the first request that finds a sound one. Where several requests are first at
/// once, each reads it (no request may wait for another's promise) and the last one stays.
pub async fn read_settings(env: &Env) -> Result<Rc<Settings>, Rc<Unsound>> {
    let current = CONFIG.with_borrow(Option::clone);
    REREAD.set(false);
    match current {
        // Where the store fails, what was read before serves on.
        Some(current) => Ok(load(env).await.map_or(current, |settings| {
            settings.untold.set(false);
            keep(settings)
        })),
        None => match UNSOUND.with_borrow(|unsound| unsound.clone()) {
            Some((at, unsound)) if border::now() - at < UNSOUND_SECONDS => Err(unsound),
            _ => load(env).await.map(keep).map_err(|unsound| {
                let unsound = Rc::new(unsound);
                UNSOUND.set(Some((border::now(), Rc::clone(&unsound))));
                unsound
            }),
        },
    }
}

/// Has the next request read the configuration again, unless it was read again just now.
pub fn read_again() {
    let now = border::now();
    if now - READ_AGAIN_AT.get() >= REREAD_SECONDS {
        READ_AGAIN_AT.set(now);
        REREAD.set(true);
    }
}

fn keep(settings: Settings) -> Rc<Settings> {
    border::guard_secrets(settings.config.secrets());
    let settings = Rc::new(settings);
    CONFIG.with(|shared| *shared.borrow_mut() = Some(Rc::clone(&settings)));
    settings
}

/// Randomness for one trace, out of a pool that one call of the system fills for many requests.
pub fn randomness() -> Randomness {
    RANDOM.with_borrow_mut(|pool| {
        if SPENT.get() + size_of::<Randomness>() > POOL {
            // A trace id without randomness still serves: ids only join log lines.
            let _ = getrandom::fill(pool);
            SPENT.set(0);
        }
        let start = SPENT.replace(SPENT.get() + size_of::<Randomness>());
        pool.get(start..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default()
    })
}
