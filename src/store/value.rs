//! What crosses the driver seam: parameters in, rows out. Four types are all it takes.

use uuid::Uuid;

use crate::token::TokenHash;

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) enum Bind {
    Int(i64),
    Text(String),
    MaybeText(Option<String>),
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
}

#[derive(Debug)]
#[cfg_attr(countersign_benches, derive(Clone))]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
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
        Uuid::parse_str(self.text(column)?).map_err(|_| CorruptRow)
    }

    pub(crate) fn hash(&self, column: usize) -> Result<TokenHash, CorruptRow> {
        match self.0.get(column) {
            Some(Cell::Bytes(value)) => TokenHash::from_slice(value).ok_or(CorruptRow),
            _ => Err(CorruptRow),
        }
    }
}
