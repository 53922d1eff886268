//! The settings for the look of the pages.

/// How the pages for administrators and users look: their title, stylesheets, and links to the application.
///
/// ```
/// use countersign::PageLook;
///
/// let look = PageLook::new("Example Shop").home("/").stylesheet("/shop.css").icon("/icon.svg");
/// ```
///
/// To change anything else, write your own pages on top of the JSON of [`admin::router`](crate::admin::router()) and
/// [`account::router`](crate::account::router()).
///
/// # Security
///
/// The pages' Content-Security-Policy allows only stylesheets and images of the same origin (ASVS 5.0, 3.4.3), so give
/// paths here.
#[derive(Clone, Debug)]
pub struct PageLook {
    pub(super) title: String,
    pub(super) home: Option<String>,
    pub(super) sign_out: Option<String>,
    pub(super) icon: String,
    pub(super) own_stylesheet: bool,
    pub(super) stylesheets: Vec<String>,
    pub(super) sign_in_page: Option<String>,
}

impl PageLook {
    /// The look of an application with this name. Each page shows it at the top and in its title. Default: `Sessions`.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            home: None,
            sign_out: None,
            icon: "data:,".into(),
            own_stylesheet: true,
            stylesheets: Vec::new(),
            sign_in_page: None,
        }
    }

    /// The link behind the application's name. Default: none.
    #[must_use]
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.home = Some(path.into());
        self
    }

    /// The application's path that signs out: each page gets a button that sends a `POST` to it. Default: none.
    #[must_use]
    pub fn sign_out(mut self, path: impl Into<String>) -> Self {
        self.sign_out = Some(path.into());
        self
    }

    /// The icon that browsers show for the pages. Default: none.
    #[must_use]
    pub fn icon(mut self, path: impl Into<String>) -> Self {
        self.icon = path.into();
        self
    }

    /// Adds a stylesheet after the pages' own one and those added before. To change colours, set the custom properties
    /// at the top of the pages' own stylesheet, such as `--accent`.
    #[must_use]
    pub fn stylesheet(mut self, path: impl Into<String>) -> Self {
        self.stylesheets.push(path.into());
        self
    }

    /// Leaves out the pages' own stylesheet: the pages then have only those added with
    /// [`stylesheet`](Self::stylesheet).
    #[must_use]
    pub fn without_own_stylesheet(mut self) -> Self {
        self.own_stylesheet = false;
        self
    }

    /// The path of the sign-in page, to which pages link that need a new sign-in. The link adds `?next=…`. Default:
    /// [`SessionsBuilder::sign_in_page`](crate::SessionsBuilder::sign_in_page).
    #[must_use]
    pub fn sign_in_page(mut self, path: impl Into<String>) -> Self {
        self.sign_in_page = Some(path.into());
        self
    }
}

impl Default for PageLook {
    fn default() -> Self {
        Self::new("Sessions")
    }
}
