//! What waits for the API: slots in memory, each named by its number and a generation.
//!
//! Whoever waits may go away without a word, so that every slot has a deadline. A slot past its deadline may be given to
//! another, and a word for an old generation is nobody's. It decides nothing; it is in the core so that native tests can try
//! what a Worker seldom meets.

/// What names a slot for one use of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// The slot's number.
    pub slot: u32,
    /// No other use of any slot has it, up to 2^32 uses before or after.
    pub generation: u32,
}

/// Values that are put down, and taken up again by their tickets.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<Slot<T>>,
    /// The numbers of those that hold nothing.
    free: Vec<u32>,
    /// The one that is looked at next.
    hand: usize,
    generation: u32,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    /// Seconds since the epoch.
    deadline: i64,
    value: Option<T>,
}

impl<T> Slots<T> {
    /// No slots. The first use has the generation after this one.
    #[must_use]
    pub const fn after(generation: u32) -> Self {
        Self { slots: Vec::new(), free: Vec::new(), hand: 0, generation }
    }

    /// Puts a value down until `deadline`, at `now` (both in seconds since the epoch).
    pub fn put(&mut self, value: T, deadline: i64, now: i64) -> Ticket {
        // Each new value looks at two old slots, so the hand goes round before the list has doubled.
        self.look_at_one(now);
        self.look_at_one(now);
        self.generation = self.generation.wrapping_add(1);
        let generation = self.generation;
        let filled = Slot { generation, deadline, value: Some(value) };
        let empty = self.free.pop().and_then(|number| Some((number, self.slots.get_mut(number as usize)?)));
        let slot = if let Some((number, slot)) = empty {
            *slot = filled;
            number
        } else {
            self.slots.push(filled);
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        };
        Ticket { slot, generation }
    }

    /// Takes a value up; `None` where it was taken before, or its deadline passed and its slot was needed.
    pub fn take(&mut self, ticket: Ticket) -> Option<T> {
        let value = self.slot(ticket)?.value.take()?;
        self.free.push(ticket.slot);
        Some(value)
    }

    /// Sets a new deadline, computed from the value, in seconds since the epoch. Returns whether the value was still there.
    pub fn renew(&mut self, ticket: Ticket, deadline: impl FnOnce(&T) -> i64) -> bool {
        let Some(Slot { deadline: until, value: Some(value), .. }) = self.slot(ticket) else { return false };
        *until = deadline(value);
        true
    }

    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    fn slot(&mut self, ticket: Ticket) -> Option<&mut Slot<T>> {
        let slot = self.slots.get_mut(ticket.slot as usize)?;
        (slot.generation == ticket.generation && slot.value.is_some()).then_some(slot)
    }

    /// Looks at one slot, and frees it if its deadline has passed.
    fn look_at_one(&mut self, now: i64) {
        self.hand = if self.hand + 1 < self.slots.len() { self.hand + 1 } else { 0 };
        let Some(slot) = self.slots.get_mut(self.hand) else { return };
        if slot.value.is_some() && slot.deadline < now {
            slot.value = None;
            self.free.extend(u32::try_from(self.hand));
        }
    }
}
