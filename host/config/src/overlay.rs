//! A release over the operator's file.

use crate::{Beacon, Config, FactSource, Network};

impl Config {
    /// Puts what a release says in the place of what this configuration, the operator's, says of the same: challenges with
    /// their plugins, constants, the beacon, facts. How this machine reaches the world outside, and what it spends on it,
    /// stays the operator's: market, collection, bases of the beacon's API, and, of a list of facts that both name, the
    /// addresses and limits.
    ///
    /// `release` is of [`Config::parse_release`].
    pub fn overlay(&mut self, release: &Self) {
        let facts = release.facts.iter().map(|theirs| {
            let ours = self.facts.iter().find(|ours| ours.name == theirs.name && ours.kind == theirs.kind);
            ours.map_or_else(|| theirs.clone(), |ours| reached_as(ours, theirs))
        });
        let facts = facts.collect();
        let network = Network {
            clock: self.network.clock,
            version_key: self.network.version_key,
            mechanism: self.network.mechanism,
            suggested_lock: self.network.suggested_lock,
            ..release.network.clone()
        };
        let beacon = Beacon { api: self.beacon.api.clone(), ..release.beacon.clone() };
        (self.facts, self.network, self.beacon) = (facts, network, beacon);
        (self.solver, self.runtime) = (release.solver, release.runtime);
        self.wasm_memory_mib = release.wasm_memory_mib;
        self.plugin_dir.clone_from(&release.plugin_dir);
        // Faults are named with the lines of the release's own file.
        self.file.clone_from(&release.file);
        self.challenges.clone_from(&release.challenges);
        self.positions.clone_from(&release.positions);
    }
}

/// Their list, reached as the operator reaches it.
fn reached_as(ours: &FactSource, theirs: &FactSource) -> FactSource {
    FactSource {
        url: ours.url.clone(),
        others: ours.others.clone(),
        timeout: ours.timeout,
        max_bytes: ours.max_bytes,
        every: ours.every,
        request_blocks: ours.request_blocks,
        ..theirs.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const CHALLENGE: &str = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"p\"\ndim=2\nweight=1\n";

    fn operators() -> Config {
        let text = format!(
            "plugin_dir = \"mine\"\nnative_memory_mib = 100\n[network]\nburn = 0.1\nclock = \"chain\"\nversion_key = 7\n\
             [beacon]\napi = [\"https://mine\"]\nwait = 5\n[market]\nurl = \"https://mine/prices\"\n[collect]\nparallel = 3\n\
             [[facts]]\nname = \"bets\"\nkind = \"document\"\nurl = \"https://mine/bets\"\n{CHALLENGE}"
        );
        Config::parse(&text, Path::new("mine/challenges.toml")).unwrap()
    }

    #[test]
    fn what_must_be_equal_is_the_releases_and_the_rest_the_operators() {
        let text = format!(
            "runtime = \"wasm\"\n[network]\nburn = 0.2\n[beacon]\nwait = 9\n[[facts]]\nname = \"bets\"\nkind = \"document\"\n\
             url = \"https://owner/bets\"\nsigner = \"5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX\"\n{}{}",
            CHALLENGE.replace("weight=1", "weight=3"),
            CHALLENGE.replace("\"A\"", "\"B\"")
        );
        let release = Config::parse_release(&text, Path::new("release/challenges.toml")).unwrap();
        let mut config = operators();
        config.overlay(&release);
        assert_eq!(config.digest(), release.digest());
        assert_eq!((config.network.burn, config.network.version_key, config.beacon.wait), (0.2, 7, 9));
        assert_eq!(
            (config.network.clock, &config.beacon.api),
            (operators().network.clock, &operators().beacon.api)
        );
        assert_eq!((&config.market, &config.collect), (&operators().market, &operators().collect));
        assert_eq!(config.native_memory_mib, 100);
        assert_eq!(config.plugin_dir, Path::new("release/plugins"));
        assert_eq!(
            (config.facts[0].url.as_str(), config.facts[0].signer.is_some()),
            ("https://mine/bets", true)
        );
        let fault = config.fault_at(1, "dim", "x", "");
        assert_eq!(
            (fault.file.as_str(), fault.line),
            ("release/challenges.toml", release.fault_at(1, "dim", "x", "").line)
        );
    }

    #[test]
    fn what_belongs_to_the_operator_is_refused_in_a_release() {
        let text = format!(
            "plugin_dir = \"x\"\n[network]\nclock = \"chain\"\nburn = 0.2\n[beacon]\napi = [\"https://a\"]\n[market]\nurl = \
             \"https://a\"\n[collect]\nparallel = 1\n{CHALLENGE}runtime = \"native\"\n"
        );
        let faults = Config::parse_release(&text, Path::new("c.toml")).unwrap_err().faults;
        let paths: Vec<_> = faults.iter().map(|fault| (fault.path.as_str(), fault.line)).collect();
        let expected = [
            ("runtime", 1),
            ("plugin_dir", 1),
            ("network.clock", 3),
            ("beacon.api", 6),
            ("market", 7),
            ("collect", 9),
            ("challenge[0].runtime", 17),
        ];
        assert_eq!(paths, expected, "{faults:#?}");
        assert!(faults[4].to_string().contains("belongs to the operator"), "{}", faults[4]);
    }
}
