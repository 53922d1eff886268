//! Tokens whose look-up failed when it was asked for alone.

use std::collections::{BTreeMap, HashMap};

use crate::token::TokenHash;

/// How many are remembered. One that is forgotten costs only the statements that find it again.
const REMEMBERED: usize = 4096;

/// The suspects of late. It holds no answers: a suspect is asked for again at each request, apart from the others.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    since: HashMap<TokenHash, u64>,
    by_age: BTreeMap<u64, TokenHash>,
    next: u64,
}

impl Suspects {
    pub(super) fn contains(&self, token: &TokenHash) -> bool {
        self.since.contains_key(token)
    }

    /// Remembers a token, at the expense of the one that failed the longest ago.
    pub(super) fn add(&mut self, token: TokenHash) {
        self.clear(&token);
        if self.since.len() >= REMEMBERED
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.since.remove(&oldest);
        }
        self.since.insert(token, self.next);
        self.by_age.insert(self.next, token);
        self.next += 1;
    }

    /// The database has answered for this token.
    pub(super) fn clear(&mut self, token: &TokenHash) {
        if let Some(since) = self.since.remove(token) {
            self.by_age.remove(&since);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.since.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u64) -> TokenHash {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        TokenHash::from_slice(&bytes).unwrap()
    }

    #[test]
    fn they_are_bounded_and_the_oldest_is_forgotten() {
        let mut suspects = Suspects::default();
        let bound = REMEMBERED as u64;
        for number in 0..bound {
            suspects.add(token(number));
        }
        // It failed again: no longer the oldest.
        suspects.add(token(0));
        suspects.add(token(bound));
        assert!(suspects.contains(&token(0)) && suspects.contains(&token(bound)));
        assert!(!suspects.contains(&token(1)));
        assert_eq!(suspects.since.len(), REMEMBERED);
        assert_eq!(suspects.by_age.len(), REMEMBERED);
    }

    #[test]
    fn whoever_is_answered_is_one_no_longer() {
        let mut suspects = Suspects::default();
        suspects.add(token(1));
        suspects.add(token(1));
        suspects.clear(&token(1));
        suspects.clear(&token(2));
        assert!(suspects.is_empty() && suspects.by_age.is_empty());
    }
}
