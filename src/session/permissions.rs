//! The user's permissions, as read for this request.

use std::sync::Arc;

/// A set of permissions such as `articles:edit`, read again for every request.
///
/// It is cheap to clone. Names must match byte for byte: there are no wildcards and no hierarchy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(Arc<[String]>);

impl Permissions {
    /// Whether the set contains this permission.
    #[must_use]
    pub fn contains(&self, permission: &str) -> bool {
        self.0
            .binary_search_by(|held| held.as_str().cmp(permission))
            .is_ok()
    }

    /// All permissions, sorted and without duplicates.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The number of permissions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<S: Into<String>> FromIterator<S> for Permissions {
    fn from_iter<I: IntoIterator<Item = S>>(permissions: I) -> Self {
        let mut all: Vec<String> = permissions.into_iter().map(Into::into).collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Permissions;

    #[test]
    fn they_are_a_sorted_set() {
        let permissions: Permissions = ["b", "a", "b"].into_iter().collect();
        assert_eq!(permissions.iter().collect::<Vec<_>>(), ["a", "b"]);
        assert!(
            permissions.contains("a") && !permissions.contains("A") && !permissions.contains("ab")
        );
        assert!(Permissions::default().is_empty());
    }
}
