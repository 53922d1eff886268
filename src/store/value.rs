//! What crosses the driver seam: parameters in, rows out.

use uuid::Uuid;

use crate::token::TokenHash;

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) enum Bind {
    Int(i64),
    Text(String),
    MaybeText(Option<String>),
    MaybeBytes(Option<Vec<u8>>),
    Hash(TokenHash),
    Hashes(Vec<TokenHash>),
    Uuids(Vec<Uuid>),
}

impl Bind {
    /// How many values a list has; one for anything else.
    pub(crate) fn list_length(&self) -> usize {
        match self {
            Self::Hashes(list) => list.len(),
            Self::Uuids(list) => list.len(),
            _ => 1,
        }
    }
}

impl From<Uuid> for Bind {
    fn from(id: Uuid) -> Self {
        Self::Text(id.to_string())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CellKind {
    Int,
    Text,
    Bytes,
    /// The id of a session.
    Id,
    /// A list: an array where the database has them, otherwise JSON.
    Texts,
}

#[derive(Debug)]
#[cfg_attr(countersign_benches, derive(Clone))]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Id(Uuid),
    Texts(Vec<Option<String>>),
    /// Not what the statement promised. It spoils its own row and no other.
    Unreadable,
}

#[derive(Debug)]
#[cfg_attr(countersign_benches, derive(Clone))]
pub(crate) struct Row(Vec<Cell>);

/// A row that does not read as a session: that session is refused and reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CorruptRow;

impl Row {
    pub(crate) fn new(cells: Vec<Cell>) -> Self {
        Self(cells)
    }

    pub(crate) fn int(&self, column: usize) -> Result<i64, CorruptRow> {
        self.maybe_int(column)?.ok_or(CorruptRow)
    }

    pub(crate) fn maybe_int(&self, column: usize) -> Result<Option<i64>, CorruptRow> {
        match self.0.get(column) {
            Some(Cell::Int(value)) => Ok(Some(*value)),
            Some(Cell::Null) => Ok(None),
            _ => Err(CorruptRow),
        }
    }

    pub(crate) fn text(&self, column: usize) -> Result<&str, CorruptRow> {
        self.maybe_text(column)?.ok_or(CorruptRow)
    }

    pub(crate) fn maybe_text(&self, column: usize) -> Result<Option<&str>, CorruptRow> {
        match self.0.get(column) {
            Some(Cell::Text(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            _ => Err(CorruptRow),
        }
    }

    pub(crate) fn uuid(&self, column: usize) -> Result<Uuid, CorruptRow> {
        match self.0.get(column) {
            Some(Cell::Id(id)) => Ok(*id),
            _ => Uuid::parse_str(self.text(column)?).map_err(|_| CorruptRow),
        }
    }

    pub(crate) fn maybe_bytes(&self, column: usize) -> Result<Option<&[u8]>, CorruptRow> {
        match self.0.get(column) {
            Some(Cell::Bytes(value)) => Ok(Some(value)),
            Some(Cell::Null) => Ok(None),
            _ => Err(CorruptRow),
        }
    }

    pub(crate) fn texts(&self, column: usize) -> Result<&[Option<String>], CorruptRow> {
        match self.0.get(column) {
            Some(Cell::Texts(texts)) => Ok(texts),
            _ => Err(CorruptRow),
        }
    }
}

/// A list that comes as JSON. `None`: it does not read as one.
#[cfg_attr(not(feature = "sqlite"), allow(dead_code))]
pub(crate) fn texts_of_json(json: &str) -> Option<Vec<Option<String>>> {
    serde_json::from_str(json).ok()
}

/// A list that comes as `number:letters:JSON`, where something on the way may have cut the JSON and closed it again.
/// `None`: it was cut, or does not read as a list.
#[cfg_attr(not(any(feature = "mysql", test)), allow(dead_code))]
pub(crate) fn texts_of_counted_json(counted: &str) -> Option<Vec<Option<String>>> {
    let (number, rest) = counted.split_once(':')?;
    let (letters, json) = rest.split_once(':')?;
    let texts = texts_of_json(json)?;
    let found: usize = texts
        .iter()
        .flatten()
        .map(|text| text.chars().count())
        .sum();
    let whole = number.parse() == Ok(texts.len()) && letters.parse() == Ok(found);
    whole.then_some(texts)
}

#[cfg(test)]
mod tests {
    use super::texts_of_counted_json;

    #[test]
    fn a_list_that_was_cut_is_not_a_shorter_list() {
        let list =
            |names: &[&str]| Some(names.iter().map(|name| Some((*name).to_owned())).collect());
        assert_eq!(texts_of_counted_json("0:0:[]"), list(&[]));
        assert_eq!(
            texts_of_counted_json(r#"2:4:["ab", "é\u00e9"]"#),
            list(&["ab", "éé"])
        );
        assert_eq!(texts_of_counted_json("1:0:[null]"), Some(vec![None]));
        for cut in [
            r#"2:4:["ab"]"#,     // a name is missing
            r#"2:4:["ab","c"]"#, // the last name is shorter
            "2:4:[]",
            "1:0:[]",
            r#"2:4:["ab","cd""#,
            r#"["ab"]"#,
            "",
            ":",
            "::",
        ] {
            assert_eq!(texts_of_counted_json(cut), None, "{cut}");
        }
    }
}
