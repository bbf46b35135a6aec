//! What two validators must have alike to compute the same weights, as one number.

use crate::{Challenge, Config, FactKind, FactSource, Network, QuoteKind, Weight};
use mantis_plugin_api::Storage;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

impl Config {
    /// The SHA-256, in lower-case hexadecimal, of all that weights are computed by: `[network]` and the challenges with
    /// their parameters and pins. Order of keys, comments, where files lie and how the world outside is reached do not
    /// count.
    #[must_use]
    pub fn digest(&self) -> String {
        let challenges: Vec<Value> = self.challenges.iter().map(challenge).collect();
        let mut all = json!({ "network": network(&self.network), "challenges": challenges });
        let facts: Vec<Value> = self.facts.iter().map(fact_source).collect();
        insert_if(&mut all, "facts", json!(facts), !facts.is_empty());
        hex::encode(Sha256::digest(all.to_string()))
    }
}

// Both take the tables apart, so that a new key does not compile until it is decided whether it counts.

fn network(network: &Network) -> Value {
    let Network {
        netuid,
        // Where the chain keeps them; it changes no weight.
        mechanism: _,
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
        retired,
        min_sampled,
        hold,
        maturity_blocks,
        retain_blocks,
        // A suggestion.
        suggested_lock: _,
        // How time is told; it changes no weight.
        clock: _,
    } = network;
    let mut all = json!({
        "netuid": netuid, "sample_every": sample_every, "lag": lag, "task_interval": task_interval,
        "weight_calc_interval": weight_calc_interval, "burn": burn, "burn_uid": burn_uid, "max_days": max_days,
        "ema": ema, "seed": seed, "owner_key": hex::encode(owner_key), "young_blocks": young_blocks,
        "young_weight": young_weight, "min_sampled": min_sampled, "hold": hold,
    });
    // A file without them has the digest that it had before there were such keys.
    // Their order does not count.
    let retired: BTreeSet<&String> = retired.iter().collect();
    insert_if(&mut all, "retired", json!(retired), !retired.is_empty());
    insert_if(&mut all, "maturity_blocks", json!(maturity_blocks), maturity_blocks.is_some());
    insert_if(&mut all, "retain_blocks", json!(retain_blocks), *retain_blocks > 0);
    all
}

fn insert_if(all: &mut Value, key: &str, value: Value, is_set: bool) {
    if let Some(all) = all.as_object_mut().filter(|_| is_set) {
        all.insert(key.into(), value);
    }
}

fn fact_source(source: &FactSource) -> Value {
    let FactSource {
        name,
        kind,
        // How the world outside is reached.
        url: _,
        others: _,
        timeout: _,
        max_bytes: _,
        every: _,
        request_blocks: _,
        chain_id,
        contract,
        event,
        from_block,
        confirmations,
        hotkey,
        numbers,
        signer,
    } = source;
    let kind = match kind {
        FactKind::EvmLogs => "evm_logs",
        FactKind::Document => "document",
    };
    json!({
        "name": name, "kind": kind, "chain_id": chain_id, "contract": contract.map(hex::encode),
        "event": event.map(hex::encode), "from_block": from_block, "confirmations": confirmations, "hotkey": hotkey,
        "numbers": numbers, "signer": signer,
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
        channels,
        facts,
        storage,
        // Where rows lie changes nothing about them.
        file: _,
        history_rows,
    } = challenge;
    let weight = match weight {
        Weight::Fixed(weight) => json!({ "weight": weight }),
        Weight::Share(share) => json!({ "share": share }),
    };
    let quotes = match quotes {
        QuoteKind::Prices => "prices",
        QuoteKind::FundingRates => "funding_rates",
    };
    let mut all = json!({
        "name": name, "ticker": ticker, "plugin": plugin, "runtime": runtime.as_str(), "solver": solver.as_str(),
        "sha256": sha256.map(hex::encode), "price_key": price_key, "assets": assets, "quotes": quotes,
        "prices_from": prices_from, "dim": dim, "blocks_ahead": blocks_ahead, "weight": weight, "params": params,
    });
    insert_if(&mut all, "channels", json!(channels), !channels.is_empty());
    insert_if(&mut all, "facts", json!(facts), !facts.is_empty());
    insert_if(&mut all, "storage", json!(storage.as_str()), *storage != Storage::F16);
    insert_if(&mut all, "history_rows", json!(history_rows), history_rows.is_some());
    all
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
