//! Metrics for a collector: OTLP over HTTP, as JSON (opentelemetry.io/docs/specs/otlp), every so often. Switched on by the
//! variables of the OpenTelemetry specification, and by nothing else.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusm_actor::Node;
use rusm_io::Reactor;
use rusm_net::Post;
use rusm_sched::Histogram;
use serde_json::{Value as Json, json};

use crate::metrics::{self, Metric, VERSION, Value};
use crate::snapshot::Snapshot;
use crate::system::System;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
const SERVICE: &str = "OTEL_SERVICE_NAME";

/// Between two exports unless the variable says otherwise, as the specification has it.
const EVERY: Duration = Duration::from_secs(60);
/// More often than this no collector is asked.
const EVERY_MIN: Duration = Duration::from_millis(100);
/// The port of OTLP over HTTP.
const PORT: u16 = 4318;
/// Totals since the start, and not since the export before (the specification's number for it).
const CUMULATIVE: u32 = 2;

/// Where metrics are sent to, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otlp {
    to: String,
    path: String,
    headers: Vec<(String, String)>,
    every: Duration,
    service: String,
}

/// A variable that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpError(String);

impl fmt::Display for OtlpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for OtlpError {}

impl Otlp {
    /// To the collector at `url`, as `http://HOST:PORT/PATH`, so often, without further headers.
    ///
    /// # Errors
    /// The address makes no sense.
    pub fn to(url: &str, every: Duration) -> Result<Self, OtlpError> {
        let (to, path) = parse_url(url).ok_or_else(|| {
            OtlpError(format!(
                "`{url}` is no address of a collector: give it as `http://HOST:PORT/PATH`"
            ))
        })?;
        Ok(Otlp {
            to,
            path: if path.is_empty() { "/".into() } else { path },
            headers: Vec::new(),
            every: every.max(EVERY_MIN),
            service: "rusm".into(),
        })
    }

    /// What the environment says; `None` if it says nothing.
    ///
    /// # Errors
    /// A sentence about the variable that makes no sense.
    pub fn from_env() -> Result<Option<Self>, OtlpError> {
        Otlp::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, OtlpError> {
        let variable = |name| variable(name).filter(|text| !text.is_empty());
        let (url, name, own_path) = match (variable(METRICS_ENDPOINT), variable(ENDPOINT)) {
            (Some(url), _) => (url, METRICS_ENDPOINT, ""),
            (None, Some(url)) => (url, ENDPOINT, "/v1/metrics"),
            (None, None) => return Ok(None),
        };
        let every = match variable(INTERVAL) {
            None => EVERY,
            Some(text) => text
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| OtlpError(format!("`{INTERVAL}` is `{text}`: give milliseconds")))?,
        };
        let url = format!("{}{own_path}", url.trim_end_matches('/'));
        let otlp = Otlp::to(&url, every).map_err(|_| {
            OtlpError(format!(
                "`{name}` is `{url}`: give the collector as `http://HOST:PORT`; there is no TLS here"
            ))
        })?;
        Ok(Some(Otlp {
            headers: headers(&variable(HEADERS).unwrap_or_default())?,
            service: variable(SERVICE).unwrap_or(otlp.service),
            ..otlp
        }))
    }

    /// Has a process of `node` export its metrics as long as the node lives. `failed` hears why an export did not arrive:
    /// once, until one has arrived again.
    pub fn start(
        self,
        node: &Node,
        reactor: Arc<Reactor>,
        failed: impl Fn(&str) + Send + Sync + 'static,
    ) {
        let (watched, since) = (Node::over(node.handle()), SystemTime::now());
        node.spawn(move |mut ctx| async move {
            ctx.set_label("otlp exporter");
            let mut told = false;
            loop {
                ctx.sleep(self.every).await;
                // Without a thread to ask the system on, what it knows is left out.
                let system = rusm_sched::blocking::run(System::read).await;
                let snapshot =
                    Snapshot::take(&watched, &reactor, since, system.unwrap_or_default());
                let outcome = self.export(&snapshot).await;
                if let (Err(why), false) = (&outcome, told) {
                    failed(why);
                }
                told = outcome.is_err();
            }
        });
    }

    async fn export(&self, snapshot: &Snapshot) -> Result<(), String> {
        let body = self.body(snapshot).to_string();
        let post = Post {
            to: &self.to,
            path: &self.path,
            content_type: "application/json",
            headers: &self.headers,
            body: body.as_bytes(),
        };
        match post.send().await {
            Ok(200..=299) => Ok(()),
            Ok(status) => Err(format!("{} answers with status {status}", self.to)),
            Err(why) => Err(format!("{}: {why}", self.to)),
        }
    }

    fn body(&self, snapshot: &Snapshot) -> Json {
        let points = Points {
            since: unix_nanos(snapshot.since),
            now: unix_nanos(SystemTime::now()),
        };
        let metrics = metrics::all(snapshot);
        let metrics: Vec<Json> = metrics.iter().map(|metric| points.metric(metric)).collect();
        json!({"resourceMetrics": [{
            "resource": {"attributes": [attribute("service.name", &self.service)]},
            "scopeMetrics": [{"scope": {"name": "rusm", "version": VERSION}, "metrics": metrics}],
        }]})
    }
}

/// `host:port`, and the path.
fn parse_url(url: &str) -> Option<(String, String)> {
    let rest = url.strip_prefix("http://")?;
    let (to, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let good = !to.is_empty() && !to.contains(['@', '?', '#', ' ']) && !path.contains(' ');
    let has_port = to.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok() && !host.ends_with(':')
    });
    let to = match has_port {
        true => to.to_owned(),
        false => format!("{to}:{PORT}"),
    };
    good.then(|| (to, path.to_owned()))
}

/// `name=value,name=value`.
fn headers(text: &str) -> Result<Vec<(String, String)>, OtlpError> {
    let parts = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty());
    let header = |part: &str| {
        let (name, value) = part.split_once('=')?;
        let name = name.trim();
        let good = !name.is_empty() && name.bytes().all(|it| it.is_ascii_graphic() && it != b':');
        let plain = value.bytes().all(|it| it.is_ascii_graphic() || it == b' ');
        (good && plain).then(|| (name.to_owned(), value.trim().to_owned()))
    };
    // What it says may be a secret.
    let bad = || {
        OtlpError(format!(
            "`{HEADERS}` is not of the form `name=value,name=value`"
        ))
    };
    parts.map(|part| header(part).ok_or_else(bad)).collect()
}

fn unix_nanos(at: SystemTime) -> String {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().to_string()
}

fn attribute(key: &str, value: &str) -> Json {
    json!({"key": key, "value": {"stringValue": value}})
}

/// How points of this export are written.
struct Points {
    since: String,
    now: String,
}

impl Points {
    fn metric(&self, metric: &Metric) -> Json {
        let of_workers = |values: &[f64]| {
            let each = values.iter().enumerate();
            let point = |(number, value): (usize, &f64)| {
                self.point(*value, &[attribute("worker", &number.to_string())])
            };
            each.map(point).collect()
        };
        let (kind, data) = match &metric.value {
            Value::Gauge(value) => ("gauge", gauge(vec![self.point(*value, &[])])),
            Value::Gauges(values) => ("gauge", gauge(of_workers(values))),
            Value::Counter(value) => ("sum", sum(vec![self.point(*value, &[])])),
            Value::Counters(values) => ("sum", sum(of_workers(values))),
            Value::Histogram(histogram) => ("histogram", self.histogram(histogram)),
            Value::Version => {
                let point = self.point(1.0, &[attribute("version", VERSION)]);
                ("gauge", gauge(vec![point]))
            }
        };
        let mut json = json!({"name": metric.name, "description": metric.help});
        json[kind] = data;
        if metric.name.contains("_seconds") {
            json["unit"] = "s".into();
        } else if metric.name.ends_with("_bytes") {
            json["unit"] = "By".into();
        }
        json
    }

    fn point(&self, value: f64, attributes: &[Json]) -> Json {
        json!({"startTimeUnixNano": self.since, "timeUnixNano": self.now, "asDouble": value,
               "attributes": attributes})
    }

    /// A bucket takes what is not longer than its bound, and the last one the rest.
    fn histogram(&self, histogram: &Histogram) -> Json {
        let full: Vec<(Duration, u64)> = histogram.buckets().filter(|it| it.1 > 0).collect();
        let bounds: Vec<f64> = full
            .iter()
            .map(|(longest, _)| longest.as_secs_f64())
            .collect();
        let counts = full.iter().map(|(_, count)| count.to_string());
        let counts: Vec<String> = counts.chain(["0".into()]).collect();
        json!({"aggregationTemporality": CUMULATIVE, "dataPoints": [{
            "startTimeUnixNano": self.since, "timeUnixNano": self.now,
            "count": histogram.count().to_string(), "sum": histogram.sum().as_secs_f64(),
            "bucketCounts": counts, "explicitBounds": bounds}]})
    }
}

fn gauge(points: Vec<Json>) -> Json {
    json!({"dataPoints": points})
}

fn sum(points: Vec<Json>) -> Json {
    json!({"aggregationTemporality": CUMULATIVE, "isMonotonic": true, "dataPoints": points})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Otlp>, OtlpError> {
        Otlp::from_variables(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn the_variables_say_where_and_how_often() {
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[(ENDPOINT, "")]), Ok(None));
        let plain = of(&[(ENDPOINT, "http://collector")])
            .expect("good")
            .expect("set");
        assert_eq!(
            (plain.to.as_str(), plain.path.as_str()),
            ("collector:4318", "/v1/metrics")
        );
        assert_eq!((plain.every, plain.service.as_str()), (EVERY, "rusm"));
        let variables = [
            (ENDPOINT, "http://elsewhere"),
            (METRICS_ENDPOINT, "http://[::1]:99/in/here"),
            (HEADERS, "api-key=a=b, x=y"),
            (INTERVAL, "5000"),
            (SERVICE, "shop"),
        ];
        let all = of(&variables).expect("good").expect("set");
        assert_eq!(
            (all.to.as_str(), all.path.as_str()),
            ("[::1]:99", "/in/here")
        );
        assert_eq!(all.headers[0], ("api-key".to_owned(), "a=b".to_owned()));
        assert_eq!(
            (all.every, all.service.as_str()),
            (Duration::from_secs(5), "shop")
        );
    }

    #[test]
    fn variables_that_make_no_sense_are_refused_by_name() {
        for (name, value) in [
            (ENDPOINT, "https://collector"),
            (ENDPOINT, "collector:4318"),
            (METRICS_ENDPOINT, "http://"),
            (INTERVAL, "soon"),
            (HEADERS, "no value"),
            (HEADERS, "a=b\nc"),
        ] {
            let refused = of(&[(ENDPOINT, "http://it.is.good"), (name, value)]);
            let refused = match name {
                ENDPOINT => of(&[(name, value)]),
                _ => refused,
            };
            let text = refused.expect_err(value).to_string();
            assert!(text.contains(name), "{text}");
        }
    }
}
