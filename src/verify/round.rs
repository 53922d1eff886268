//! One round over the watched sessions: all of them in one statement, and in parts where some row makes it fail.

use std::{collections::HashSet, time::Duration};

use rand::RngExt;
use tokio::time::sleep;
use uuid::Uuid;

use crate::store::{EndedReason, Fault, FaultKind, Store};

/// Into how many parts those are divided whom one of them has made fail.
const PARTS: usize = 4;
/// When so many have failed one by one and none was answered, it is not their fault.
const ENOUGH: usize = 8;
/// How often a session that met a conflict is asked for again.
const CONFLICTS: u32 = 3;

/// Tells of each of these sessions that is over, and why. One that makes the statement fail when it is asked for alone is
/// [`Unverifiable`](EndedReason::Unverifiable); the others are unharmed. Where it fails for all, or there is no answer,
/// nothing is known of those that were not told: an error.
pub(super) async fn ended_among(
    store: &Store,
    ids: Vec<Uuid>,
    announce: impl Fn(Vec<(Uuid, EndedReason)>),
) -> Result<(), Fault> {
    let mut parts = vec![ids];
    let mut failed = HashSet::new();
    let mut any_answer = false;
    let mut asked_again = false;
    while let Some(part) = parts.pop() {
        let fault = match ask(store, &part).await {
            Ok(ended) => {
                (any_answer, asked_again) = (true, false);
                announce(ended);
                continue;
            }
            Err(fault) => fault,
        };
        // The application's functions raise what they like: a statement about no session tells whether it works. In mid-round
        // too, as the database can go away at any time.
        if fault.kind() != FaultKind::Data && store.ended_among(&[]).await.is_err() {
            return Err(fault);
        }
        match part.as_slice() {
            // It may have begun to work in between.
            [_] if !std::mem::replace(&mut asked_again, true) => parts.push(part),
            [id] => {
                asked_again = false;
                tracing::error!(session_id = %id, error = %fault, "watched session cannot be verified");
                failed.insert(*id);
            }
            _ => {
                let length = part.len().div_ceil(PARTS).max(1);
                parts.extend(part.chunks(length).map(<[Uuid]>::to_vec));
            }
        }
        if failed.len() >= ENOUGH && !any_answer {
            return Err(fault);
        }
    }
    let unverifiable = |id| (id, EndedReason::Unverifiable);
    announce(failed.into_iter().map(unverifiable).collect());
    Ok(())
}

async fn ask(store: &Store, part: &[Uuid]) -> Result<Vec<(Uuid, EndedReason)>, Fault> {
    let mut conflicts = 0;
    loop {
        let outcome = store.ended_among(part).await;
        match &outcome {
            Err(fault) if fault.kind() == FaultKind::Conflict && conflicts < CONFLICTS => {
                conflicts += 1;
                let jitter = rand::rng().random_range(0.5..1.5);
                sleep((Duration::from_millis(10) * conflicts).mul_f64(jitter)).await;
            }
            // A connection that had gone stale says nothing about the database.
            Err(fault) if fault.kind() == FaultKind::Lost && conflicts == 0 => conflicts += 1,
            _ => return outcome,
        }
    }
}
