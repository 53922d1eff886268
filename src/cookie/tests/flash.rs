use super::*;

#[test]
fn flash_messages_come_back_and_fill_one_cookie_at_most() {
    let cookies = cookies();
    let few = [
        info("Welcome"),
        FlashMessage {
            level: FlashLevel::Error,
            text: "<b>\"ü\"</b>\n".into(),
        },
    ];
    assert_eq!(
        cookies.flash(&request(pair(&cookies.set_flash(&few).unwrap()))),
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
        let set = pair(&cookies.set_flash(&many).unwrap());
        assert!(set.len() - "=".len() <= MAX_BYTES, "{}", set.len());
        let kept = cookies.flash(&request(set));
        assert!(
            many.last()
                .unwrap()
                .text
                .starts_with(&kept.last().unwrap().text)
        );
        assert!(!kept.last().unwrap().text.is_empty());
    }
    let long = pair(&cookies.set_flash(&[info("x".repeat(10_000))]).unwrap());
    assert!(
        long.len() > MAX_BYTES - 8,
        "the room is used: {}",
        long.len()
    );
    assert_eq!(cookies.set_flash(&[]), None);
}

#[test]
fn a_flash_that_cannot_be_read_is_no_flash_but_can_be_removed() {
    let cookies = cookies();
    let one = pair(&cookies.set_flash(&[info("one")]).unwrap());
    let two = pair(&cookies.set_flash(&[info("two")]).unwrap());
    let too_long = format!("__Host-flash={}", "A".repeat(5000));
    let check = |header: &str, messages: &[FlashMessage], has_flash: bool| {
        let headers = request(header);
        assert_eq!(cookies.flash(&headers), messages, "{header}");
        assert_eq!(cookies.raw_flash(&headers).is_some(), has_flash, "{header}");
        let lazily = cookies
            .raw_flash(&headers)
            .map(|value| cookies.decode_flash(&value))
            .unwrap_or_default();
        assert_eq!(lazily, messages, "{header}");
    };
    check(&one, &[info("one")], true);
    check(&format!("{one}; {one}"), &[info("one")], true);
    check(&format!("{one}; {two}"), &[], true);
    check(&one[..one.len() - 4], &[], true);
    check("__Host-flash=x", &[], true);
    check(&too_long, &[], true);
    check("__Host-flash=", &[], false);
    check("a=b", &[], false);
    check("__host-flash=x", &[], false);
    assert_eq!(cookies.raw_flash(&request(&too_long)), Some(Vec::new()));
}
