//! The tables beside the challenges: `[network]`, `[beacon]`, `[market]`, `[collect]`, `[datalog]`, `[assets]`.

use super::reader::{Table, Text};
use super::{Beacon, Collect, Datalog, MarketFeed, Network, Stale};
use std::collections::BTreeMap;
use std::time::Duration;

pub(super) const NETWORK: [&str; 16] = [
    "netuid",
    "version_key",
    "sample_every",
    "lag",
    "task_interval",
    "weight_calc_interval",
    "weight_set_interval",
    "burn",
    "burn_uid",
    "max_days",
    "ema",
    "seed",
    "owner_key",
    "young_blocks",
    "young_weight",
    "min_sampled",
];
pub(super) const BEACON: [&str; 4] = ["api", "public_key", "genesis", "period"];
pub(super) const MARKET: [&str; 3] = ["url", "timeout", "max_bytes"];
pub(super) const COLLECT: [&str; 10] = [
    "hosts",
    "max_bytes",
    "stale",
    "allow_loopback",
    "parallel",
    "connect_timeout",
    "idle_timeout",
    "timeout",
    "round_timeout",
    "round_bytes",
];

pub(super) const DATALOG: [&str; 2] = ["url", "sha256"];

/// A name of an asset or price: what the feed and the ledger use as a key.
pub(super) const ASSET: Text = Text {
    allowed: "a string of 1 to 32 letters, digits, `_`, `-` or `.`",
    fits: |s| {
        (1..=32).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
    },
};

const URL: Text = Text { allowed: "a string, a URL that begins with https:// or http://", fits: is_url };
const HOST: Text = Text {
    allowed: "a string, a suffix that begins with a dot (`.r2.dev`) or a host on its own (`127.0.0.1`)",
    fits: |s| {
        let name = s.strip_prefix('.').unwrap_or(s);
        !name.is_empty()
            && name.split('.').all(|part| {
                !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            })
            // A bare domain would be read as a suffix by many, and would allow only itself.
            && (s.starts_with('.') || s == "localhost" || s.parse::<std::net::Ipv4Addr>().is_ok())
    },
};

/// `[network]`.
pub(super) fn network(top: &Table<'_>) -> Network {
    let d = Network::default();
    let Some(t) = top.table("network") else { return d };
    t.refuse_unknown(&NETWORK);
    let part = "a number from 0 to 1";
    Network {
        netuid: t.whole("netuid", 0..=u16::MAX).unwrap_or(d.netuid),
        version_key: t.whole("version_key", 0..=u64::from(u32::MAX)).unwrap_or(d.version_key),
        sample_every: t.whole("sample_every", 1..=7200).unwrap_or(d.sample_every),
        lag: t.whole("lag", 0..=1_000_000).unwrap_or(d.lag),
        task_interval: t.whole("task_interval", 0..=10_000_000).unwrap_or(d.task_interval),
        weight_calc_interval: t
            .whole("weight_calc_interval", 1..=10_000_000)
            .unwrap_or(d.weight_calc_interval),
        weight_set_interval: t.whole("weight_set_interval", 1..=10_000_000).unwrap_or(d.weight_set_interval),
        burn: t.number("burn", part, |x| (0.0..=1.0).contains(&x)).unwrap_or(d.burn),
        burn_uid: t.whole("burn_uid", 0..=u16::MAX).unwrap_or(d.burn_uid),
        max_days: t.whole("max_days", 1..=3650).unwrap_or(d.max_days),
        ema: t.number("ema", "a number above 0, to 1", |x| x > 0.0 && x <= 1.0).unwrap_or(d.ema),
        // Plugins add small numbers to it: it leaves them room.
        seed: t.whole("seed", 0..=u64::from(u32::MAX)).unwrap_or(d.seed),
        owner_key: t.hex("owner_key").unwrap_or(d.owner_key),
        young_blocks: t.whole("young_blocks", 0..=100_000_000).unwrap_or(d.young_blocks),
        young_weight: t.number("young_weight", part, |x| (0.0..=1.0).contains(&x)).unwrap_or(d.young_weight),
        min_sampled: t.whole("min_sampled", 1..=10_000_000).unwrap_or(d.min_sampled),
    }
}

/// `[beacon]`.
pub(super) fn beacon(top: &Table<'_>) -> Beacon {
    let d = Beacon::default();
    let Some(t) = top.table("beacon") else { return d };
    t.refuse_unknown(&BEACON);
    let bare = |urls: Vec<String>| urls.iter().map(|url| url.trim_end_matches('/').into()).collect();
    Beacon {
        api: t.texts("api", &URL).map_or(d.api, bare),
        public_key: t.hex("public_key").unwrap_or(d.public_key),
        genesis: t.whole("genesis", 0..=u64::from(u32::MAX)).unwrap_or(d.genesis),
        period: t.whole("period", 1..=86_400).unwrap_or(d.period),
    }
}

/// `[market]`.
pub(super) fn market(top: &Table<'_>) -> MarketFeed {
    let d = MarketFeed::default();
    let Some(t) = top.table("market") else { return d };
    t.refuse_unknown(&MARKET);
    MarketFeed {
        url: t.text("url", &URL).map(String::from),
        timeout: seconds(&t, "timeout").unwrap_or(d.timeout),
        max_bytes: t.whole("max_bytes", 1..=1 << 30).unwrap_or(d.max_bytes),
    }
}

/// `[datalog]`.
pub(super) fn datalog(top: &Table<'_>) -> Option<Datalog> {
    let t = top.table("datalog")?;
    let misspelt = t.refuse_unknown(&DATALOG);
    t.need(&[("url", URL.allowed)], &misspelt);
    Some(Datalog { url: t.text("url", &URL)?.into(), sha256: t.hex("sha256") })
}

/// `[collect]`.
pub(super) fn collect(top: &Table<'_>) -> Collect {
    let d = Collect::default();
    let Some(t) = top.table("collect") else { return d };
    t.refuse_unknown(&COLLECT);
    Collect {
        hosts: t.texts("hosts", &HOST).unwrap_or(d.hosts),
        max_bytes: t.whole("max_bytes", 1..=1 << 30).unwrap_or(d.max_bytes),
        stale: t.choice("stale", &[("count", Stale::Count), ("refuse", Stale::Refuse)]).unwrap_or(d.stale),
        allow_loopback: t.boolean("allow_loopback").unwrap_or(d.allow_loopback),
        parallel: t.whole("parallel", 1..=4096).unwrap_or(d.parallel),
        connect_timeout: seconds(&t, "connect_timeout").unwrap_or(d.connect_timeout),
        idle_timeout: seconds(&t, "idle_timeout").unwrap_or(d.idle_timeout),
        timeout: seconds(&t, "timeout").unwrap_or(d.timeout),
        round_timeout: seconds(&t, "round_timeout").unwrap_or(d.round_timeout),
        round_bytes: t.whole("round_bytes", 1..=1 << 40).unwrap_or(d.round_bytes),
    }
}

/// A time in seconds.
fn seconds(table: &Table<'_>, key: &str) -> Option<Duration> {
    let allowed = "a number of seconds from 0.01 to 3600";
    table.number(key, allowed, |x| (0.01..=3600.0).contains(&x)).map(Duration::from_secs_f64)
}

/// `[assets]`: named lists. A list that is faulty is there, and empty.
pub(super) fn assets(top: &Table<'_>) -> BTreeMap<String, Vec<String>> {
    let Some(t) = top.table("assets") else { return BTreeMap::new() };
    t.entries
        .keys()
        .map(|name| (name.get_ref().to_string(), t.texts(name.get_ref(), &ASSET).unwrap_or_default()))
        .collect()
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.starts_with(':') && rest.bytes().all(|b| b.is_ascii_graphic())
    })
}

impl Default for Network {
    fn default() -> Self {
        Self {
            netuid: 123,
            version_key: 0,
            sample_every: 5,
            lag: 60,
            task_interval: 500,
            weight_calc_interval: 1000,
            weight_set_interval: 360,
            burn: 0.30,
            burn_uid: 0,
            max_days: 60,
            ema: 0.15,
            seed: 42,
            owner_key: hex("fbfe185ded7a4e6865effceb23cbac32894170587674e751ac237a06f72b3067"),
            young_blocks: 36_000,
            young_weight: 0.0001,
            min_sampled: 121,
        }
    }
}

impl Default for Beacon {
    /// drand's quicknet.
    fn default() -> Self {
        Self {
            api: ["https://api.drand.sh/v2", "https://api2.drand.sh/v2", "https://api3.drand.sh/v2"]
                .map(String::from)
                .into(),
            public_key: hex(
                "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451\
                 0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
            ),
            genesis: 1_692_803_367,
            period: 3,
        }
    }
}

impl Default for MarketFeed {
    fn default() -> Self {
        Self { url: None, timeout: Duration::from_secs(10), max_bytes: 1 << 20 }
    }
}

impl Default for Collect {
    fn default() -> Self {
        Self {
            hosts: [".r2.dev", ".r2.cloudflarestorage.com"].map(String::from).into(),
            max_bytes: 26_214_400,
            stale: Stale::Count,
            allow_loopback: false,
            parallel: 256,
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(5),
            timeout: Duration::from_secs(10),
            round_timeout: Duration::from_secs(40),
            round_bytes: 512 << 20,
        }
    }
}

/// The bytes of a constant of this file; the tests see to its digits.
fn hex<const N: usize>(text: &str) -> [u8; N] {
    super::reader::bytes_of_hex(text).unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn default_keys_are_read() {
        assert_eq!(Network::default().owner_key[..2], [0xfb, 0xfe]);
        assert_eq!(Beacon::default().public_key[94..], [0xe4, 0x5a]);
    }

    #[test]
    fn hosts_are_suffixes_with_a_dot_or_whole() {
        for good in [".r2.dev", "127.0.0.1", "localhost"] {
            assert!((HOST.fits)(good), "{good}");
        }
        for bad in ["", ".", "r2.dev", ".r2..dev", ".r2.dev/", ".R2.dev", "a:80", "*"] {
            assert!(!(HOST.fits)(bad), "{bad}");
        }
    }

    #[test]
    fn urls_have_a_scheme_and_a_host() {
        for good in ["https://a", "http://127.0.0.1:80/x", "https://a/b?c"] {
            assert!(is_url(good), "{good}");
        }
        for bad in ["", "https://", "ftp://a", "a.b", "https:///x", "https://:80", "https://a b"] {
            assert!(!is_url(bad), "{bad}");
        }
    }
}
