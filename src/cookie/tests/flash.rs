use super::*;

#[test]
fn flash_messages_come_back_and_fill_one_cookie_at_most() {
    let cookies = cookies();
    let few = [
        info("Welcome"),
        waiting(FlashLevel::Error, "<b>\"ü\"</b>\n"),
    ];
    assert_eq!(
        flash_of(
            &cookies,
            &request(pair(&set_flash(&cookies, &few).unwrap()))
        ),
        few
    );

    for many in [
        (0..500)
            .map(|number| info(format!("message {number}")))
            .collect::<Vec<_>>(),
        vec![info("🦀".repeat(5000))],
        vec![info("\0".repeat(5000))],
        vec![info("x".repeat(1_000_000)), info("last")],
    ] {
        let set = pair(&set_flash(&cookies, &many).unwrap());
        assert!(set.len() - "=".len() <= MAX_BYTES, "{}", set.len());
        let kept = flash_of(&cookies, &request(set));
        assert!(
            many.last()
                .unwrap()
                .message
                .text
                .starts_with(&kept.last().unwrap().message.text)
        );
        assert!(!kept.last().unwrap().message.text.is_empty());
    }
    let long = pair(&set_flash(&cookies, &[info("x".repeat(10_000))]).unwrap());
    assert!(
        long.len() > MAX_BYTES - 8,
        "the room is used: {}",
        long.len()
    );
    assert_eq!(set_flash(&cookies, &[]), None);
}

#[test]
fn a_flash_that_cannot_be_read_is_no_flash_but_can_be_removed() {
    let cookies = cookies();
    let one = pair(&set_flash(&cookies, &[info("one")]).unwrap());
    let two = pair(&set_flash(&cookies, &[info("two")]).unwrap());
    let too_long = format!("__Host-flash={}", "A".repeat(5000));
    let check = |header: &str, messages: &[Waiting], has_flash: bool| {
        let headers = request(header);
        assert_eq!(flash_of(&cookies, &headers), messages, "{header}");
        assert_eq!(cookies.raw_flash(&headers).is_some(), has_flash, "{header}");
    };
    check(&one, &[info("one")], true);
    check(&format!("{one}; {one}"), &[info("one")], true);
    check(&format!("{one}; {two}"), &[], true);
    check(
        &format!("{}\"", one.replace('=', "=\"")),
        &[info("one")],
        true,
    );
    check(&one[..one.len() - 4], &[], true);
    check("__Host-flash=x", &[], true);
    check(&too_long, &[], true);
    check("__Host-flash=", &[], false);
    check("a=b", &[], false);
    check("__host-flash=x", &[], false);
    assert_eq!(cookies.raw_flash(&request(&too_long)), Some(Vec::new()));
}

#[test]
fn messages_are_for_one_holder_and_for_ten_minutes() {
    let cookies = cookies();
    let [alice, bob] = [1, 2].map(|number| Holder::Session(uuid::Uuid::from_u128(number)));
    for holder in [alice, Holder::Anonymous] {
        let set = pair(&cookies.set_flash(&[info("one")], holder).unwrap());
        let raw = cookies.raw_flash(&request(set)).unwrap();
        let seen = |holder, seconds| {
            let now = NOW.after(Duration::from_secs(seconds));
            !cookies.decode_flash(&raw, holder, now).is_empty()
        };
        for other in [alice, bob, Holder::Anonymous] {
            assert_eq!(seen(other, 0), other == holder, "{holder:?} {other:?}");
        }
        assert!(seen(holder, 600));
        assert!(!seen(holder, 661));
    }
}

#[test]
fn messages_for_the_longest_holder_fit_as_well() {
    let cookies = cookies();
    let holder = Holder::Session(uuid::Uuid::max());
    let set = pair(
        &cookies
            .set_flash(&[info("x".repeat(10_000))], holder)
            .unwrap(),
    );
    let length = set.len() - "=".len();
    assert!((MAX_BYTES - 8..=MAX_BYTES).contains(&length), "{length}");
}
