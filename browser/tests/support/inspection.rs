//! A close look at the page that is shown: in both colour schemes, on a phone and on a desk.

use std::{env, fs, path::PathBuf, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{Browser, file};

const PHONE: u32 = 390;
const DESK: u32 = 1280;
/// What WCAG 2.2 (1.4.10) asks for: the width of a desk at 400 %.
const NARROWEST: u32 = 320;

/// All its rules, best practices too. The style sheets need not be loaded once more: they are the page's own.
const AXE: &str = "
    await Promise.all(document.getAnimations().map(animation => animation.finished));
    const { violations } = await axe.run({ preload: false, resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) =>
        ({ id, help, nodes: nodes.map(node => `${node.html} ${node.failureSummary}`) }));";

static AXE_CORE: LazyLock<String> =
    LazyLock::new(|| fs::read_to_string(file("COUNTERSIGN_AXE")).unwrap());

static SCREENSHOTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder =
        PathBuf::from(env::var("COUNTERSIGN_SCREENSHOTS").expect("scripts/browser sets it"));
    fs::create_dir_all(&folder).unwrap();
    folder
});

impl Browser {
    /// Takes screenshots of the page under this name, and finds nothing wrong with it.
    pub async fn inspect(&self, name: &str) {
        self.inspect_answer(name, 200).await;
    }

    /// The same for an answer that says what went wrong.
    pub async fn inspect_answer(&self, name: &str, status: u16) {
        let mut wrong = self.complaints(status).await;
        self.driver.execute(AXE_CORE.as_str(), []).await.unwrap();
        for scheme in ["light", "dark"] {
            self.prefer(scheme).await;
            for (width, height) in [(PHONE, 844), (DESK, 800)] {
                self.resize(width, height).await;
                let look = format!("{name}-{width}-{scheme}");
                self.screenshot(&look).await;
                let violations = self.run(AXE, vec![]).await;
                if violations != json!([]) {
                    wrong.push(format!("{look}: axe-core: {violations:#}"));
                }
            }
        }
        self.resize(NARROWEST, 640).await;
        wrong.extend(self.wider_than_the_window().await);
        self.command("Emulation.clearDeviceMetricsOverride", json!({}))
            .await;
        self.prefer("light").await;
        // Looking must not have changed anything: what the page says by itself has been read above.
        self.driver.browser_log().await.unwrap();
        assert!(
            wrong.is_empty(),
            "{name}, {}:\n{}",
            self.path().await,
            wrong.join("\n")
        );
    }

    /// What the browser itself says against the pages since it was asked last.
    async fn complaints(&self, status: u16) -> Vec<String> {
        let shown = self
            .run(
                "return performance.getEntriesByType('navigation')[0].responseStatus",
                vec![],
            )
            .await;
        assert_eq!(shown, json!(status), "{}", self.path().await);
        let page = self.driver.current_url().await.unwrap();
        let expected = format!(
            "{page} - Failed to load resource: the server responded with a status of {status} "
        );
        let log = self.driver.browser_log().await.unwrap();
        let mut complaints: Vec<_> = log
            .into_iter()
            // That an error was answered with an error is no complaint about the page.
            .filter(|entry| status == 200 || !entry.message.starts_with(&expected))
            .map(|entry| format!("{}: {}", entry.level, entry.message))
            .collect();
        match self.run("return window.refused", vec![]).await {
            Value::Array(refused) => complaints.extend(
                refused
                    .iter()
                    .map(|line| format!("refused by policy: {line}")),
            ),
            other => complaints.push(format!("nobody watched the policy: {other}")),
        }
        complaints
    }

    /// What sticks out at the right.
    async fn wider_than_the_window(&self) -> Option<String> {
        let out = self
            .run(
                "const root = document.documentElement;
                 if (root.scrollWidth <= root.clientWidth) return null;
                 const culprits = [...document.querySelectorAll('body *')]
                     .filter(element => element.getBoundingClientRect().right > root.clientWidth || element.scrollWidth > root.clientWidth)
                     .map(element => element.outerHTML.slice(0, 120));
                 return `${root.scrollWidth} wide in ${root.clientWidth}: ${culprits.join(' … ')}`;",
                vec![],
            )
            .await;
        out.as_str().map(str::to_owned)
    }

    async fn prefer(&self, scheme: &str) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.command("Emulation.setEmulatedMedia", features).await;
    }

    async fn resize(&self, width: u32, height: u32) {
        let window = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width == PHONE });
        self.command("Emulation.setDeviceMetricsOverride", window)
            .await;
    }

    /// Of the whole page, however long it is.
    async fn screenshot(&self, name: &str) {
        let picture = self
            .command(
                "Page.captureScreenshot",
                json!({ "format": "png", "captureBeyondViewport": true }),
            )
            .await;
        let data = BASE64.decode(picture["data"].as_str().unwrap()).unwrap();
        fs::write(SCREENSHOTS.join(format!("{name}.png")), data).unwrap();
    }
}
