//! Sessions as the pages show them.

use askama::{Template, filters::HtmlSafe};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{device::device_name, mount::Mount, person::Person, shown::Shown, when::When};
use crate::{
    store::{EndedReason, SessionInfo, SessionState},
    user_id::UserId,
};

/// A session, ready to show. Untrusted text is [`Shown`] here, and the template escapes it.
#[derive(Clone, Debug)]
pub(crate) struct SessionView {
    pub(crate) id: Uuid,
    pub(crate) href: String,
    pub(crate) user: Person,
    pub(crate) user_href: String,
    pub(crate) acting_user: Option<UserLink>,
    pub(crate) device: String,
    pub(crate) user_agent: Option<Shown>,
    pub(crate) ip: Option<Shown>,
    pub(crate) created: When,
    pub(crate) last_seen: When,
    pub(crate) remembered: bool,
    pub(crate) bearer: bool,
    pub(crate) state: StateView,
    /// Whether it is the session of the request for this page.
    pub(crate) is_current: bool,
    /// Whether the page offers to end it.
    pub(crate) may_end: bool,
    pub(crate) end_href: String,
    /// The accessible label of the button that ends it, for people who do not see its row.
    pub(crate) end_label: String,
}

#[derive(Clone, Debug)]
pub(crate) struct UserLink {
    pub(crate) user: Person,
    pub(crate) href: String,
}

/// Live, or why it has ended.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/state.html")]
pub(crate) struct StateView {
    pub(crate) ended: Option<EndedView>,
}

#[derive(Clone, Debug)]
pub(crate) struct EndedView {
    pub(crate) why: &'static str,
}

impl HtmlSafe for StateView {}

impl SessionView {
    pub(crate) fn new(
        info: &SessionInfo,
        current: Uuid,
        mount: &Mount,
        now: OffsetDateTime,
    ) -> Self {
        let device = device_name(info.user_agent.as_deref().unwrap_or_default());
        let user = Person::new(&info.user_id, info.display_name.as_deref());
        let user_link = |user: &UserId| mount.to(&[&"users", user]);
        let is_live = info.state == SessionState::Live;
        Self {
            id: info.id,
            href: mount.to(&[&info.id]),
            end_href: mount.to(&[&info.id, &"end"]),
            end_label: format!("End the session of user {user}, {device}"),
            user_href: user_link(&info.user_id),
            user,
            acting_user: info.acting_user.as_ref().map(|acting| UserLink {
                user: Person::new(acting, info.acting_display_name.as_deref()),
                href: user_link(acting),
            }),
            device,
            user_agent: info.user_agent.as_ref().map(Shown::new),
            ip: info.ip.as_ref().map(Shown::new),
            created: When::new(info.created_at, now),
            last_seen: When::new(info.last_seen_at, now),
            remembered: info.remembered,
            bearer: info.bearer,
            state: StateView {
                ended: (!is_live).then(|| EndedView {
                    why: why(info.ended_reason),
                }),
            },
            is_current: info.id == current,
            may_end: is_live,
        }
    }
}

/// The reason in a word or two.
fn why(reason: Option<EndedReason>) -> &'static str {
    match reason {
        Some(EndedReason::Logout) => "signed out",
        Some(EndedReason::Revoked) => "revoked",
        Some(EndedReason::Limit) => "limit reached",
        Some(EndedReason::Replaced) => "signed in again",
        Some(EndedReason::Expired) => "timed out",
        Some(EndedReason::Abandoned) => "never arrived",
        Some(EndedReason::StampChanged) => "account changed",
        _ => "",
    }
}

/// Sessions as a table. On a narrow screen its rows become cards.
#[derive(Clone, Debug, Template)]
#[template(path = "parts/table.html")]
pub(crate) struct SessionTable {
    pub(crate) caption: &'static str,
    pub(crate) with_user: bool,
    pub(crate) with_actions: bool,
    pub(crate) sessions: Vec<SessionView>,
}

impl HtmlSafe for SessionTable {}
