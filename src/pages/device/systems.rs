//! The device or the system that a user agent names.

use super::words::Words;

/// The device or operating system of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct System {
    pub(super) name: &'static str,
    /// Whether the name consists of the device alone, as in "PlayStation 4". Otherwise the program comes first, as in
    /// "Firefox on Linux".
    pub(super) is_all: bool,
}

/// Devices that are the whole name, by a part of the text in lower case. The first match counts.
const DEVICES: &[(&str, &str)] = &[
    ("playstation 5", "PlayStation 5"),
    ("playstation 4", "PlayStation 4"),
    ("playstation 3", "PlayStation 3"),
    ("playstation vita", "PlayStation Vita"),
    ("playstation portable", "PlayStation Portable"),
    ("nintendo switch 2", "Nintendo Switch 2"),
    ("nintendo switch", "Nintendo Switch"),
    ("nintendo wiiu", "Nintendo Wii U"),
    ("nintendo wii", "Nintendo Wii"),
    ("nintendo 3ds", "Nintendo 3DS"),
    ("nintendo dsi", "Nintendo DSi"),
    ("steam deck", "Steam Deck"),
    ("oculusbrowser", "Meta Quest"),
    ("qtcarbrowser", "Tesla"),
    ("tesla/", "Tesla"),
    ("web0s", "LG TV"),
    ("webos.tv", "LG TV"),
    ("netcast", "LG TV"),
    ("smart-tv; linux; tizen", "Samsung TV"),
    ("smart-tv; tizen", "Samsung TV"),
    ("maple", "Samsung TV"),
    ("smarthub", "Samsung TV"),
    ("bravia", "Sony TV"),
    ("viera", "Panasonic TV"),
    ("vidaa", "Hisense TV"),
    ("philipstv", "Philips TV"),
    ("crkey", "Chromecast"),
    ("appletv", "Apple TV"),
    ("apple tv", "Apple TV"),
    ("tvos", "Apple TV"),
    ("roku", "Roku"),
    ("; aft", "Fire TV"),
    ("googletv", "Google TV"),
    ("google tv", "Google TV"),
    ("android tv", "Android TV"),
    ("hbbtv", "A smart TV"),
    ("smarttv", "A smart TV"),
    ("smart-tv", "A smart TV"),
    ("smart tv", "A smart TV"),
    ("apple watch", "Apple Watch"),
    ("watchos", "Apple Watch"),
    ("watch os", "Apple Watch"),
    ("kindle/", "Kindle"),
    ("kobo", "Kobo"),
];

/// Operating systems, by a part of the text in lower case. The first match counts.
const PARTS: &[(&str, &str)] = &[
    ("xbox", "Xbox"),
    ("windows phone", "Windows Phone"),
    ("windows mobile", "Windows Phone"),
    ("windows ce", "Windows CE"),
    ("openharmony", "HarmonyOS"),
    ("harmonyos", "HarmonyOS"),
    ("kaios", "KaiOS"),
    ("sailfish", "Sailfish OS"),
    ("ubuntu touch", "Ubuntu Touch"),
    ("ubuntu; mobile", "Ubuntu Touch"),
    ("ubuntu 20.04 like android", "Ubuntu Touch"),
    ("blackberry", "BlackBerry"),
    ("symbian", "Symbian"),
    ("series60", "Symbian"),
    ("hpwos", "webOS"),
    ("webos", "webOS"),
];

/// The same by the name of a word, or by its start.
const WORDS: &[(&str, &str)] = &[
    ("ipad", "iPad"),
    ("ipod", "iPod"),
    ("iphone", "iPhone"),
    ("visionos", "Apple Vision Pro"),
    ("ios", "iOS"),
    ("ipados", "iPad"),
    ("bb10", "BlackBerry"),
    ("playbook", "BlackBerry"),
    ("android", "Android"),
    ("dalvik", "Android"),
    ("tizen", "Tizen"),
    ("bada", "Bada"),
    ("meego", "MeeGo"),
    ("cros", "ChromeOS"),
    ("windows", "Windows"),
    ("win64", "Windows"),
    ("win32", "Windows"),
    ("win98", "Windows"),
    ("winnt", "Windows"),
    ("windowspowershell", "Windows"),
    ("macintosh", "macOS"),
    ("mac_powerpc", "macOS"),
    ("macos", "macOS"),
    ("osx", "macOS"),
    ("freebsd", "FreeBSD"),
    ("openbsd", "OpenBSD"),
    ("netbsd", "NetBSD"),
    ("dragonfly", "DragonFly BSD"),
    ("sunos", "Solaris"),
    ("haiku", "Haiku"),
    ("beos", "BeOS"),
    ("amigaos", "AmigaOS"),
    ("fuchsia", "Fuchsia"),
    ("serenityos", "SerenityOS"),
    ("linux", "Linux"),
    ("x11", "Linux"),
    ("ubuntu", "Linux"),
    ("fedora", "Linux"),
    ("debian", "Linux"),
    ("linux-gnu", "Linux"),
];

/// The device or system that a user agent names.
pub(super) fn system(words: &Words<'_>) -> Option<System> {
    let part = |table: &[(&str, &'static str)]| {
        let found = table.iter().find(|(part, _)| words.has(part));
        found.map(|(_, name)| *name)
    };
    if let Some(name) = part(DEVICES) {
        return Some(System { name, is_all: true });
    }
    let carries = |name| System {
        name,
        is_all: false,
    };
    if let Some(name) = part(PARTS) {
        return Some(carries(name));
    }
    let word = WORDS.iter().find(|(word, _)| words.names(word));
    let name = match word {
        Some((_, name)) => *name,
        // A model and a version in one word: `iPhone14,3`, `iOS17`.
        None if words.ends("-ios") => "iOS",
        None if words.ends("-android") => "Android",
        None if words.starts("iphone") => "iPhone",
        None if words.starts("ipad") => "iPad",
        None if words.has("mac os x") || words.has("darwin") && words.has("x86_64") => "macOS",
        None if words.names("macoutlook") => "macOS",
        None if words.has("os/2") => "OS/2",
        None => return None,
    };
    Some(carries(match name {
        // Amazon's tablets name only their model.
        "Android" if words.names("silk") && words.starts("kf") => "Fire tablet",
        // iOS browsers that request desktop sites claim to be desktops.
        "macOS"
            if ["crios", "fxios", "edgios", "gsa", "opt", "opx"]
                .iter()
                .any(|ios| words.names(ios)) =>
        {
            "iOS"
        }
        name => name,
    }))
}
