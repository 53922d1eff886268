//! Figures as people read them.

use crate::load::Measured;

/// Right answers a second, and whether there were others.
pub fn rate(rounds: impl Iterator<Item = Measured> + Clone) -> String {
    let per_second = whole(median(rounds.clone().map(|round| round.per_second)));
    match rounds.map(|round| round.refused).sum() {
        0_u64 => per_second,
        refused => format!("{per_second} ({refused} refused)"),
    }
}

/// The middle one, or the mean of the middle two.
pub fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => f64::NAN,
        length if length % 2 == 1 => values[length / 2],
        length => (values[length / 2 - 1] + values[length / 2]) / 2.0,
    }
}

/// From seconds a request to milliseconds per 1,000 requests.
pub fn cpu(seconds: impl Iterator<Item = Option<f64>>) -> String {
    match seconds.collect::<Option<Vec<_>>>() {
        Some(seconds) => format!("{:.1}", median(seconds.into_iter()) * 1e6),
        None => "–".into(),
    }
}

/// 12,345
pub fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        let numbers: Vec<_> = [0.4, 999.0, 1000.0, 12345.6, 1234567.0].map(whole).into();
        assert_eq!(numbers, ["0", "999", "1,000", "12,346", "1,234,567"]);
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0].into_iter()), 2.5);
        // 15.6 microseconds a request are 15.6 ms per 1,000.
        assert_eq!(cpu([Some(15.6e-6)].into_iter()), "15.6");
    }
}
