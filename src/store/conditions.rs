//! Conditions on a session that stand one after the other.

use super::Bind;

/// Conditions as a template, and their parameters.
#[derive(Default)]
pub(super) struct Conditions {
    sql: Vec<String>,
    binds: Vec<Bind>,
}

impl Conditions {
    pub(super) fn and(&mut self, condition: &str, bind: Option<Bind>) {
        self.sql.push(condition.to_owned());
        self.binds.extend(bind);
    }

    /// Each with AND before it.
    pub(super) fn each(self) -> (String, Vec<Bind>) {
        let sql = self.sql.iter().map(|sql| format!(" AND {sql}")).collect();
        (sql, self.binds)
    }
}
