//! Whether what a node says of the registered neurons is believed.

use mantis_network::chain::Neuron;
use std::collections::BTreeSet;
use thiserror::Error;

/// Why a metagraph is not believed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MetagraphRejection {
    /// Nobody is registered.
    #[error("it is empty; check the node, and the netuid")]
    Empty,
    /// A neuron without a hotkey.
    #[error("UID {uid} has no hotkey")]
    Nameless {
        /// Whose.
        uid: u16,
    },
    /// A UID is there twice.
    #[error("UID {uid} is there twice")]
    UidTwice {
        /// Which.
        uid: u16,
    },
    /// A hotkey is there twice.
    #[error("hotkey {hotkey} is there twice")]
    HotkeyTwice {
        /// Which.
        hotkey: String,
    },
    /// Few of those who were registered are left.
    #[error("of the {before} hotkeys that were registered last, it has {left}: is it another subnet's?")]
    Foreign {
        /// How many there were.
        before: usize,
        /// How many of them are left.
        left: usize,
    },
}

/// Judges a metagraph; `before` are the hotkeys that were registered not long ago, if they are known.
///
/// # Errors
/// Why it is not believed.
pub fn judge_metagraph<'a>(
    neurons: &[Neuron],
    before: impl IntoIterator<Item = &'a str>,
) -> Result<(), MetagraphRejection> {
    if neurons.is_empty() {
        return Err(MetagraphRejection::Empty);
    }
    let (mut uids, mut hotkeys) = (BTreeSet::new(), BTreeSet::new());
    for Neuron { uid, hotkey, .. } in neurons {
        if hotkey.is_empty() {
            return Err(MetagraphRejection::Nameless { uid: *uid });
        }
        if !uids.insert(*uid) {
            return Err(MetagraphRejection::UidTwice { uid: *uid });
        }
        if !hotkeys.insert(hotkey.as_str()) {
            return Err(MetagraphRejection::HotkeyTwice { hotkey: hotkey.clone() });
        }
    }
    let before: BTreeSet<&str> = before.into_iter().collect();
    let left = before.intersection(&hotkeys).count();
    if 2 * left < before.len() {
        return Err(MetagraphRejection::Foreign { before: before.len(), left });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn neurons(all: &[(u16, &str)]) -> Vec<Neuron> {
        let neuron =
            |(uid, hotkey): &(u16, &str)| Neuron { uid: *uid, hotkey: (*hotkey).into(), ..Neuron::default() };
        all.iter().map(neuron).collect()
    }

    #[test]
    fn a_metagraph_that_cannot_be_is_refused() {
        let judge = |all: &[(u16, &str)], before: &[&str]| {
            judge_metagraph(&neurons(all), before.iter().copied()).map_err(|why| why.to_string())
        };
        assert_eq!(judge(&[(0, "a"), (1, "b")], &[]), Ok(()));
        assert_eq!(judge(&[(0, "a"), (1, "c")], &["a", "b"]), Ok(()));
        let refused = |all: &[(u16, &str)], before: &[&str]| judge(all, before).unwrap_err();
        assert!(refused(&[], &["a"]).starts_with("it is empty"));
        assert_eq!(refused(&[(0, "a"), (0, "b")], &[]), "UID 0 is there twice");
        assert_eq!(refused(&[(0, "a"), (1, "a")], &[]), "hotkey a is there twice");
        assert_eq!(refused(&[(0, "a"), (1, "")], &[]), "UID 1 has no hotkey");
        assert!(refused(&[(0, "x"), (1, "b"), (2, "z")], &["a", "b", "c"]).contains("3 hotkeys"));
    }
}
