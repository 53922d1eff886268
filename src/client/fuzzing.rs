//! What the fuzz target `forwarded` calls in this module.

use super::*;

/// Treats every line as a header that a client sent, to which a trusted proxy appends. Whatever the line holds, the
/// result must be the address that the proxy saw.
pub fn forwarded(data: &[u8]) {
    for (header, appended) in [
        (ForwardedHeader::XForwardedFor, ", 198.51.100.7"),
        (ForwardedHeader::Forwarded, ", for=198.51.100.7"),
        (
            ForwardedHeader::Forwarded,
            ",for=\"198.51.100.7:9\";host=\"a, \\\"b\"",
        ),
    ] {
        let policy = ClientPolicy::new(["10.0.0.0/8"], header).expect("the network is valid");
        let observe = |data: &[u8]| {
            let lines = data.split(|byte| *byte == b'\n');
            let values = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
            let mut headers: HeaderMap = values.map(|value| (header.name(), value)).collect();
            if let Ok(value) = HeaderValue::from_bytes(data) {
                headers.insert(USER_AGENT, value);
            }
            policy.observe(Some(SocketAddr::from(([10, 0, 0, 1], 80))), &headers)
        };
        let observed = observe(data);
        let address = policy.address(&observed).expect("the peer is known");
        assert_eq!(address, address.to_canonical());
        if let Some(kept) = policy.user_agent(&observed) {
            assert!(!kept.is_empty() && kept.len() <= MAX_USER_AGENT_BYTES);
            assert!(!kept.contains(char::is_control));
        }

        let last_line = data
            .rsplit(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        if HeaderValue::from_bytes(last_line).is_ok() {
            let observed = observe(&[data, appended.as_bytes()].concat());
            let expected = IpAddr::from([198, 51, 100, 7]);
            assert_eq!(
                policy.address(&observed),
                Some(expected),
                "a client chose its own address"
            );
        }
    }
}
