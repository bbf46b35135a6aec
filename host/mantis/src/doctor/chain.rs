//! The chain: every node answers and belongs to it, the subnet is there, and our hotkey may set weights.

use super::configuration::listed;
use super::finding::{Finding, Verdict, skip};
use super::stamp::unix;
use mantis_config::{Block, Config, bare_node};
use mantis_network::chain::{
    BLOCK_SECONDS, Chain, ChainError, ChainSettings, Head, Hyperparameters, Neuron, NodeLimits, OfflineChain,
    Runtime, Subtensor, endpoints,
};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::timeout;

pub(super) const NODES: &str = "chain_nodes";
pub(super) const BLOCK: &str = "chain_block";
pub(super) const RUNTIME: &str = "chain_runtime";
pub(super) const SUBNET: &str = "subnet";
pub(super) const VERSION: &str = "weights_version";
pub(super) const RATE: &str = "weights_rate";
pub(super) const HOTKEY: &str = "hotkey_registered";
pub(super) const PERMIT: &str = "validator_permit";
pub(super) const SET: &str = "weights_set";
pub(super) const ALL: [&str; 9] = [NODES, BLOCK, RUNTIME, SUBNET, VERSION, RATE, HOTKEY, PERMIT, SET];

/// First blocks of the public networks.
const GENESIS: [(&str, &str); 2] = [
    ("finney", "0x2f0555cc76fc2840a25a6ea3b9637146806f1f44b090c175ffde2a7e5ab36c03"),
    ("test", "0x8f9cf856bf558a14440e75569c9e58594757048d7b3a84b5d25f6bd978263105"),
];
/// Seconds after which a newest block is late; after which the chain, or the node, stands still.
const LATE: f64 = 60.0;
const STILL: f64 = 180.0;
/// Blocks by which nodes may differ.
const APART: i64 = 5;

/// One node that was asked.
struct Node {
    endpoint: String,
    said: Result<Said, String>,
}

/// What a node said.
struct Said {
    /// Hash of the first block; `None` for a chain in a file.
    genesis: Option<String>,
    head: Head,
}

/// Asks all nodes side by side, then one that answers for the rest. `address` is our hotkey, or why it is not known.
/// Gives the newest block, where there is one.
pub(super) async fn check(
    network: &str,
    config: &Config,
    address: Result<String, &'static str>,
    limit: Duration,
) -> (Vec<Finding>, Option<Head>) {
    let since = Instant::now();
    let (nodes, chain) = match nodes(network, config, limit).await {
        Ok(asked) => asked,
        Err(error) => {
            let verdict = Verdict::error(error, "check --network");
            return (first_fails(verdict.into_finding(NODES, since)), None);
        }
    };
    let verdict = judge_nodes(network, &nodes).into_finding(NODES, since);
    let newest = nodes.iter().filter_map(|node| node.said.as_ref().ok()).map(|said| said.head);
    let newest = newest.max_by_key(|head| head.block);
    let (Some(chain), Some(head)) = (chain, newest) else { return (first_fails(verdict), None) };
    let mut findings = vec![verdict, judge_block(head, unix()).into_finding(BLOCK, since)];

    let since = Instant::now();
    let (runtime, rules, neurons) = tokio::join!(
        timeout(2 * limit, chain.runtime()),
        timeout(2 * limit, chain.hyperparameters()),
        timeout(2 * limit, chain.metagraph())
    );
    let verdict =
        given(runtime, limit).map_or_else(|verdict| verdict, |runtime| judge_runtime(runtime.as_ref()));
    findings.push(verdict.into_finding(RUNTIME, since));
    let netuid = config.network.netuid;
    let rules = match given(rules, limit) {
        Ok(rules) => rules,
        Err(verdict) => {
            findings.push(verdict.into_finding(SUBNET, since));
            findings.extend(skip(&ALL[4..], "the subnet cannot be read"));
            return (findings, Some(head));
        }
    };
    findings.push(judge_subnet(netuid, &rules).into_finding(SUBNET, since));
    findings.push(judge_version(&rules, config.network.version_key).into_finding(VERSION, since));
    findings.push(judge_rate(&rules, config.network.weight_set_interval).into_finding(RATE, since));
    match (given(neurons, limit), address) {
        (Err(verdict), _) => {
            findings.push(verdict.into_finding(HOTKEY, since));
            findings.extend(skip(&[PERMIT, SET], "the subnet's neurons cannot be read"));
        }
        (Ok(_), Err(why)) => findings.extend(skip(&[HOTKEY, PERMIT, SET], why)),
        (Ok(neurons), Ok(address)) => match neurons.iter().find(|neuron| neuron.hotkey == address) {
            Some(own) => {
                let what = format!("{address} has UID {} of {} in subnet {netuid}", own.uid, neurons.len());
                findings.push(Verdict::ok(what).into_finding(HOTKEY, since));
                findings.push(judge_permit(own, rules.one_decides).into_finding(PERMIT, since));
                findings
                    .push(judge_set(own, head, config.network.weight_set_interval).into_finding(SET, since));
            }
            None => {
                let what = format!("{address} is not registered in subnet {netuid}");
                let cure =
                    format!("register it: `btcli subnet register --netuid {netuid}`; or name another hotkey");
                findings.push(Verdict::fault(what, cure).into_finding(HOTKEY, since));
                findings.extend(skip(&[PERMIT, SET], "our hotkey is not registered"));
            }
        },
    }
    (findings, Some(head))
}

/// The first check failed: the others cannot be made.
fn first_fails(nodes: Finding) -> Vec<Finding> {
    [nodes].into_iter().chain(skip(&ALL[1..], "no node of the chain answers")).collect()
}

/// Asks every node; gives what each said, and a chain behind the first that answers.
async fn nodes(
    network: &str,
    config: &Config,
    limit: Duration,
) -> Result<(Vec<Node>, Option<Box<dyn Chain>>), ChainError> {
    if let Some(path) = network.strip_prefix("offline:") {
        // Opening it would make it.
        if !Path::new(path).exists() {
            let said = Err("there is no such file".into());
            return Ok((vec![Node { endpoint: path.into(), said }], None));
        }
        let chain = OfflineChain::open(Path::new(path))?;
        let head = chain.head().await?;
        let node = Node { endpoint: path.into(), said: Ok(Said { genesis: None, head }) };
        return Ok((vec![node], Some(Box::new(chain))));
    }
    let mut settings = ChainSettings::from_config(config);
    settings.limits = NodeLimits { connect: limit, request: limit, read: limit, ..settings.limits };
    let mut asked = Vec::new();
    for endpoint in endpoints(network)? {
        let chain = Subtensor::new(&endpoint, settings.clone(), None)?;
        let task = tokio::spawn(async move {
            let both = async { Ok((chain.genesis().await?, chain.head().await?)) };
            let said: Result<_, ChainError> = match timeout(2 * limit, both).await {
                Ok(said) => said,
                Err(_) => return (chain, Err(format!("no answer in {} s", (2 * limit).as_secs()))),
            };
            let said = said.map(|(genesis, head)| Said { genesis, head });
            let reason = |error| match error {
                ChainError::Unreachable { reason, .. } => reason,
                other => other.to_string(),
            };
            (chain, said.map_err(reason))
        });
        asked.push((endpoint, task));
    }
    let (mut nodes, mut first): (Vec<Node>, Option<Box<dyn Chain>>) = (Vec::new(), None);
    for (endpoint, task) in asked {
        let said = match task.await {
            Ok((chain, said)) => {
                if said.is_ok() && first.is_none() {
                    first = Some(Box::new(chain));
                }
                said
            }
            Err(error) => Err(error.to_string()),
        };
        nodes.push(Node { endpoint: bare_node(&endpoint), said });
    }
    Ok((nodes, first))
}

/// What the chain gave in time.
fn given<T>(
    outcome: Result<Result<T, ChainError>, tokio::time::error::Elapsed>,
    limit: Duration,
) -> Result<T, Verdict> {
    let cure = "try again, or name another node: --network wss://...";
    match outcome {
        Ok(Ok(given)) => Ok(given),
        Ok(Err(error @ ChainError::Missing { .. })) => Err(Verdict::error(error, cure)),
        Ok(Err(error)) => Err(Verdict::fault(error.to_string(), cure)),
        Err(_) => {
            Err(Verdict::fault(format!("the chain did not answer in {} s", (2 * limit).as_secs()), cure))
        }
    }
}

fn judge_nodes(network: &str, nodes: &[Node]) -> Verdict {
    let good: Vec<(&str, &Said)> =
        nodes.iter().filter_map(|node| Some((node.endpoint.as_str(), node.said.as_ref().ok()?))).collect();
    let known = GENESIS.iter().find(|(name, _)| *name == network.trim()).map(|(_, hash)| *hash);
    let first = known.or(good.first().and_then(|(_, said)| said.genesis.as_deref()));
    let foreign = |said: &Said| said.genesis.as_deref().is_some_and(|hash| Some(hash) != first);
    let foreigners: Vec<&str> = good.iter().filter(|(_, said)| foreign(said)).map(|(at, _)| *at).collect();
    if !foreigners.is_empty() {
        return Verdict::fault(
            format!("{}: another chain than the first block {}", foreigners.join(", "), first.unwrap_or("?")),
            "name nodes of one chain only: --network",
        );
    }
    let faults = |apart: bool| {
        let newest = good.iter().map(|(_, said)| said.head.block).max().unwrap_or_default();
        let slow = good.iter().filter(move |(_, said)| apart && said.head.block + APART < newest);
        let slow = slow.map(move |(at, said)| {
            format!("{at}: its newest block is {}, another's {newest}", said.head.block)
        });
        let dead =
            nodes.iter().filter_map(|node| Some(format!("{}: {}", node.endpoint, node.said.as_ref().err()?)));
        dead.chain(slow).collect::<Vec<_>>()
    };
    let faults = faults(true);
    if good.is_empty() {
        let cure =
            "is the network up, and --network right? several nodes may be named, with commas between them";
        return Verdict::fault(listed(faults.into_iter()), cure);
    }
    if !faults.is_empty() {
        return Verdict::warning(
            listed(faults.into_iter()),
            "the others are used meanwhile; replace it if it stays so",
        );
    }
    let of = first.map_or(String::new(), |hash| format!(", of the chain {hash}"));
    Verdict::ok(format!("{} of {} nodes answer{of}", good.len(), nodes.len()))
}

fn judge_block(head: Head, now: f64) -> Verdict {
    let age = now - head.unix as f64;
    let what = format!("the newest block is {}, {:.0} s old", head.block, age.max(0.0));
    let cure = "use another node (--network wss://a,wss://b), or wait where the chain itself stands still; is this \
                machine's clock right?";
    match age {
        age if age > STILL => Verdict::fault(what, cure),
        age if age > LATE => Verdict::warning(what, cure),
        _ => Verdict::ok(what),
    }
}

fn judge_runtime(runtime: Option<&Runtime>) -> Verdict {
    match runtime {
        None => Verdict::ok("a chain of this machine, without a runtime"),
        Some(Runtime { spec_version, lacking }) if lacking.is_empty() => {
            Verdict::ok(format!("spec version {spec_version} has all calls and entries that are used"))
        }
        Some(Runtime { spec_version, lacking }) => Verdict::fault(
            format!("spec version {spec_version}: {}", listed(lacking.iter().cloned())),
            "update this program: what it cannot read or send in this runtime's form fails",
        ),
    }
}

fn judge_subnet(netuid: u16, rules: &Hyperparameters) -> Verdict {
    let how = if rules.commit_reveal {
        let version =
            rules.commit_reveal_version.map_or(String::new(), |version| format!(" (version {version})"));
        format!(
            "weights are committed{version} and shown {} epochs of {} blocks later",
            rules.reveal_period, rules.tempo
        )
    } else {
        "weights are shown at once".into()
    };
    let mut limits = String::new();
    if rules.min_weights > 1 {
        limits += &format!("; at least {} UIDs must have a weight", rules.min_weights);
    }
    if rules.max_weight < u16::MAX {
        limits += &format!(
            "; no UID more than {:.2}% of all",
            f64::from(rules.max_weight) / f64::from(u16::MAX) * 100.0
        );
    }
    if rules.one_decides {
        limits += "; only the weights of the validator with the most stake count (Null consensus)";
    }
    Verdict::ok(format!("subnet {netuid} is there; {how}{limits}"))
}

fn judge_version(rules: &Hyperparameters, ours: u64) -> Verdict {
    let what = format!("the subnet wants weights of version {} or later, ours is {ours}", rules.version_key);
    if ours < rules.version_key {
        return Verdict::fault(
            what,
            "update this program, or set `version_key` in [network] if it is up to date",
        );
    }
    Verdict::ok(what)
}

fn judge_rate(rules: &Hyperparameters, interval: u32) -> Verdict {
    let limit = rules.weights_rate_limit;
    let what = format!("weights are set every {interval} blocks, the subnet allows it every {limit}");
    if u64::from(interval) < limit {
        return Verdict::warning(what, format!("set `weight_set_interval` in [network] to {limit} or more"));
    }
    Verdict::ok(what)
}

fn judge_permit(own: &Neuron, one_decides: bool) -> Verdict {
    if own.validator_permit {
        return Verdict::ok("our hotkey has a validator permit");
    }
    if one_decides {
        return Verdict::ok("another validator has the one permit of this subnet: ours stands by");
    }
    let cure = "stake more on the hotkey until it is among the subnet's validators";
    Verdict::fault("our hotkey has no validator permit: the chain refuses its weights", cure)
}

fn judge_set(own: &Neuron, head: Head, interval: u32) -> Verdict {
    if own.last_update == Block(0) {
        return Verdict::ok("our hotkey has not set weights yet");
    }
    let age = (head.block - own.last_update).max(0);
    let hours = age.cast_unsigned() * BLOCK_SECONDS / 3600;
    let what = format!("our hotkey last set weights or was registered {age} blocks ago ({hours} h)");
    if age > 3 * i64::from(interval).max(100) {
        let cure =
            "read what the validator logs: `weights not set` says why; a new ledger pays no miner for weeks";
        return Verdict::warning(what, cure);
    }
    Verdict::ok(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Status;

    fn node(said: Result<(&str, i64), &str>) -> Node {
        let head = |block| Head { block: Block(block), unix: 0 };
        let said = said.map(|(genesis, block)| Said { genesis: Some(genesis.into()), head: head(block) });
        Node { endpoint: "ws://a".into(), said: said.map_err(String::from) }
    }

    #[test]
    fn nodes_are_of_one_chain_and_alive() {
        let status = |network: &str, nodes: &[Node]| judge_nodes(network, nodes).status;
        let finney = GENESIS[0].1;
        assert_eq!(status("ws://a", &[node(Ok(("0x1", 9)))]), Status::Ok);
        assert_eq!(status("finney", &[node(Ok((finney, 9))), node(Ok((finney, 10)))]), Status::Ok);
        assert_eq!(status("finney", &[node(Ok(("0x1", 9)))]), Status::Fault);
        assert_eq!(status("a,b", &[node(Ok(("0x1", 9))), node(Ok(("0x2", 9)))]), Status::Fault);
        assert_eq!(status("a,b", &[node(Ok(("0x1", 9))), node(Err("refused"))]), Status::Warning);
        assert_eq!(status("a,b", &[node(Ok(("0x1", 9))), node(Ok(("0x1", 99)))]), Status::Warning);
        let dead = judge_nodes("a", &[node(Err("refused"))]);
        assert!(dead.status == Status::Fault && dead.what == "ws://a: refused", "{dead:?}");
    }

    #[test]
    fn a_runtime_fits_or_what_it_lacks_is_listed() {
        let runtime = |lacking: &[&str]| Runtime {
            spec_version: 430,
            lacking: lacking.iter().map(|fault| (*fault).to_owned()).collect(),
        };
        assert_eq!(judge_runtime(None).status, Status::Ok);
        assert_eq!(judge_runtime(Some(&runtime(&[]))).status, Status::Ok);
        let fault =
            judge_runtime(Some(&runtime(&["there is no call a.b", "storage a.c has 3 keys instead of 2"])));
        assert!(fault.status == Status::Fault && fault.what.contains("430: 2 faults"), "{fault:?}");
    }

    #[test]
    fn a_block_has_an_age() {
        let status = |age: f64| judge_block(Head { block: Block(5), unix: 1000 }, 1000.0 + age).status;
        assert_eq!(
            [-9.0, 12.0, 90.0, 200.0].map(status),
            [Status::Ok, Status::Ok, Status::Warning, Status::Fault]
        );
    }

    #[test]
    fn the_subnets_rules_are_compared_with_ours() {
        let rules = Hyperparameters {
            version_key: 7,
            weights_rate_limit: 100,
            commit_reveal: true,
            commit_reveal_version: Some(4),
            reveal_period: 2,
            tempo: 360,
            min_stake: 0,
            min_weights: 0,
            max_weight: u16::MAX,
            one_decides: false,
        };
        assert!(judge_subnet(1, &rules).what.contains("committed (version 4) and shown 2 epochs"));
        assert_eq!([6, 7].map(|ours| judge_version(&rules, ours).status), [Status::Fault, Status::Ok]);
        assert_eq!([99, 100].map(|ours| judge_rate(&rules, ours).status), [Status::Warning, Status::Ok]);
        let own = |permit, last_update| Neuron {
            validator_permit: permit,
            last_update: Block(last_update),
            ..Neuron::default()
        };
        assert_eq!(
            [false, true].map(|p| judge_permit(&own(p, 0), false).status),
            [Status::Fault, Status::Ok]
        );
        assert_eq!(judge_permit(&own(false, 0), true).status, Status::Ok);
        let tight = Hyperparameters { min_weights: 8, max_weight: 6554, one_decides: true, ..rules };
        let what = judge_subnet(1, &tight).what;
        assert!(
            what.contains("at least 8 UIDs") && what.contains("10.00%") && what.contains("Null"),
            "{what}"
        );
        let set = |last| judge_set(&own(true, last), Head { block: Block(5000), unix: 0 }, 360).status;
        assert_eq!([0, 4500, 3000].map(set), [Status::Ok, Status::Ok, Status::Warning]);
    }
}
