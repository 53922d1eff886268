//! Security stamps: what must stay as it was at sign-in, kept as a digest.

use sha2::{Digest, Sha256};

use super::value::CorruptRow;

/// The digest of the stamp of a session's account; where an administrator acts as its user, of both accounts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StampHash([u8; 32]);

/// A stamp may be the digest of a password; not even its own digest belongs into a log.
impl std::fmt::Debug for StampHash {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("StampHash(..)")
    }
}

impl StampHash {
    /// Of the stamps of these accounts, each as the list that its query found: none is an account that is gone, and `None`
    /// then. More than one stamp of an account cannot be judged.
    pub(crate) fn of<'a>(
        accounts: impl IntoIterator<Item = &'a [Option<String>]>,
    ) -> Result<Option<Self>, CorruptRow> {
        let mut digest = Sha256::new();
        for stamps in accounts {
            match stamps {
                [] => return Ok(None),
                [None] => digest.update([0]),
                [Some(stamp)] => {
                    // With its length, so that two stamps together are not two others.
                    digest.update([1]);
                    digest.update((stamp.len() as u64).to_be_bytes());
                    digest.update(stamp);
                }
                _ => return Err(CorruptRow),
            }
        }
        Ok(Some(Self(digest.finalize().into())))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether this is what the session's row has. A session from before there were stamps has none: nothing is known of
    /// the account that it was made for, so it is over.
    pub(crate) fn is(&self, column: Option<&[u8]>) -> bool {
        column == Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::StampHash;

    fn of(accounts: &[&[Option<&str>]]) -> Result<Option<StampHash>, super::CorruptRow> {
        let lists: Vec<Vec<_>> = accounts
            .iter()
            .map(|stamps| {
                stamps
                    .iter()
                    .map(|stamp| stamp.map(str::to_owned))
                    .collect()
            })
            .collect();
        StampHash::of(lists.iter().map(Vec::as_slice))
    }

    #[test]
    fn what_differs_has_another_digest() {
        let stamps: [&[&[Option<&str>]]; 8] = [
            &[&[None]],
            &[&[Some("")]],
            &[&[Some("a")]],
            &[&[Some("ab")]],
            &[&[Some("a")], &[Some("b")]],
            &[&[Some("b")], &[Some("a")]],
            &[&[Some("ab")], &[Some("")]],
            &[&[Some("ab")], &[None]],
        ];
        for (number, one) in stamps.iter().enumerate() {
            for (other_number, other) in stamps.iter().enumerate() {
                let same = of(one).unwrap() == of(other).unwrap();
                assert_eq!(same, number == other_number, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn an_account_that_is_gone_has_none() {
        assert_eq!(of(&[&[]]), Ok(None));
        assert_eq!(of(&[&[Some("a")], &[]]), Ok(None));
        assert!(of(&[&[Some("a"), Some("a")]]).is_err());
    }

    #[test]
    fn only_the_same_digest_is_the_same() {
        let stamp = of(&[&[Some("a")]]).unwrap().unwrap();
        assert!(stamp.is(Some(&stamp.as_bytes()[..])));
        assert!(!stamp.is(None) && !stamp.is(Some(&[])) && !stamp.is(Some(&[0; 32])));
    }
}
