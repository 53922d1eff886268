//! Automatic clients: crawlers, link previews, monitors.

use super::{product, words::Words};

/// Bots whose own name people would not recognise, or would not recognise as a bot's. In lower case.
const NAMED: &[(&str, &str)] = &[
    ("googlebot", "Googlebot"),
    ("googlebot-image", "Googlebot"),
    ("googlebot-video", "Googlebot"),
    ("googlebot-news", "Googlebot"),
    ("googlebot-mobile", "Googlebot"),
    ("google-inspectiontool", "Google Search Console"),
    ("google-site-verification", "Google Search Console"),
    ("adsbot-google", "Google AdsBot"),
    ("adsbot-google-mobile", "Google AdsBot"),
    ("mediapartners-google", "Google AdSense"),
    ("feedfetcher-google", "Google Feedfetcher"),
    ("google-read-aloud", "Google Read Aloud"),
    ("storebot-google", "Google StoreBot"),
    ("googleother", "GoogleOther"),
    ("google-extended", "Google-Extended"),
    ("googleimageproxy", "Gmail image proxy"),
    ("chrome-lighthouse", "Lighthouse"),
    ("apis-google", "Google APIs"),
    ("bingbot", "Bingbot"),
    ("adidxbot", "Bing Ads"),
    ("bingpreview", "Bing preview"),
    ("msnbot", "MSNBot"),
    ("msnbot-media", "MSNBot"),
    ("slurp", "Yahoo Slurp"),
    ("baiduspider", "Baiduspider"),
    ("baiduspider-render", "Baiduspider"),
    ("baiduspider-image", "Baiduspider"),
    ("yandexbot", "YandexBot"),
    ("yandeximages", "YandexBot"),
    ("yandexmetrika", "Yandex Metrica"),
    ("facebookexternalhit", "Facebook link preview"),
    ("facebookcatalog", "Facebook link preview"),
    ("meta-externalagent", "Meta crawler"),
    ("meta-externalfetcher", "Meta crawler"),
    ("slackbot-linkexpanding", "Slackbot"),
    ("slack-imgproxy", "Slackbot"),
    ("discordbot", "Discordbot"),
    ("telegrambot", "TelegramBot"),
    ("skypeuripreview", "Skype link preview"),
    ("redditbot", "Reddit link preview"),
    ("embedly", "Embedly"),
    ("iframely", "Iframely"),
    ("mastodon", "Mastodon"),
    ("chatgpt-user", "ChatGPT"),
    ("claude-user", "Claude"),
    ("anthropic-ai", "Claude"),
    ("perplexity-user", "Perplexity"),
    ("mistralai-user", "Mistral"),
    ("ia_archiver", "Internet Archive"),
    ("archive.org_bot", "Internet Archive"),
    ("heritrix", "Heritrix"),
    ("uptimerobot", "UptimeRobot"),
    ("statuscake", "StatusCake"),
    ("site24x7", "Site24x7"),
    ("uptime-kuma", "Uptime Kuma"),
    ("betterstackbot", "Better Stack"),
    ("newrelicpinger", "New Relic"),
    ("datadogsynthetics", "Datadog"),
    ("datadog", "Datadog"),
    ("elb-healthchecker", "AWS health check"),
    ("amazon-route53-health-check-service", "AWS health check"),
    ("googlehc", "Google Cloud health check"),
    ("kube-probe", "Kubernetes health check"),
    ("hetrixtools", "HetrixTools"),
    ("gtmetrix", "GTmetrix"),
    ("w3c_validator", "W3C Validator"),
    ("w3c-checklink", "W3C Link Checker"),
    ("validator.nu", "W3C Validator"),
    ("screaming", "Screaming Frog"),
    ("nuclei", "Nuclei"),
    ("nikto", "Nikto"),
    ("zgrab", "ZGrab"),
    ("censysinspect", "Censys"),
    ("expanse", "Expanse"),
    ("scrapy", "Scrapy"),
    ("nutch", "Nutch"),
    ("headlesschrome", "Headless Chrome"),
    ("phantomjs", "PhantomJS"),
];

/// Signs of a bot inside of a word, or across several words.
const PARTS: &[(&str, &str)] = &[
    ("pingdom.com_bot", "Pingdom"),
    ("better uptime bot", "Better Uptime"),
    ("freshping", "Freshping"),
    ("ptst/", "WebPageTest"),
    ("microsoft office existence discovery", "Microsoft Office"),
];

/// Words in the names of bots.
const KINDS: [&str; 4] = ["bot", "spider", "crawler", "crawl"];

/// A maker of phones whose name contains "bot".
const PHONE: &str = "cubot";

/// The name of a bot.
pub(super) fn bot(words: &Words<'_>) -> Option<String> {
    let named = |small: &str| NAMED.iter().find(|(known, _)| *known == small);
    if let Some((_, name)) = words.all().find_map(|(_, small)| named(small)) {
        return Some((*name).to_owned());
    }
    if let Some((_, name)) = PARTS.iter().find(|(part, _)| words.has(part)) {
        return Some((*name).to_owned());
    }
    let mut own = words.all().filter(|(_, small)| is_bot(small));
    own.find_map(|(sent, _)| product::plain(sent))
        .map(str::to_owned)
}

fn is_bot(small: &str) -> bool {
    let is_address = ["http", "www.", "+"]
        .iter()
        .any(|start| small.starts_with(start))
        || small.contains(['@', ':']);
    let says_so = KINDS.iter().any(|kind| {
        small.match_indices(kind).any(|(at, _)| {
            let after = small
                .get(at + kind.len()..)
                .and_then(|rest| rest.bytes().next());
            !after.is_some_and(|byte| byte.is_ascii_lowercase())
        })
    });
    // A bare `bot` says less than the words around it.
    let is_name = small.len() > 5 || small.ends_with("bot") && small.len() > 3;
    says_so && is_name && !is_address && !small.starts_with(PHONE)
}
