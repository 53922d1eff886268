//! Which column of the profile is wrong, once a look-up has failed.

use crate::{
    error::BuildError,
    store::{
        Fault, Purpose, Store,
        application::SESSION,
        profile::{ProfileColumn, ProfileSql},
        retry::retry,
        statement::Statement,
        value::CellKind::Text,
    },
};

impl Store {
    /// The first column that the database refuses, though it takes the FROM part.
    pub(super) async fn wrong_profile_column(&self) -> Option<BuildError> {
        let profile = self.profile.as_ref()?;
        let constant = ProfileColumn::constant();
        self.try_column(profile, &constant).await.ok()?;
        for column in profile.columns() {
            if let Err(fault) = self.try_column(profile, column).await {
                return Some(BuildError::ProfileColumn {
                    column: column.name.clone(),
                    error: fault.into(),
                });
            }
        }
        None
    }

    async fn try_column(&self, profile: &ProfileSql, column: &ProfileColumn) -> Result<(), Fault> {
        let dialect = self.fragments.dialect;
        let row = profile.row_of(&self.fragments, std::iter::once(column));
        let template = format!(
            "SELECT {{row}} FROM (SELECT {} AS countersign_user) {SESSION}",
            dialect.null(Text)
        );
        let statement = Statement::new(dialect, &template, &[Text], |tag| {
            (tag == "row").then(|| row.clone())
        });
        retry(|| async {
            let mut link = self.driver.acquire(Purpose::LookUp).await?;
            link.fetch(&statement, Vec::new()).await.map(drop)
        })
        .await
    }
}
