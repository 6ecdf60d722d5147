//! The HTTP server behind every listener: binding a port, accepting connections, being slow and dropping connections
//! when told to.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::http::Body;
use crate::listener::Listener;
use crate::state::Shared;
use crate::{control, proxy, team};

/// Which of the four listeners a connection came in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// One that can be made to misbehave.
    Emulated(Listener),
    /// The Worker's address at `workers.dev`, open or shut.
    WorkersDev(bool),
    Control,
}

/// Takes a port on the loopback address, or says whose port is taken.
pub(crate) async fn bind(name: &str, port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
        let message = match error.kind() {
            io::ErrorKind::AddrInUse => format!("port {port} ({name}) is already in use"),
            _ => format!("port {port} ({name}) cannot be listened on: {error}"),
        };
        io::Error::new(error.kind(), message)
    })
}

/// Serves connections until told to stop.
pub(crate) async fn accept(listener: TcpListener, door: Door, shared: Arc<Shared>, mut stop: watch::Receiver<()>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.changed() => return,
        };
        // A connection that was gone before it could be accepted is no reason to stop.
        let Ok((stream, peer)) = accepted else { continue };
        if drops(&shared, door) {
            continue;
        }
        tokio::spawn(serve_connection(stream, peer, door, Arc::clone(&shared), stop.clone()));
    }
}

async fn serve_connection(
    stream: TcpStream,
    peer: SocketAddr,
    door: Door,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<()>,
) {
    // Without this the last bytes of a small answer may wait for the caller's acknowledgement.
    let _ = stream.set_nodelay(true);
    let stopped = stop.clone();
    let service = service_fn(|request| answer(&shared, door, peer.ip(), request, stopped.clone()));
    let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is a caller that went away or spoke no HTTP, or a connection dropped on purpose.
        _ = connection.with_upgrades() => {}
        _ = stop.changed() => {}
    }
}

/// An error makes hyper close the connection without an answer.
async fn answer(
    shared: &Shared,
    door: Door,
    caller: IpAddr,
    request: Request<Incoming>,
    stop: watch::Receiver<()>,
) -> io::Result<Response<Body>> {
    let listener = match door {
        Door::Emulated(listener) => listener,
        Door::WorkersDev(open) => return Ok(proxy::serve_workers_dev(shared, open, request, stop).await),
        Door::Control => return Ok(control::serve(shared, request).await),
    };
    // Connections that were open before the switch was turned are dropped at their next request.
    if drops(shared, door) {
        return Err(io::ErrorKind::ConnectionAborted.into());
    }
    let counter = match listener {
        Listener::Team => None,
        Listener::App => Some(&shared.counts.app),
        Listener::Api => Some(&shared.counts.api),
    };
    if let Some(counter) = counter {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    let delay = shared.switches(listener).delay();
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Ok(match listener {
        Listener::Team => team::serve(shared, request).await,
        Listener::App => proxy::serve(shared, &shared.app, caller, request, stop).await,
        Listener::Api => proxy::serve(shared, &shared.api, caller, request, stop).await,
    })
}

fn drops(shared: &Shared, door: Door) -> bool {
    match door {
        Door::Emulated(listener) => shared.switches(listener).drops_connections(),
        Door::WorkersDev(_) | Door::Control => false,
    }
}
