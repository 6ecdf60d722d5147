//! access-relay-core: what the relay decides. Plain values in, decisions out; no I/O, no clock, no JavaScript.
//!
//! # The map
//! Layers, the lowest first. A module uses only what stands before it in this file; a test reads the `use` lines.
//!
//! | layer | what it is |
//! |---|---|
//! | [`syntax`] | texts by themselves: origins, paths, header values, JSON |
//! | [`messages`] | a request's head and an answer's: names, edits, cookies, URLs, traces, and what may cross |
//! | [`outcomes`] | what the relay says by itself: refusals, answers, its log |
//! | [`rules`] | which origins may call, what foreign pages may do, which route takes a path |
//! | [`caller`] | who is calling: tokens, keys, and what is remembered of them |
//! | [`config`] | the table `RELAY`, parsed once into types that cannot hold nonsense |
//! | [`flow`] | a request's way through all of it; begin at [`flow::gateway`] |
//!
//! # Invariants
//! - Nothing panics on the request path; lints deny it.
//! - What few requests need is a function of its own (`#[inline(never)]`, `seldom`): V8 compiles it when it is first called, and a
//!   young isolate does without. `docs/performance.md` has the figures.
//! - What is unknown is refused: without a valid configuration nothing is served, without a valid token nothing is
//!   forwarded.

pub mod syntax {
    //! Texts by themselves: as standards write them, and small tools. Nothing here knows a request.

    pub mod text; // small things done to texts, and lists in order
    pub mod field; // what the values of header fields are made of
    pub mod digest; // a hash, to tell texts apart
    pub mod redact; // what may be printed
    pub mod json; // JSON in which no key stands twice unnoticed
    pub mod origin; // web origins, as browsers write them
    pub mod path; // path prefixes, and what a path could be taken for
    pub mod target; // a request's URL, taken apart
}

pub mod messages {
    //! A request's head and an answer's, and what may cross from one side to the other.

    pub mod name; // every header name that the relay knows
    pub mod edits; // changes to headers, as one text
    pub mod present; // which headers a message has
    pub mod crossing; // what is not the caller's to say, and what not the API's
    pub mod cookies; // which cookies cross
    pub mod links; // URLs within the values of headers
    pub mod trace; // traceparent
    pub mod head; // a request's head, and an answer's
}

pub mod outcomes {
    //! What the relay says by itself.

    pub mod problem; // the closed list of codes; a refusal, and its explanation
    pub mod answer; // an answer of the relay's own
    pub mod log; // one line of JSON
}

pub mod rules {
    //! Which origins may call, what pages of other sites may do, and where a path leads.

    pub mod origins; // the origins of a policy, with patterns
    pub mod browsers; // what browsers never send, and never show
    pub mod cors; // the CORS decision
    pub mod cors_explained; // and why it was so
    pub mod cross_origin; // which requests of foreign pages are refused
    pub mod upstream; // the URL at the API
    pub mod way_back; // and back, for the URLs that an API names
    pub mod route; // a path, and the API behind it
}

pub mod caller {
    //! Who is calling, as a token of Cloudflare Access says it, or the runtime. Keys, signatures and the time come from outside.

    pub mod identity; // a person, or a program
    pub mod jwk; // what counts as a signing key
    pub mod runtime; // what the check needs of the world around it
    pub mod keys; // the issuer's keys, and when they are fetched
    pub mod token; // what makes a token good
    pub mod verified; // tokens that were good
    pub mod platform; // the runtime's own word
    pub mod people; // whom it has named
    pub mod gate; // the caller check
}

pub mod config {
    //! The table `RELAY`: everything that is wrong with it is reported together, each with its path.

    pub mod keys; // every key, described once
    pub mod error; // a mistake: where, what was found, what to write instead
    pub mod types; // the configuration, as it is used
    pub mod source; // RELAY as a JSON text
    pub mod secrets; // which secrets and bindings it asks for
    pub mod suffix; // public suffixes
    pub(crate) mod report; // where mistakes are gathered
    pub(crate) mod table; // reading a table key by key
    pub(crate) mod service_token; // a route's two secrets
    pub mod access; // `access`
    pub(crate) mod cors; // `cors`
    pub(crate) mod route; // one of `routes`
    pub mod parse; // the whole table
}

pub mod flow {
    //! A request's way: what is decided, what the API gets, what becomes of its answer.

    pub mod slots; // what waits for the API
    pub mod known; // what a request has told so far
    pub mod forward; // what the API gets
    pub mod denial; // whether Access has answered in the API's place
    pub mod settle; // what becomes of an answer
    pub mod health; // the health of it all
    pub mod gateway; // the way of a request, from top to bottom
}
