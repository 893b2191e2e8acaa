//! What a run says: one value with its unit, named figures beside it, as a JSON line or for people.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::latency::Latency;
use crate::machine;

/// The outcome of one run.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) value: f64,
    pub(crate) unit: &'static str,
    /// What the value is the rate of: told on the way, it comes to no less.
    #[cfg(test)]
    pub(crate) count: u64,
    figures: Vec<(String, f64)>,
    /// Latency in microseconds by share, if the workload timed one above all.
    pub(crate) curve: Vec<(f64, f64)>,
}

impl Report {
    /// `count` things in `elapsed`, as a rate.
    pub(crate) fn rate(count: u64, elapsed: Duration, unit: &'static str) -> Self {
        Report {
            value: count as f64 / elapsed.as_secs_f64(),
            unit,
            #[cfg(test)]
            count,
            figures: Vec::new(),
            curve: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, key: &str, value: f64) -> Self {
        self.figures.push((key.to_string(), value));
        self
    }

    /// The usual quantiles as figures (`p50_us` to `max_us`) and the whole curve; nothing where
    /// nothing was measured.
    pub(crate) fn with_latency(self, latency: &Latency) -> Self {
        self.with_latency_named("", latency).with_curve(latency)
    }

    pub(crate) fn with_curve(mut self, latency: &Latency) -> Self {
        self.curve = latency.curve();
        self
    }

    /// The figures with a word in front: `corrected_p50_us`.
    pub(crate) fn with_latency_named(self, prefix: &str, latency: &Latency) -> Self {
        if latency.count() == 0 {
            return self;
        }
        self.with(&format!("{prefix}p50_us"), latency.quantile_us(0.50))
            .with(&format!("{prefix}p95_us"), latency.quantile_us(0.95))
            .with(&format!("{prefix}p99_us"), latency.quantile_us(0.99))
            .with(&format!("{prefix}p999_us"), latency.quantile_us(0.999))
            .with(&format!("{prefix}max_us"), latency.max_us())
    }

    pub(crate) fn figures(&self) -> impl Iterator<Item = (&str, f64)> {
        let figures = self.figures.iter();
        figures.map(|(name, value)| (name.as_str(), *value))
    }

    /// The same report with one of its figures as its value, and the value among the figures.
    pub(crate) fn led_by(mut self, figure: &str) -> Result<Self, Failure> {
        let Some(at) = self.figures.iter().position(|(key, _)| key == figure) else {
            let keys: Vec<&str> = self.figures.iter().map(|(key, _)| key.as_str()).collect();
            return Err(Failure::Usage(format!(
                "there is no figure `{figure}`: the scenario tells {}.",
                keys.join(", ")
            )));
        };
        let (key, value) =
            std::mem::replace(&mut self.figures[at], (self.unit.to_string(), self.value));
        self.value = value;
        // A few bytes for each run of a sweep that wants it.
        self.unit = key.leak();
        Ok(self)
    }

    pub(crate) fn figure(&self, key: &str) -> Option<f64> {
        self.figures()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    }

    /// The line every peer prints, with this process's memory as it is now.
    pub(crate) fn json_line(&self, workload: &str) -> String {
        let mut out = Map::new();
        out.insert("peer".into(), json!("rusm"));
        out.insert("workload".into(), json!(workload));
        out.insert("value".into(), json!(tidy(self.value)));
        out.insert("unit".into(), json!(self.unit));
        for (key, value) in &self.figures {
            out.insert(key.clone(), json!(tidy(*value)));
        }
        out.insert("rss_kb".into(), json!(machine::rss_kb()));
        out.insert("peak_rss_kb".into(), json!(machine::peak_rss_kb()));
        Value::Object(out).to_string()
    }

    pub(crate) fn human_line(&self, name: &str) -> String {
        let mut line = format!("{name:<18}{:>10} {}", short(self.value), self.unit);
        for (key, value) in &self.figures {
            line.push_str(&format!("  {key} {}", short(*value)));
        }
        line
    }
}

/// Three decimals below a thousand, none above: more would only be noise.
pub(crate) fn tidy(value: f64) -> f64 {
    if value.abs() >= 1000.0 {
        value.round()
    } else {
        (value * 1000.0).round() / 1000.0
    }
}

/// A figure a person can read at a glance: `12.3 M`, `45.6 k`, `7.89`.
pub(crate) fn short(value: f64) -> String {
    if value >= 1e9 {
        format!("{:.2} G", value / 1e9)
    } else if value >= 1e6 {
        format!("{:.2} M", value / 1e6)
    } else if value >= 1e4 {
        format!("{:.1} k", value / 1e3)
    } else if value >= 100.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Report {
        let mut latency = Latency::new();
        latency.note(Duration::from_micros(5));
        Report::rate(3_000, Duration::from_secs(2), "msgs/s")
            .with("n", 3.0)
            .with_latency(&latency)
    }

    #[test]
    fn the_json_line_has_the_fields_that_a_comparison_reads() {
        let line: Value = serde_json::from_str(&sample().json_line("ping_pong")).unwrap();
        assert_eq!(line["peer"], "rusm");
        assert_eq!(line["workload"], "ping_pong");
        assert_eq!(line["value"], 1500.0);
        assert_eq!(line["unit"], "msgs/s");
        assert_eq!(line["n"], 3.0);
        let times = ["p50_us", "p95_us", "p99_us", "p999_us", "max_us"];
        for key in times.into_iter().chain(["rss_kb", "peak_rss_kb"]) {
            assert!(line[key].is_number(), "{key}");
        }
    }

    #[test]
    fn the_json_line_is_one_line() {
        assert!(!sample().json_line("ring").contains('\n'));
    }

    #[test]
    fn latencies_that_nobody_measured_are_left_out() {
        let report = Report::rate(1, Duration::from_secs(1), "x").with_latency(&Latency::new());
        assert_eq!(report.figure("p50_us"), None);
    }

    #[test]
    fn figures_are_short_for_people() {
        assert_eq!(short(12_345_678.0), "12.35 M");
        assert_eq!(short(45_600.0), "45.6 k");
        assert_eq!(short(7.891), "7.89");
        assert!(sample().human_line("ping-pong").starts_with("ping-pong"));
    }
}
