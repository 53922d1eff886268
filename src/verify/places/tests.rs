use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::{store::Lookup, verify::queue::Unanswered};

const CAPACITY: usize = 4096;

fn token(number: usize) -> TokenHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_be_bytes());
    TokenHash::from_slice(&bytes).unwrap()
}

/// Tokens by number, and what they were told; the database fails for some of them.
#[derive(Default)]
struct Room {
    places: Places,
    receivers: Vec<(usize, oneshot::Receiver<Answer>)>,
    failing: HashSet<TokenHash>,
}

impl Room {
    fn failing(tokens: impl IntoIterator<Item = usize>) -> Self {
        Self {
            failing: tokens.into_iter().map(token).collect(),
            ..Self::default()
        }
    }

    fn enter(&mut self, number: usize, kin: u64) -> Option<Ticket> {
        let (ticket, receiver) = self.places.enter(token(number), kin, CAPACITY)?;
        self.receivers.push((number, receiver));
        Some(ticket)
    }

    /// What a lane does with one statement; `None` when there is nothing to ask.
    fn ask(&mut self) -> Option<usize> {
        let batch = self.places.take(true)?;
        let tokens = batch.tokens();
        let size = tokens.len();
        assert!((1..=MAX_LIST).contains(&size));
        let distinct: HashSet<_> = tokens.iter().collect();
        assert_eq!(distinct.len(), size);
        if !tokens.iter().any(|token| self.failing.contains(token)) {
            self.places.answered(&batch);
            batch.answer(|_| Ok(Lookup::Unknown));
        } else if batch.is_shared() {
            self.places.put_back(batch);
        } else {
            self.places.suspect(&batch);
            batch.answer(|_| Err(Unanswered::Store));
        }
        Some(size)
    }

    /// Asks until no request waits. How many statements that took, and after how many the last one was answered that the
    /// database does not fail for.
    fn settle(&mut self) -> (usize, usize) {
        let (mut statements, mut innocents) = (0, 0);
        while self.ask().is_some() {
            statements += 1;
            let failing = &self.failing;
            self.receivers.retain_mut(|(number, receiver)| {
                let fails = failing.contains(&token(*number));
                match receiver.try_recv() {
                    Ok(Ok(_)) => assert!(!fails),
                    Ok(Err(_)) => assert!(fails, "{number} is refused"),
                    Err(_) => return true,
                }
                if !fails {
                    innocents = statements;
                }
                false
            });
        }
        assert!(self.receivers.is_empty());
        assert_eq!(self.places.requests(), 0);
        (statements, innocents)
    }
}

#[test]
fn one_that_fails_costs_its_neighbours_a_few_statements_once() {
    for position in [0, 1, 100, 199] {
        let mut room = Room::failing([position]);
        for round in 0..3 {
            for number in 0..200 {
                room.enter(number, number as u64).unwrap();
            }
            let (statements, innocents) = room.settle();
            match round {
                0 => assert!(statements <= 17, "{statements}"),
                _ => assert_eq!((statements, innocents), (2, 1)),
            }
        }
    }
}

#[test]
fn however_many_fail_the_statements_are_bounded_and_nobody_else_is_refused() {
    for failing in 1..=255 {
        // Of one user, somewhere among the others: those are spared most of the search.
        let mut room = Room::failing((0..failing).map(|number| number * 256 / failing));
        for number in 0..256 {
            let kin = match room.failing.contains(&token(number)) {
                true => 7,
                false => 1_000 + number as u64,
            };
            room.enter(number, kin).unwrap();
        }
        let (statements, innocents) = room.settle();
        assert!(statements <= 341, "{statements}");
        assert!(innocents <= 89, "{innocents} with {failing}");
        // Of as many users, who stand between them.
        let mut room = Room::failing((0..failing).map(|number| number * 256 / failing));
        for number in 0..256 {
            room.enter(number, 0).unwrap();
        }
        let (statements, _) = room.settle();
        assert!(statements <= 341, "{statements}");
        // From then on they are asked for behind the others.
        for number in 0..256 {
            room.enter(number, 0).unwrap();
        }
        let (statements, innocents) = room.settle();
        assert_eq!((statements, innocents), (failing + 1, 1));
    }
}

#[test]
fn a_suspect_is_one_until_it_is_answered_and_many_are_cleared_together() {
    let mut room = Room::failing(0..300);
    for number in 0..300 {
        room.enter(number, 0).unwrap();
    }
    room.settle();
    room.failing.clear();
    for number in 0..300 {
        room.enter(number, 0).unwrap();
    }
    // 1, 2, 4, … 128, and the rest.
    assert_eq!(room.settle().0, 9);
    for number in 0..256 {
        room.enter(number, 0).unwrap();
    }
    assert_eq!(room.settle().0, 1);
}

#[test]
fn newcomers_and_those_who_came_back_take_turns() {
    let mut room = Room::failing(0..64);
    for number in 0..64 {
        room.enter(number, 0).unwrap();
    }
    assert_eq!(room.ask(), Some(64));
    let mut sizes = Vec::new();
    for number in 64..68 {
        room.enter(number, 0).unwrap();
        sizes.push((room.ask(), room.ask()));
    }
    assert_eq!(sizes, vec![(Some(16), Some(1)); 4]);
}

#[test]
fn suspects_wait_while_another_lane_asks_for_one() {
    let mut room = Room::failing([1, 2]);
    room.enter(1, 0).unwrap();
    room.settle();
    room.enter(1, 0).unwrap();
    assert!(room.places.has_work(true) && !room.places.has_work(false));
    assert!(room.places.take(false).is_none());
    room.enter(3, 0).unwrap();
    let batch = room.places.take(false).unwrap();
    assert_eq!(batch.tokens(), [token(3)]);
    assert!(!batch.is_suspect() && room.places.take(true).unwrap().is_suspect());
}

#[test]
fn one_token_takes_one_place_and_has_a_bound_of_its_own() {
    let mut places = Places::default();
    let mut receivers = Vec::new();
    for _ in 0..WAITERS {
        receivers.push(places.enter(token(1), 0, 2).unwrap());
    }
    assert!(places.enter(token(1), 0, 2).is_none());
    receivers.push(places.enter(token(2), 0, 2).unwrap());
    assert!(places.enter(token(3), 0, 2).is_none());
    assert_eq!(places.requests(), WAITERS + 1);
    let batch = places.take(true).unwrap();
    assert_eq!((batch.tokens().len(), batch.requests()), (2, WAITERS + 1));
    // That statement is on its way: the next request of the token waits for another one.
    receivers.push(places.enter(token(1), 0, 2).unwrap());
    assert_eq!(places.requests(), 1);
}

#[test]
fn whoever_leaves_gives_the_place_back() {
    let mut places = Places::default();
    let (first, _receiver) = places.enter(token(1), 0, 1).unwrap();
    let (second, _receiver) = places.enter(token(1), 0, 1).unwrap();
    places.leave(first);
    places.leave(first);
    assert_eq!(places.requests(), 1);
    assert!(places.enter(token(2), 0, 1).is_none());
    places.leave(second);
    assert_eq!(places.requests(), 0);
    assert!(places.take(true).is_none() && places.order.is_empty());
    assert!(places.enter(token(2), 0, 1).is_some());
}

#[test]
fn those_who_came_meanwhile_join_those_who_come_back() {
    let mut places = Places::default();
    let (_, _first) = places.enter(token(1), 0, 9).unwrap();
    let (_, gone) = places.enter(token(2), 0, 9).unwrap();
    let batch = places.take(true).unwrap();
    let (late, _second) = places.enter(token(1), 0, 9).unwrap();
    drop(gone);
    places.put_back(batch);
    assert_eq!((places.requests(), places.order.len()), (2, 1));
    places.leave(late);
    let batch = places.take(true).unwrap();
    assert_eq!((batch.tokens(), batch.requests()), (vec![token(1)], 1));
}

proptest! {
    /// However requests come, go and fail: each is answered once and rightly, and nothing is left behind.
    #[test]
    fn nothing_is_lost(
        failing in prop::collection::hash_set(0_usize..40, 0..40),
        steps in prop::collection::vec((0_usize..40, 0_u8..4), 1..200),
    ) {
        let mut room = Room::failing(failing);
        let mut tickets = Vec::new();
        for (number, step) in steps {
            match step {
                0 | 1 => tickets.extend(room.enter(number, number as u64 % 3)),
                2 => {
                    if let Some(ticket) = tickets.pop() {
                        room.places.leave(ticket);
                    }
                }
                _ => _ = room.ask(),
            }
            let waiting: usize = room.places.places.values().map(|place| place.asked.waiters.len()).sum();
            prop_assert_eq!(waiting, room.places.requests());
            prop_assert_eq!(room.places.places.len(), room.places.order.len());
        }
        // Those who have left are told nothing.
        room.receivers.retain_mut(|(_, receiver)| {
            !matches!(receiver.try_recv(), Err(oneshot::error::TryRecvError::Closed))
        });
        while room.ask().is_some() {}
        for (number, receiver) in &mut room.receivers {
            let fails = room.failing.contains(&token(*number));
            match receiver.try_recv() {
                Ok(answer) => prop_assert_eq!(answer.is_err(), fails),
                // Its answer was taken above.
                Err(oneshot::error::TryRecvError::Closed) => {}
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}
