//! A PgBouncer in front of the PostgreSQL of all tests.

use sqlx::{Connection, PgConnection};

use crate::process::{Folder, Server, User, free_port, program};

#[derive(Debug)]
pub(crate) struct PgBouncer {
    server: Server,
}

impl PgBouncer {
    /// In this mode, with these further lines of its configuration, and two connections to each database.
    pub(crate) async fn start(mode: &str, further: &str) -> Self {
        let folder = Folder::new(User::of_package("postgres"));
        let server = std::env::var("COUNTERSIGN_TEST_POSTGRES")
            .expect("run this with scripts/with-servers cargo test");
        let server = url_parts(&server);
        let port = free_port();
        let configuration = format!(
            "[databases]\n* = {server}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
             auth_type = any\npool_mode = {mode}\ndefault_pool_size = 2\nmax_client_conn = 100\n{further}\n"
        );
        let file = folder.write("pgbouncer.ini", &configuration);
        let pgbouncer = program("pgbouncer", "pgbouncer");
        let server = folder.start(&pgbouncer, &[file.to_str().unwrap()], port, "QUIT");
        let mut pgbouncer = Self { server };
        // It refuses connections by the startup parameters that sqlx sends; what counts here is that it answers.
        let url = pgbouncer.url_of("postgres");
        let answers = || async {
            match PgConnection::connect(&url).await {
                Ok(_) | Err(sqlx::Error::Database(_)) => true,
                Err(_) => false,
            }
        };
        pgbouncer.server.ready(answers).await;
        pgbouncer
    }

    pub(crate) fn url_of(&self, database: &str) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/{database}",
            self.server.port
        )
    }
}

/// `host=… port=… user=…`, of `scheme://user:password@host:port/database`.
fn url_parts(url: &str) -> String {
    let (who, place) = url.split_once("://").unwrap().1.rsplit_once('@').unwrap();
    let (host, port) = place.split_once('/').unwrap().0.split_once(':').unwrap();
    match who.split_once(':') {
        Some((user, password)) => {
            format!("host={host} port={port} user={user} password={password}")
        }
        None => format!("host={host} port={port} user={who}"),
    }
}
