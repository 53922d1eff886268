//! What the recorder of the `metrics` facade is told.

use std::collections::BTreeMap;

use countersign::Limit;
use metrics_util::{
    MetricKind,
    debugging::{DebugValue, DebuggingRecorder, Snapshotter},
};

use crate::support::{App, Client, Database, eventually, on_every_database};

/// A node that reports to a recorder of its own.
async fn measured(database: &Database) -> (App, Snapshotter) {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    database.pool.migrate().await.unwrap();
    // Handles are registered while it is built, by this thread.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let app = App::with(database, |builder| {
        builder.realm("shop").limit(Limit::end_oldest(2))
    })
    .await;
    (app, snapshotter)
}

/// What has been added since the last look, by `name{labels}`; of histograms the number of values.
fn since_last_look(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let labels = key.key().labels();
        let labels: Vec<_> = labels
            .filter(|label| label.key() != "realm")
            .map(|label| format!("{}={}", label.key(), label.value()))
            .collect();
        let realm = key.key().labels().find(|label| label.key() == "realm");
        assert_eq!(realm.map(metrics::Label::value), Some("shop"));
        let name = match labels.is_empty() {
            true => key.key().name().to_owned(),
            false => format!("{}{{{}}}", key.key().name(), labels.join(",")),
        };
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(all) => all.len() as f64,
        };
        values.insert(name, value);
    }
    values
}

/// The counters and histograms that have moved.
fn moved(snapshotter: &Snapshotter) -> Vec<String> {
    let values = since_last_look(snapshotter).into_iter();
    values
        .filter(|(name, value)| *value != 0.0 && name != "countersign_store_up")
        .map(|(name, value)| format!("{} {value}", name.trim_start_matches("countersign_")))
        .collect()
}

on_every_database! {
    async fn everything_that_happens_is_counted(database: Database) {
        let (app, numbers) = measured(&database).await;
        let start = since_last_look(&numbers);
        assert!(start.values().filter(|value| **value != 0.0).count() == 1, "{start:?}");
        assert_eq!(start["countersign_store_up"], 1.0);
        assert_eq!(start["countersign_sessions_ended_total{reason=expired}"], 0.0);

        let mut client = app.signed_in("2").await;
        assert_eq!(moved(&numbers), ["sign_ins_total 1"]);
        client.get(&app.router, "/me").await;
        assert_eq!(moved(&numbers), [
            "verification_batch_sessions 1",
            "verification_duration_seconds 1",
            "verifications_total{outcome=live} 1",
        ]);
        client.post(&app.router, "/logout").await;
        let old = client.clone();
        moved(&numbers);
        for _ in 0..3 {
            app.signed_in("2").await;
        }
        assert_eq!(moved(&numbers), ["sessions_ended_total{reason=limit} 1", "sign_ins_total 3"]);
        app.sessions.revoke_user(&countersign::UserId::from(2), "warden").await.unwrap();
        assert_eq!(moved(&numbers), ["sessions_ended_total{reason=revoked} 2"]);

        let mut client = app.signed_in("3").await;
        database.age("last_seen_at", 120).await;
        moved(&numbers);
        client.get(&app.router, "/me").await;
        app.sessions.close().await;
        assert_eq!(moved(&numbers), [
            "touches_total 1",
            "verification_batch_sessions 1",
            "verification_duration_seconds 1",
            "verifications_total{outcome=live} 1",
        ]);
        client.post(&app.router, "/rotate").await;
        client.post(&app.router, "/reauthenticated").await;
        let told = moved(&numbers);
        assert!(told.contains(&"rotations_total 1".to_owned()) && told.contains(&"reauthentications_total 1".to_owned()), "{told:?}");

        database.age("last_seen_at", 31 * 60).await;
        app.sessions.sweep().await.unwrap();
        assert_eq!(moved(&numbers), ["sessions_ended_total{reason=expired} 1", "sweeps_total{outcome=done} 1"]);
        client.get(&app.router, "/edit").await;
        assert!(moved(&numbers).contains(&"verifications_total{outcome=not-live} 1".to_owned()));
        database.execute("DELETE FROM countersign_sessions").await;
        client.get(&app.router, "/edit").await;
        let told = moved(&numbers);
        assert!(told.contains(&"verifications_total{outcome=unknown} 1".to_owned()), "{told:?}");
        assert!(told.contains(&"cookies_rejected_total{reason=unknown-token} 1".to_owned()), "{told:?}");
        drop(old);
    }

    async fn forged_cookies_are_counted_one_by_one_however_they_are_told(database: Database) {
        let (app, numbers) = measured(&database).await;
        let mut forged = Client::new();
        forged.jar.insert("__Host-session".to_owned(), "forged".to_owned());
        for _ in 0..500 {
            forged.get(&app.router, "/me").await;
        }
        app.sessions.close().await;
        assert_eq!(moved(&numbers), ["cookies_rejected_total{reason=undecipherable} 500"]);
    }

    async fn an_outage_is_seen_on_the_gauge(database: Database) {
        let recorder = DebuggingRecorder::new();
        let numbers = recorder.snapshotter();
        database.pool.migrate().await.unwrap();
        let app = {
            let _guard = metrics::set_default_local_recorder(&recorder);
            App::cut_off(&database, |builder| builder.realm("shop")).await
        };
        let mut client = App::new(&database).await.signed_in("2").await;
        client.get(&app.router, "/me").await;
        eventually("it is noticed", || async { since_last_look(&numbers)["countersign_store_up"] == 0.0 }).await;
    }
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let database = Database::any().await;
            App::new(&database).await;
        });
    });
    let all = snapshotter.snapshot().into_vec();
    assert!(all.len() > 30, "{}", all.len());
    for (key, unit, description, _) in all {
        let name = key.key().name();
        assert!(name.starts_with("countersign_"), "{name}");
        assert_eq!(
            key.kind() == MetricKind::Counter,
            name.ends_with("_total"),
            "{name}"
        );
        assert!(unit.is_some() && description.is_some(), "{name}");
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(name.bytes().all(plain), "{name}");
    }
}
