//! A PostgreSQL of the test's own, and a standby of it.

use sqlx::{Connection, PgConnection};

use crate::process::{Folder, Server, User, free_port, program};

const PACKAGE: &str = "postgresql";

#[derive(Debug)]
pub(crate) struct Postgres {
    server: Server,
}

impl Postgres {
    pub(crate) async fn start() -> Self {
        let folder = Folder::new(User::of_package("postgres"));
        let data = folder.path();
        let arguments = [
            "--pgdata",
            data.to_str().unwrap(),
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ];
        folder.run(&program("initdb", PACKAGE), &arguments);
        Self::serve(folder).await
    }

    /// A server that follows this one.
    pub(crate) async fn standby(&self) -> Self {
        let folder = Folder::new(User::of_package("postgres"));
        let (data, port) = (folder.path(), self.server.port.to_string());
        let arguments = [
            "--host=127.0.0.1",
            "--username=postgres",
            "--port",
            &port,
            "--pgdata",
            data.to_str().unwrap(),
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ];
        folder.run(&program("pg_basebackup", PACKAGE), &arguments);
        Self::serve(folder).await
    }

    async fn serve(folder: Folder) -> Self {
        let (data, port) = (folder.path(), free_port());
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            "unix_socket_directories=".into(),
            "fsync=off".into(), // the data ends with the test
        ];
        let mut arguments = vec!["-D", data.to_str().unwrap()];
        for setting in &settings {
            arguments.extend(["-c", setting]);
        }
        let server = folder.start(&program("postgres", PACKAGE), &arguments, port, "QUIT");
        let mut postgres = Self { server };
        let url = postgres.url();
        let answers = || async { PgConnection::connect(&url).await.is_ok() };
        postgres.server.ready(answers).await;
        postgres
    }

    pub(crate) fn url(&self) -> String {
        self.url_of("postgres")
    }

    pub(crate) fn url_of(&self, database: &str) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/{database}",
            self.server.port
        )
    }
}
