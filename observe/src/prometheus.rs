//! Metrics as Prometheus reads them: its text format, version 0.0.4.

use std::fmt::{Display, Write};
use std::time::Duration;

use rusm_sched::Histogram;

use crate::metrics::{self, Metric, VERSION, Value};
use crate::snapshot::Snapshot;

pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The ends of the histogram's buckets are powers of two of nanoseconds: from this one, about 1 us,
const BUCKET_FIRST: u32 = 10;
/// to this one, about 1 s.
const BUCKET_LAST: u32 = 30;

/// The whole page.
pub(crate) fn page(snapshot: &Snapshot) -> String {
    let mut page = Page(String::with_capacity(16 * 1024));
    for metric in metrics::all(snapshot) {
        page.metric(&metric);
    }
    page.0
}

struct Page(String);

impl Page {
    fn metric(&mut self, metric: &Metric) {
        let Metric { name, help, value } = metric;
        let kind = match value {
            Value::Gauge(_) | Value::Gauges(_) | Value::Version => "gauge",
            Value::Counter(_) | Value::Counters(_) => "counter",
            Value::Histogram(_) => "histogram",
        };
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
        match value {
            Value::Gauge(value) | Value::Counter(value) => self.sample(name, "", value),
            Value::Gauges(values) | Value::Counters(values) => {
                for (number, value) in values.iter().enumerate() {
                    self.sample(name, &format!("worker=\"{number}\""), value);
                }
            }
            Value::Histogram(histogram) => self.histogram(name, histogram),
            Value::Version => self.sample(name, &format!("version=\"{VERSION}\""), 1),
        }
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        match labels {
            "" => self.line(format_args!("{name} {value}")),
            _ => self.line(format_args!("{name}{{{labels}}} {value}")),
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.0, "{line}").expect("a `String` takes everything");
    }

    fn histogram(&mut self, name: &str, histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        for power in BUCKET_FIRST..=BUCKET_LAST {
            let end = Duration::from_nanos(1 << power);
            let within = histogram.buckets().filter(|(longest, _)| *longest < end);
            let count: u64 = within.map(|(_, count)| count).sum();
            self.sample(&bucket, &format!("le=\"{}\"", end.as_secs_f64()), count);
        }
        self.sample(&bucket, "le=\"+Inf\"", histogram.count());
        self.sample(&format!("{name}_sum"), "", histogram.sum().as_secs_f64());
        self.sample(&format!("{name}_count"), "", histogram.count());
    }
}
