use http::header::COOKIE;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    cookie::{CookieNames, Protection},
    keys::Key,
};

const NOW: Moment = Moment::from_seconds(1_795_629_000);
const ID: &str = "AAECAwQFBgcICQoLDA0ODw";

fn cookies() -> Cookies {
    let names = CookieNames {
        session: "session",
        flash: "flash",
    };
    let keys = KeyRing::new(vec![Key::generate()]).unwrap();
    Cookies::new(names, Protection::HostPrefixed, keys).unwrap()
}

fn request(cookies: &str) -> HeaderMap {
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(cookies).unwrap())])
}

/// Name and value, as a browser would send them back.
fn pair(cookies: &Cookies, name: &str, holder: Holder, json: &str) -> String {
    let times = (NOW, NOW.after(Duration::from_secs(600)));
    let set = cookies.set_temporary(name, holder, times, json).unwrap();
    set.to_str().unwrap().split(';').next().unwrap().to_owned()
}

fn opened(cookies: &Cookies, header: &str, holder: Holder) -> Vec<String> {
    let brought = cookies.brought_temporaries(&request(header));
    let opened = brought
        .iter()
        .map(|brought| cookies.open_temporary(brought, holder, NOW));
    opened.flatten().map(|(_, json)| json).collect()
}

#[test]
fn a_name_has_a_purpose_and_an_id_of_ours() {
    let cookies = cookies();
    let name = cookies.temporary_name("openid", ID).unwrap();
    assert_eq!(name, format!("__Host-temporary-openid-{ID}"));
    assert_eq!(cookies.temporary_purpose(&name), Some("openid"));
    let odd = cookies.temporary_name("a--b-", ID).unwrap();
    assert_eq!(cookies.temporary_purpose(&odd), Some("a--b-"));
    for purpose in ["", "Upper", "a b", "a_b", "ä", &"a".repeat(33), "a;", "a="] {
        assert_eq!(cookies.temporary_name(purpose, ID), None, "{purpose}");
        let name = format!("__Host-temporary-{purpose}-{ID}");
        assert_eq!(cookies.temporary_purpose(&name), None, "{name}");
    }
    for id in [
        "",
        "x",
        &ID[1..],
        &format!("{ID}A"),
        "AAECAwQFBgcICQoLDA0OD;",
        "AAECAwQFBgcICQoLDA0OD=",
        "AAECAwQFBgcICQoLDA0Oä",
    ] {
        assert_eq!(cookies.temporary_name("openid", id), None, "{id}");
    }
    for name in [
        &name[1..],
        &name.to_lowercase(),
        "__Host-temporary-",
        &format!("__Host-temporary-{ID}"),
    ] {
        assert_eq!(cookies.temporary_purpose(name), None, "{name}");
    }
}

#[test]
fn ids_are_new_and_fit_into_names() {
    let cookies = cookies();
    let [one, two] = std::array::from_fn(|_| Cookies::new_temporary_id().unwrap());
    assert_ne!(one, two);
    assert!(cookies.temporary_name("openid", &one).is_some());
}

#[test]
fn a_value_is_bound_to_name_holder_and_time() {
    let cookies = cookies();
    let holders = [Holder::Anonymous, Holder::Session(Uuid::nil())];
    let name = cookies.temporary_name("openid", ID).unwrap();
    let other = cookies.temporary_name("totp", ID).unwrap();
    for holder in holders {
        let set = pair(&cookies, &name, holder, "[1]");
        for reads in holders {
            assert_eq!(
                opened(&cookies, &set, reads).len(),
                usize::from(reads == holder)
            );
        }
        assert!(opened(&cookies, &set.replace(&name, &other), holder).is_empty());
        let late = NOW.after(Duration::from_secs(661));
        let [brought] = cookies
            .brought_temporaries(&request(&set))
            .try_into()
            .unwrap();
        assert_eq!(cookies.open_temporary(&brought, holder, late), None);
    }
}

#[test]
fn what_fits_is_known_before_it_is_sealed() {
    let cookies = cookies();
    for purpose in ["a", &"a".repeat(32)] {
        let name = cookies.temporary_name(purpose, ID).unwrap();
        let TooLarge { bytes, longest } = cookies
            .fits_temporary(&name, &"x".repeat(5000))
            .unwrap_err();
        assert_eq!(bytes, 5000);
        assert_eq!(cookies.fits_temporary(&name, &"x".repeat(longest)), Ok(()));
        assert!(
            cookies
                .fits_temporary(&name, &"x".repeat(longest + 1))
                .is_err()
        );
        let holder = Holder::Session(Uuid::max());
        let set = pair(&cookies, &name, holder, &"x".repeat(longest));
        assert!(
            (MAX_BYTES - 4..=MAX_BYTES).contains(&(set.len() - "=".len())),
            "{}",
            set.len()
        );
        assert_eq!(opened(&cookies, &set, holder).len(), 1);
    }
}

#[test]
fn a_few_are_looked_at_and_each_once() {
    let cookies = cookies();
    let name = cookies.temporary_name("openid", ID).unwrap();
    let good = pair(&cookies, &name, Holder::Anonymous, "1");
    let spelled = good.replacen('=', "=\"", 1) + "\"";
    assert_eq!(
        opened(&cookies, &format!("{good}; {spelled}"), Holder::Anonymous),
        ["1"]
    );
    assert!(opened(&cookies, &format!("{good}; {good}A"), Holder::Anonymous).is_empty());
    assert!(
        cookies
            .brought_temporaries(&request("__Host-session=x; __Host-flash=y; a=b"))
            .is_empty()
    );
    let crowd: Vec<String> = (0..1000)
        .map(|number| format!("__Host-temporary-a-{number:022}=x"))
        .collect();
    let header = format!("{good}; {}", crowd.join("; "));
    assert_eq!(
        cookies.brought_temporaries(&request(&header)).len(),
        MAX_LOOKED_AT
    );
    assert_eq!(opened(&cookies, &header, Holder::Anonymous), ["1"]);
}

proptest! {
    #[test]
    fn no_header_is_too_strange(header in "(__Host-temporary-|[a-c=; -]|[ -~]){0,80}") {
        prop_assert!(opened(&cookies(), &header, Holder::Anonymous).is_empty());
    }
}
