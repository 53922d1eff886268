//! The guide: words only, a page for each larger subject.
//!
//! | page | answers |
//! | --- | --- |
//! | [`security`] | What holds, what remains for the application, who attacks, what a caller sees when something fails, how keys are changed. |
//! | [`sessions`] | What becomes of a session between login and logout, how limits work, how sessions are listed and ended. |
//! | [`errors`] | How an application's own error type keeps the statuses of refusals, and how refusals get its words. |
//! | [`clients`] | Single-page applications, native apps, htmx, and nginx in front. |
//! | [`temporary`] | What a browser keeps for the application between two pages: OAuth attempts, forms of several steps, and what a client can do with it. |
//! | [`streams`] | How WebSockets, event streams and downloads end with their session, what is promised, and what it costs. |
//! | `administrators` (feature `admin`) | How administrators, and users for themselves, list and end sessions over HTTP: every route, parameter, status and code. |
//! | `pages` (feature `pages`) | The same as pages for people: where they are mounted, what they ask and refuse, how their looks are changed. |
//! | [`events`] | What is told to the log, to a hook and to metrics: every event, every number and every other line. |
//! | [`permissions`] | How the application says where its accounts and permissions are. |
//! | [`deployment`] | What to set on each database, how large pools must be, what proxies and failover ask for, what operators can do with SQL. |
//! | [`costs`] | What a request, a sign-in and a hundred million sessions cost, how that was measured, how many lanes serve it. |
//! | [`command_line`] | How to see and end sessions when the application is down, and in scripts. |
//! | `testing` (feature `testing`) | How tests of handlers sign a user in. |
//! | [`migrating`] | What corresponds to what in tower-sessions with axum-login, and in axum_session. |
//!
//! # Words
//!
//! The same in code, SQL, documentation and logs:
//!
//! | term | meaning |
//! | --- | --- |
//! | session | one sign-in of one user in one browser; a row in the database |
//! | session id | its public name (UUID version 7, so it sorts by time); safe in logs, URLs and listings; opens nothing |
//! | token | 256 random bits, the secret in the cookie; only its SHA-256 is stored |
//! | live | reserved no longer, not ended, neither idle nor absolute timeout passed |
//! | reserved | made by a login whose response has not gone out yet; opens nothing |
//! | ended | over, never to come back, with the time, the reason and by whom; kept for the retention period |
//! | idle timeout, absolute timeout | since last seen, since sign-in; both always apply |
//! | touch | writing down when a session was last seen |
//! | rotate | new token, same session |
//! | revoke | end by a decision of a user, an administrator or a program |
//! | sweep | write down what has run out, delete what ended longer ago than the retention period |
//! | permission | a string such as `articles:edit`, read from the application's own tables |
//! | acting user | the administrator who acts as the user of a session |
//! | realm | the name of one application among several that share a database |
//! | event | something that happened, told to the log, the hook and the counters |
//! | flash | a message that is shown once |
//! | temporary state | what a browser keeps for the application between two pages; harmless to lose |
//! | watch | asking, once per interval for all of them, whether the sessions of open connections still hold |
//! | lane | a connection on which verification statements are sent, one after the other |

/// A page. People read it on a code host too, where its links lead to the definitions at its end. Here they lead to what
/// `links.md` names, since the first definition of a link counts; so rustdoc finds a name that is gone.
macro_rules! page {
    ($name:ident, $text:literal) => {
        pub mod $name {
            #![doc = include_str!("links.md")]
            #![cfg_attr(feature = "admin", doc = include_str!("links-admin.md"))]
            #![cfg_attr(feature = "pages", doc = include_str!("links-pages.md"))]
            #![cfg_attr(feature = "testing", doc = include_str!("links-testing.md"))]
            #![doc = include_str!($text)]
        }
    };
}

page!(security, "security.md");
page!(sessions, "sessions.md");
page!(errors, "errors.md");
page!(clients, "clients.md");
page!(costs, "costs.md");
page!(streams, "streams.md");
#[cfg(feature = "admin")]
page!(administrators, "administrators.md");
#[cfg(feature = "pages")]
page!(pages, "pages.md");
#[cfg(feature = "testing")]
page!(testing, "testing.md");
page!(temporary, "temporary.md");
page!(events, "events.md");
page!(permissions, "permissions.md");
page!(deployment, "deployment.md");
page!(command_line, "command-line.md");
page!(migrating, "migrating.md");
