//! A MariaDB of the test's own.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

use crate::process::{Folder, Server, User, free_port, program};

const PACKAGE: &str = "mariadb-server-core mariadb-client-core";

#[derive(Debug)]
pub(crate) struct MariaDb {
    server: Server,
}

impl MariaDb {
    pub(crate) async fn start(settings: &[&str]) -> Self {
        let folder = Folder::new(User::of_package("mysql"));
        let data = folder.path();
        let data_directory = format!("--datadir={}", data.display());
        let arguments = [
            "--no-defaults",
            &data_directory,
            "--skip-test-db",
            "--auth-root-authentication-method=normal",
        ];
        folder.run(&program("mariadb-install-db", PACKAGE), &arguments);
        let port = free_port();
        let own = [
            format!("--socket={}/socket", data.display()),
            format!("--pid-file={}/pid", data.display()),
            format!("--port={port}"),
        ];
        let mut arguments = vec![
            "--no-defaults",
            &data_directory,
            "--bind-address=127.0.0.1",
            "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=0", // the data ends with the test
        ];
        arguments.extend(own.iter().map(String::as_str));
        arguments.extend(settings);
        let server = folder.start(&program("mariadbd", PACKAGE), &arguments, port, "KILL");
        let mut mariadb = Self { server };
        let url = mariadb.url();
        let answers = || async { MySqlConnection::connect(&url).await.is_ok() };
        mariadb.server.ready(answers).await;
        mariadb
    }

    /// The address of root, on the maintenance database.
    pub(crate) fn url(&self) -> String {
        format!("mysql://root@127.0.0.1:{}/mysql", self.server.port)
    }

    /// The address of a user who may use this database, and no more.
    pub(crate) async fn application(&self, database: &str) -> String {
        self.execute("CREATE USER 'application'@'%' IDENTIFIED BY 'application'")
            .await;
        self.execute(&format!("GRANT ALL ON {database}.* TO 'application'@'%'"))
            .await;
        let port = self.server.port;
        format!("mysql://application:application@127.0.0.1:{port}/{database}")
    }

    pub(crate) async fn execute(&self, statement: &str) {
        let mut root = MySqlConnection::connect(&self.url()).await.unwrap();
        sqlx::query(AssertSqlSafe(statement.to_owned()))
            .execute(&mut root)
            .await
            .unwrap();
    }
}
