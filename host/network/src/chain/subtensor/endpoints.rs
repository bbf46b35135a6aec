//! From a network's name to the URLs of its nodes.

use crate::chain::ChainError;
use mantis_config::bare_node;

/// Nodes of the networks that have a name.
const PRESETS: [(&str, &[&str]); 3] = [
    ("finney", &["wss://entrypoint-finney.opentensor.ai:443", "wss://lite.chain.opentensor.ai:443"]),
    ("test", &["wss://test.finney.opentensor.ai:443"]),
    ("local", &["ws://127.0.0.1:9944"]),
];

/// The nodes of `network`: a comma-separated list of presets and WebSocket URLs, tried in this order.
///
/// # Errors
/// [`ChainError::UnknownNetwork`] for what is neither.
pub fn endpoints(network: &str) -> Result<Vec<String>, ChainError> {
    let mut found: Vec<String> = Vec::new();
    for part in network.split(',').map(str::trim) {
        let urls: Vec<String> = match PRESETS.iter().find(|(name, _)| *name == part) {
            Some((_, urls)) => urls.iter().map(|url| (*url).to_owned()).collect(),
            None if is_websocket(part) => vec![part.to_owned()],
            None => {
                return Err(ChainError::UnknownNetwork { name: bare_node(part), meant: meant(part) });
            }
        };
        found.extend(urls.into_iter().filter(|url| !found.contains(url)).collect::<Vec<_>>());
    }
    Ok(found)
}

/// The network whose name differs by one letter more, less or other.
fn meant(name: &str) -> Option<&'static str> {
    let is_close = |known: &str| {
        let same = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| {
            a.zip(b).take_while(|(a, b)| a == b).count()
        };
        let ahead = same(&mut name.chars(), &mut known.chars());
        let (ours, theirs) = (name.chars().count(), known.chars().count());
        let behind = same(&mut name.chars().rev(), &mut known.chars().rev()).min(ours.min(theirs) - ahead);
        ours.max(theirs) - ahead - behind <= 1
    };
    PRESETS.iter().map(|(known, _)| *known).find(|known| !name.is_empty() && is_close(known))
}

fn is_websocket(url: &str) -> bool {
    let host = url.strip_prefix("wss://").or_else(|| url.strip_prefix("ws://"));
    host.is_some_and(|host| !host.is_empty() && !host.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_presets_and_urls_in_order_and_once() {
        assert_eq!(endpoints("ws://a:1, local,ws://a:1").unwrap(), ["ws://a:1", "ws://127.0.0.1:9944"]);
        assert_eq!(endpoints("finney").unwrap().len(), 2);
        assert!(endpoints("test").unwrap()[0].starts_with("wss://test."));
    }

    #[test]
    fn says_what_is_no_network() {
        for wrong in ["", "mainnet", "http://a", "ws://", "local,", "wss://a b"] {
            let error = endpoints(wrong).unwrap_err().to_string();
            assert!(error.contains("allowed are finney, test, local"), "{wrong}: {error}");
            assert!(!error.contains("trying again"), "{error}");
        }
        let meant = |wrong| endpoints(wrong).unwrap_err().to_string().contains("did you mean finney?");
        assert!(meant("fenney") && meant("finey") && meant("finneyy"));
        assert!(!meant("mainnet") && !meant("finney2x"));
    }
}
