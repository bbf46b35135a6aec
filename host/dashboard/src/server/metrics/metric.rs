//! What a metric is, and how it is registered.

use super::sources::Sources;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric as Register, Registry, Unit};
use std::sync::atomic::AtomicU64;

type Labels = Vec<(&'static str, String)>;

/// A metric.
pub(super) struct Metric {
    /// Its name, without the program's before it and its unit after it.
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    kind: Kind,
}

/// What a metric's values are.
enum Kind {
    /// Words that never change.
    Info(&'static [(&'static str, &'static str)]),
    /// Numbers that rise and fall.
    Gauge(fn(&Sources<'_>) -> Option<Samples>),
    /// Numbers that only rise.
    Counter(fn(&Sources<'_>) -> Option<Samples>),
}

/// The values of a metric.
pub(super) enum Samples {
    One(f64),
    /// One for each combination of labels; there may be none as yet.
    Labelled(Vec<Sample>),
}

/// One value of a metric.
pub(super) struct Sample {
    labels: Labels,
    value: f64,
}

impl Sample {
    pub(super) fn new<const N: usize>(labels: [(&'static str, String); N], value: f64) -> Self {
        Self { labels: labels.into(), value }
    }
}

pub(super) const fn info(
    name: &'static str,
    help: &'static str,
    words: &'static [(&'static str, &'static str)],
) -> Metric {
    Metric { name, help, unit: None, kind: Kind::Info(words) }
}

pub(super) const fn gauge(
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    samples: fn(&Sources<'_>) -> Option<Samples>,
) -> Metric {
    Metric { name, help, unit, kind: Kind::Gauge(samples) }
}

pub(super) const fn counter(
    name: &'static str,
    help: &'static str,
    unit: Option<Unit>,
    samples: fn(&Sources<'_>) -> Option<Samples>,
) -> Metric {
    Metric { name, help, unit, kind: Kind::Counter(samples) }
}

impl Metric {
    /// Registers it with its values, if they are known.
    pub(super) fn register(&self, registry: &mut Registry, sources: &Sources<'_>) {
        match &self.kind {
            Kind::Info(words) => self.add(registry, Info::new(words.to_vec())),
            Kind::Gauge(samples) => match samples(sources) {
                None => {}
                Some(Samples::One(value)) => {
                    let gauge = Gauge::<f64, AtomicU64>::default();
                    gauge.set(value);
                    self.add(registry, gauge);
                }
                Some(Samples::Labelled(samples)) => {
                    let family = Family::<Labels, Gauge<f64, AtomicU64>>::default();
                    for Sample { labels, value } in samples {
                        family.get_or_create(&labels).set(value);
                    }
                    self.add(registry, family);
                }
            },
            Kind::Counter(samples) => match samples(sources) {
                None => {}
                Some(Samples::One(value)) => self.add(registry, ConstCounter::new(value)),
                Some(Samples::Labelled(samples)) => {
                    let family = Family::<Labels, Counter<f64, AtomicU64>>::default();
                    for Sample { labels, value } in samples {
                        family.get_or_create(&labels).inc_by(value);
                    }
                    self.add(registry, family);
                }
            },
        }
    }

    fn add(&self, registry: &mut Registry, metric: impl Register) {
        match &self.unit {
            Some(unit) => registry.register_with_unit(self.name, self.help, unit.clone(), metric),
            None => registry.register(self.name, self.help, metric),
        }
    }

    /// The name by which its values are asked for: `mantis_process_cpu_seconds_total`.
    #[cfg(test)]
    pub(super) fn sample_name(&self) -> String {
        let unit = self.unit.as_ref().map_or(String::new(), |unit| format!("_{}", unit.as_str()));
        let suffix = match self.kind {
            Kind::Info(_) => "_info",
            Kind::Gauge(_) => "",
            Kind::Counter(_) => "_total",
        };
        format!("{}_{}{unit}{suffix}", super::PREFIX, self.name)
    }
}
