//! What an application may change about the pages without writing its own.

/// How the pages for administrators and users look: their title, stylesheets and ways out.
///
/// ```
/// use countersign::PageLook;
///
/// let look = PageLook::new("Example Shop").home("/").stylesheet("/shop.css").icon("/icon.svg");
/// ```
///
/// Everything else about them can be replaced by pages of the application's own on top of the JSON of
/// [`admin::router`](crate::admin::router()) and [`account::router`](crate::account::router()).
///
/// # Security
///
/// The pages' Content-Security-Policy allows stylesheets and images of the same origin alone (ASVS 5.0, 3.4.3), so paths
/// are what to give here.
#[derive(Clone, Debug)]
pub struct PageLook {
    pub(super) title: String,
    pub(super) home: Option<String>,
    pub(super) icon: String,
    pub(super) own_stylesheet: bool,
    pub(super) stylesheets: Vec<String>,
    pub(super) sign_in_page: Option<String>,
}

impl PageLook {
    /// The look of an application of this name, which stands at the top of each page and in its title. Default:
    /// `Sessions`.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            home: None,
            icon: "data:,".into(),
            own_stylesheet: true,
            stylesheets: Vec::new(),
            sign_in_page: None,
        }
    }

    /// Where the application's name leads to. Default: nowhere.
    #[must_use]
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.home = Some(path.into());
        self
    }

    /// The icon of the pages in the browser. Default: none.
    #[must_use]
    pub fn icon(mut self, path: impl Into<String>) -> Self {
        self.icon = path.into();
        self
    }

    /// Adds a stylesheet, after the pages' own and after those that were added before. To change colours, set the custom
    /// properties that stand at the top of the pages' own one, such as `--accent`.
    #[must_use]
    pub fn stylesheet(mut self, path: impl Into<String>) -> Self {
        self.stylesheets.push(path.into());
        self
    }

    /// Leaves out the pages' own stylesheet: what is added with [`stylesheet`](Self::stylesheet) stands alone.
    #[must_use]
    pub fn without_own_stylesheet(mut self) -> Self {
        self.own_stylesheet = false;
        self
    }

    /// The path of the page to sign in, for pages that ask to do so again; `?next=…` comes along. Default: that of
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
