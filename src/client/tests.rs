use proptest::prelude::*;

use super::*;

mod rfc7239;
mod user_agent;

fn policy(header: ForwardedHeader) -> ClientPolicy {
    ClientPolicy::new(["10.0.0.0/8", "127.0.0.1", "::1", "fd00::/8"], header).unwrap()
}

fn observe(policy: &ClientPolicy, peer: &str, lines: &[&str]) -> Observed {
    let name = policy.header.name();
    let headers = lines.iter().map(|line| {
        (
            name.clone(),
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        )
    });
    policy.observe(
        Some(SocketAddr::new(peer.parse().unwrap(), 4711)),
        &headers.collect(),
    )
}

#[track_caller]
fn check_lines(header: ForwardedHeader, peer: &str, lines: &[&str], expected: &str) {
    let policy = policy(header);
    let address = policy.address(&observe(&policy, peer, lines));
    assert_eq!(address, Some(expected.parse().unwrap()), "{peer} {lines:?}");
}

#[track_caller]
fn check_x(peer: &str, line: &str, expected: &str) {
    check_lines(ForwardedHeader::XForwardedFor, peer, &[line], expected);
}

#[test]
fn the_peer_is_the_client_unless_it_is_a_trusted_proxy() {
    check_x("203.0.113.9", "6.6.6.6", "203.0.113.9");
    check_x("203.0.113.9", "6.6.6.6, 10.0.0.2", "203.0.113.9");
    check_x("2001:db8::9", "6.6.6.6", "2001:db8::9");
    check_x("127.0.0.2", "6.6.6.6", "127.0.0.2");
    check_lines(ForwardedHeader::XForwardedFor, "10.0.0.1", &[], "10.0.0.1");
    for peer in ["10.0.0.1", "127.0.0.1", "::1", "fd00::1", "::ffff:10.0.0.1"] {
        check_x(peer, "198.51.100.7", "198.51.100.7");
    }
}

#[test]
fn without_trusted_proxies_nothing_is_believed_or_kept() {
    let policy = ClientPolicy::default();
    let observed = observe(&policy, "127.0.0.1", &["198.51.100.7"]);
    assert_eq!(
        policy.address(&observed),
        Some("127.0.0.1".parse().unwrap())
    );
    assert!(observed.forwarded.is_empty());
}

#[test]
fn without_a_peer_there_is_no_address() {
    let policy = policy(ForwardedHeader::XForwardedFor);
    let headers =
        HeaderMap::from_iter([(X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.7"))]);
    assert_eq!(policy.address(&policy.observe(None, &headers)), None);
}

#[test]
fn the_rightmost_untrusted_hop_is_the_client() {
    check_x(
        "10.0.0.1",
        "198.51.100.7, 10.0.0.3, 10.0.0.2",
        "198.51.100.7",
    );
    check_x("10.0.0.1", "6.6.6.6, 198.51.100.7", "198.51.100.7");
    check_x(
        "10.0.0.1",
        "127.0.0.1, 10.9.9.9, 198.51.100.7, fd00::2",
        "198.51.100.7",
    );
    check_x("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"); // trusted all the way
    check_x("10.0.0.1", "198.51.100.7,10.0.0.2", "198.51.100.7");
    check_x("10.0.0.1", " \t198.51.100.7\t ,\t10.0.0.2 ", "198.51.100.7");
}

#[test]
fn several_lines_are_one_list() {
    let check = |lines: &[&str], expected: &str| {
        check_lines(ForwardedHeader::XForwardedFor, "10.0.0.1", lines, expected);
    };
    check(&["6.6.6.6", "198.51.100.7"], "198.51.100.7");
    check(
        &["6.6.6.6", "198.51.100.7", "10.0.0.3, 10.0.0.2"],
        "198.51.100.7",
    );
    check(&["6.6.6.6, 198.51.100.7", "10.0.0.2"], "198.51.100.7");
    check(&["198.51.100.7", "", "10.0.0.2"], "198.51.100.7");
}

#[test]
fn ports_brackets_and_mapped_addresses_are_understood() {
    check_x("10.0.0.1", "198.51.100.7:443", "198.51.100.7");
    check_x("10.0.0.1", "2001:db8::7", "2001:db8::7");
    check_x("10.0.0.1", "[2001:db8::7]", "2001:db8::7");
    check_x("10.0.0.1", "[2001:db8::7]:443", "2001:db8::7");
    check_x("10.0.0.1", "2001:DB8:0::7", "2001:db8::7");
    check_x("10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7");
    check_x(
        "10.0.0.1",
        "198.51.100.7, [::ffff:10.0.0.2]:80",
        "198.51.100.7",
    );
    check_x("::ffff:203.0.113.9", "6.6.6.6", "203.0.113.9");
}

#[test]
fn an_empty_element_is_no_hop() {
    for line in [
        "198.51.100.7,",
        "198.51.100.7, ",
        "198.51.100.7,,",
        "198.51.100.7,\t, \t ,",
        "198.51.100.7, , 10.0.0.2",
        ",198.51.100.7,10.0.0.3,,10.0.0.2,",
        "6.6.6.6, , 198.51.100.7,",
    ] {
        check_x("10.0.0.1", line, "198.51.100.7");
    }
    for line in ["", " ", ",", ",,, ,\t,"] {
        check_x("10.0.0.1", line, "10.0.0.1");
    }
}

#[test]
fn a_hop_that_is_no_address_ends_the_search() {
    for hop in [
        "unknown",
        "_hidden",
        "localhost",
        "1.2.3.4:_hidden", // of `Forwarded` alone
        ":_hidden",
        "1.2.3",
        "01.2.3.4",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.4:",
        "1.2.3.4:99999",
        "[2001:db8::7",
        "2001:db8::7]",
        "[1.2.3.4]",
        "fe80::1%eth0",
        "1.2.3.4 5.6.7.8",
        "\"1.2.3.4\"",
        "1.2.3.4;",
        "é",
        "0x7f.1",
    ] {
        check_x("10.0.0.1", &format!("6.6.6.6, {hop}"), "10.0.0.1");
        check_x("10.0.0.1", &format!("6.6.6.6, {hop}, 10.0.0.2"), "10.0.0.2");
        check_x(
            "10.0.0.1",
            &format!("{hop}, 198.51.100.7, 10.0.0.2"),
            "198.51.100.7",
        );
    }
    let policy = policy(ForwardedHeader::XForwardedFor);
    let headers = HeaderMap::from_iter([(
        X_FORWARDED_FOR,
        HeaderValue::from_bytes(b"6.6.6.6, \xff").unwrap(),
    )]);
    let observed = policy.observe(Some(SocketAddr::from(([10, 0, 0, 1], 80))), &headers);
    assert_eq!(policy.address(&observed), Some("10.0.0.1".parse().unwrap()));
}

#[test]
fn the_header_that_is_not_configured_is_not_read() {
    let headers = HeaderMap::from_iter([
        (X_FORWARDED_FOR, HeaderValue::from_static("198.51.100.7")),
        (FORWARDED, HeaderValue::from_static("for=198.51.100.8")),
    ]);
    let peer = Some(SocketAddr::from(([10, 0, 0, 1], 80)));
    for (header, expected) in [
        (ForwardedHeader::XForwardedFor, "198.51.100.7"),
        (ForwardedHeader::Forwarded, "198.51.100.8"),
    ] {
        let policy = policy(header);
        assert_eq!(
            policy.address(&policy.observe(peer, &headers)),
            Some(expected.parse().unwrap())
        );
    }
    assert_eq!(ForwardedHeader::default(), ForwardedHeader::XForwardedFor);
}

#[test]
fn trusted_proxies_are_addresses_and_networks() {
    fn check(proxy: &str, inside: &str, outside: &str) {
        let policy = ClientPolicy::new([proxy], ForwardedHeader::default()).unwrap();
        let is_trusted =
            |address: &str| policy.is_trusted(address.parse::<IpAddr>().unwrap().to_canonical());
        assert!(is_trusted(inside) && !is_trusted(outside), "{proxy}");
    }
    check("127.0.0.1", "127.0.0.1", "127.0.0.2");
    check("::1", "::1", "::2");
    check("10.0.0.0/8", "10.255.255.255", "11.0.0.0");
    check("10.1.2.3/8", "10.9.9.9", "11.0.0.0");
    check("fd00::/8", "fdff::1", "fe00::1");
    check(" 10.0.0.0/8 ", "10.0.0.1", "11.0.0.0");
    check("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2");
    check("::ffff:192.0.2.0/120", "::ffff:192.0.2.9", "192.0.3.1");
    check("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1");
    check("0.0.0.0/0", "198.51.100.7", "2001:db8::1");
}

#[test]
fn a_trusted_proxy_that_is_none_is_named() {
    for input in [
        "",
        "localhost",
        "10.0.0.0/33",
        "10.0.0",
        "10.0.0.0/",
        "::/129",
        "[::1]",
        "127.0.0.1:80",
        "10.0.0.0-10.0.0.9",
    ] {
        let error =
            ClientPolicy::new(["127.0.0.1", input], ForwardedHeader::default()).unwrap_err();
        assert_eq!(
            error,
            TrustedProxyError {
                input: input.to_owned()
            }
        );
        assert!(error.to_string().contains(&format!("{input:?}")), "{error}");
    }
}

proptest! {
    #[test]
    fn no_header_is_too_strange(line in "[ -~\t]{0,80}|([0-9.:,;=\" \\\\]|for=|10\\.0\\.0\\.2){0,24}") {
        for header in [ForwardedHeader::XForwardedFor, ForwardedHeader::Forwarded] {
            let policy = policy(header);
            let address = policy.address(&observe(&policy, "10.0.0.1", &[&line])).unwrap();
            prop_assert_eq!(address, address.to_canonical());
        }
    }

    #[test]
    fn whatever_a_client_sends_its_address_is_the_one_the_proxy_saw(forged in "([ -~]|for=|\"|,|\\\\){0,40}") {
        for (header, appended) in [
            (ForwardedHeader::XForwardedFor, "198.51.100.7"),
            (ForwardedHeader::XForwardedFor, "198.51.100.7, [fd00::2]:80"),
            (ForwardedHeader::Forwarded, "for=198.51.100.7"),
            (ForwardedHeader::Forwarded, "for=\"198.51.100.7:9\";host=\"a, \\\"b\", for=\"[fd00::2]\""),
        ] {
            let policy = policy(header);
            let line = format!("{forged}, {appended}");
            let address = policy.address(&observe(&policy, "10.0.0.1", &[&line]));
            prop_assert_eq!(address, Some("198.51.100.7".parse().unwrap()), "{}", line);
        }
    }
}
