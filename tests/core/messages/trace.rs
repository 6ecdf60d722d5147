//! Traces: continued where they are valid, else begun.

use access_relay_core::messages::trace::Trace;

const RANDOM: [u8; 24] = [0xa1; 24];
const BEGUN: &str = "00-a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1-a1a1a1a1a1a1a1a1-00";

#[test]
fn a_valid_trace_is_continued() {
    #[rustfmt::skip]
    let table = [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a1a1a1a1a1a1a1-01"),
        // A later version: the first four fields are read, ours is sent on.
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra", "00-4bf92f3577b34da6a3ce929d0e0e4736-a1a1a1a1a1a1a1a1-01"),
    ];
    for (caller, expected) in table {
        let trace = Trace::new(Some(caller), RANDOM);
        assert_eq!((trace.traceparent(), trace.continued), (expected, true), "{caller}");
        assert_eq!(trace.id(), "4bf92f3577b34da6a3ce929d0e0e4736");
    }
}

#[test]
fn anything_else_begins_a_new_one() {
    for caller in [
        None,
        Some(""),
        Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"),
        Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra"),
        Some("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
        Some("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
        Some("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01"),
        Some("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        Some("00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        Some("00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01"),
        Some("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x"),
        Some(
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01, 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ] {
        let trace = Trace::new(caller, RANDOM);
        assert_eq!((trace.traceparent(), trace.continued), (BEGUN, false), "{caller:?}");
    }
}
