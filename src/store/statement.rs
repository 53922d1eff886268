//! A statement is data: its text for one database, and the shape of the rows it answers with.
//!
//! It is written once, as a template in which the databases' differences are tags:
//!
//! | tag | becomes |
//! | --- | --- |
//! | `{now}`, `{live}`, `{reserved}`, `{lock}` … | the [fragments](super::fragments::Fragments) |
//! | `{?text}`, `{?uuid}`, `{?int}`, `{?bytes}` | the next parameter |
//! | `{?asked}` | a table of the tokens that are asked for, over the next parameter, a list |
//! | `{?uuids}`, `{?hashes}` | `IN (…)` or `= ANY(…)` over the next parameter, a list |
// docs/decisions/16-lists-are-padded.md

use std::sync::Arc;

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{
    dialect::{Dialect, ParameterKind},
    value::CellKind,
};

/// The longest list that goes into one statement.
pub(crate) const MAX_LIST: usize = 256;

#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// One text where lists are arrays; otherwise one for each power of two up to [`MAX_LIST`], so that the
    /// database prepares a handful of statements instead of one for every length.
    texts: Vec<Arc<str>>,
    columns: Vec<CellKind>,
}

impl Statement {
    /// A statement without a list.
    pub(crate) fn new(
        dialect: Dialect,
        template: &str,
        columns: &[CellKind],
        fragment: impl Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            texts: vec![expand(dialect, template, 1, &fragment).into()],
            columns: columns.to_vec(),
        }
    }

    /// A statement about a list of up to [`MAX_LIST`] values, possibly named more than once.
    pub(crate) fn over_list(
        dialect: Dialect,
        template: &str,
        columns: &[CellKind],
        fragment: impl Fn(&str) -> Option<String>,
    ) -> Self {
        if dialect.has_arrays() {
            return Self::new(dialect, template, columns, fragment);
        }
        let lengths = (0..=MAX_LIST.ilog2()).map(|power| 1_usize << power);
        let texts = lengths
            .map(|length| expand(dialect, template, length, &fragment).into())
            .collect();
        Self {
            texts,
            columns: columns.to_vec(),
        }
    }

    #[cfg(test)]
    pub(super) fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }

    pub(crate) fn columns(&self) -> &[CellKind] {
        &self.columns
    }

    /// The text for a list of this length, and the length to pad the list to.
    pub(crate) fn for_list(&self, length: usize) -> (SqlStr, usize) {
        let padded = length.clamp(1, MAX_LIST).next_power_of_two();
        let index = (padded.ilog2() as usize).min(self.texts.len().saturating_sub(1));
        let text = self
            .texts
            .get(index)
            .cloned()
            .unwrap_or_else(|| Arc::from(""));
        (
            AssertSqlSafe(text).into_sql_str(),
            if self.texts.len() == 1 {
                length
            } else {
                padded
            },
        )
    }
}

fn expand(
    dialect: Dialect,
    template: &str,
    list_length: usize,
    fragment: &impl Fn(&str) -> Option<String>,
) -> String {
    let mut sql = String::with_capacity(template.len() * 2);
    let mut parameters = 0_usize;
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((tag, after)) = after.split_once('}') else {
            break;
        };
        sql.push_str(before);
        rest = after;
        if let Some(kind) = tag.strip_prefix('?') {
            parameters += 1;
            if kind == "asked" {
                sql.push_str(&dialect.asked(parameters, list_length));
                continue;
            }
            let (kind, is_list) = match kind {
                "uuid" => (ParameterKind::Uuid, false),
                "int" => (ParameterKind::Int, false),
                "bytes" => (ParameterKind::Bytes, false),
                "uuids" => (ParameterKind::Uuid, true),
                "hashes" => (ParameterKind::Bytes, true),
                _ => (ParameterKind::Text, false),
            };
            sql.push_str(&match is_list {
                true => dialect.one_of(parameters, kind, list_length),
                false => dialect.parameter(parameters, kind),
            });
        } else if let Some(text) = fragment(tag) {
            // Not scanned again: the application's SQL comes in here and may have braces of its own.
            sql.push_str(&text);
        } else {
            sql.push('{');
            sql.push_str(tag);
            sql.push('}');
        }
    }
    sql.push_str(rest);
    sql
}
