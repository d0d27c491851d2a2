//! Times for people, one way everywhere.

use std::time::Duration;

/// How long something took, or may take: `0.4 ms`, `3 ms`, `120 ms`, `8.2 s`, `8 s`, `120 s`, `5m 12s`, `10 min`, `3h 02m`.
pub fn took(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.as_millis());
    match seconds {
        _ if millis < 10 && !time.as_micros().is_multiple_of(1000) => {
            format!("{millis}.{} ms", time.as_micros() % 1000 / 100)
        }
        0 => format!("{millis} ms"),
        // what is configured has no fraction
        1..10 if !millis.is_multiple_of(1000) => format!("{seconds}.{} s", millis % 1000 / 100),
        // as long as the usual deadlines: a wait says `12 s of 120 s`
        1..300 => format!("{seconds} s"),
        _ if seconds.is_multiple_of(3600) => format!("{} h", seconds / 3600),
        300..3600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        300..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_about_two_digits() {
        let cases = [
            (Duration::from_micros(420), "0.4 ms"),
            (Duration::from_millis(3), "3 ms"),
            (Duration::from_millis(120), "120 ms"),
            (Duration::from_millis(8250), "8.2 s"),
            (Duration::from_secs(8), "8 s"),
            (Duration::from_secs(45), "45 s"),
            (Duration::from_secs(125), "125 s"),
            (Duration::from_secs(312), "5m 12s"),
            (Duration::from_secs(600), "10 min"),
            (Duration::from_secs(3600), "1 h"),
            (Duration::from_secs(10_920), "3h 02m"),
        ];
        for (time, text) in cases {
            assert_eq!(took(time), text);
        }
    }
}
