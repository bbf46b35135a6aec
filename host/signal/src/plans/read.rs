//! Reading `signal.toml`: as a whole, with all of its faults.

use super::FREE;
use super::units::{Rate, span};
use mantis_config::closest;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};
use thiserror::Error;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// All that the file says.
#[derive(Clone, Debug)]
pub struct Plans {
    /// How the server is run.
    pub serving: Serving,
    plans: BTreeMap<String, Arc<Plan>>,
    offers: BTreeMap<String, Offer>,
}

/// How the server is run: `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Serving {
    /// Connections at the same time.
    pub connections: usize,
    /// Streams at the same time.
    pub streams: usize,
    /// How long a reader of a stream may take nothing before it is dropped.
    pub stall: Duration,
    /// Whether the last address in `X-Forwarded-For` is the reader's: behind a proxy that adds it.
    pub trust_forwarded: bool,
}

/// What a reader gets: `[plans.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// How much later than published a forecast is given.
    pub delay: Duration,
    /// Requests.
    pub rate: Rate,
    /// How far back forecasts are given.
    pub history: Duration,
    /// Streams at the same time.
    pub streams: usize,
    /// What it costs, in words.
    pub price: Option<String>,
}

/// What is said of a signal: `[signals.TICKER]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// What it is called for buyers.
    pub title: Option<String>,
    /// What it costs, in words.
    pub price: Option<String>,
    /// The plan in which it is sold.
    pub plan: Option<String>,
    /// Whether it is shown to nobody.
    pub hidden: bool,
}

/// Why the file is not taken.
#[derive(Debug, Error)]
pub enum PlansError {
    /// It cannot be read.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What it says is not allowed; a line for each fault.
    #[error("{0}")]
    Faults(String),
}

const TOP: [&str; 3] = ["plans", "server", "signals"];
const SERVER: [&str; 4] = ["connections", "stall", "streams", "trust_forwarded"];
const PLAN: [&str; 5] = ["delay", "history", "price", "rate", "streams"];
const SIGNAL: [&str; 4] = ["hidden", "plan", "price", "title"];
/// Bytes of a file, and of a text in it.
const LONGEST_FILE: u64 = 1 << 20;
const LONGEST_TEXT: usize = 200;

impl Default for Plans {
    /// Without a file: a day late for everyone, at once for whoever has a key of the plan `pro`.
    fn default() -> Self {
        let day = Duration::from_secs(86_400);
        let minute = Duration::from_secs(60);
        let plan = |name: &str, delay, count, history, streams| {
            let rate = Rate { count, per: minute };
            (
                name.to_owned(),
                Arc::new(Plan { name: name.into(), delay, rate, history, streams, price: None }),
            )
        };
        let plans = [plan(FREE, day, 30, 7 * day, 1), plan("pro", Duration::ZERO, 600, 400 * day, 4)].into();
        Self { serving: Serving::default(), plans, offers: BTreeMap::new() }
    }
}

impl Default for Serving {
    fn default() -> Self {
        Self { connections: 2048, streams: 1500, stall: Duration::from_secs(30), trust_forwarded: false }
    }
}

impl Plans {
    /// Reads a file.
    ///
    /// # Errors
    /// [`PlansError`] with all that is wrong.
    pub fn load(path: &Path) -> Result<Self, PlansError> {
        let file = |source| PlansError::File { path: path.into(), source };
        if fs::metadata(path).map_err(file)?.len() > LONGEST_FILE {
            return Err(PlansError::Faults(format!("{}: longer than 1 MiB", path.display())));
        }
        let text = fs::read_to_string(path).map_err(file)?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// Reads what stands in a file of that name.
    ///
    /// # Errors
    /// [`PlansError::Faults`] with all that is wrong.
    pub fn parse(name: &str, text: &str) -> Result<Self, PlansError> {
        let mut faults = Faults { name, text, lines: Vec::new() };
        let whole = match DeTable::parse(text) {
            Ok(whole) => whole.into_inner(),
            Err(error) => {
                faults.add(error.span().unwrap_or(0..0), "", error.message());
                return Err(faults.into_error());
            }
        };
        faults.unknown(&whole, "", &TOP);
        let mut found = Self::default();
        if let Some(table) = faults.table(&whole, "server", "server") {
            found.serving = serving(&mut faults, table);
        }
        if let Some(tables) = faults.table(&whole, "plans", "plans") {
            found.plans = BTreeMap::new();
            for (name, value) in tables {
                if let Some(table) = faults.as_table(value, &format!("plans.{}", name.get_ref())) {
                    let plan = plan(&mut faults, name, table);
                    found.plans.insert(plan.name.clone(), Arc::new(plan));
                }
            }
        }
        if let Some(tables) = faults.table(&whole, "signals", "signals") {
            for (name, value) in tables {
                if let Some(table) = faults.as_table(value, &format!("signals.{}", name.get_ref())) {
                    let offer = offer(&mut faults, name, table, &found.plans);
                    found.offers.insert(name.get_ref().to_string(), offer);
                }
            }
        }
        if faults.lines.is_empty() { Ok(found) } else { Err(faults.into_error()) }
    }

    /// The plan of a name.
    #[must_use]
    pub fn plan(&self, name: &str) -> Option<&Arc<Plan>> {
        self.plans.get(name)
    }

    /// All plans, by name.
    pub fn plans(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.plans.values()
    }

    /// What is said of a signal.
    #[must_use]
    pub fn offer(&self, ticker: &str) -> Offer {
        self.offers.get(ticker).cloned().unwrap_or_default()
    }
}

/// What is wrong with a file, a line each.
struct Faults<'a> {
    name: &'a str,
    text: &'a str,
    lines: Vec<String>,
}

impl Faults<'_> {
    fn add(&mut self, at: Range<usize>, place: &str, what: &str) {
        let line = self.text.get(..at.start).unwrap_or(self.text).matches('\n').count() + 1;
        let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
        self.lines.push(format!("{}:{line}: {place}{what}", self.name));
    }

    fn into_error(self) -> PlansError {
        PlansError::Faults(self.lines.join("\n"))
    }

    fn unknown(&mut self, table: &DeTable<'_>, label: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let mut what = format!("no such key; allowed are {}", known.join(", "));
            if let Some(meant) = closest(key.get_ref(), known) {
                // Writing to a string cannot fail.
                let _ = write!(what, "; did you mean `{meant}`?");
            }
            self.add(key.span(), &place(label, key.get_ref()), &what);
        }
    }

    fn table<'t, 'i>(&mut self, table: &'t DeTable<'i>, key: &str, label: &str) -> Option<&'t DeTable<'i>> {
        table.get(key).and_then(|value| self.as_table(value, label))
    }

    fn as_table<'t, 'i>(&mut self, value: &'t Spanned<DeValue<'i>>, label: &str) -> Option<&'t DeTable<'i>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.add(value.span(), &format!("[{label}]"), "not a table");
        }
        table
    }

    /// The value of a key, read from a text or a number by `read`; `None` if there is none, or it is none.
    fn value<T>(
        &mut self,
        (table, label): (&DeTable<'_>, &str),
        key: &str,
        allowed: &str,
        read: impl Fn(&DeValue<'_>) -> Option<T>,
    ) -> Option<T> {
        let value = table.get(key)?;
        let found = read(value.get_ref());
        if found.is_none() {
            let written: String = self.text.get(value.span()).unwrap_or_default().chars().take(60).collect();
            let what = format!("{} is not allowed; allowed is {allowed}", written.replace('\n', " "));
            self.add(value.span(), &place(label, key), &what);
        }
        found
    }
}

fn place(label: &str, key: &str) -> String {
    if label.is_empty() { key.to_owned() } else { format!("[{label}] {key}") }
}

fn serving(faults: &mut Faults<'_>, table: &DeTable<'_>) -> Serving {
    let here = (table, "server");
    faults.unknown(table, "server", &SERVER);
    let usual = Serving::default();
    let count = |value: &DeValue<'_>| integer(value, 1, 100_000);
    Serving {
        connections: faults.value(here, "connections", "1 to 100000", count).unwrap_or(usual.connections),
        streams: faults.value(here, "streams", "1 to 100000", count).unwrap_or(usual.streams),
        stall: faults
            .value(here, "stall", "a span of at least 1s, such as \"30s\"", |value| {
                time(value).filter(|span| !span.is_zero())
            })
            .unwrap_or(usual.stall),
        trust_forwarded: faults
            .value(here, "trust_forwarded", "true or false", |value| value.as_bool())
            .unwrap_or(usual.trust_forwarded),
    }
}

fn plan(faults: &mut Faults<'_>, name: &Spanned<toml::de::DeString<'_>>, table: &DeTable<'_>) -> Plan {
    let label = format!("plans.{}", name.get_ref());
    let here = (table, label.as_str());
    faults.unknown(table, &label, &PLAN);
    let is_word = |text: &str| {
        (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !is_word(name.get_ref()) {
        faults.add(name.span(), &format!("[{label}]"), "a plan's name is 1 to 32 letters, digits, - and _");
    }
    for needed in ["delay", "rate"] {
        if !table.contains_key(needed) {
            faults.add(name.span(), &place(&label, needed), "missing");
        }
    }
    let a_span = "a span such as \"24h\", \"15min\" or \"0s\"";
    let read_rate = |value: &DeValue<'_>| value.as_str().and_then(Rate::parse);
    let minute = Rate { count: 30, per: Duration::from_secs(60) };
    let found = Plan {
        name: name.get_ref().to_string(),
        delay: faults.value(here, "delay", a_span, time).unwrap_or(Duration::from_secs(86_400)),
        rate: faults.value(here, "rate", "a rate such as \"30/min\"", read_rate).unwrap_or(minute),
        history: faults.value(here, "history", a_span, time).unwrap_or(Duration::from_secs(7 * 86_400)),
        streams: faults.value(here, "streams", "0 to 10000", |value| integer(value, 0, 10_000)).unwrap_or(1),
        price: words(faults, here, "price"),
    };
    if found.history <= found.delay {
        faults.add(
            name.span(),
            &place(&label, "history"),
            "not longer than `delay`, so that nothing is given",
        );
    }
    found
}

fn offer(
    faults: &mut Faults<'_>,
    name: &Spanned<toml::de::DeString<'_>>,
    table: &DeTable<'_>,
    plans: &BTreeMap<String, Arc<Plan>>,
) -> Offer {
    let label = format!("signals.{}", name.get_ref());
    let here = (table, label.as_str());
    faults.unknown(table, &label, &SIGNAL);
    let names: Vec<&str> = plans.keys().map(String::as_str).collect();
    let allowed = format!("one of {}", names.join(", "));
    let plan = faults.value(here, "plan", &allowed, |value| {
        value.as_str().filter(|plan| names.contains(plan)).map(ToOwned::to_owned)
    });
    let hidden = faults.value(here, "hidden", "true or false", |value| value.as_bool()).unwrap_or(false);
    Offer { title: words(faults, here, "title"), price: words(faults, here, "price"), plan, hidden }
}

fn words(faults: &mut Faults<'_>, here: (&DeTable<'_>, &str), key: &str) -> Option<String> {
    let allowed = format!("a text of 1 to {LONGEST_TEXT} characters in one line");
    faults.value(here, key, &allowed, |value| {
        let text = value.as_str()?;
        let fits = (1..=LONGEST_TEXT).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        fits.then(|| text.to_owned())
    })
}

fn time(value: &DeValue<'_>) -> Option<Duration> {
    value.as_str().and_then(span)
}

fn integer(value: &DeValue<'_>, least: usize, most: usize) -> Option<usize> {
    let number = value.as_integer()?;
    let found = usize::from_str_radix(number.as_str(), number.radix()).ok()?;
    (least..=most).contains(&found).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_read() {
        let text = "[server]\nstreams = 5\ntrust_forwarded = true\n[plans.free]\ndelay = \"24h\"\nrate = \"30/min\"\n\
                    [plans.pro]\ndelay = \"0s\"\nrate = \"600/min\"\nhistory = \"400d\"\nstreams = 3\nprice = \"10 a month\"\n\
                    [signals.ETH-1H]\nprice = \"more\"\nplan = \"pro\"\n[signals.\"X.Y\"]\nhidden = true\n";
        let plans = Plans::parse("signal.toml", text).unwrap();
        assert_eq!((plans.serving.streams, plans.serving.trust_forwarded), (5, true));
        let pro = plans.plan("pro").unwrap();
        assert_eq!((pro.delay, pro.streams, pro.price.as_deref()), (Duration::ZERO, 3, Some("10 a month")));
        assert_eq!(plans.plan("free").unwrap().history, Duration::from_secs(7 * 86_400));
        assert_eq!(plans.offer("ETH-1H").plan.as_deref(), Some("pro"));
        assert!(plans.offer("X.Y").hidden && !plans.offer("other").hidden);
        assert!(Plans::parse("x", "").unwrap().plan(FREE).is_some());
    }

    #[test]
    fn every_fault_is_named_with_its_line() {
        let text = "[plans.free]\ndealy = \"24h\"\nrate = \"30 a minute\"\n[plans.pro]\ndelay = \"9d\"\nrate = \"1/s\"\n\
                    [signals.A]\nplan = \"prp\"\nprice = 3\n[sever]\n[server]\nstreams = 0\nstall = \"0s\"\n";
        let Err(PlansError::Faults(said)) = Plans::parse("signal.toml", text) else { panic!("taken") };
        for line in [
            "signal.toml:2: [plans.free] dealy: no such key; allowed are delay, history, price, rate, streams; did you mean `delay`?",
            "signal.toml:1: [plans.free] delay: missing",
            "signal.toml:3: [plans.free] rate: \"30 a minute\" is not allowed; allowed is a rate such as \"30/min\"",
            "signal.toml:4: [plans.pro] history: not longer than `delay`, so that nothing is given",
            "signal.toml:8: [signals.A] plan: \"prp\" is not allowed; allowed is one of free, pro",
            "signal.toml:9: [signals.A] price: 3 is not allowed; allowed is a text of 1 to 200 characters in one line",
            "signal.toml:10: sever: no such key; allowed are plans, server, signals; did you mean `server`?",
            "signal.toml:12: [server] streams: 0 is not allowed; allowed is 1 to 100000",
            "signal.toml:13: [server] stall: \"0s\" is not allowed; allowed is a span of at least 1s, such as \"30s\"",
        ] {
            assert!(said.lines().any(|found| found == line), "{line}\nis not in\n{said}");
        }
        let Err(PlansError::Faults(said)) = Plans::parse("f", "[plans\n") else { panic!("taken") };
        assert!(said.starts_with("f:1: "), "{said}");
        assert!(Plans::parse("f", "plans = 3\n[signals]\nA = 1").is_err());
    }

    #[test]
    fn the_example_is_what_is_usual() {
        let text = include_str!("../../../../examples/signal.toml");
        let example = Plans::parse("signal.toml", text).unwrap();
        assert_eq!(example.serving, Serving::default());
        assert_eq!(example.plan(FREE), Plans::default().plan(FREE));
    }
}
