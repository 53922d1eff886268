//! What `benches/hot` asks of this module.

use super::*;
use crate::keys::Key;

/// A request's headers, and what reads a session out of them.
#[derive(Debug)]
pub struct RequestWithSession {
    cookies: Cookies,
    headers: HeaderMap,
}

impl RequestWithSession {
    /// A session that the oldest of so many keys has sealed, behind so many other cookies.
    pub fn new(keys: usize, neighbours: usize) -> Self {
        let names = CookieNames {
            session: "session",
            flash: "flash",
        };
        let ring = |keys: Vec<Key>| KeyRing::new(keys).expect("different keys are a ring");
        let cookies = |keys| {
            Cookies::new(names, Protection::HostPrefixed, ring(keys)).expect("the names are valid")
        };
        let keys: Vec<Key> = (0..keys).map(|_| Key::generate()).collect();
        let oldest: Vec<Key> = keys.last().cloned().into_iter().collect();
        let token = Token::generate().expect("there is randomness");
        let set = cookies(oldest)
            .set_session(&UserId::from(1234_i64), &token, None)
            .expect("an id that is valid");
        let set = set.to_str().expect("a cookie is ASCII");
        let session = set.split(';').next().unwrap_or_default();
        let mut pairs: Vec<String> = (0..neighbours)
            .map(|number| format!("other_{number}=GA1.1.1234567890.1234567890"))
            .collect();
        pairs.push(session.to_owned());
        let header = HeaderValue::from_str(&pairs.join("; ")).expect("a cookie is ASCII");
        Self {
            cookies: cookies(keys),
            headers: HeaderMap::from_iter([(COOKIE, header)]),
        }
    }

    /// From the bytes of the header to the digest that the database is asked for.
    pub fn digest(&self) -> [u8; 32] {
        match self.cookies.session(&self.headers) {
            Presented::Credentials(credentials) => *credentials.token.hash().as_bytes(),
            other => panic!("the cookie is not ours: {other:?}"),
        }
    }
}
