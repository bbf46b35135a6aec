//! The two text forms in which Prometheus reads numbers.

use axum::http::{HeaderMap, header};
use std::collections::BTreeMap;

/// OpenMetrics, for those that ask for it, as Prometheus does.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// The older form, which everything else reads.
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The form that a request asks for: its content type, and the text in it, out of OpenMetrics.
pub(super) fn negotiated(request: &HeaderMap, text: String) -> (&'static str, String) {
    let mut accepted = request.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.any(|types| types.contains("application/openmetrics-text")) {
        (OPEN_METRICS, text)
    } else {
        (CLASSIC, classic(&text))
    }
}

/// The older form of an OpenMetrics text: families are named as their samples are, information is a gauge, and there
/// are neither units nor an end.
fn classic(text: &str) -> String {
    let kinds: BTreeMap<&str, &str> = text.lines().filter_map(|line| described(line, "# TYPE ")).collect();
    let suffix = |name: &str| match kinds.get(name).copied() {
        Some("counter") => "_total",
        Some("info") => "_info",
        _ => "",
    };
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if let Some((name, help)) = described(line, "# HELP ") {
            out += &format!("# HELP {name}{} {help}\n", suffix(name));
        } else if let Some((name, kind)) = described(line, "# TYPE ") {
            let kind = if kind == "info" { "gauge" } else { kind };
            out += &format!("# TYPE {name}{} {kind}\n", suffix(name));
        } else if !line.starts_with('#') {
            out += line;
            out.push('\n');
        }
    }
    out
}

/// The family that a line is about, and what the line says of it.
fn described<'a>(line: &'a str, what: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(what)?.split_once(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const TEXT: &str = "# HELP a_build The program.\n# TYPE a_build info\na_build_info{version=\"1\"} 1\n\
        # HELP a_size_bytes Size.\n# TYPE a_size_bytes gauge\n# UNIT a_size_bytes bytes\na_size_bytes 2.0\n\
        # HELP a_seen Seen.\n# TYPE a_seen counter\na_seen_total{by=\"# x\"} 3.0\n# EOF\n";

    #[test]
    fn the_older_form_names_families_as_their_samples() {
        let expected = "# HELP a_build_info The program.\n# TYPE a_build_info gauge\na_build_info{version=\"1\"} 1\n\
            # HELP a_size_bytes Size.\n# TYPE a_size_bytes gauge\na_size_bytes 2.0\n\
            # HELP a_seen_total Seen.\n# TYPE a_seen_total counter\na_seen_total{by=\"# x\"} 3.0\n";
        assert_eq!(classic(TEXT), expected);
    }

    #[test]
    fn who_asks_for_open_metrics_is_given_it() {
        let asking =
            |types: &'static str| HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(types))]);
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3";
        assert_eq!(negotiated(&asking(prometheus), TEXT.into()), (OPEN_METRICS, TEXT.into()));
        assert_eq!(negotiated(&asking("*/*"), TEXT.into()).0, CLASSIC);
        assert_eq!(negotiated(&HeaderMap::new(), TEXT.into()).0, CLASSIC);
    }
}
