//! One user's SQL fails, with whichever error there is: nobody else is refused, and nobody else's stream ends.

use std::time::Duration;

use countersign::SessionsBuilder;
use futures::future::join_all;
use http::StatusCode;
use tokio::time::Instant;

use crate::{
    streams::watched,
    support::{App, Client, Database, Pool, on_every_database, rows::NewRow},
};

const INNOCENTS: usize = 200;
const POISONED: &str = "3";

/// A busy machine is no reason for anybody to be told 503.
const BUDGET: Duration = Duration::from_secs(30);

/// What the poisoned user's SQL can fail with: codes for `RAISE` and `SIGNAL`, and errors of its own making.
fn classes(pool: &Pool) -> &'static [&'static str] {
    match pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => &["abs", "json", "path", "blob", "pattern", "sum"],
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => &[
            "division", "cast", "AC001", "20000", "38000", "54001", "P0001", "21000", "40001",
            "40P01", "55P03", "53200", "57014", "08006", "25006", "0A000", "26000", "28000",
            "42P01", "42501", "58030", "XX000", "F0000",
        ],
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => &[
            "1644", "1339", "1172", "1242", "1366", "1292", "1690", "1213", "1205", "1020", "1040",
            "1317", "1969", "3024", "1146", "1142", "1305", "4037", "cast", "rows",
        ],
    }
}

/// A condition that fails for the poisoned user once `fate` names a class.
async fn trouble(database: &Database) -> &'static str {
    database
        .execute("CREATE TABLE fate (class VARCHAR(20))")
        .await;
    match &database.pool {
        #[cfg(feature = "sqlite")]
        Pool::Sqlite(_) => {
            "CASE WHEN users.id = 3 THEN (SELECT CASE class \
             WHEN 'abs' THEN abs(-9223372036854775807 - 1) WHEN 'json' THEN json('{') \
             WHEN 'path' THEN json_extract('{}', 'x') WHEN 'blob' THEN length(zeroblob(2000000000)) \
             WHEN 'pattern' THEN 'x' LIKE printf('%.60000c', 'x') \
             WHEN 'sum' THEN (SELECT sum(n) FROM (SELECT 9223372036854775807 AS n UNION ALL SELECT 1)) \
             END FROM fate) ELSE 1 END IS NOT 'never'"
        }
        #[cfg(feature = "postgres")]
        Pool::Postgres(_) => {
            database
                .run(
                    "CREATE FUNCTION trouble(person bigint) RETURNS boolean LANGUAGE plpgsql AS $$ DECLARE it text; BEGIN \
                     IF person = 3 THEN SELECT class INTO it FROM fate; END IF; \
                     IF it = 'division' THEN RETURN 1 / (person - 3) > 0; END IF; \
                     IF it = 'cast' THEN RETURN it::int > 0; END IF; \
                     IF it IS NOT NULL THEN RAISE EXCEPTION 'poison' USING ERRCODE = it; END IF; \
                     RETURN true; END $$",
                )
                .await;
            "trouble(users.id)"
        }
        #[cfg(feature = "mysql")]
        Pool::MySql(_) => {
            database
                .run(
                    "CREATE FUNCTION trouble(person BIGINT) RETURNS INT READS SQL DATA BEGIN \
                     DECLARE it VARCHAR(20); DECLARE code INT; \
                     IF person = 3 THEN SELECT class INTO it FROM fate LIMIT 1; END IF; \
                     IF it = 'cast' THEN SET code = it; END IF; \
                     IF it = 'rows' THEN SET code = (SELECT id FROM users WHERE id > 1); END IF; \
                     IF it IS NOT NULL THEN SET code = CAST(it AS SIGNED); \
                     SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = code; END IF; \
                     RETURN 1; END",
                )
                .await;
            "trouble(users.id) = 1"
        }
    }
}

/// Lets the poisoned user's SQL fail with this, or no longer.
async fn poison(database: &Database, class: Option<&str>) {
    database.execute("DELETE FROM fate").await;
    if let Some(class) = class {
        database
            .execute(&format!("INSERT INTO fate VALUES ('{class}')"))
            .await;
    }
}

/// Browsers of as many users.
async fn innocents(database: &Database, number: usize) -> Vec<Client> {
    let users: Vec<_> = (1000..1000 + number).collect();
    let values: Vec<_> = users
        .iter()
        .map(|id| format!("({id}, 'someone')"))
        .collect();
    let values = values.join(", ");
    database
        .execute(&format!("INSERT INTO users (id, name) VALUES {values}"))
        .await;
    browsers(database, users.iter().map(ToString::to_string)).await
}

async fn browsers(database: &Database, users: impl Iterator<Item = String>) -> Vec<Client> {
    let rows: Vec<_> = users.map(|user| NewRow::live(&user)).collect();
    database.insert(&rows).await;
    rows.iter().map(NewRow::client).collect()
}

async fn poisoned(database: &Database, number: usize) -> Vec<Client> {
    browsers(database, (0..number).map(|_| POISONED.to_owned())).await
}

/// All of them at once, the poisonous ones among the others; how long the last innocent waited.
async fn ask_all(app: &App, innocents: &[Client], poisonous: &[Client], what: &str) -> Duration {
    let began = Instant::now();
    let ask = |client: &Client, innocent| {
        let (mut client, app) = (client.clone(), app.clone());
        tokio::spawn(async move {
            let answer = client.get(&app.router, "/me").await;
            (innocent, answer, Instant::now())
        })
    };
    let mut asking = Vec::new();
    let (mut good, mut bad) = (innocents.iter(), poisonous.iter());
    loop {
        let next = [
            bad.next().map(|client| ask(client, false)),
            good.next().map(|client| ask(client, true)),
        ];
        if next.iter().all(Option::is_none) {
            break;
        }
        asking.extend(next.into_iter().flatten());
    }
    let mut last = Duration::ZERO;
    for answer in join_all(asking).await {
        let (innocent, answer, at) = answer.unwrap();
        let expected = match innocent {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        assert_eq!(answer.status, expected, "{what}");
        assert_eq!(answer.set_cookies(), Vec::<String>::new(), "{what}");
        if innocent {
            last = last.max(at - began);
        }
    }
    last
}

fn patient(builder: SessionsBuilder) -> SessionsBuilder {
    builder.time_budget(BUDGET)
}

on_every_database! {
    async fn whatever_its_error_no_innocent_is_refused(database: Database) {
        let account = format!("users WHERE id = {{user:int}} AND {}", trouble(&database).await);
        let app = App::with(&database, |builder| patient(builder).account(account)).await;
        let innocents = innocents(&database, INNOCENTS).await;
        let poisonous = poisoned(&database, 5).await;
        for &class in classes(&database.pool) {
            poison(&database, Some(class)).await;
            // A conflict is asked again for a good part of the budget.
            let rounds = if matches!(class, "40001" | "40P01") { 1 } else { 2 };
            for round in 0..rounds {
                ask_all(&app, &innocents, &poisonous, &format!("{class}, {round}")).await;
            }
            // What is repaired is served at once.
            poison(&database, None).await;
            for client in &poisonous {
                assert_eq!(app.who(client).await, POISONED, "after {class}");
            }
        }
    }

    async fn permissions_that_fail_are_no_different(database: Database) {
        let trouble = trouble(&database).await;
        let from = format!("user_permissions JOIN users ON users.id = user_permissions.user_id WHERE users.id = {{user:int}} AND {trouble}");
        let app = App::with(&database, |builder| patient(builder).permissions("permission", from)).await;
        let innocents = innocents(&database, INNOCENTS).await;
        let poisonous = poisoned(&database, 5).await;
        for class in classes(&database.pool).iter().take(4) {
            poison(&database, Some(class)).await;
            ask_all(&app, &innocents, &poisonous, class).await;
        }
    }

    async fn however_many_ask_no_innocent_is_refused(database: Database) {
        let account = format!("users WHERE id = {{user:int}} AND {}", trouble(&database).await);
        database.pool.migrate().await.unwrap();
        let innocents = innocents(&database, INNOCENTS).await;
        let poisonous = poisoned(&database, 255).await;
        let class = classes(&database.pool)[2];
        poison(&database, Some(class)).await;
        for number in [1, 16, 60, 255] {
            // Sessions of one user, and parallel requests of one browser; by a node that knows nothing of it yet.
            let one_browser = vec![poisonous[0].clone(); number];
            for poisonous in [&poisonous[..number], &one_browser] {
                let app = App::beside(&database, |builder| patient(builder).account(account.as_str())).await;
                for round in 0..2 {
                    let last = ask_all(&app, &innocents, poisonous, &format!("{number}, {round}")).await;
                    println!("{number} poisonous requests, round {round}: the last innocent waited {last:?}");
                }
            }
        }
    }

    async fn streams_of_others_stay_open(database: Database) {
        let account = format!("users WHERE id = {{user:int}} AND NOT disabled AND {}", trouble(&database).await);
        // The first round without an answer would end them all.
        let app = App::with(&database, |builder| {
            patient(builder).account(account).watch_interval(Duration::from_millis(20)).watch_grace(Duration::ZERO)
        })
        .await;
        let others = innocents(&database, 30).await;
        let mut streams = Vec::new();
        for client in &others {
            streams.push(watched(&app, client).await);
        }
        for class in classes(&database.pool) {
            poison(&database, None).await;
            let poisonous = poisoned(&database, 3).await;
            let mut ending = Vec::new();
            for client in &poisonous {
                ending.push(watched(&app, client).await);
            }
            poison(&database, Some(class)).await;
            for ended in ending {
                let reason = tokio::time::timeout(BUDGET, ended).await.unwrap();
                assert_eq!(reason.as_str(), "unverifiable", "{class}");
            }
            for stream in &mut streams {
                assert!(futures::poll!(stream).is_pending(), "{class}");
            }
        }
        // They are watched on.
        database.execute("UPDATE users SET disabled = TRUE WHERE id >= 1000").await;
        for stream in streams {
            let reason = tokio::time::timeout(BUDGET, stream).await.unwrap();
            assert_eq!(reason.as_str(), "account-refused");
        }
    }
}

/// Behind a proxy, five milliseconds of round trip away.
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod far_away {
    use super::*;
    use crate::support::proxy::{Mode, Proxy};

    async fn run(database: Database) {
        let account = format!(
            "users WHERE id = {{user:int}} AND {}",
            trouble(&database).await
        );
        database.pool.migrate().await.unwrap();
        let proxy = Proxy::before(&database).await;
        let innocents = innocents(&database, INNOCENTS).await;
        let poisonous = poisoned(&database, 255).await;
        poison(&database, Some(classes(&database.pool)[2])).await;
        for number in [1, 60, 255] {
            let pool = proxy.pool(&database, 8).await;
            let app = App::on(&pool, |builder| patient(builder).account(account.as_str())).await;
            proxy.set(Mode::Delay(Duration::from_micros(2_500)));
            for round in 0..2 {
                let (poisonous, what) = (&poisonous[..number], format!("{number}, {round}"));
                let last = ask_all(&app, &innocents, poisonous, &what).await;
                println!("{number} far away, round {round}: the last innocent waited {last:?}");
            }
            proxy.set(Mode::Pass);
        }
    }

    #[cfg(feature = "postgres")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn postgres() {
        run(Database::postgres().await).await;
    }

    #[cfg(feature = "mysql")]
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn mysql() {
        run(Database::mysql().await).await;
    }
}
