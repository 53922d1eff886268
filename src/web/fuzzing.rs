//! What the fuzz targets `parameters` and `page_token` call in this module.

use std::sync::LazyLock;

use super::{
    conditions::Conditions,
    listing::{ListQuery, ListingKind},
    page_token::Scope,
    params::{Blanks, Fields},
};
use crate::{
    keys::{Key, KeyRing},
    user_id::UserId,
};

/// The bytes 0 to 63 as a key, so that a corpus can contain authentic tokens.
static KEYS: LazyLock<KeyRing> = LazyLock::new(|| {
    let bytes: Vec<u8> = (0..64).collect();
    let key = Key::from_bytes(&bytes).expect("64 different bytes are a key");
    KeyRing::new(vec![key]).expect("one key is a ring")
});

/// Reads the data as a query, then as the body of a form, then as a JSON body.
pub fn parameters(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(query) = ListQuery::from_query(text, Blanks::AreValues) {
            let written = query.query_of_page(query.page_token.as_deref());
            let again = ListQuery::from_query(&written, Blanks::AreValues).expect("its own query");
            assert_eq!(again, query, "a link leads elsewhere");
        }
        if let Ok(query) = ListQuery::from_query(text, Blanks::AreAbsent) {
            assert!(!query.query_of_page(None).contains("=&"));
        }
    }
    let Ok(mut fields) = Fields::from_json(data) else {
        return;
    };
    let conditions = Conditions::take_from(&mut fields);
    if let (Ok(conditions), Ok(())) = (conditions, fields.finish()) {
        assert_eq!(
            conditions.is_narrow(),
            conditions.pairs().iter().any(|(name, _)| *name != "state")
        );
    }
}

/// Reads the data as a page token.
pub fn page_token(data: &[u8]) {
    let user_id = UserId::from(2);
    let conditions = Conditions::default();
    let scope = Scope {
        kind: ListingKind::Admin,
        realm: "default",
        user_id: &user_id,
        conditions: &conditions,
    };
    let Ok(token) = std::str::from_utf8(data) else {
        return;
    };
    if let Some(after) = scope.open(&KEYS, token) {
        let elsewhere = Scope {
            kind: ListingKind::Account,
            ..scope
        };
        assert_eq!(
            elsewhere.open(&KEYS, token),
            None,
            "a token opens two doors"
        );
        let sealed = scope.seal(&KEYS, &after).expect("it was sealed before");
        assert_eq!(scope.open(&KEYS, &sealed), Some(after));
    }
    // The data may also be the text of a cursor.
    if let Ok(after) = token.parse() {
        let sealed = scope.seal(&KEYS, &after).expect("any cursor can be sealed");
        assert_eq!(scope.open(&KEYS, &sealed), Some(after));
    }
}
