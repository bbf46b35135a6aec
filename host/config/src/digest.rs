//! What two validators must have alike to compute the same weights, as one number.

use crate::{Challenge, Config, Network, QuoteKind, Weight};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

impl Config {
    /// The SHA-256, in lower-case hexadecimal, of all that weights are computed by: `[network]` and the challenges with
    /// their parameters and pins. Order of keys, comments, where files lie and how the world outside is reached do not
    /// count.
    #[must_use]
    pub fn digest(&self) -> String {
        let challenges: Vec<Value> = self.challenges.iter().map(challenge).collect();
        let all = json!({ "network": network(&self.network), "challenges": challenges });
        hex::encode(Sha256::digest(all.to_string()))
    }
}

// Both take the tables apart, so that a new key does not compile until it is decided whether it counts.

fn network(network: &Network) -> Value {
    let Network {
        netuid,
        // What the chain asks for; it changes no weight.
        version_key: _,
        sample_every,
        lag,
        task_interval,
        weight_calc_interval,
        weight_set_interval: _,
        burn,
        burn_uid,
        max_days,
        ema,
        seed,
        owner_key,
        young_blocks,
        young_weight,
        min_sampled,
        hold,
        // How time is told; it changes no weight.
        clock: _,
    } = network;
    json!({
        "netuid": netuid, "sample_every": sample_every, "lag": lag, "task_interval": task_interval,
        "weight_calc_interval": weight_calc_interval, "burn": burn, "burn_uid": burn_uid, "max_days": max_days,
        "ema": ema, "seed": seed, "owner_key": hex::encode(owner_key), "young_blocks": young_blocks,
        "young_weight": young_weight, "min_sampled": min_sampled, "hold": hold,
    })
}

fn challenge(challenge: &Challenge) -> Value {
    let Challenge {
        name,
        ticker,
        plugin,
        runtime,
        solver,
        sha256,
        price_key,
        assets,
        quotes,
        prices_from,
        dim,
        blocks_ahead,
        weight,
        params,
    } = challenge;
    let weight = match weight {
        Weight::Fixed(weight) => json!({ "weight": weight }),
        Weight::Share(share) => json!({ "share": share }),
    };
    let quotes = match quotes {
        QuoteKind::Prices => "prices",
        QuoteKind::FundingRates => "funding_rates",
    };
    json!({
        "name": name, "ticker": ticker, "plugin": plugin, "runtime": runtime.as_str(), "solver": solver.as_str(),
        "sha256": sha256.map(hex::encode), "price_key": price_key, "assets": assets, "quotes": quotes,
        "prices_from": prices_from, "dim": dim, "blocks_ahead": blocks_ahead, "weight": weight, "params": params,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TEXT: &str = "[[challenge]]\nname=\"A\"\nticker=\"A\"\nplugin=\"binary\"\nprice_key=\"A\"\ndim=2\nblocks_ahead=300\nweight=1\n";

    fn digest(text: &str) -> String {
        Config::parse(text, Path::new("a.toml")).unwrap().digest()
    }

    #[test]
    fn what_changes_weights_changes_the_digest_and_nothing_else_does() {
        let base = digest(TEXT);
        assert_eq!(base.len(), 64);
        for same in [
            format!("# a comment\n{TEXT}"),
            format!("plugin_dir = \"elsewhere\"\n{TEXT}"),
            format!("[market]\nurl = \"https://example.org/prices.json\"\n{TEXT}"),
            format!("[network]\nversion_key = 7\nburn = 0.30\n{TEXT}"),
        ] {
            assert_eq!(digest(&same), base, "{same}");
        }
        for other in [
            format!("[network]\nburn = 0.31\n{TEXT}"),
            format!("solver = \"network\"\n{TEXT}"),
            TEXT.replace("weight=1", "weight=2"),
            format!("{TEXT}[challenge.params]\ntop_k = 3\n"),
        ] {
            assert_ne!(digest(&other), base, "{other}");
        }
    }
}
