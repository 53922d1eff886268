//! The `Forwarded` header.

use super::*;

#[track_caller]
fn check_forwarded(line: &str, expected: &str) {
    check_lines(ForwardedHeader::Forwarded, "10.0.0.1", &[line], expected);
}

#[test]
fn the_examples_of_rfc_7239_are_read() {
    check_forwarded("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60");
    check_forwarded("For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17");
    check_forwarded("for=192.0.2.43, for=198.51.100.17", "198.51.100.17");
    check_forwarded(
        "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
        "10.0.0.1",
    );
    check_forwarded("for=_SEVKISEK, for=10.0.0.2", "10.0.0.2");
    check_forwarded("for=\"_gazonk\"", "10.0.0.1");
    check_forwarded("for=\"192.0.2.43:47011\"", "192.0.2.43");
}

#[test]
fn forwarded_elements_are_read_from_the_right() {
    check_forwarded(
        "for=6.6.6.6, for=198.51.100.7;proto=https, for=10.0.0.2",
        "198.51.100.7",
    );
    check_forwarded("proto=https;FOR=198.51.100.7", "198.51.100.7");
    check_forwarded("for=198.51.100.7:443", "198.51.100.7");
    check_forwarded("for=[2001:db8::7]:443 ; proto=https ;", "2001:db8::7");
    check_forwarded(";;for=198.51.100.7;;", "198.51.100.7");
    check_lines(
        ForwardedHeader::Forwarded,
        "10.0.0.1",
        &["for=6.6.6.6", "for=198.51.100.7", "for=10.0.0.2"],
        "198.51.100.7",
    );
}

#[test]
fn an_empty_element_is_no_hop() {
    for line in [
        "for=198.51.100.7,",
        "for=198.51.100.7, , for=10.0.0.2",
        ", ,for=198.51.100.7,\t,",
        r#"for=6.6.6.6,,for=198.51.100.7;host="a,,b", "#,
    ] {
        check_forwarded(line, "198.51.100.7");
    }
    check_forwarded("", "10.0.0.1");
    check_forwarded(", ,", "10.0.0.1");
}

#[test]
fn a_port_may_be_hidden_behind_a_name() {
    check_forwarded("for=\"192.0.2.43:_obf\"", "192.0.2.43");
    check_forwarded("for=\"[2001:db8::7]:_obf\"", "2001:db8::7");
    check_forwarded("for=\"192.0.2.43:_A.b-c_9\"", "192.0.2.43");
    check_forwarded("for=192.0.2.43:_obf;proto=https", "192.0.2.43");
    check_forwarded(
        "for=198.51.100.7, for=\"[::ffff:10.0.0.3]:_a\", for=\"10.0.0.2:_b\"",
        "198.51.100.7",
    );
}

#[test]
fn quoted_strings_hide_neither_commas_nor_addresses() {
    check_forwarded(r#"for=198.51.100.7;host="a, for=6.6.6.6""#, "198.51.100.7");
    check_forwarded(r#"for=198.51.100.7;host="a;for=6.6.6.6""#, "198.51.100.7");
    check_forwarded(
        r#"for=198.51.100.7;host="a\", for=6.6.6.6;x=\"""#,
        "198.51.100.7",
    );
    check_forwarded(
        r#"for=198.51.100.7;host="a\\", for=10.0.0.2"#,
        "198.51.100.7",
    );
    check_forwarded(
        r#"host="a, b";for=198.51.100.7, for=10.0.0.2;host="c, d""#,
        "198.51.100.7",
    );
    // A client's open quote cannot swallow what the proxy appended.
    check_forwarded(r#"for=", for=198.51.100.7"#, "198.51.100.7");
    check_forwarded(r#"for=", for="[2001:db8::7]""#, "2001:db8::7");
    check_forwarded(
        r#"for="6.6.6.6, for="198.51.100.7", for="10.0.0.2""#,
        "198.51.100.7",
    );
    check_forwarded(r#"for=\", for=198.51.100.7"#, "198.51.100.7");
}

#[test]
fn a_malformed_element_ends_the_search() {
    for element in [
        ";",
        "\"\"",
        "for",
        "for=",
        "for=\"\"",
        "=1.2.3.4",
        "proto=https",
        "for=1.2.3.4;for=5.6.7.8",
        "for=1.2.3.4 proto=https",
        "for=\"1.2.3.4\"x",
        "for=\"1.2.3.4",
        "for=1.2.3.4\"",
        "for=\"1\\.2.3.4\"",
        "for =1.2.3.4",
        "for= 1.2.3.4",
        "for=1.2.3.4;proto",
        "for=1.2.3.4;\"x\"=y",
        "xfor=1.2.3.4",
        "for=unknown",
        "for=_x",
        "\"for\"=1.2.3.4",
        "1.2.3.4",
        "for=1.2.3.4;x=a\\b",
        "for=1.2.3.4;x=a\"b\"",
        // Names of ports that are none, and addresses without a place for one.
        "for=\"1.2.3.4:_\"",
        "for=\"1.2.3.4:obf\"",
        "for=\"1.2.3.4:_a b\"",
        "for=\"1.2.3.4:_a:80\"",
        "for=\"1.2.3.4:80:_a\"",
        "for=\"1.2.3.4:_ä\"",
        "for=\"2001:db8::1:_a\"",
        "for=\"[2001:db8::1:_a\"",
        "for=\"[1.2.3.4]:_a\"",
        "for=\":_a\"",
        "for=\"unknown:_a\"",
        "for=\"_x:_a\"",
        r#"for="1.2.3.4\""#,
        r#"for=\"1.2.3.4\""#,
    ] {
        let policy = policy(ForwardedHeader::Forwarded);
        let observed = observe(
            &policy,
            "10.0.0.1",
            &["for=6.6.6.6", element, "for=10.0.0.2"],
        );
        assert_eq!(
            policy.address(&observed),
            Some("10.0.0.2".parse().unwrap()),
            "{element:?}"
        );
    }
}
