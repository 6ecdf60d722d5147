//! access-relay-companion: what helps with the relay before it is deployed. Texts in, findings out; no I/O, no clock.
//!
//! It reads `RELAY` by the core's own rules, never by a second reading of them. Modules, the lowest first: each uses only
//! those that stand before it here.

pub mod findings; // what a check comes to
pub mod suffixes; // the whole Public Suffix List
pub mod surroundings; // what stands around RELAY in a wrangler file
pub mod check; // a wrangler file, in whole
