//! The log's quota: how much strangers can have written down.

use access_relay_core::outcomes::log::Quota;

#[test]
fn refusals_are_counted_where_they_are_not_written() {
    let mut quota = Quota::default();
    let second = |quota: &mut Quota, now| (0..50).filter_map(|_| quota.admit(now)).collect::<Vec<u32>>();
    assert_eq!(second(&mut quota, 1000), vec![0; 20]);
    assert_eq!(quota.admit(1000), None);
    let next = second(&mut quota, 1001);
    assert_eq!((next.len(), next[0], next[1]), (20, 31, 0));
    // A clock that steps back starts a second of its own.
    assert_eq!(quota.admit(1000), Some(30));
}
