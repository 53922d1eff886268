//! The guide: words only, a page for each larger subject.
//!
//! | page | answers |
//! | --- | --- |
//! | [`security`] | What holds, what remains for the application, what a caller sees when something fails, how keys are changed, what is logged. |
//! | [`sessions`] | What becomes of a session between login and logout, how limits work, how sessions are listed and ended. |
//! | [`permissions`] | How the application says where its accounts and permissions are. |
//! | [`deployment`] | What to set on each database, how large pools have to be, what proxies and failover ask for, what operators can do with SQL. |
//! | [`migrating`] | What corresponds to what in tower-sessions with axum-login, and in axum_session. |

pub mod security {
    #![doc = include_str!("security.md")]
}

pub mod sessions {
    #![doc = include_str!("sessions.md")]
}

pub mod permissions {
    #![doc = include_str!("permissions.md")]
}

pub mod deployment {
    #![doc = include_str!("deployment.md")]
}

pub mod migrating {
    #![doc = include_str!("migrating.md")]
}
