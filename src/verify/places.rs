//! Who waits for a statement, and who shares the next one. Rules without I/O.
//!
//! 1. Look-ups of one token share one place, as long as its statement has not been sent. The queue's capacity counts
//!    places, so the parallel requests of one browser take one.
//! 2. A statement that fails on some row's data takes all who share it along. They come back, and are asked for in
//!    smaller and smaller companies: 256, 64, 16, 4, alone. Each failing token costs a few statements, and a company of
//!    256 costs 341 at the most, however many of them fail.
//! 3. A token that fails alone is a suspect. From then on it is asked for apart, after all others, until the database
//!    answers for it. It costs its neighbours nothing any more.
//! 4. Newcomers and those who came back take turns, so neither can hold up the other.
//! 5. A request that leaves gives its place back at once.

use std::collections::{BTreeMap, HashMap};

use tokio::sync::oneshot;

use super::{queue::Answer, suspects::Suspects};
use crate::{store::MAX_LIST, token::TokenHash};

/// How many requests may wait for one token. What is beyond concerns that token alone.
const WAITERS: usize = 1024;

/// How small the companies are in which tokens are asked for.
const COMPANIES: [usize; 5] = [MAX_LIST, 64, 16, 4, 1];
/// Nothing is known against it.
const NEWCOMER: usize = 0;
/// It failed when it was asked for alone.
const SUSPECT: usize = COMPANIES.len();

#[derive(Debug, Default)]
pub(super) struct Places {
    places: HashMap<TokenHash, Place>,
    order: BTreeMap<Spot, TokenHash>,
    suspects: Suspects,
    /// How many suspects are asked for together: more, as long as they are answered. What had failed for all of them, and
    /// has been repaired, is over soon.
    suspects_together: usize,
    /// Whose turn it is, where newcomers wait beside others.
    others_next: bool,
    requests: usize,
    next: u64,
}

/// Where a place is in the queue: by how far apart it is asked for, then by when it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    apart: usize,
    arrival: u64,
}

#[derive(Debug)]
struct Place {
    spot: Spot,
    asked: Asked,
}

/// A token, and who wants to know.
#[derive(Debug)]
struct Asked {
    token: TokenHash,
    /// Tokens of one user have the same: what fails for one of them probably fails for all.
    kin: u64,
    waiters: Vec<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    number: u64,
    answer: oneshot::Sender<Answer>,
}

/// What a request leaves the queue with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    token: TokenHash,
    number: u64,
}

/// Those who share a statement. Dropped, it leaves all of them without an answer, which they notice.
#[derive(Debug)]
pub(super) struct Batch {
    apart: usize,
    asked: Vec<Asked>,
}

impl Places {
    /// Lets a request wait, unless the queue is full.
    pub(super) fn enter(
        &mut self,
        token: TokenHash,
        kin: u64,
        capacity: usize,
    ) -> Option<(Ticket, oneshot::Receiver<Answer>)> {
        let number = self.next;
        let spot = Spot {
            apart: match self.suspects.contains(&token) {
                true => SUSPECT,
                false => NEWCOMER,
            },
            arrival: number,
        };
        let is_full = self.places.len() >= capacity;
        let (answer, receiver) = oneshot::channel();
        let waiter = Waiter { number, answer };
        match self.places.get_mut(&token) {
            Some(place) if place.asked.waiters.len() >= WAITERS => return None,
            Some(place) => place.asked.waiters.push(waiter),
            None if is_full => return None,
            None => {
                let asked = Asked {
                    token,
                    kin,
                    waiters: vec![waiter],
                };
                self.places.insert(token, Place { spot, asked });
                self.order.insert(spot, token);
            }
        }
        self.next += 1;
        self.requests += 1;
        Some((Ticket { token, number }, receiver))
    }

    /// A request that no longer waits. One whose statement is under way has left already.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        let Some(place) = self.places.get_mut(&ticket.token) else {
            return;
        };
        let waiters = &mut place.asked.waiters;
        let before = waiters.len();
        waiters.retain(|waiter| waiter.number != ticket.number);
        self.requests -= before - waiters.len();
        if waiters.is_empty() {
            self.order.remove(&place.spot);
            self.places.remove(&ticket.token);
        }
    }

    /// Takes those who share the next statement.
    pub(super) fn take(&mut self, suspects_too: bool) -> Option<Batch> {
        let apart = self.turn(suspects_too)?;
        self.others_next = apart == NEWCOMER;
        let company = COMPANIES
            .get(apart)
            .copied()
            .unwrap_or(self.suspects_together.max(1));
        let spots: Vec<_> = self.spots(apart).take(company).collect();
        let mut asked = Vec::with_capacity(spots.len());
        for spot in spots {
            let token = self.order.remove(&spot);
            if let Some(place) = token.and_then(|token| self.places.remove(&token)) {
                self.requests -= place.asked.waiters.len();
                asked.push(place.asked);
            }
        }
        Some(Batch { apart, asked })
    }

    /// Whether there is a token to ask for.
    pub(super) fn has_work(&self, suspects_too: bool) -> bool {
        self.turn(suspects_too).is_some()
    }

    fn turn(&self, suspects_too: bool) -> Option<usize> {
        let newcomers = self.spots(NEWCOMER).next().map(|_| NEWCOMER);
        let last = if suspects_too { SUSPECT } else { SUSPECT - 1 };
        let others = (NEWCOMER + 1..=last).find(|apart| self.spots(*apart).next().is_some());
        match self.others_next {
            true => others.or(newcomers),
            false => newcomers.or(others),
        }
    }

    fn spots(&self, apart: usize) -> impl Iterator<Item = Spot> {
        let first = |apart| Spot { apart, arrival: 0 };
        self.order
            .range(first(apart)..first(apart + 1))
            .map(|(spot, _)| *spot)
    }

    /// The statement failed on some row's data: they are asked for in smaller companies.
    pub(super) fn put_back(&mut self, mut batch: Batch) {
        let length = batch.asked.len();
        let smaller = || (0..SUSPECT).find(|apart| COMPANIES.get(*apart) < Some(&length));
        let apart = match batch.apart {
            SUSPECT => {
                self.suspects_together = 1;
                SUSPECT
            }
            _ => smaller().unwrap_or(SUSPECT - 1),
        };
        // Users with many tokens last: what fails for a user fails for all of them, and they would hold up the others.
        let mut families: HashMap<u64, usize> = HashMap::new();
        for asked in &batch.asked {
            *families.entry(asked.kin).or_default() += 1;
        }
        let size = |kin| families.get(&kin).copied().unwrap_or_default();
        batch
            .asked
            .sort_by_key(|asked| (size(asked.kin), asked.kin));
        for mut asked in batch.asked {
            asked.waiters.retain(|waiter| !waiter.answer.is_closed());
            // Requests that came meanwhile wait for a statement that is not sent yet, as these do now.
            if let Some(place) = self.places.remove(&asked.token) {
                self.order.remove(&place.spot);
                self.requests -= place.asked.waiters.len();
                asked.waiters.extend(place.asked.waiters);
            }
            if asked.waiters.is_empty() {
                continue;
            }
            let arrival = self.next;
            self.next += 1;
            let spot = Spot { apart, arrival };
            self.requests += asked.waiters.len();
            self.order.insert(spot, asked.token);
            self.places.insert(asked.token, Place { spot, asked });
        }
    }

    /// The database has answered for all of them.
    pub(super) fn answered(&mut self, batch: &Batch) {
        if batch.apart == SUSPECT {
            self.suspects_together = (self.suspects_together.max(1) * 2).min(MAX_LIST);
        }
        if !self.suspects.is_empty() {
            for asked in &batch.asked {
                self.suspects.clear(&asked.token);
            }
        }
    }

    /// The statement failed for these, however small the company: they are asked for apart until it succeeds.
    pub(super) fn suspect(&mut self, batch: &Batch) {
        if batch.apart == SUSPECT {
            self.suspects_together = 1;
        }
        for asked in &batch.asked {
            self.suspects.add(asked.token);
        }
    }

    /// Takes all that wait.
    pub(super) fn clear(&mut self) -> Batch {
        self.order.clear();
        self.requests = 0;
        let places = self.places.drain();
        Batch {
            apart: NEWCOMER,
            asked: places.map(|(_, place)| place.asked).collect(),
        }
    }

    /// How many requests wait.
    pub(super) fn requests(&self) -> usize {
        self.requests
    }
}

impl Batch {
    pub(super) fn tokens(&self) -> Vec<TokenHash> {
        self.asked.iter().map(|asked| asked.token).collect()
    }

    pub(super) fn requests(&self) -> usize {
        self.asked.iter().map(|asked| asked.waiters.len()).sum()
    }

    pub(super) fn is_shared(&self) -> bool {
        self.asked.len() > 1
    }

    /// Whether it came back: the statement works, and fails on some row.
    pub(super) fn came_back(&self) -> bool {
        self.apart > NEWCOMER
    }

    pub(super) fn is_suspect(&self) -> bool {
        self.apart == SUSPECT
    }

    /// Answers all that wait.
    pub(super) fn answer(self, answer: impl Fn(&TokenHash) -> Answer) {
        for asked in self.asked {
            let answer = answer(&asked.token);
            for waiter in asked.waiters {
                // A request that has gone needs no answer.
                let _ = waiter.answer.send(answer.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;
