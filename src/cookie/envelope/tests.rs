use proptest::prelude::*;

use super::*;

const LIFETIME: Duration = Duration::from_secs(600);
const NOW: Moment = Moment(1_795_629_000);
const ID: Uuid = Uuid::from_u128(0x0190_f3c5_7a1b_7c3d_8e4f_a1b2_c3d4_e5f6);

#[test]
fn the_layout_is_kept() {
    let expires_at = NOW.after(LIFETIME);
    for (holder, text) in [
        (Holder::Anonymous, "11795629600 - body"),
        (
            Holder::Session(ID),
            "11795629600 0190f3c57a1b7c3d8e4fa1b2c3d4e5f6 body",
        ),
    ] {
        assert_eq!(to_text(holder, expires_at, "body"), text);
        assert_eq!(head_length(holder, expires_at), text.len() - "body".len());
        assert_eq!(body_of(text, holder, NOW, LIFETIME), Some("body"));
    }
}

#[test]
fn it_counts_for_its_holder_alone() {
    let holders = [
        Holder::Anonymous,
        Holder::Session(ID),
        Holder::Session(Uuid::from_u128(1)),
    ];
    for writes in holders {
        let text = to_text(writes, NOW, "body");
        for reads in holders {
            let body = body_of(&text, reads, NOW, LIFETIME);
            assert_eq!(body.is_some(), writes == reads, "{writes:?} {reads:?}");
        }
    }
}

#[test]
fn it_counts_for_its_time_and_the_difference_of_clocks() {
    let text = to_text(Holder::Anonymous, NOW.after(LIFETIME), "body");
    let counts_at =
        |seconds| body_of(&text, Holder::Anonymous, Moment(seconds), LIFETIME).is_some();
    let (begin, end, skew) = (NOW.0, NOW.0 + 600, SKEW.as_secs());
    for (seconds, expected) in [
        (begin - skew - 1, false), // from a future that no clock of ours has
        (begin - skew, true),
        (begin, true),
        (end, true),
        (end + skew - 1, true),
        (end + skew, false),
        (0, false),
        (u64::MAX, false),
    ] {
        assert_eq!(counts_at(seconds), expected, "{seconds}");
    }
    let forever = to_text(Holder::Anonymous, Moment(u64::MAX), "body");
    assert_eq!(body_of(&forever, Holder::Anonymous, NOW, LIFETIME), None);
}

#[test]
fn anything_else_is_nothing() {
    for text in [
        "",
        "1",
        "1 ",
        "1  ",
        "2 1795629600 - body",
        "21795629600 - body",
        "11795629600 -",
        "11795629600  body",
        "11795629600 x body",
        "1x - body",
        "1-1 - body",
        "199999999999999999999 - body",
        "1[[\"info\",\"one\"]]", // a message as an older release wrote it
    ] {
        assert_eq!(
            body_of(text, Holder::Anonymous, NOW, LIFETIME),
            None,
            "{text:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_body_comes_back(body: String, id: Option<u128>) {
        let holder = id.map_or(Holder::Anonymous, |id| Holder::Session(Uuid::from_u128(id)));
        let text = to_text(holder, NOW, &body);
        prop_assert_eq!(body_of(&text, holder, NOW, LIFETIME), Some(body.as_str()));
    }

    #[test]
    fn no_text_is_too_strange(text: String) {
        let _ = body_of(&text, Holder::Anonymous, NOW, LIFETIME);
        let _ = body_of(&format!("1{text}"), Holder::Anonymous, NOW, LIFETIME);
    }
}
