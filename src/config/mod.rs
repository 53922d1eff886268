//! Setting up: the builder.

mod application_sql;
mod check;
mod resources;
mod timeouts;

use std::{sync::Arc, time::Duration};

use crate::{
    client::ForwardedHeader,
    cookie::Protection,
    event::{Event, Listener},
    keys::Key,
    session::{Limit, PermissionSource},
    store::{ApplicationSql, Driver, SessionPool},
    verify::{LaneLimits, WatchTimings},
};

/// Configures [`Sessions`](crate::Sessions); made by [`Sessions::builder`](crate::Sessions::builder).
///
/// Nothing is valid by accident: the application must give keys and the place of its accounts; everything else has a default
/// that suits most applications. Setters do not fail; [`build`](Self::build) checks all of it. Durations are between one
/// millisecond and ten years.
///
/// ```no_run
/// use std::time::Duration;
/// use countersign::{BuildError, Key, Limit, SessionPool, Sessions};
///
/// async fn sessions(pool: impl SessionPool, key: Key) -> Result<Sessions, BuildError> {
///     Sessions::builder(pool)
///         .key(key)
///         .account("users u WHERE u.id = {user:int} AND NOT u.disabled")
///         .permissions("up.permission", "user_permissions up WHERE up.user_id = {user:int}")
///         .idle_timeout(Duration::from_secs(60 * 60))
///         .limit(Limit::end_oldest(5))
///         .sign_in_page("/login")
///         .build()
///         .await
/// }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until `build` is awaited"]
pub struct SessionsBuilder {
    driver: Arc<dyn Driver>,
    realm: String,
    keys: Vec<Key>,
    application: ApplicationSql,
    any_account: bool,
    /// Columns and FROM part.
    profile: Option<(Vec<String>, String)>,
    permission_source: Option<Arc<dyn PermissionSource>>,
    idle_timeout: Duration,
    remembered_idle_timeout: Option<Duration>,
    absolute_timeout: Duration,
    acting_timeout: Option<Duration>,
    touch_interval: Option<Duration>,
    rotation_grace: Duration,
    reservation_timeout: Duration,
    retention: Duration,
    limit: Limit,
    session_cookie: String,
    flash_cookie: String,
    protection: Protection,
    bearer_tokens: bool,
    sign_in_page: Option<String>,
    trusted_proxies: Vec<String>,
    forwarded_header: ForwardedHeader,
    lanes: LaneLimits,
    connections: Option<usize>,
    watch: WatchTimings,
    listener: Option<Listener>,
}

impl SessionsBuilder {
    pub(crate) fn new<P: SessionPool>(pool: &P) -> Self {
        Self {
            driver: crate::store::driver_of(pool),
            realm: "default".into(),
            keys: Vec::new(),
            application: ApplicationSql::default(),
            any_account: false,
            profile: None,
            permission_source: None,
            idle_timeout: Duration::from_secs(30 * 60),
            remembered_idle_timeout: None,
            absolute_timeout: Duration::from_secs(30 * 24 * 60 * 60),
            acting_timeout: None,
            touch_interval: None,
            rotation_grace: Duration::from_secs(10),
            reservation_timeout: Duration::from_secs(60),
            retention: Duration::from_secs(30 * 24 * 60 * 60),
            limit: Limit::unlimited(),
            session_cookie: "session".into(),
            flash_cookie: "flash".into(),
            protection: Protection::HostPrefixed,
            bearer_tokens: false,
            sign_in_page: None,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            lanes: LaneLimits {
                time_budget: Duration::from_secs(2),
                queue_capacity: 4096,
                max_lanes: 4,
            },
            connections: None,
            watch: WatchTimings {
                interval: Duration::from_secs(1),
                grace: Duration::from_secs(60),
            },
            listener: None,
        }
    }

    /// The name of this application among several that share a database. Default: `default`. 1 to 64 lower-case letters,
    /// digits, `.`, `_` and `-`.
    ///
    /// Sessions and users' limits belong to their realm: listings, limits, revocations and sweeping see nothing of
    /// another one, and a cookie of another realm is anonymous even where the keys are the same. All nodes of one
    /// application name the same realm. Changing it signs all users out.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self
    }

    /// Adds a key for the cookies. The first one encrypts; all of them decrypt.
    ///
    /// To change keys without signing users out, put the new key first and keep the old one behind it until the
    /// cookies it wrote have run out; cookies under a key that is gone are anonymous. Before the first node writes with
    /// a new key, give it to all nodes as an additional one.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds several keys, in this order.
    pub fn keys(mut self, keys: impl IntoIterator<Item = Key>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Where accounts are: the FROM part of a query that finds a row exactly when the user's account may be used.
    ///
    /// It is part of the one statement of each request, so disabling or deleting an account holds from the next
    /// request on (ASVS 5.0, 7.4.2). The user's id goes where it says `{user:int}`, `{user:uuid}` or `{user:text}`,
    /// whichever the column is:
    ///
    /// ```text
    /// .account("users WHERE id = {user:int} AND NOT disabled")
    /// ```
    ///
    /// Of several calls of this and of [`any_account`](Self::any_account) the last one wins.
    ///
    /// | placeholder | SQLite | PostgreSQL | MySQL, MariaDB |
    /// | --- | --- | --- | --- |
    /// | `{user:int}` | `INTEGER` | `bigint` | `BIGINT` |
    /// | `{user:uuid}` | 16-byte `BLOB` | `uuid` | `BINARY(16)` |
    /// | `{user:text}` | `TEXT` | `text` | `VARCHAR`, compared as `utf8mb4_bin` |
    ///
    /// # Security
    ///
    /// This is SQL: write it down in the source, never compose it from input.
    pub fn account(mut self, from: impl Into<String>) -> Self {
        self.application.account = Some(from.into());
        self.any_account = false;
        self
    }

    /// Says that accounts are never disabled or deleted: a live session is all it takes. Of several calls of this and
    /// of [`account`](Self::account) the last one wins.
    ///
    /// # Security
    ///
    /// Code that deletes an account must then end its sessions as well ([`Sessions::revoke_user`](crate::Sessions::revoke_user);
    /// ASVS 5.0, 7.4.2).
    pub fn any_account(mut self) -> Self {
        self.any_account = true;
        self.application.account = None;
        self
    }

    /// Where permissions are: a column of strings, and the FROM part of the query for one user.
    ///
    /// Several calls add up: direct ones, by role, by group. They are read in the one statement of each request, cast to
    /// text.
    ///
    /// ```text
    /// .permissions("permission", "user_permissions WHERE user_id = {user:int}")
    /// .permissions("rp.permission", "user_roles ur JOIN role_permissions rp USING (role_id) WHERE ur.user_id = {user:int}")
    /// ```
    ///
    /// # Security
    ///
    /// This is SQL: write it down in the source, never compose it from input. The query must have an index on the
    /// user's column: it runs for every request.
    pub fn permissions(mut self, column: impl Into<String>, from: impl Into<String>) -> Self {
        self.application
            .permissions
            .push((column.into(), from.into()));
        self
    }

    /// What must stay as it was at sign-in: a column or an expression of the account, and the FROM part of the query for one
    /// user. A session ends, and stays ended, as soon as it differs, or the account is gone: with the reason
    /// [`StampChanged`](crate::EndedReason::StampChanged), from the next request on, on every node. Setting the old value
    /// again brings no session back.
    ///
    /// ```text
    /// .security_stamp("security_stamp", "users WHERE id = {user:int}")
    /// .security_stamp("concat(password_hash, created_at)", "users WHERE id = {user:int}")
    /// ```
    ///
    /// Use what differs between an account and a later one with the same id, and what changes with a password. The value
    /// is read as text in the one statement of each request, and kept with the session as a digest (SHA-256). Where an
    /// administrator acts as a user, the stamps of both count. The query must find one row at most.
    ///
    /// Users who have just changed their own password stay signed in when the handler calls
    /// [`login`](crate::Session::login) again after the change: the new session has the new stamp.
    ///
    /// A session that was made without a stamp counts as changed, since nothing is known of the account that it was made
    /// for. So turning this on, or changing the expression, signs all users out once.
    ///
    /// # Security
    ///
    /// Without it, an id that is given again belongs to the new account together with the old one's sessions (SQLite's
    /// `INTEGER PRIMARY KEY` gives ids again by itself), and a password that is changed by SQL ends nothing (ASVS 5.0,
    /// 7.4.3). This is SQL: write it down in the source, never compose it from input.
    pub fn security_stamp(mut self, column: impl Into<String>, from: impl Into<String>) -> Self {
        self.application.stamp = Some((column.into(), from.into()));
        self
    }

    /// What handlers want to know of the user, such as the name: columns, and the FROM part of the query for one user.
    /// Default: nothing. Of several calls the last one wins.
    ///
    /// They are read in the one statement of each request. A handler gets them as its own type from
    /// [`CurrentUser`](crate::CurrentUser) or [`SignedIn::profile`](crate::SignedIn::profile). Each is a column, or an
    /// expression with a name for the type's field:
    ///
    /// ```text
    /// .profile(["name", "email", "tenant_id"], "users WHERE id = {user:int}")
    /// .profile(["u.name", "lower(u.email) AS email", "t.name AS tenant"],
    ///          "users u LEFT JOIN tenants t ON t.id = u.tenant_id WHERE u.id = {user:int}")
    /// ```
    ///
    /// The FROM part must find one row for each user. [`build`](Self::build) names the column that does not exist
    /// ([`BuildError::ProfileColumn`](crate::BuildError::ProfileColumn)). The [guide](crate::guide::permissions) says in which
    /// form each type of column arrives.
    ///
    /// # Security
    ///
    /// Name no column that the handlers do not need, and no secret. The values cross the network with each request and do
    /// not appear in the log. This is SQL: write it down in the source, never compose it from input.
    pub fn profile<C: Into<String>>(
        mut self,
        columns: impl IntoIterator<Item = C>,
        from: impl Into<String>,
    ) -> Self {
        let columns = columns.into_iter().map(Into::into).collect();
        self.profile = Some((columns, from.into()));
        self
    }

    /// What people call a user, for whoever looks at sessions: a column, and the FROM part of the query for one user.
    /// Default: nothing, so that pages and lists show ids.
    ///
    /// Pages, JSON and [`SessionInfo`](crate::SessionInfo) show the name beside the id, and
    /// [`Filter::display_name`](crate::Filter::display_name) finds sessions by it. It is read as text when sessions are
    /// listed, in a statement of its own, and no request waits for it. A list whose names cannot be read comes without them.
    ///
    /// ```text
    /// .display_name("name", "users WHERE id = {user:int}")
    /// .display_name("u.first_name || ' ' || u.last_name", "users u WHERE u.id = {user:int}")
    /// ```
    ///
    /// # Security
    ///
    /// Two users can have the same name, and users can choose names that look like others. So nothing is ended by a
    /// name, and the id stays beside it. This is SQL: write it down in the source, never compose it from input.
    pub fn display_name(mut self, column: impl Into<String>, from: impl Into<String>) -> Self {
        self.application.display_name = Some((column.into(), from.into()));
        self
    }

    /// Takes accounts and permissions from somewhere else than SQL, at the price of a second round trip per request. It takes
    /// the place of [`account`](Self::account) and [`permissions`](Self::permissions).
    pub fn permission_source(mut self, source: impl PermissionSource) -> Self {
        self.permission_source = Some(Arc::new(source));
        self
    }

    /// How many sessions a user may have at once. Default: [`Limit::unlimited`].
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    /// Reads a user's own maximum from the application's tables: a query of one number, asked at each sign-in under the
    /// user's lock. `NULL` or no row: the default of [`limit`](Self::limit). Negative: no limit. A number that cannot be
    /// read refuses the sign-in (503). A maximum set with [`Sessions::set_limit`](crate::Sessions::set_limit) comes first.
    ///
    /// ```text
    /// .limit_query("SELECT max_sessions FROM users WHERE id = {user:int}")
    /// ```
    pub fn limit_query(mut self, query: impl Into<String>) -> Self {
        self.application.limit = Some(query.into());
        self
    }

    /// The names of the session and the flash cookie, bare: `__Host-` is put in front of them, unless
    /// [`insecure_cookies`](Self::insecure_cookies) was called. Default: `session` and `flash`. At most 64 characters, two
    /// different names. Cookies under the old names are not read after a change.
    pub fn cookie_names(mut self, session: impl Into<String>, flash: impl Into<String>) -> Self {
        (self.session_cookie, self.flash_cookie) = (session.into(), flash.into());
        self
    }

    /// For development over plain HTTP: no `Secure` attribute and no `__Host-` prefix.
    ///
    /// # Security
    ///
    /// Others on the network can then read the cookie, and any other site of the same domain can set it. Never in
    /// production (ASVS 5.0, 3.3.1).
    pub fn insecure_cookies(mut self) -> Self {
        self.protection = Protection::InsecurePlainHttp;
        self
    }

    /// Takes bearer tokens too: `Authorization: Bearer …` does what the session cookie does, for clients that are no browser
    /// of this site, such as mobile applications and scripts. [`Login::bearer`](crate::Login::bearer) makes them. Default:
    /// off; the header is the application's own.
    ///
    /// A request with a session cookie and a bearer token is refused
    /// ([`TwoCredentials`](crate::TwoCredentials), 400). Listings, limits and revocations count both kinds alike.
    ///
    /// Inside of the layer, each `Authorization: Bearer` is then taken for one of these tokens. Put routes that take tokens of
    /// another issuer, such as JSON Web Tokens, outside of it.
    ///
    /// # Security
    ///
    /// A browser sends a cookie by itself, and a token only if a script adds it. So the cross-site check of this crate's
    /// routers lets tokens through, and a script that is injected into a page can read the token that the page keeps. Let
    /// browsers of this site use the cookie (ASVS 5.0, 3.3.4).
    pub fn bearer_tokens(mut self) -> Self {
        self.bearer_tokens = true;
        self
    }

    /// The path of the page to sign in. Browsers that navigate are sent there (303) instead of getting a 401; the page they
    /// wanted comes along as `?next=…`. Programs, and scripts of a page, get the 401. Default: none, always 401.
    ///
    /// # Security
    ///
    /// `next` comes back from the browser: redirect only to what [`local_path`](crate::local_path) lets through.
    pub fn sign_in_page(mut self, path: impl Into<String>) -> Self {
        self.sign_in_page = Some(path.into());
        self
    }

    /// Addresses and networks of the proxies in front of this application. Only what they forward is believed, and
    /// of that only the rightmost hop that is not one of them (ASVS 5.0, 4.1.3). Default: none, the peer is the client.
    pub fn trusted_proxies<P: Into<String>>(
        mut self,
        proxies: impl IntoIterator<Item = P>,
    ) -> Self {
        self.trusted_proxies
            .extend(proxies.into_iter().map(Into::into));
        self
    }

    /// The header in which trusted proxies forward addresses. Default: `X-Forwarded-For`.
    pub fn forwarded_header(mut self, header: ForwardedHeader) -> Self {
        self.forwarded_header = header;
        self
    }

    /// Calls this closure for each [`Event`]: sign-ins, refusals, endings, rejected cookies, outages. Default: none. Of
    /// several calls the last one wins.
    ///
    /// It runs on a thread of its own and cannot slow a request, whatever it does: a queue of 1,024 events is between
    /// them. What does not fit is counted, and told as
    /// [`EventsDropped`](crate::EventKind::EventsDropped) when there is room again. A panic in it is logged and survived.
    /// [`Sessions::close`](crate::Sessions::close) waits until it has had everything. The thread ends when the last handle
    /// is dropped.
    ///
    /// The thread is outside of any Tokio runtime. To do something asynchronous, send the event into a channel of your
    /// own:
    ///
    /// ```
    /// # use countersign::{Event, SessionsBuilder};
    /// # fn example(builder: SessionsBuilder) -> SessionsBuilder {
    /// let (sender, mut events) = tokio::sync::mpsc::channel::<Event>(100);
    /// tokio::spawn(async move {
    ///     while let Some(event) = events.recv().await {
    ///         println!("{} {:?} {:?}", event.kind.name(), event.user_id, event.ip);
    ///     }
    /// });
    /// // It waits while the channel is full, which is this thread's affair alone.
    /// builder.on_event(move |event| drop(sender.blocking_send(event)))
    /// # }
    /// ```
    ///
    /// The same events go to the log: see the [guide](crate::guide::events).
    pub fn on_event(mut self, hook: impl FnMut(Event) + Send + 'static) -> Self {
        self.listener = Some(Listener::new(hook));
        self
    }
}
