//! Cookies opened and made with the tests' own key, by the `cookie` crate alone: what an insider with the key can do.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use cookie::{Cookie, CookieJar, Key};

use super::KEY;

/// What is inside a cookie of ours.
pub fn unsealed(name: &str, value: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
    let cookie = Cookie::new(name.to_owned(), STANDARD.encode(bytes));
    let opened = CookieJar::new().private(&key()).decrypt(cookie)?;
    Some(opened.value().to_owned())
}

/// A cookie of ours with something else inside, in the alphabet of older releases.
pub fn sealed(name: &str, text: &str) -> String {
    let mut jar = CookieJar::new();
    jar.private_mut(&key())
        .add(Cookie::new(name.to_owned(), text.to_owned()));
    jar.get(name).unwrap().value().to_owned()
}

fn key() -> Key {
    Key::from(&STANDARD.decode(KEY).unwrap())
}
