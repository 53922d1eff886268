//! What can be seen of the application's SQL without a database.

use super::SessionsBuilder;
use crate::{
    error::BuildError,
    store::{ApplicationSql, SqlPart, SqlShape, UserCast},
};

/// What must not stand around a FROM part that an aggregate is put on: it would see one group, or one row.
const AROUND: [&str; 4] = ["GROUP BY", "ORDER BY", "LIMIT", "UNION"];

const FROM_PART: &str =
    "the FROM part of a query, without SELECT, such as `users WHERE id = {user:int}`";
const PLAIN_FROM_PART: &str = "a FROM part without GROUP BY, ORDER BY, LIMIT and UNION: put such a query into parentheses and \
     give it a name, such as `(SELECT … ORDER BY … LIMIT 1) newest`";
const WHOLE_QUERY: &str =
    "a whole query of one number, such as `SELECT max_sessions FROM users WHERE id = {user:int}`";

impl SessionsBuilder {
    pub(super) fn check_application_sql(&self) -> Result<(), BuildError> {
        let application = &self.application;
        let speaks_of_accounts = application.account.is_some() || self.any_account;
        match &self.permission_source {
            Some(_) if speaks_of_accounts || !application.permissions.is_empty() => {
                Err(BuildError::TwoPermissionSources)
            }
            None if !speaks_of_accounts => Err(BuildError::AccountMissing),
            _ => check_parts(application, self.driver.dialect().escapes_by_backslash()),
        }
    }
}

fn check_parts(application: &ApplicationSql, escapes: bool) -> Result<(), BuildError> {
    for SqlPart { call, sql, shape } in application.parts() {
        let code = code_of(sql, escapes);
        let top = top_level(&code).to_ascii_uppercase();
        let words: Vec<&str> = top.split_whitespace().collect();
        let starts_with_select = matches!(words.first(), Some(&"SELECT" | &"WITH"));
        let words = format!(" {} ", words.join(" "));
        let is_framed = AROUND
            .iter()
            .any(|around| words.contains(&format!(" {around} ")));
        let broken = match shape {
            SqlShape::From | SqlShape::AggregatedFrom if starts_with_select => Some(FROM_PART),
            SqlShape::AggregatedFrom if is_framed => Some(PLAIN_FROM_PART),
            SqlShape::Query if !starts_with_select && !words.trim_start().starts_with('(') => {
                Some(WHOLE_QUERY)
            }
            _ => None,
        };
        if let Some(rule) = broken {
            let sql = sql.clone();
            return Err(BuildError::SqlShape { call, rule, sql });
        }
        // In quotes it would be a text, and a name that begins like it is none of the three.
        let known = UserCast::ALL
            .iter()
            .map(|cast| code.matches(cast.placeholder()).count())
            .sum::<usize>();
        if known == 0 || known != sql.matches("{user").count() {
            return Err(BuildError::UserPlaceholder { sql: sql.clone() });
        }
    }
    Ok(())
}

/// The SQL without what stands in quotes and comments. `escapes`: a backslash in quotes stands before a letter of the text.
fn code_of(sql: &str, escapes: bool) -> String {
    let mut code = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(letter) = rest.chars().next() {
        let end = match letter {
            '\'' | '"' | '`' => Some((1, &rest[..1])),
            '-' if rest.starts_with("--") => Some((2, "\n")),
            '/' if rest.starts_with("/*") => Some((2, "*/")),
            _ => None,
        };
        match end {
            Some((start, end)) => {
                let quoted = rest.get(start..).unwrap_or_default();
                rest = behind(quoted, end, escapes && start == 1 && letter != '`');
                // Something stood there: what is before and after is apart.
                code.push_str(if letter == '"' || letter == '`' {
                    "quoted"
                } else {
                    " "
                });
            }
            None => {
                code.push(letter);
                rest = rest.get(letter.len_utf8()..).unwrap_or_default();
            }
        }
    }
    code
}

/// What stands behind the first `end`.
fn behind<'a>(text: &'a str, end: &str, escapes: bool) -> &'a str {
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(end) {
            return after;
        }
        let mut letters = rest.chars();
        if letters.next() == Some('\\') && escapes {
            letters.next();
        }
        rest = letters.as_str();
    }
    rest
}

/// What stands outside of parentheses. Those themselves are parted from the words beside them.
fn top_level(code: &str) -> String {
    let mut top = String::with_capacity(code.len());
    let mut depth = 0_usize;
    for letter in code.chars() {
        match letter {
            '(' => {
                top.push_str(if depth == 0 { " (" } else { "" });
                depth += 1;
            }
            ')' => {
                depth = depth.saturating_sub(1);
                top.push_str(if depth == 0 { ") " } else { "" });
            }
            _ if depth == 0 => top.push(letter),
            _ => {}
        }
    }
    top
}

#[cfg(test)]
mod tests {
    use super::{AROUND, code_of, top_level};

    #[test]
    fn quotes_and_comments_are_no_code() {
        for (sql, code) in [
            ("a = 'LIMIT {user:int}' AND b", "a =   AND b"),
            ("a = 'it''s' b", "a =    b"),
            ("a -- LIMIT\nb", "a  b"),
            ("a /* LIMIT */ b", "a   b"),
            ("\"limit\" = `order`", "quoted = quoted"),
            ("'open", " "),
            ("a - b / c", "a - b / c"),
            ("größe = 'é'", "größe =  "),
        ] {
            assert_eq!(code_of(sql, false), code, "{sql}");
        }
    }

    #[test]
    fn a_backslash_means_what_it_means_to_the_database() {
        let sql = r"path = 'C:\' AND id = {user:int}";
        assert_eq!(code_of(sql, false), "path =   AND id = {user:int}");
        let sql = r"name = 'it\'s' AND id = {user:int}";
        assert_eq!(code_of(sql, true), "name =   AND id = {user:int}");
        assert_eq!(code_of(r"`a\` = 1", true), "quoted = 1");
    }

    #[test]
    fn parentheses_hide_what_is_in_them() {
        for (code, top) in [
            ("a (b (c) LIMIT 1) d", "a  () d"),
            ("(SELECT x LIMIT 1)p", " () p"),
            ("a) b", "a)  b"),
            ("a (b", "a  ("),
        ] {
            assert_eq!(
                top_level(code).split_whitespace().collect::<Vec<_>>(),
                top.split_whitespace().collect::<Vec<_>>(),
                "{code}"
            );
        }
        assert!(AROUND.iter().all(|around| *around == around.to_uppercase()));
    }
}
