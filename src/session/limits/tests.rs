use super::*;

fn rival(number: u128, created_at_micros: i64, last_seen_at_micros: i64) -> Rival {
    Rival {
        id: Uuid::from_u128(number),
        created_at_micros,
        last_seen_at_micros,
        reserved: false,
        replaced: false,
    }
}

fn ends(limit: Limit, rivals: &[Rival]) -> Vec<u128> {
    match admit_session(limit, rivals.to_vec()) {
        Admission::Admitted { ends } => ends.iter().map(Uuid::as_u128).collect(),
        Admission::Full { max } => panic!("refused at {max}"),
    }
}

#[test]
fn the_oldest_makes_room_and_no_more_than_needed() {
    let rivals = [rival(1, 30, 1), rival(2, 10, 9), rival(3, 20, 5)];
    assert_eq!(ends(Limit::end_oldest(4), &rivals), [0_u128; 0]);
    assert_eq!(ends(Limit::end_oldest(3), &rivals), [2]);
    assert_eq!(ends(Limit::end_oldest(1), &rivals), [2, 3, 1]);
}

#[test]
fn the_least_recently_seen_makes_room() {
    let rivals = [rival(1, 30, 1), rival(2, 10, 9), rival(3, 20, 5)];
    assert_eq!(ends(Limit::end_least_recently_seen(2), &rivals), [1, 3]);
}

#[test]
fn ties_are_broken_by_id() {
    assert_eq!(
        ends(Limit::end_oldest(2), &[rival(2, 7, 7), rival(1, 7, 7)]),
        [1]
    );
}

#[test]
fn reserved_and_replaced_sessions_are_neither_counted_nor_ended_when_one_becomes_real() {
    let reserved = Rival {
        reserved: true,
        ..rival(1, 1, 1)
    };
    let replaced = Rival {
        replaced: true,
        ..rival(2, 2, 2)
    };
    assert_eq!(
        ends(Limit::end_oldest(1), &[reserved, replaced]),
        [0_u128; 0]
    );
    assert_eq!(ends(Limit::refuse(1), &[reserved, replaced]), [0_u128; 0]);
}

#[test]
fn refusing_counts_reservations_but_not_the_session_that_is_replaced() {
    let reserved = Rival {
        reserved: true,
        ..rival(1, 1, 1)
    };
    let replaced = Rival {
        replaced: true,
        ..rival(2, 2, 2)
    };
    assert_eq!(
        admit_reservation(Limit::refuse(1), &[reserved]),
        Admission::Full { max: 1 }
    );
    assert_eq!(admit_reservation(Limit::refuse(1), &[replaced]), ADMITTED);
    assert_eq!(
        admit_reservation(Limit::refuse(2), &[reserved, replaced]),
        ADMITTED
    );
    assert_eq!(
        admit_reservation(Limit::end_oldest(1), &[reserved, rival(3, 3, 3)]),
        ADMITTED
    );
}

#[test]
fn a_limit_that_was_lowered_meanwhile_refuses_under_refuse() {
    assert_eq!(
        admit_session(Limit::refuse(1), vec![rival(1, 1, 1)]),
        Admission::Full { max: 1 }
    );
}

#[test]
fn zero_lets_nobody_in_under_any_policy() {
    for limit in [
        Limit::end_oldest(0),
        Limit::end_least_recently_seen(0),
        Limit::refuse(0),
    ] {
        assert_eq!(admit_reservation(limit, &[]), Admission::Full { max: 0 });
        assert_eq!(admit_session(limit, vec![]), Admission::Full { max: 0 });
    }
}

#[test]
fn a_maximum_survives_its_column() {
    for max in [
        MaxSessions::AtMost(0),
        MaxSessions::AtMost(7),
        MaxSessions::AtMost(u32::MAX),
        MaxSessions::Unlimited,
    ] {
        assert_eq!(MaxSessions::from_column(max.to_column()), max);
    }
    assert_eq!(
        MaxSessions::from_column(i64::MAX),
        MaxSessions::AtMost(u32::MAX)
    );
}
