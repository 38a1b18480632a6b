//! Civil time in texts: RFC 3339 in UTC, without a time zone database.

/// Nanoseconds since 1970 UTC as RFC 3339 with milliseconds, `2026-11-23T20:41:07.250Z`.
pub fn rfc3339(unix_ns: i64) -> String {
    let (y, m, d, ms) = civil(unix_ns);
    let (s, ms) = (ms / 1000, ms % 1000);
    format!("{y:04}-{m:02}-{d:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
}

/// Nanoseconds since 1970 UTC for people, `2026-11-23 20:41 UTC`.
pub fn for_people(unix_ns: i64) -> String {
    let (y, m, d, ms) = civil(unix_ns);
    let s = ms / 1000;
    format!("{y:04}-{m:02}-{d:02} {:02}:{:02} UTC", s / 3600, s / 60 % 60)
}

/// A length of time for people, `1 h 04 min`, `12 min 30 s`, `45 s`.
pub fn span(seconds: f64) -> String {
    let s = if seconds.is_finite() { seconds.max(0.0).round() as u64 } else { 0 };
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        _ => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

/// Year, month, day and milliseconds of the day (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(unix_ns: i64) -> (i64, i64, i64, i64) {
    let ms = unix_ns.div_euclid(1_000_000);
    let z = ms.div_euclid(86_400_000) + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let d = doy - (153 * mp + 2) / 5 + 1;
    let m = if mp < 10 { mp + 3 } else { mp - 9 };
    (yoe + era * 400 + i64::from(m <= 2), m, d, ms.rem_euclid(86_400_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000_000_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_466_467_250_999_999), "2026-11-23T20:41:07.250Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(for_people(1_795_466_467_250_999_999), "2026-11-23 20:41 UTC");
    }

    #[test]
    fn spans_read_well() {
        assert_eq!(span(45.4), "45 s");
        assert_eq!(span(750.0), "12 min 30 s");
        assert_eq!(span(3840.0), "1 h 04 min");
        assert_eq!(span(f64::NAN), "0 s");
    }
}
