//! What is put down is taken up once, by its own ticket, and does not stay for good.

use access_relay_core::flow::slots::{Slots, Ticket};
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn a_ticket_is_good_once() {
    let mut slots = Slots::after(0);
    let (first, second) = (slots.put("first", 30, 0), slots.put("second", 30, 0));
    assert_eq!(slots.take(second), Some("second"));
    assert_eq!(slots.take(second), None);
    // Its slot is used again, and the old ticket does not open it.
    let third = slots.put("third", 30, 0);
    assert_eq!(third.slot, second.slot);
    assert_eq!((slots.take(second), slots.renew(second, |_| 60)), (None, false));
    assert_eq!((slots.take(third), slots.take(first)), (Some("third"), Some("first")));
    assert_eq!(slots.take(Ticket { slot: 99, generation: 1 }), None);
    assert_eq!(slots.count(), 0);
}

#[test]
fn what_nobody_takes_up_goes_after_its_deadline() {
    let mut slots = Slots::after(0);
    let left: Vec<Ticket> = (0..100).map(|number| slots.put(number, 30, 0)).collect();
    // On its deadline, a value is still there.
    for _ in 0..100 {
        let ticket = slots.put(0, 30, 30);
        assert_eq!(slots.take(ticket), Some(0));
    }
    assert_eq!(slots.count(), 100);
    assert!(slots.renew(left[7], |_| 90));
    for _ in 0..101 {
        let ticket = slots.put(0, 60, 31);
        assert_eq!(slots.take(ticket), Some(0));
    }
    assert_eq!(slots.count(), 1);
    assert_eq!((slots.take(left[8]), slots.take(left[7])), (None, Some(7)));
}

#[test]
fn each_new_value_looks_at_two_old_ones() {
    for old in [1, 2, 3, 4] {
        let mut slots = Slots::after(0);
        for number in 0..old {
            slots.put(number, 0, 0);
        }
        slots.put(9, 60, 1);
        assert_eq!(slots.count(), 1 + usize::saturating_sub(old, 2), "{old} past their time");
    }
}

#[test]
fn where_nobody_ever_takes_up_anything_the_room_stays_in_proportion() {
    let mut slots = Slots::after(0);
    let mut highest = 0;
    for second in 0..1000 {
        for _ in 0..10 {
            highest = highest.max(slots.put(second, second + 5, second).slot);
        }
    }
    // 60 are within their time at once; those that are past it wait for the hand, which needs a round.
    assert!(highest < 150, "{highest}");
}

#[test]
fn another_instance_goes_on_counting_where_the_last_one_stopped() {
    let (mut before, mut after) = (Slots::after(0), Slots::after(1));
    let old = before.put("old", 30, 0);
    assert_eq!(old.generation, 1);
    let new = after.put("new", 30, 0);
    assert_eq!((old.slot, after.take(old), after.take(new)), (new.slot, None, Some("new")));
    let mut last = Slots::after(u32::MAX);
    let wrapped = last.put("wrapped", 30, 0);
    assert_eq!(last.take(wrapped), Some("wrapped"));
}

proptest! {
    /// Whatever comes in whatever order: a ticket gives back what was put down for it, or nothing.
    #[test]
    fn nobody_gets_what_is_anothers(steps in vec((0..4u8, 0..40usize, 0..20i64), 1..400)) {
        let mut slots = Slots::after(u32::MAX - 50);
        let mut tickets: Vec<(Ticket, usize)> = Vec::new();
        let mut now = 0;
        for (step, which, seconds) in steps {
            match step {
                0 => tickets.push((slots.put(tickets.len(), now + seconds, now), tickets.len())),
                1 => now += seconds,
                _ if tickets.is_empty() => {}
                2 => {
                    let (ticket, value) = tickets[which % tickets.len()];
                    prop_assert!(slots.take(ticket).is_none_or(|taken| taken == value));
                    prop_assert!(slots.take(ticket).is_none());
                }
                _ => {
                    let (ticket, _) = tickets[which % tickets.len()];
                    slots.renew(ticket, |_| now + seconds);
                }
            }
        }
    }
}
