//! When to try again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// No server's word makes us wait longer than that.
const LONGEST: Duration = Duration::from_secs(3600);

/// Exponential back-off with full jitter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    pub first: Duration,
    pub longest: Duration,
}

impl Backoff {
    /// Anything up to the bound of that try, the first being 0, so that clients
    /// that failed together do not come back together.
    pub fn pause(&self, attempt: u32) -> Duration {
        let bound = self.first.saturating_mul(1 << attempt.min(20)).min(self.longest);
        bound.mul_f64(fraction())
    }
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64
}

/// What `Retry-After` asks for, in seconds or as a date by the server's own clock.
pub(crate) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(LONGEST.as_secs_f64())));
    }
    let until = http_date(text)?;
    let wait = until - server_time(headers).unwrap_or(now);
    Some(wait.to_std().unwrap_or_default().min(LONGEST))
}

/// The server's clock, by the `Date` header.
pub(crate) fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    http_date(headers.get(DATE)?.to_str().ok()?)
}

fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text.trim()).ok().map(|t| t.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn seconds_and_dates() {
        let now = DateTime::UNIX_EPOCH;
        let wait = |pairs: &[(&'static str, &'static str)]| retry_after(&headers(pairs), now).map(|d| d.as_secs());
        assert_eq!(wait(&[("retry-after", "7")]), Some(7));
        assert_eq!(wait(&[("retry-after", "99999999")]), Some(3600));
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "Thu, 01 Jan 1970 00:00:09 GMT")]), Some(9));
        // Its own clock counts, however wrong it is.
        let both = [("retry-after", "Fri, 20 Jun 2031 10:00:05 GMT"), ("date", "Fri, 20 Jun 2031 10:00:00 GMT")];
        assert_eq!(wait(&both), Some(5));
        assert_eq!(wait(&[("retry-after", "Wed, 31 Dec 1969 00:00:00 GMT")]), Some(0));
    }

    #[test]
    fn pauses_grow_differ_and_end() {
        let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(2) };
        let pauses = |attempt| (0..200).map(move |_| backoff.pause(attempt)).collect::<Vec<_>>();
        assert!(pauses(0).iter().all(|p| *p <= Duration::from_millis(100)));
        assert!(pauses(3).iter().any(|p| *p > Duration::from_millis(400)));
        assert!(pauses(31).iter().all(|p| *p <= Duration::from_secs(2)));
        assert!(pauses(3).iter().collect::<std::collections::HashSet<_>>().len() > 100);
    }
}
