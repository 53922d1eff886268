//! The programs that a user agent names.

use super::{product, systems::System, words::Words};

/// A line of a table: signs of a program, in lower case, and its name for people. A sign is the name of a word. A sign
/// with a blank, a slash or an underscore is a part of the text.
type Line = (&'static [&'static str], &'static str);

/// The name in the first line that matches.
pub(super) fn find(table: &[Line], words: &Words<'_>) -> Option<&'static str> {
    let fits = |sign: &&str| match sign.contains([' ', '/', '_']) {
        true => words.has(sign),
        false => words.names(sign),
    };
    let line = table.iter().find(|(signs, _)| signs.iter().any(fits));
    line.map(|(_, name)| *name)
}

/// Apps and programs that embed a browser, and name that browser too.
pub(super) const APPS: &[Line] = &[
    (
        &[
            "fban/messenger",
            "fb_iab/messenger",
            "fb_iab/orca",
            "fbav/orca",
        ],
        "Messenger",
    ),
    (&["fban", "fbav", "fb_iab", "facebook"], "Facebook"),
    (&["instagram"], "Instagram"),
    (&["barcelona"], "Threads"),
    (&["whatsapp"], "WhatsApp"),
    (&["micromessenger", "wechat"], "WeChat"),
    (&["line", "liff"], "LINE"),
    (&["kakaotalk"], "KakaoTalk"),
    (&["naver"], "NAVER"),
    (&["snapchat"], "Snapchat"),
    (&["twitter for", "twitterandroid", "twitter"], "Twitter"),
    (&["pinterest"], "Pinterest"),
    (&["linkedinapp"], "LinkedIn"),
    (
        &["musical_ly", "bytedancewebview", "tiktok", "trill_"],
        "TikTok",
    ),
    (&["aweme"], "Douyin"),
    (&["telegram-android", "telegram"], "Telegram"),
    (&["viber"], "Viber"),
    (&["zalo"], "Zalo"),
    (&["weibo"], "Weibo"),
    (&["alipayclient"], "Alipay"),
    (&["dingtalk"], "DingTalk"),
    (&["qq"], "QQ"),
    (&["baiduboxapp"], "Baidu"),
    (&["gsa"], "Google app"),
    (&["reddit"], "Reddit"),
    (&["tumblr"], "Tumblr"),
    (&["bluesky"], "Bluesky"),
    (&["discord"], "Discord"),
    (&["slack", "slack_ssb"], "Slack"),
    (
        &[
            "teams",
            "teamsmobile-android",
            "teamsmobile-ios",
            "microsoft teams",
        ],
        "Microsoft Teams",
    ),
    (&["skype", "skypeapp"], "Skype"),
    (&["zoom", "zoomapps"], "Zoom"),
    (&["spotify"], "Spotify"),
    (&["notion"], "Notion"),
    (&["code"], "Visual Studio Code"),
    (&["figma"], "Figma"),
    (&["steam", "valve steam"], "Steam"),
    (&["thunderbird", "betterbird"], "Thunderbird"),
    (&["postbox"], "Postbox"),
    (
        &[
            "microsoft outlook",
            "outlook-ios",
            "outlook-android",
            "macoutlook",
            "ms-office",
        ],
        "Outlook",
    ),
    (
        &["windows live mail", "windows-live-mail"],
        "Windows Live Mail",
    ),
    (
        &["microsoft office", "microsoft word", "microsoft excel"],
        "Microsoft Office",
    ),
    (&["lotus-notes"], "Lotus Notes"),
    (&["yahoomobilemail", "yahoomobile"], "Yahoo Mail"),
    (&["evolution"], "Evolution"),
    (&["kmail", "kmail2"], "KMail"),
    (&["the bat!"], "The Bat!"),
    (&["k-9"], "K-9 Mail"),
    (&["itunes"], "iTunes"),
    (&["vlc"], "VLC"),
    (&["kodi"], "Kodi"),
    (&["obs"], "OBS Studio"),
    (&["adobeair"], "Adobe AIR"),
];

/// Browsers. Those that also name another one come first.
pub(super) const BROWSERS: &[Line] = &[
    (&["edg", "edga", "edgios", "edgw", "edge"], "Edge"),
    (&["opera mini", "opios"], "Opera Mini"),
    (&["oprgx", "opx"], "Opera GX"),
    (&["opr", "opt", "opera"], "Opera"),
    (&["vivaldi"], "Vivaldi"),
    (&["brave"], "Brave"),
    (&["samsungbrowser"], "Samsung Internet"),
    (
        &["yabrowser", "yasearchbrowser", "yasearchapp"],
        "Yandex Browser",
    ),
    (
        &["ucbrowser", "ubrowser", "ucweb", "uc browser"],
        "UC Browser",
    ),
    (&["mqqbrowser", "qqbrowser", "qqbrowserlite"], "QQ Browser"),
    (&["miuibrowser", "xiaomi/miuibrowser"], "Mi Browser"),
    (&["huaweibrowser"], "Huawei Browser"),
    (&["arkweb"], "Huawei Browser"),
    (&["heytapbrowser"], "HeyTap Browser"),
    (&["vivobrowser"], "vivo Browser"),
    (&["honorbrowser"], "Honor Browser"),
    (&["silk"], "Silk"),
    (&["puffin"], "Puffin"),
    (&["duckduckgo", "ddg"], "DuckDuckGo"),
    (&["ecosia", "ecosia_ios", "ecosia android"], "Ecosia"),
    (&["whale"], "Whale"),
    (&["coc_coc_browser", "coc_coc"], "Coc Coc"),
    (&["maxthon", "mxbrowser", "mxios", "mxnitro"], "Maxthon"),
    (
        &["360se", "360ee", "qihoobrowser", "qhbrowser"],
        "360 Browser",
    ),
    (&["metasr", "sogoumobilebrowser", "sogousearch"], "Sogou"),
    (&["baidubrowser", "bidubrowser"], "Baidu Browser"),
    (&["quark"], "Quark"),
    (&["avast"], "Avast Secure Browser"),
    (&["avg"], "AVG Secure Browser"),
    (&["ccleaner"], "CCleaner Browser"),
    (&["alohabrowser"], "Aloha"),
    (&["phoenix"], "Phoenix"),
    (&["dolphin", "dolphin/int"], "Dolphin"),
    (&["iron"], "Iron"),
    (&["dragon"], "Comodo Dragon"),
    (&["sleipnir"], "Sleipnir"),
    (&["ladybird"], "Ladybird"),
    (&["focus"], "Firefox Focus"),
    (&["klar"], "Firefox Klar"),
    (&["fxios"], "Firefox"),
    (&["crios"], "Chrome"),
    (&["seamonkey"], "SeaMonkey"),
    (&["palemoon"], "Pale Moon"),
    (&["waterfox"], "Waterfox"),
    (&["librewolf"], "LibreWolf"),
    (&["floorp"], "Floorp"),
    (&["basilisk"], "Basilisk"),
    (&["mypal"], "Mypal"),
    (&["iceweasel"], "Iceweasel"),
    (&["icecat"], "IceCat"),
    (&["k-meleon"], "K-Meleon"),
    (&["camino"], "Camino"),
    (&["conkeror"], "Conkeror"),
    (&["netscape", "navigator"], "Netscape"),
    (&["epiphany"], "GNOME Web"),
    (&["konqueror", "khtml/4", "khtml/5"], "Konqueror"),
    (&["falkon"], "Falkon"),
    (&["qupzilla"], "QupZilla"),
    (&["rekonq"], "rekonq"),
    (&["midori"], "Midori"),
    (&["otter"], "Otter"),
    (&["qutebrowser"], "qutebrowser"),
    (&["luakit"], "luakit"),
    (&["sailfishbrowser"], "Sailfish Browser"),
    (&["morph browser", "morph"], "Morph"),
    (&["netsurf"], "NetSurf"),
    (&["dillo"], "Dillo"),
    (&["omniweb"], "OmniWeb"),
    (&["icab"], "iCab"),
    (&["lynx"], "Lynx"),
    (&["elinks"], "ELinks"),
    (&["links", "links2"], "Links"),
    (&["w3m"], "w3m"),
    (&["nokiabrowser", "browserng"], "Nokia Browser"),
    (&["netfront"], "NetFront"),
    (&["iemobile", "msiemobile"], "Internet Explorer"),
    (&["servo"], "Servo"),
    (&["firefox"], "Firefox"),
    (&["trident", "msie"], "Internet Explorer"),
];

/// Programs whose own name people would not recognise. They take precedence over the name at the start.
pub(super) const TOOLS: &[Line] = &[
    (&["powershell", "windowspowershell"], "PowerShell"),
    (&["postmanruntime"], "Postman"),
    (&["insomnia"], "Insomnia"),
    (&["libcurl/", "curl"], "curl"),
];

/// Libraries, for user agents that name no program besides.
pub(super) const LIBRARIES: &[Line] = &[
    (&["aiohttp"], "aiohttp"),
    (&["okhttp"], "okhttp"),
    (&["apache-httpclient"], "Apache HttpClient"),
    (&["java", "java-http-client", "jakarta"], "A Java program"),
    (&["go-http-client", "go"], "A Go program"),
    (&["dart"], "A Dart program"),
    (&["ruby"], "A Ruby program"),
    (&["php"], "A PHP program"),
    (&["perl", "libwww-perl", "lwp"], "A Perl program"),
    (
        &["python", "python-urllib", "python-urllib3"],
        "A Python program",
    ),
    (&["node", "node.js", "undici"], "A Node.js program"),
    (&["dotnet", ".net"], "A .NET program"),
    (
        &["applecoremedia", "stagefright", "exoplayer"],
        "A media player",
    ),
    (&["dalvik", "alamofire", "cfnetwork"], "An app"),
];

/// The browser of the engine, if the user agent names no other one.
pub(super) fn engine(words: &Words<'_>, system: Option<System>) -> Option<String> {
    let system = system.map(|system| system.name);
    let by_apple = matches!(
        system,
        Some("iPhone" | "iPad" | "iPod" | "macOS" | "iOS" | "Apple Vision Pro")
    );
    // Android's web view names Chrome, with a mark that it is not Chrome. The one of Apple's systems omits Safari.
    let is_inside = words.names("wv")
        || words.names("electron")
        || by_apple && words.names("applewebkit") && !words.names("safari");
    if is_inside {
        return Some(product::beside_engine(words).unwrap_or_else(|| "An app".to_owned()));
    }
    known(words, system, by_apple).map(str::to_owned)
}

fn known(words: &Words<'_>, system: Option<&str>, by_apple: bool) -> Option<&'static str> {
    if words.names("chrome") || words.names("chromium") {
        let chromium = words.names("chromium") && !words.names("ubuntu");
        return Some(if chromium { "Chromium" } else { "Chrome" });
    }
    if words.names("safari") && (by_apple || system == Some("Windows")) {
        return Some("Safari");
    }
    None
}
