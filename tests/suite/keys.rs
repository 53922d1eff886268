//! Keys change without anybody being signed out, and a key that is gone opens nothing.

use axum::{Router, routing::post};
use countersign::{BuildError, Error, Key, Session, SessionsBuilder};

use crate::support::{App, Client, Database, heard::Heard, on_every_database};

const OLD: u8 = 1;
const NEW: u8 = 2;

fn key(seed: u8) -> Key {
    let bytes: Vec<u8> = (0..64)
        .map(|byte: u8| byte.wrapping_mul(7) ^ seed)
        .collect();
    Key::from_bytes(&bytes).unwrap()
}

/// A node that writes with the first of these keys and reads with all of them.
async fn node(database: &Database, keys: &[u8]) -> App {
    database.pool.migrate().await.unwrap();
    let pool = database.pool_of(2).await;
    let builder = pool.builder().keys(keys.iter().copied().map(key));
    App::of(with_accounts(builder).build().await.unwrap())
}

fn with_accounts(builder: SessionsBuilder) -> SessionsBuilder {
    builder
        .account("users WHERE id = {user:int} AND NOT disabled")
        .permissions("permission", "user_permissions WHERE user_id = {user:int}")
}

on_every_database! {
    async fn a_new_key_is_first_read_everywhere_then_written_and_nobody_is_signed_out(database: Database) {
        // Step by step, one node after the other, in either order.
        for first in [0, 1] {
            let mut nodes = [node(&database, &[OLD]).await, node(&database, &[OLD]).await];
            let mut clients: Vec<Client> = Vec::new();
            for keys in [&[OLD, NEW][..], &[NEW, OLD], &[NEW]] {
                for turn in [first, 1 - first] {
                    // Whoever is to be read after the old key is gone has got a new cookie meanwhile.
                    if keys == [NEW] && turn == first {
                        for client in &mut clients {
                            client.post(&nodes[turn].router, "/rotate").await;
                        }
                    }
                    nodes[turn] = node(&database, keys).await;
                    for app in &nodes {
                        clients.push(app.signed_in("2").await);
                        for client in &clients {
                            for app in &nodes {
                                assert_eq!(app.who(client).await, "2", "{keys:?}");
                            }
                        }
                    }
                }
            }
        }
    }

    async fn a_retired_key_fails_closed_and_comes_back_with_it(database: Database) {
        let (old, both, new) = (
            node(&database, &[OLD]).await,
            node(&database, &[NEW, OLD]).await,
            node(&database, &[NEW]).await,
        );
        let mut client = old.signed_in("2").await;
        let answer = client.clone().get(&new.router, "/identity").await;
        assert_eq!(answer.body, "anonymous");
        assert_eq!(answer.set_cookies(), Vec::<String>::new());
        assert_eq!(both.who(&client).await, "2");
        assert_eq!(database.live().await, 1);

        client.post(&both.router, "/rotate").await;
        assert_eq!(new.who(&client).await, "2");
        assert_eq!(old.who(&client).await, "anonymous");
        let shown = new.signed_in("3").await;
        assert_eq!(old.who(&shown).await, "anonymous");
    }

    async fn a_logout_without_the_key_says_that_nothing_has_ended(database: Database) {
        let heard = Heard::default();
        database.pool.migrate().await.unwrap();
        let builder = with_accounts(database.pool_of(2).await.builder()).key(key(NEW));
        let new = App::of(heard.listen(builder).build().await.unwrap());
        let old = node(&database, &[OLD]).await;
        let mut client = old.signed_in("2").await;
        let copy = client.clone();
        heard.told(&new).await;

        let answer = client.post(&signing_out(&new), "/logout").await;
        assert_eq!(answer.body, "CookieUnreadable");
        assert!(client.jar.is_empty(), "{:?}", answer.set_cookies());
        assert_eq!(database.live().await, 1);
        assert_eq!(old.who(&copy).await, "2");
        assert_eq!(heard.told(&new).await, ["cookie-rejected(undecipherable)", "logout-ineffective(undecipherable)"]);

        // With the key it ends; afterwards, and without a cookie, there is nothing to end.
        for (mut client, says) in [(copy.clone(), "Ended"), (copy.clone(), "NothingToEnd"), (Client::new(), "NothingToEnd")] {
            assert_eq!(client.post(&signing_out(&old), "/logout").await.body, says);
            assert!(client.jar.is_empty());
        }
        assert_eq!(old.who(&copy).await, "anonymous logout");
        // Two sessions at once: neither is ended, since it is not known whose they are.
        let (one, two) = (old.signed_in("2").await, old.signed_in("3").await);
        let mut both = one.clone();
        let (one, two) = (one.session_cookie().unwrap(), two.session_cookie().unwrap());
        both.jar.insert("__Host-session".to_owned(), format!("{one}; __Host-session={two}"));
        assert_eq!(both.post(&signing_out(&old), "/logout").await.body, "CookieUnreadable");
        assert_eq!(database.live().await, 2);
    }
}

#[tokio::test]
async fn messages_are_read_with_older_keys_too() {
    let database = Database::any().await;
    let (old, both, new) = (
        node(&database, &[OLD]).await,
        node(&database, &[NEW, OLD]).await,
        node(&database, &[NEW]).await,
    );
    let body = |answer: crate::support::Answer| answer.body;
    for mut client in [Client::new(), old.signed_in("2").await] {
        client.post(&old.router, "/flash/hello").await;
        assert_eq!(body(client.clone().get(&new.router, "/flash").await), "");
        assert_eq!(
            body(client.get(&both.router, "/flash").await),
            "[info] hello"
        );
    }
}

/// The route says what signing out has done.
fn signing_out(app: &App) -> Router {
    let sign_out =
        async |session: Session| Ok::<_, Error>(format!("{:?}", session.logout().await?));
    Router::new()
        .route("/logout", post(sign_out))
        .layer(app.sessions.layer())
}

#[tokio::test]
async fn no_key_or_the_same_one_twice_is_a_build_error() {
    let database = Database::any().await;
    database.pool.migrate().await.unwrap();
    for (keys, says) in [
        (&[][..], "openssl rand -base64 64"),
        (&[OLD, OLD], "key number 2 is configured twice"),
        (&[OLD, NEW, OLD], "key number 3 is configured twice"),
    ] {
        let builder = with_accounts(database.builder()).keys(keys.iter().copied().map(key));
        let error = builder.build().await.unwrap_err();
        assert!(matches!(error, BuildError::Keys { .. }), "{error:?}");
        assert!(error.to_string().contains(says), "{error}");
    }
}
