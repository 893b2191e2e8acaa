//! Sizes and times as people write them: `64M`, `20ms`.

use std::time::Duration;

/// Bytes: a number, or a number of kibi-, mebi- or gibibytes (`64K`, `64KB` and `64KiB` are the same).
///
/// # Errors
/// What is wrong with it, to be read behind "it".
pub fn size(text: &str) -> Result<u64, String> {
    let (digits, unit) = split(text);
    let factor = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kb" | "kib" => Some(1 << 10),
        "m" | "mb" | "mib" => Some(1 << 20),
        "g" | "gb" | "gib" => Some(1_u64 << 30),
        _ => None,
    };
    let Some((number, factor)) = digits.parse::<u64>().ok().zip(factor) else {
        return Err("is not a number of bytes, or of K, M or G, as in `64M`".to_owned());
    };
    let bytes = number.checked_mul(factor);
    bytes.ok_or_else(|| "is more than a machine can have".to_owned())
}

/// A time: a number of `us`, `ms`, `s`, `m` or `h`.
///
/// # Errors
/// What is wrong with it, to be read behind "it".
pub fn time(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split(text);
    let micros = match unit {
        "us" => Some(1),
        "ms" => Some(1_000),
        "s" => Some(1_000_000),
        "m" => Some(60_000_000),
        "h" => Some(3_600_000_000_u64),
        _ => None,
    };
    let Some((number, micros)) = digits.parse::<u64>().ok().zip(micros) else {
        return Err("is not a number of us, ms, s, m or h, as in `20ms`".to_owned());
    };
    // A hundred years are long enough, and no sum with them overflows.
    let micros = number
        .checked_mul(micros)
        .filter(|micros| *micros <= 3_155_760_000_000_000);
    let time = micros.map(Duration::from_micros);
    time.ok_or_else(|| "is more than a hundred years".to_owned())
}

fn split(text: &str) -> (&str, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (&text[..digits], text[digits..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units() {
        for (text, bytes) in [
            ("0", 0),
            ("65536", 1 << 16),
            ("64K", 1 << 16),
            ("1mb", 1 << 20),
            ("4 GiB", 1 << 32),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for (text, micros) in [
            ("5us", 5),
            ("20ms", 20_000),
            ("1s", 1_000_000),
            ("2m", 120_000_000),
            ("1 h", 3_600_000_000),
        ] {
            assert_eq!(time(text), Ok(Duration::from_micros(micros)), "{text}");
        }
        for text in [
            "",
            "M",
            "64X",
            "1.5M",
            "-1",
            "99999999999999999999",
            "18446744073709551615G",
            "ä",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        for text in [
            "",
            "5",
            "s",
            "5 seconds",
            "-1s",
            "1.5s",
            "99999999999h",
            "18446744073709551615h",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
