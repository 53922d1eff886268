use proptest::prelude::*;

use super::*;

const NOW: Moment = Moment::from_seconds(1_795_629_000);

fn message(level: FlashLevel, text: impl Into<String>) -> Waiting {
    let text = text.into();
    Waiting::from(FlashMessage { level, text }, NOW)
}

fn from_text(text: &str) -> Vec<Waiting> {
    super::from_text(text, NOW)
}

fn info(text: impl Into<String>) -> Waiting {
    message(FlashLevel::Info, text)
}

#[test]
fn the_layout_is_kept() {
    let messages = [info("one"), message(FlashLevel::Error, "\"two\"\n")];
    let text = r#"2[["info","one",1795629600],["error","\"two\"\n",1795629600]]"#;
    assert_eq!(to_text(&messages, 4096).as_deref(), Some(text));
    assert_eq!(from_text(text), messages);
}

#[test]
fn every_level_comes_back() {
    let messages = FlashLevel::ALL.map(|level| message(level, level.to_string()));
    let text = to_text(&messages, 4096).unwrap();
    assert_eq!(from_text(&text), messages);
    assert_eq!(
        FlashLevel::ALL.map(FlashLevel::as_str),
        ["info", "success", "warning", "error"]
    );
    assert_eq!(format!("{:>8}", FlashLevel::Info), "    info");
}

#[test]
fn what_cannot_be_read_is_no_message() {
    for text in [
        "",
        "2",
        "3[]",
        "[]",
        "2[",
        "2{}",
        "2null",
        "2[[\"info\"]]",
        "2[[\"info\",1,1795629600]]",
        "2[[\"info\",\"a\"]]",
        "2[[\"info\",\"a\",\"1795629600\"]]",
        "2[[\"info\",\"a\",-1]]",
        "2[[\"info\",\"a\",1795629600.0]]",
        "2[[\"info\",\"a\",99999999999999999999]]",
        "2[[\"info\",\"a\",1795629600,\"b\"]]",
        "2[[\"info\",\"a\",1795629600]",
        "2[[\"info\",\"a\",1795629600]]]",
        "2[[\"info\",\"\\ud800\",1795629600]]",
        "2[[[[[[[[",
        "２[]",
        // Of an older release, with no time to end.
        "1[[\"info\",\"a\"]]",
    ] {
        assert_eq!(from_text(text), [], "{text:?}");
    }
    let nested = format!("2{}", "[".repeat(100_000));
    assert_eq!(from_text(&nested), []);
}

#[test]
fn a_message_waits_for_its_own_time() {
    let early = info("early");
    let later = NOW.after(Duration::from_secs(300));
    let late = Waiting::from(info("late").message, later);
    let text = to_text(&[early.clone(), late.clone()], 4096).unwrap();
    let at = |seconds| super::from_text(&text, NOW.after(Duration::from_secs(seconds)));
    assert_eq!(at(300), [early, late.clone()]);
    // Going out again with a newer one has not lengthened it.
    assert_eq!(at(700), [late]);
    assert_eq!(at(1000), []);
}

#[test]
fn an_unknown_level_takes_no_other_message_with_it() {
    assert_eq!(
        from_text(
            r#"2[["info","a",1795629600],["debug","b",1795629600],["INFO","c",1795629600],["info","d",1795629600]]"#
        ),
        [info("a"), info("d")]
    );
}

#[test]
fn the_oldest_messages_give_way() {
    let messages: Vec<_> = (0..1000)
        .map(|number| info(format!("message {number}")))
        .collect();
    let text = to_text(&messages, 300).unwrap();
    assert!(text.len() <= 300);
    let kept = from_text(&text);
    assert!(kept.len() > 5);
    assert_eq!(kept, messages[messages.len() - kept.len()..]);
    // One more would not have fitted.
    let one_more = &messages[messages.len() - kept.len() - 1..];
    assert!(to_text(one_more, usize::MAX).unwrap().len() > 300);
}

#[test]
fn the_bound_is_used_to_the_last_byte() {
    let messages = [info("older"), info("newer")];
    let whole = to_text(&messages, usize::MAX).unwrap();
    assert_eq!(to_text(&messages, whole.len()), Some(whole.clone()));
    assert_eq!(
        from_text(&to_text(&messages, whole.len() - 1).unwrap()),
        [info("newer")]
    );
}

#[test]
fn a_long_old_message_goes_and_the_new_one_stays_whole() {
    let messages = [info("first"), info("x".repeat(10_000)), info("last")];
    assert_eq!(from_text(&to_text(&messages, 300).unwrap()), [info("last")]);
}

#[test]
fn a_single_message_that_is_too_long_is_cut_where_a_character_ends() {
    fn check(character: char, longest: usize, expected: usize) {
        let text = to_text(&[info(character.to_string().repeat(100_000))], longest).unwrap();
        assert!(text.len() <= longest);
        assert_eq!(
            from_text(&text),
            [info(character.to_string().repeat(expected))],
            "{character:?}"
        );
    }
    let frame = r#"2[["info","",1795629600]]"#.len();
    check('x', frame + 10, 10);
    check('é', frame + 10, 5);
    check('é', frame + 11, 5);
    check('€', frame + 11, 3);
    check('🦀', frame + 11, 2);
    check('"', frame + 11, 5); // two bytes once it is escaped
    check('\0', frame + 11, 1); // six
}

#[test]
fn nothing_is_written_when_nothing_fits() {
    let frame = r#"2[["info","",1795629600]]"#.len();
    assert_eq!(to_text(&[], 4096), None);
    assert_eq!(to_text(&[info("text")], 0), None);
    assert_eq!(to_text(&[info("text")], frame), None);
    assert_eq!(to_text(&[info("\0")], frame + 5), None);
    assert_eq!(
        from_text(&to_text(&[info("text")], frame + 1).unwrap()),
        [info("t")]
    );
}

proptest! {
    #[test]
    fn messages_round_trip_within_the_bound(texts in prop::collection::vec(".{0,40}|\\PC{0,400}", 0..12), longest in 0_usize..600) {
        let messages: Vec<_> = texts.into_iter().map(info).collect();
        let Some(text) = to_text(&messages, longest) else { return Ok(()) };
        prop_assert!(text.len() <= longest);
        let kept = from_text(&text);
        prop_assert!(!kept.is_empty());
        let newest = messages.last().unwrap();
        match kept.as_slice() {
            [only] if only != newest => prop_assert!(newest.message.text.starts_with(&only.message.text)),
            _ => prop_assert_eq!(&kept, &messages[messages.len() - kept.len()..]),
        }
    }

    #[test]
    fn no_text_is_too_strange(text: String) {
        let _ = from_text(&text);
        let _ = from_text(&format!("2{text}"));
    }
}
