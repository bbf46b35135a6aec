//! What is new in a configuration, in words, and what must not be.

use mantis_config::{Challenge, Config, Difference, Fault, Weight};
use std::path::Path;
use toml::de::{DeTable, DeValue};

const FIXED: &str = "it cannot change while the program runs, since stored rows and waiting payloads were made with it; \
                     put it back, or restart";
const RELEASED: &str = "it cannot change, since stored rows and waiting payloads were made with it; the release must say what the \
                        validator's own file says";
const STORED: &str = "it cannot change, since stored rows were made with it, and would be read as what they are not; put it back";

/// The keys among these whose values differ.
macro_rules! differing {
    ($old:expr, $new:expr, $($field:ident),+ $(,)?) => {
        [$((stringify!($field), $old.$field != $new.$field)),+]
            .into_iter()
            .filter_map(|(key, differs)| differs.then_some(key))
    };
}

/// What the ledger's rows and the waiting payloads were made with: faults for what of it is to become another.
pub(super) fn unchangeable(old: &Config, new: &Config) -> Vec<Fault> {
    let network = differing!(old.network, new.network, netuid, sample_every, lag, owner_key);
    let beacon = differing!(old.beacon, new.beacon, public_key, genesis, period);
    let keys = network.map(|key| ("network", key)).chain(beacon.map(|key| ("beacon", key)));
    let why = if old.file == new.file { FIXED } else { RELEASED };
    let mut faults: Vec<Fault> = keys.map(|(table, key)| fault(&new.file, table, key, why)).collect();
    for (i, challenge) in new.challenges.iter().enumerate() {
        let Some(old) = old.challenges.iter().find(|old| old.ticker == challenge.ticker) else { continue };
        if old.dim != challenge.dim {
            faults.push(new.fault_at(i, "dim", STORED, "another ticker"));
        }
        // What is appended leaves the places of the others.
        if !challenge.assets.starts_with(&old.assets) {
            faults.push(new.fault_at(
                i,
                "assets",
                STORED,
                "more assets behind the old ones, or another ticker",
            ));
        }
    }
    faults
}

/// Every difference that matters, a line each; `digests` are in both.
#[must_use]
pub fn changes(old: &Config, new: &Config) -> Vec<String> {
    let mut lines = Vec::new();
    for challenge in &new.challenges {
        match old.challenges.iter().find(|other| other.ticker == challenge.ticker) {
            None => lines.push(format!("{} is new, scored by {}", challenge.ticker, file(challenge))),
            Some(other) => of_challenge(other, challenge, &mut lines),
        }
    }
    for gone in &old.challenges {
        if !new.challenges.iter().any(|challenge| challenge.ticker == gone.ticker) {
            lines.push(format!("{} is gone; its rows stay in the ledger", gone.ticker));
        }
    }
    let order = |config: &Config| -> Vec<String> {
        let kept = config.challenges.iter().filter(|c| {
            [old, new].iter().all(|config| config.challenges.iter().any(|other| other.ticker == c.ticker))
        });
        kept.map(|challenge| challenge.ticker.clone()).collect()
    };
    if order(old) != order(new) {
        lines.push("the challenges are in another order".into());
    }
    let mut keys: Vec<String> = Vec::new();
    keys.extend(differing!(old, new, wasm_memory_mib, native_memory_mib).map(String::from));
    let network = new.network.differences(&old.network);
    lines.extend(network.iter().map(|difference| change("network.", difference)));
    // Addresses may hold keys and passwords: their values are not told.
    let tables = [
        ("beacon", new.beacon.differences(&old.beacon)),
        ("market", new.market.differences(&old.market)),
        ("collect", new.collect.differences(&old.collect)),
    ];
    for (table, differences) in tables {
        keys.extend(differences.iter().map(|difference| format!("{table}.{}", difference.key)));
    }
    lines.extend(keys.into_iter().map(|key| format!("`{key}` is another")));
    if old.release != new.release {
        lines.push("[release] is another, which counts from the next start on".into());
    }
    lines
}

fn of_challenge(old: &Challenge, new: &Challenge, lines: &mut Vec<String>) {
    let ticker = &new.ticker;
    if (&old.plugin, old.runtime, old.sha256) != (&new.plugin, new.runtime, new.sha256) {
        lines.push(format!("{ticker} is scored by {}, before by {}", file(new), file(old)));
    }
    if old.weight != new.weight {
        lines.push(format!("{ticker} has {}, before {}", weight(new.weight), weight(old.weight)));
    }
    let said = ["plugin", "runtime", "sha256", "weight"];
    let differences = new.differences(old);
    let unsaid = differences.iter().filter(|difference| !said.contains(&difference.key));
    lines.extend(unsaid.map(|difference| format!("{ticker}: {}", change("", difference))));
}

/// A key with its value before and now.
fn change(table: &str, difference: &Difference) -> String {
    let Difference { key, then, now } = difference;
    let plain = |value: &str| value.trim_matches('`').chars().take(SHOWN).collect::<String>();
    format!("`{table}{key}` is {}, before {}", plain(now), plain(then))
}

/// How much of a value is told.
const SHOWN: usize = 200;

/// A plugin by name, form and the beginning of its digest.
fn file(challenge: &Challenge) -> String {
    let digest = challenge.sha256.unwrap_or_default();
    let digest = hex::encode(&digest[..6]);
    format!("{} ({}, {digest}..)", challenge.plugin, challenge.runtime.as_str())
}

fn weight(weight: Weight) -> String {
    match weight {
        Weight::Fixed(weight) => format!("weight {weight}"),
        Weight::Share(share) => format!("share {share}"),
    }
}

fn fault(file: &Path, table: &str, key: &str, why: &str) -> Fault {
    let (line, column) = place(file, table, key).unwrap_or_default();
    Fault {
        file: file.display().to_string(),
        line,
        column,
        table: format!("[{table}]"),
        key: key.into(),
        path: format!("{table}.{key}"),
        found: why.into(),
        allowed: String::new(),
        meant: None,
    }
}

/// Where a key is written; if it is not, where its table begins.
fn place(file: &Path, table: &str, key: &str) -> Option<(usize, usize)> {
    let text = std::fs::read_to_string(file).ok()?;
    let top = DeTable::parse(&text).ok()?;
    let value = top.get_ref().get(table)?;
    let inner = match value.get_ref() {
        DeValue::Table(entries) => entries.iter().find(|(name, _)| name.get_ref() == key),
        _ => None,
    };
    let start = inner.map_or(value.span().start, |(name, _)| name.span().start);
    let before = text.get(..start)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[network]\nburn = 0.3\nlag = 60\n[[challenge]]\nname = 'A-1'\nticker = 'A'\nplugin = 'p'\n\
                        dim = 2\nweight = 1\n[[challenge]]\nname = 'B-1'\nticker = 'B'\nplugin = 'p'\ndim = 2\nshare = 0.1\n";

    fn config(text: &str) -> Config {
        Config::parse(text, Path::new("c.toml")).unwrap()
    }

    fn changed(from: &str, into: &str) -> Vec<String> {
        assert!(TEXT.contains(from));
        changes(&config(TEXT), &config(&TEXT.replacen(from, into, 1)))
    }

    #[test]
    fn says_what_is_new() {
        assert_eq!(changed("[network]", "# a word\n[network]"), [""; 0]);
        assert_eq!(changed("weight = 1", "weight = 2.5"), ["A has weight 2.5, before weight 1"]);
        assert_eq!(changed("share = 0.1", "weight = 3"), ["B has weight 3, before share 0.1"]);
        assert_eq!(changed("burn = 0.3", "ema = 0.5"), ["`network.ema` is 0.5, before 0.15"]);
        assert_eq!(
            changed("dim = 2", "dim = 3\nparams = { a = 1 }"),
            ["A: `dim` is 3, before 2", "A: `params` is {\"a\":1}, before none"]
        );
        assert_eq!(changed("'p'", "'q'").len(), 1);
        let renamed = changed("ticker = 'A'", "ticker = 'C'");
        assert_eq!(renamed.len(), 2, "{renamed:?}");
        assert!(
            renamed[0].starts_with("C is new, scored by p (native, ") && renamed[1].starts_with("A is gone")
        );
        let (a, b) = TEXT.split_at(TEXT.find("[[challenge]]").unwrap());
        let (first, second) = b.split_at(b.rfind("[[challenge]]").unwrap());
        let swapped = changes(&config(TEXT), &config(&format!("{a}{second}{first}")));
        assert_eq!(swapped, ["the challenges are in another order"]);
    }

    #[test]
    fn names_the_line_of_what_cannot_change() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        let load = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Config::load(&file).unwrap()
        };
        let old = load(TEXT);
        let new = load(&TEXT.replace("lag = 60", "lag = 61\nsample_every = 10"));
        let faults = unchangeable(&old, &new);
        assert_eq!(
            faults.iter().map(|f| (f.path.as_str(), f.line)).collect::<Vec<_>>(),
            [("network.sample_every", 4), ("network.lag", 3)]
        );
        let new =
            load(&TEXT.replace("lag = 60\n", "").replace("lag", "x").replace("burn = 0.3", "netuid = 1"));
        assert!(
            unchangeable(&old, &new)[0].to_string().contains("c.toml:2: [network]: key `netuid`: it cannot")
        );
        assert_eq!(unchangeable(&old, &old), []);

        let text = |assets: &str, dim: usize| {
            format!(
                "[[challenge]]\nname = 'A-1'\nticker = 'A'\nplugin = 'p'\ndim = {dim}\nassets = {assets}\nweight = 1\n"
            )
        };
        let old = load(&text("['X', 'Y']", 2));
        assert_eq!(unchangeable(&old, &load(&text("['X', 'Y', 'Z']", 2))), []);
        let faults = unchangeable(&old, &load(&text("['Y', 'X']", 3)));
        assert_eq!(
            faults.iter().map(|f| (f.path.as_str(), f.line)).collect::<Vec<_>>(),
            [("challenge[0].dim", 5), ("challenge[0].assets", 6)]
        );
    }
}
