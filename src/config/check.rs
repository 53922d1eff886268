//! What is checked before anything runs.

use std::{sync::Arc, time::Duration};

use super::SessionsBuilder;
use crate::{
    client::ClientPolicy,
    cookie::{CookieNames, Cookies},
    error::BuildError,
    event::{EventKind, Events, Hook, Meter},
    keys::KeyRing,
    session::{Sessions, SessionsParts},
    store::{Bounds, OnDiscard, ProfileSql, Store, Timings},
};

/// The longest duration that all three databases can add to a time.
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 60 * 60);
/// Each may have a connection to itself.
const MOST_LANES: usize = 1000;
const DEFAULT_TOUCH_INTERVAL: Duration = Duration::from_secs(60);
const DEFAULT_ACTING_TIMEOUT: Duration = Duration::from_secs(60 * 60);

impl SessionsBuilder {
    /// Checks everything, the database's schema and the SQL included.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] that says what to change.
    pub async fn build(mut self) -> Result<Sessions, BuildError> {
        self.name_profile_columns()?;
        let (timings, bounds) = (self.timings()?, self.bounds());
        if !is_realm(&self.realm) {
            return Err(BuildError::Realm { realm: self.realm });
        }
        self.check_application_sql()?;
        self.check_numbers()?;
        let keys = KeyRing::new(self.keys).map_err(|error| BuildError::Keys {
            problem: error.to_string(),
        })?;
        let names = CookieNames {
            session: &self.session_cookie,
            flash: &self.flash_cookie,
        };
        let cookies = Cookies::new(names, self.protection, keys).map_err(|error| {
            BuildError::CookieNames {
                problem: error.to_string(),
            }
        })?;
        let cookies = match self.bearer_tokens {
            true => cookies.with_bearer_tokens(),
            false => cookies,
        };
        let client =
            ClientPolicy::new(&self.trusted_proxies, self.forwarded_header).map_err(|error| {
                BuildError::TrustedProxy {
                    problem: error.to_string(),
                }
            })?;
        if let Some(path) = self
            .sign_in_page
            .as_deref()
            .filter(|path| !is_local_path(path))
        {
            return Err(BuildError::SignInPage {
                path: path.to_owned(),
            });
        }
        let realm: Arc<str> = self.realm.into();
        let mut store = Store::new(
            self.driver.bounded(bounds),
            realm.clone(),
            timings,
            &self.application,
        );
        store.check().await?;
        let meter = Meter::new(store.realm());
        let hook = self
            .listener
            .map(|listener| Hook::start(listener, realm.clone(), meter.clone()))
            .transpose()
            .map_err(BuildError::EventThread)?;
        let events = Events::new(realm, hook, meter);
        let told = events.clone();
        store.on_discard(OnDiscard::new(move |why| {
            told.report_often(EventKind::ConnectionDiscarded { why }, |event| event);
        }));
        Ok(Sessions::new(SessionsParts {
            store: Arc::new(store),
            events,
            cookies,
            client,
            limit: self.limit,
            lanes: self.lanes,
            watch: self.watch,
            permission_source: self.permission_source,
            sign_in_page: self.sign_in_page,
        }))
    }

    fn timings(&self) -> Result<Timings, BuildError> {
        let touch_interval = self
            .touch_interval
            .unwrap_or(DEFAULT_TOUCH_INTERVAL.min(self.idle_timeout / 4));
        let acting_timeout = self
            .acting_timeout
            .unwrap_or(DEFAULT_ACTING_TIMEOUT.min(self.absolute_timeout));
        let remembered_idle_timeout = self.remembered_idle_timeout.unwrap_or(self.idle_timeout);
        let settings = [
            ("idle_timeout", self.idle_timeout),
            ("remembered_idle_timeout", remembered_idle_timeout),
            ("absolute_timeout", self.absolute_timeout),
            ("acting_timeout", acting_timeout),
            ("touch_interval", touch_interval),
            ("rotation_grace", self.rotation_grace),
            ("reservation_timeout", self.reservation_timeout),
            ("retention", self.retention),
            ("time_budget", self.lanes.time_budget),
            ("watch_interval", self.watch.interval),
            ("watch_grace", self.watch.grace),
        ];
        for (setting, duration) in settings {
            // SQLite keeps milliseconds; a token's grace and the retention may be nothing at all.
            let may_be_zero = matches!(
                setting,
                "rotation_grace" | "retention" | "touch_interval" | "watch_grace"
            );
            if duration > LONGEST
                || (duration < Duration::from_millis(1) && !(may_be_zero && duration.is_zero()))
            {
                return Err(BuildError::Duration {
                    setting,
                    rule: "between one millisecond and ten years",
                });
            }
        }
        if self.idle_timeout > self.absolute_timeout {
            return Err(BuildError::Duration {
                setting: "idle_timeout",
                rule: "at most the absolute timeout",
            });
        }
        if !(self.idle_timeout..=self.absolute_timeout).contains(&remembered_idle_timeout) {
            return Err(BuildError::Duration {
                setting: "remembered_idle_timeout",
                rule: "at least the idle timeout, and at most the absolute timeout",
            });
        }
        if acting_timeout > self.absolute_timeout {
            return Err(BuildError::Duration {
                setting: "acting_timeout",
                rule: "at most the absolute timeout",
            });
        }
        if touch_interval > self.idle_timeout / 2 {
            return Err(BuildError::Duration {
                setting: "touch_interval",
                rule: "at most half of the idle timeout",
            });
        }
        Ok(Timings {
            idle_timeout: self.idle_timeout,
            remembered_idle_timeout,
            absolute_timeout: self.absolute_timeout,
            acting_timeout,
            touch_interval,
            rotation_grace: self.rotation_grace,
            reservation_timeout: self.reservation_timeout,
            retention: self.retention,
            time_budget: self.lanes.time_budget,
        })
    }

    fn name_profile_columns(&mut self) -> Result<(), BuildError> {
        if let Some((columns, from)) = self.profile.take() {
            let profile = ProfileSql::new(&columns, from);
            let profile = profile.map_err(|problem| BuildError::ProfileColumns {
                problem: problem.to_string(),
            })?;
            self.application.profile = Some(profile);
        }
        Ok(())
    }

    fn bounds(&self) -> Bounds {
        let lanes = self.lanes.max_lanes;
        let usual = lanes.saturating_add(Bounds::USUAL_BESIDE_LANES);
        Bounds {
            time_budget: self.lanes.time_budget,
            lanes,
            connections: self.connections.unwrap_or(usual),
        }
    }

    fn check_numbers(&self) -> Result<(), BuildError> {
        match () {
            () if self.lanes.queue_capacity == 0 => Err(BuildError::Number {
                setting: "queue_capacity",
                rule: "at least one",
            }),
            () if self.lanes.max_lanes == 0 => Err(BuildError::Number {
                setting: "max_lanes",
                rule: "at least one",
            }),
            () if self.lanes.max_lanes > MOST_LANES => Err(BuildError::Number {
                setting: "max_lanes",
                rule: "at most 1000",
            }),
            () if self.connections.is_some_and(|connections| {
                connections < self.lanes.max_lanes + Bounds::LEAST_BESIDE_LANES
            }) =>
            {
                Err(BuildError::Number {
                    setting: "connections",
                    rule: "at least four more than max_lanes",
                })
            }
            () => Ok(()),
        }
    }
}

/// What needs no quoting anywhere: the realm is part of the statements' text.
fn is_realm(realm: &str) -> bool {
    (1..=64).contains(&realm.len())
        && realm
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

/// A path on this site and nothing that a browser could read as another site's address.
fn is_local_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'?' | b'#'))
}

#[cfg(test)]
mod tests {
    use super::{is_local_path, is_realm};

    #[test]
    fn a_realm_needs_no_quoting() {
        for realm in ["default", "a", "shop-2.example_org", &"r".repeat(64)] {
            assert!(is_realm(realm), "{realm}");
        }
        for realm in ["", "Shop", "a b", "a'b", "é", "a;b", "a\n", &"r".repeat(65)] {
            assert!(!is_realm(realm), "{realm:?}");
        }
    }

    #[test]
    fn the_sign_in_page_is_on_this_site() {
        for path in ["/", "/login", "/a/b.html"] {
            assert!(is_local_path(path), "{path}");
        }
        for path in [
            "",
            "login",
            "//evil.example",
            "/\\evil.example",
            "https://x",
            "/a?b",
            "/a#b",
            "/a b",
            "/é",
            "/\n",
        ] {
            assert!(!is_local_path(path), "{path}");
        }
    }
}
