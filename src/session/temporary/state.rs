//! The temporary state of one request, from the request's cookies to the response's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderValue;

use crate::cookie::{BroughtTemporary, Cookies, Holder, Moment};

/// How many values of one purpose a browser keeps. Two tabs that start the same thing are usual, five are not.
const MOST_OF_A_PURPOSE: usize = 4;

/// How many bytes of names and values a browser keeps in all. Each request carries them, and servers refuse long headers: 8 KiB is
/// a usual bound for one line.
const MOST_BYTES: usize = 6 * 1024;

/// The temporary state of one request.
pub(crate) struct TemporaryState {
    /// The request's cookies. They are decrypted only when a handler asks.
    brought: Vec<BroughtTemporary>,
    /// The session of the request; `None` if it is unknown.
    holder: Option<Holder>,
    changes: Mutex<Changes>,
}

#[derive(Default)]
struct Changes {
    /// By name.
    removed: Vec<String>,
    /// The oldest first.
    added: Vec<Added>,
}

pub(super) struct Added {
    pub(super) name: String,
    pub(super) json: String,
    pub(super) expires_at: Moment,
}

impl TemporaryState {
    pub(crate) fn new(brought: Vec<BroughtTemporary>, holder: Option<Holder>) -> Self {
        Self {
            brought,
            holder,
            changes: Mutex::default(),
        }
    }

    pub(super) fn add(&self, added: Added) {
        self.changes().added.push(added);
    }

    pub(super) fn find(&self, cookies: &Cookies, name: &str) -> Option<String> {
        let changes = self.changes();
        if changes.removed.iter().any(|removed| removed == name) {
            return None;
        }
        if let Some(added) = changes.added.iter().find(|added| added.name == name) {
            return Some(added.json.clone());
        }
        let brought = self.brought.iter().find(|brought| brought.name == name)?;
        let opened = cookies.open_temporary(brought, self.holder?, Moment::now());
        opened.map(|(_, json)| json)
    }

    pub(super) fn remove(&self, name: &str) {
        let mut changes = self.changes();
        changes.added.retain(|added| added.name != name);
        changes.removed.push(name.to_owned());
    }

    /// The `Set-Cookie` headers that leave the browser with the right values. `holder` is its session from now on.
    pub(crate) fn cookies(&self, cookies: &Cookies, holder: Option<Holder>) -> Vec<HeaderValue> {
        // In an outage no cookie changes.
        let Some(holder) = holder else {
            return Vec::new();
        };
        let changes = self.changes();
        let is_same_holder = self.holder == Some(holder);
        if changes.added.is_empty() && changes.removed.is_empty() && is_same_holder {
            return Vec::new();
        }
        let now = Moment::now();
        let mut room = Room::default();
        let mut headers = Vec::new();
        for added in changes.added.iter().rev() {
            let times = (now, added.expires_at);
            let set = cookies.set_temporary(&added.name, holder, times, &added.json);
            if let Some(set) = set
                && room.takes(purpose_of(cookies, &added.name), pair_length(&set))
            {
                headers.push(set);
            }
        }
        // Only a new value makes others give way, since decrypting them costs time.
        let crowded = !changes.added.is_empty();
        let (mut staying, mut going) = (Vec::new(), Vec::new());
        for brought in &self.brought {
            let removed = changes.removed.contains(&brought.name);
            // A value of another session is useless from now on.
            match is_same_holder && !removed {
                true if crowded => match cookies.open_temporary(brought, holder, now) {
                    Some((expires_at, _)) => staying.push((expires_at, brought)),
                    None => going.push(brought),
                },
                true => {}
                false => going.push(brought),
            }
        }
        staying.sort_by_key(|(expires_at, _)| std::cmp::Reverse(*expires_at));
        for (_, brought) in staying {
            if !room.takes(purpose_of(cookies, &brought.name), brought.length()) {
                going.push(brought);
            }
        }
        headers.extend(
            going
                .into_iter()
                .filter_map(|brought| cookies.remove_temporary(&brought.name)),
        );
        headers
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn purpose_of<'a>(cookies: &Cookies, name: &'a str) -> &'a str {
    cookies.temporary_purpose(name).unwrap_or_default()
}

/// The bytes of name, `=` and value.
fn pair_length(set: &HeaderValue) -> usize {
    set.as_bytes()
        .iter()
        .take_while(|byte| **byte != b';')
        .count()
}

/// What still has room. The newest value asks first.
#[derive(Default)]
struct Room<'a> {
    bytes: usize,
    purposes: Vec<&'a str>,
}

impl<'a> Room<'a> {
    fn takes(&mut self, purpose: &'a str, bytes: usize) -> bool {
        let of_this_purpose = self.purposes.iter().filter(|taken| **taken == purpose);
        // The newest always fits: one cookie is smaller than the bound of all.
        if of_this_purpose.count() >= MOST_OF_A_PURPOSE || self.bytes + bytes > MOST_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.purposes.push(purpose);
        true
    }
}
