//! What should be the case: no database, no time but a number, no cookie but a pair of numbers.

use std::collections::BTreeSet;

use super::Step;

pub(super) const USERS: usize = 3;
pub(super) const BROWSERS: usize = 4;
pub(super) const PERMISSIONS: [&str; 2] = ["articles:edit", "articles:read"];
pub(super) const LIMIT: u32 = 2;
// In seconds, and far enough from the steps in which time passes.
pub(super) const GRACE: u64 = 300;
pub(super) const IDLE: u64 = 1800;
pub(super) const ABSOLUTE: u64 = 4600;

#[derive(Debug, Default)]
pub(super) struct Oracle {
    now: u64,
    users: [User; USERS],
    sessions: Vec<Session>,
    browsers: [Option<Cookie>; BROWSERS],
}

#[derive(Debug, Default)]
struct User {
    disabled: bool,
    permissions: BTreeSet<&'static str>,
    max: Option<u32>,
}

#[derive(Debug)]
struct Session {
    user: usize,
    /// The first of those that followed one another in one browser.
    family: usize,
    created: u64,
    seen: u64,
    /// The number of rotations, and when the last one was.
    token: usize,
    rotated: u64,
    ended: Option<&'static str>,
    /// Whether the sweeper or anybody else has written the end down.
    recorded: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cookie {
    session: usize,
    token: usize,
}

impl Oracle {
    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Login { browser, user } => self.login(browser, user),
            Step::FailedLogin { .. } => {}
            Step::Logout { browser } => {
                if let Some(session) = self.presented(browser) {
                    self.end(session, "logout");
                }
                self.browsers[browser] = None;
            }
            Step::Rotate { browser } => self.rotate(browser),
            Step::Copy { from, to } => self.browsers[to] = self.browsers[from],
            Step::Revoke { session } if session < self.sessions.len() => {
                self.end(session, "revoked")
            }
            Step::Revoke { .. } => {}
            Step::RevokeUser { user } => self.revoke(user, None),
            Step::RevokeOthers { browser } => {
                if let Some(own) = self.accepted(browser) {
                    self.revoke(self.sessions[own].user, Some(own));
                }
            }
            Step::Disable { user } => self.users[user].disabled = true,
            Step::Enable { user } => self.users[user].disabled = false,
            Step::Grant { user, permission } => self.users[user]
                .permissions
                .extend([PERMISSIONS[permission]]),
            Step::Remove { user, permission } => self.users[user]
                .permissions
                .retain(|held| *held != PERMISSIONS[permission]),
            Step::SetLimit { user, max } => self.users[user].max = max,
            Step::Age { seconds } => {
                self.now += seconds;
                for session in &mut self.sessions {
                    let over =
                        self.now - session.seen >= IDLE || self.now - session.created >= ABSOLUTE;
                    if over && session.ended.is_none() {
                        session.ended = Some("expired");
                    }
                }
            }
            Step::Sweep => self
                .sessions
                .iter_mut()
                .for_each(|session| session.recorded |= session.ended.is_some()),
        }
    }

    fn login(&mut self, browser: usize, user: usize) {
        let max = self.users[user].max.unwrap_or(LIMIT) as usize;
        if max == 0 || self.users[user].disabled {
            return;
        }
        if let Some(replaced) = self.presented(browser) {
            self.end(replaced, "replaced");
        }
        // Its cookie may be a copy: what came of the session in other browsers is of the same family.
        let follows = self
            .known(browser)
            .map(|session| self.sessions[session].family);
        let siblings: Vec<_> = self
            .live(user)
            .filter(|session| Some(self.sessions[*session].family) == follows)
            .collect();
        for sibling in siblings {
            self.end(sibling, "replaced");
        }
        let live: Vec<_> = self.live(user).collect();
        for oldest in live.iter().take((live.len() + 1).saturating_sub(max)) {
            self.end(*oldest, "limit");
        }
        self.browsers[browser] = Some(Cookie {
            session: self.sessions.len(),
            token: 0,
        });
        self.sessions.push(Session {
            user,
            family: follows.unwrap_or(self.sessions.len()),
            created: self.now,
            seen: self.now,
            token: 0,
            rotated: 0,
            ended: None,
            recorded: false,
        });
    }

    fn rotate(&mut self, browser: usize) {
        let (Some(session), Some(cookie)) = (self.accepted(browser), &mut self.browsers[browser])
        else {
            return;
        };
        let session = &mut self.sessions[session];
        if session.token == cookie.token {
            cookie.token += 1;
            (session.token, session.rotated) = (cookie.token, self.now);
        }
    }

    fn revoke(&mut self, user: usize, except: Option<usize>) {
        let ends: Vec<_> = self
            .live(user)
            .filter(|session| Some(*session) != except)
            .collect();
        ends.into_iter()
            .for_each(|session| self.end(session, "revoked"));
    }

    fn end(&mut self, session: usize, reason: &'static str) {
        let session = &mut self.sessions[session];
        if session.ended.is_none() {
            (session.ended, session.recorded) = (Some(reason), true);
        }
    }

    fn live(&self, user: usize) -> impl Iterator<Item = usize> {
        let sessions = self.sessions.iter().enumerate();
        sessions
            .filter(move |(_, session)| session.user == user && session.ended.is_none())
            .map(|(number, _)| number)
    }

    /// The session whose token this browser has, whatever has become of it.
    fn known(&self, browser: usize) -> Option<usize> {
        let cookie = self.browsers[browser]?;
        let session = &self.sessions[cookie.session];
        let previous = cookie.token + 1 == session.token && self.now - session.rotated < GRACE;
        (cookie.token == session.token || previous).then_some(cookie.session)
    }

    /// The same, if it is live.
    fn presented(&self, browser: usize) -> Option<usize> {
        self.known(browser)
            .filter(|session| self.sessions[*session].ended.is_none())
    }

    /// The same, if its account may be used.
    fn accepted(&self, browser: usize) -> Option<usize> {
        self.presented(browser)
            .filter(|session| !self.users[self.sessions[*session].user].disabled)
    }

    pub(super) fn look(&mut self, browser: usize) -> (String, Option<String>) {
        if let Some(session) = self.accepted(browser) {
            let session = &mut self.sessions[session];
            session.seen = self.now;
            let permissions: Vec<_> = self.users[session.user]
                .permissions
                .iter()
                .copied()
                .collect();
            return ((session.user + 1).to_string(), Some(permissions.join(" ")));
        }
        let refused = self.presented(browser).map(|_| "account-refused");
        let ended = self
            .known(browser)
            .and_then(|session| self.sessions[session].ended);
        let reason = ended.or(refused);
        (
            reason.map_or("anonymous".into(), |reason| format!("anonymous {reason}")),
            None,
        )
    }

    /// How many have no end written down.
    pub(super) fn unended(&self) -> i64 {
        self.sessions
            .iter()
            .filter(|session| !session.recorded)
            .count() as i64
    }
}
