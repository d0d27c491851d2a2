//! Which status codes are good.

use std::{fmt, ops::RangeInclusive, str::FromStr};

/// A list of status codes and ranges: `200-299`, `200,204`, `200-299,301`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StatusRanges(Vec<RangeInclusive<u16>>);

/// The text is not a list of status codes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a list of status codes from 100 to 599: write it like \"200-299\" or \"200,204\"")]
pub struct InvalidStatus(String);

impl StatusRanges {
    /// Whether `status` is one of them.
    pub fn contain(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

impl Default for StatusRanges {
    /// 200 to 299.
    fn default() -> Self {
        Self(vec![200..=299])
    }
}

impl FromStr for StatusRanges {
    type Err = InvalidStatus;

    fn from_str(text: &str) -> Result<Self, InvalidStatus> {
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges.map(Self).ok_or_else(|| InvalidStatus(text.chars().take(64).collect()))
    }
}

fn range(text: &str) -> Option<RangeInclusive<u16>> {
    let code = |text: &str| text.trim().parse().ok().filter(|code| (100..=599).contains(code));
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = (code(from)?, code(to)?);
    (from <= to).then_some(from..=to)
}

impl fmt::Display for StatusRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, range) in self.0.iter().enumerate() {
            f.write_str(if n == 0 { "" } else { "," })?;
            write!(f, "{}", range.start())?;
            if range.start() != range.end() {
                write!(f, "-{}", range.end())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lists_and_ranges() {
        for (text, good, bad) in [("200-299", 204, 301), ("200,204", 204, 201), (" 200-299 , 301", 301, 302)] {
            let ranges: StatusRanges = text.parse().unwrap();
            assert!(ranges.contain(good) && !ranges.contain(bad), "{text}");
            assert_eq!(ranges.to_string().parse(), Ok(ranges));
        }
        assert_eq!(StatusRanges::default().to_string(), "200-299");
    }

    #[test]
    fn refuses_anything_else() {
        for bad in ["", "2xx", "200-", "-200", "299-200", "99", "600", "200,,204", "200 204", "+200-3_0"] {
            assert!(bad.parse::<StatusRanges>().is_err(), "{bad}");
        }
    }
}
