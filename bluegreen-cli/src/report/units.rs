//! Times and sizes for people.

use std::time::Duration;

/// How long something took: `0.4 ms`, `3 ms`, `120 ms`, `8.2 s`, `45 s`, `2m 05s`, `3h 02m`.
pub fn took(time: Duration) -> String {
    let (seconds, millis) = (time.as_secs(), time.as_millis());
    match seconds {
        _ if millis < 10 && !time.as_micros().is_multiple_of(1000) => {
            format!("{millis}.{} ms", time.as_micros() % 1000 / 100)
        }
        0 => format!("{millis} ms"),
        1..10 => format!("{}.{} s", seconds, millis % 1000 / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// How long ago: `just now`, `45 s ago`, `3 min ago`, `5 h ago`, `12 days ago`.
pub fn ago(time: Duration) -> String {
    match time.as_secs() {
        0..5 => "just now".to_owned(),
        seconds @ 5..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
        seconds @ 86_400..172_800 => format!("{} day ago", seconds / 86_400),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

/// How many bytes: `812 B`, `1.4 kB`, `36 MB`; powers of 1000, as disks and `ls --si` count.
pub fn size(bytes: u64) -> String {
    let units = [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.into_iter().find(|(_, one)| bytes >= *one) {
        Some((unit, one)) if bytes < 10 * one => format!("{}.{} {unit}", bytes / one, bytes % one * 10 / one),
        Some((unit, one)) => format!("{} {unit}", bytes / one),
        None => format!("{bytes} B"),
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
            (Duration::from_secs(45), "45 s"),
            (Duration::from_secs(125), "2m 05s"),
            (Duration::from_secs(10_920), "3h 02m"),
        ];
        for (time, text) in cases {
            assert_eq!(took(time), text);
        }
    }

    #[test]
    fn ages_are_rounded_down() {
        let cases =
            [(0, "just now"), (59, "59 s ago"), (3599, "59 min ago"), (90_000, "1 day ago"), (864_000, "10 days ago")];
        for (seconds, text) in cases {
            assert_eq!(ago(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn sizes_have_about_two_digits() {
        let cases = [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1449, "1.4 kB"),
            (36_400_000, "36 MB"),
            (7_100_000_000, "7.1 GB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }
}
