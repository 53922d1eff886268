//! A browser of its own: Chromium with an empty profile, which sees what its user sees.

use std::time::Duration;

use serde_json::{Value, json};
use thirtyfour::{
    ChromiumLikeCapabilities, DesiredCapabilities, LoggingPrefsLogLevel, TypingData,
    components::SelectElement, prelude::*,
};
use tokio::time::{Instant, sleep};

use super::{Demo, given};

pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Without a screen, as root, and silent towards the world: a browser that looks for updates is of no use to a test.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints",
    "--lang=en",
    "--hide-scrollbars",
];

/// Remembers what the page's policy refused, from before the page itself begins.
const WITNESS: &str = "
    window.refused = [];
    addEventListener('securitypolicyviolation', event =>
        window.refused.push(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));";

pub const FIREFOX_ON_WINDOWS: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
pub const SAFARI_ON_IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

/// Whether pages may run scripts. Ours have none, so nothing may depend on it.
#[derive(Clone, Copy, PartialEq)]
pub enum Scripts {
    On,
    Off,
}

/// Closed when this is dropped.
pub struct Browser {
    pub(super) driver: WebDriver,
    pub(super) origin: String,
}

impl Browser {
    /// An empty browser at the demo's first page.
    pub async fn open(demo: &Demo) -> Self {
        Self::with(demo, Scripts::On).await
    }

    pub async fn with(demo: &Demo, scripts: Scripts) -> Self {
        let mut wanted = DesiredCapabilities::chrome();
        for argument in ARGUMENTS {
            wanted.add_arg(argument).unwrap();
        }
        wanted
            .set_browser_log_level(LoggingPrefsLogLevel::All)
            .unwrap();
        let driver = WebDriver::new(given("COUNTERSIGN_CHROMEDRIVER"), wanted).await;
        let browser = Self {
            driver: driver.expect("Chromium starts"),
            origin: demo.origin.clone(),
        };
        let witness = json!({ "source": WITNESS });
        browser
            .command("Page.addScriptToEvaluateOnNewDocument", witness)
            .await;
        if scripts == Scripts::Off {
            browser
                .command(
                    "Emulation.setScriptExecutionDisabled",
                    json!({ "value": true }),
                )
                .await;
        }
        browser.visit("/").await;
        browser
    }

    /// A new browser in which this account is signed in.
    pub async fn signed_in(demo: &Demo, name: &str) -> Self {
        let browser = Self::open(demo).await;
        browser.sign_in(name).await;
        browser
    }

    /// The same, of a browser that calls itself this.
    pub async fn signed_in_as(demo: &Demo, name: &str, user_agent: &str) -> Self {
        let browser = Self::open(demo).await;
        let other = json!({ "userAgent": user_agent });
        browser.command("Network.setUserAgentOverride", other).await;
        browser.sign_in(name).await;
        browser
    }

    /// Fills in the form that is shown.
    pub async fn sign_in(&self, name: &str) {
        self.fill("User name", name).await;
        self.fill("Password", &format!("{name}-password")).await;
        self.press("Sign in").await;
        self.shows(&format!("Welcome, {name}")).await;
    }

    pub async fn visit(&self, path: &str) {
        self.go_to(&format!("{}{path}", self.origin)).await;
    }

    pub async fn go_to(&self, url: &str) {
        self.driver.goto(url).await.unwrap();
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.unwrap();
    }

    /// Path and query of the page that is shown.
    pub async fn path(&self) -> String {
        let url = self.driver.current_url().await.unwrap();
        let url = url.as_str().strip_prefix(&self.origin);
        url.expect("a page of the demo").to_owned()
    }

    pub async fn title(&self) -> String {
        self.driver.title().await.unwrap()
    }

    /// What is to be read on the page.
    pub async fn text(&self) -> String {
        self.one(By::Css("body")).await.text().await.unwrap()
    }

    /// Waits until this is to be read on the page.
    pub async fn shows(&self, text: &str) {
        let patience = Instant::now() + PATIENCE;
        loop {
            // While one page takes the place of another there is nothing to read.
            let seen = match self.driver.find(By::Css("body")).await {
                Ok(body) => body.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if seen.contains(text) {
                return;
            }
            let path = self.driver.current_url().await;
            assert!(
                Instant::now() < patience,
                "{text:?} is not on {path:?}:\n{seen}"
            );
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Presses the button, or follows the link, of this name, and waits for the page that it leads to.
    pub async fn press(&self, name: &str) {
        let page = self.one(By::Css("html")).await;
        self.click(name).await;
        let patience = Instant::now() + PATIENCE;
        // A page that has been left is not there any more; while it is being left, the driver says so in several ways.
        while page.tag_name().await.is_ok() {
            assert!(Instant::now() < patience, "{name:?} leads nowhere");
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Presses what changes this page and leads to no other.
    pub async fn click(&self, name: &str) {
        self.control(name).await.click().await.unwrap();
    }

    /// The button or link of this name: what it is called for those who do not see it.
    pub async fn control(&self, name: &str) -> WebElement {
        let named =
            format!("(@aria-label={name:?} or (not(@aria-label) and normalize-space()={name:?}))");
        let path = format!("//*[self::button or self::a or self::summary or self::label][{named}]");
        self.one(By::XPath(path)).await
    }

    /// Whether there is a button or a link of this name.
    pub async fn offers(&self, name: &str) -> bool {
        let path = format!(
            "//*[self::button or self::a][@aria-label={name:?} or normalize-space()={name:?}]"
        );
        !self
            .driver
            .find_all(By::XPath(path))
            .await
            .unwrap()
            .is_empty()
    }

    /// Writes into the field of this label what it shall hold.
    pub async fn fill(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Chooses one of what the field of this label offers.
    pub async fn choose(&self, label: &str, option: &str) {
        let list = SelectElement::new(&self.field(label).await).await.unwrap();
        list.select_by_exact_text(option).await.unwrap();
    }

    /// The field of this label.
    pub async fn field(&self, label: &str) -> WebElement {
        let label = self
            .one(By::XPath(format!("//label[normalize-space()={label:?}]")))
            .await;
        let id = label.attr("for").await.unwrap().expect("a label's field");
        self.one(By::Id(id)).await
    }

    /// Types, or presses a key, wherever the focus is.
    pub async fn keys(&self, keys: impl Into<TypingData>) {
        let typing = self.driver.action_chain().send_keys(keys);
        typing.perform().await.unwrap();
    }

    /// The one element that this finds.
    pub async fn one(&self, by: By) -> WebElement {
        let mut found = self.driver.find_all(by.clone()).await.unwrap();
        let (element, path) = (found.pop(), self.path().await);
        assert!(found.is_empty(), "more than one {by} on {path}");
        element.unwrap_or_else(|| panic!("no {by} on {path}"))
    }

    /// What a script in the page returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Value {
        let answer = self.driver.execute(script, arguments).await;
        answer.unwrap().json().clone()
    }

    /// A command of Chromium's own protocol.
    pub(super) async fn command(&self, method: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(method, parameters).await;
        answer.unwrap_or_else(|error| panic!("{method}: {error}"))
    }
}
