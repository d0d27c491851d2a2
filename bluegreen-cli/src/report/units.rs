//! Times and sizes for people.

use std::time::Duration;

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
