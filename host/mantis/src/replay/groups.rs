//! Groups of hotkeys, by which it is followed what clones and noise earn.

use super::error::ReplayInputError;
use crate::demo::played;
use crate::simulation::{SimulatedMiner, cast};
use mantis_network::wallet::public_key;
use mantis_validator::replay::Group;
use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

/// `NAME=MEMBER,MEMBER,..`, as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupArg {
    /// Its name.
    pub name: String,
    /// Hotkeys, or how names of simulated miners begin.
    pub members: Vec<String>,
}

impl FromStr for GroupArg {
    type Err = ReplayInputError;

    fn from_str(text: &str) -> Result<Self, ReplayInputError> {
        let refused = || ReplayInputError::Group { text: text.into() };
        let (name, members) = text.split_once('=').ok_or_else(refused)?;
        let members: Vec<String> =
            members.split(',').map(str::trim).filter(|member| !member.is_empty()).map(String::from).collect();
        let name = name.trim().to_owned();
        if name.is_empty() || members.is_empty() { Err(refused()) } else { Ok(Self { name, members }) }
    }
}

/// The group that is meant. Beside the ledger of a demo, members may be named by how the names of its miners begin: `clone`.
///
/// # Errors
/// If a member is neither.
pub fn group(arg: &GroupArg, ledger: &Path) -> Result<Group, ReplayInputError> {
    let miners =
        ledger.parent().and_then(played).map(|plan| cast(plan.miners, plan.seed)).unwrap_or_default();
    let mut hotkeys = BTreeSet::new();
    for member in &arg.members {
        if public_key(member).is_ok() {
            hotkeys.insert(member.clone());
            continue;
        }
        let is_named = |miner: &&SimulatedMiner| miner.about.starts_with(member.as_str());
        let named: Vec<String> = miners.iter().filter(is_named).map(|miner| miner.hotkey.clone()).collect();
        if named.is_empty() {
            let names: BTreeSet<&str> =
                miners.iter().filter_map(|miner| miner.about.split([' ', ':', ',']).next()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            let known = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
            return Err(ReplayInputError::Member { group: arg.name.clone(), member: member.clone(), known });
        }
        hotkeys.extend(named);
    }
    Ok(Group { name: arg.name.clone(), hotkeys })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_a_name_and_members() {
        let read = |text: &str| text.parse::<GroupArg>();
        let arg = read("clones=5A, 5B,").unwrap();
        assert_eq!((arg.name.as_str(), arg.members), ("clones", vec!["5A".to_owned(), "5B".to_owned()]));
        for wrong in ["clones", "=5A", "clones=", "clones=,", ""] {
            assert!(read(wrong).unwrap_err().to_string().contains("NAME=HOTKEY"), "{wrong}");
        }
    }

    #[test]
    fn members_are_hotkeys_or_beside_a_demo_kinds_of_its_miners() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = dir.path().join("ledger.db");
        let hotkey = "5F3sa2TJAWMqDhXG6jhV4N8ko9SxwGy8TpaNS1repo5EYjQX";
        let of = |text: &str| group(&text.parse().unwrap(), &ledger);
        assert_eq!(of(&format!("a={hotkey}")).unwrap().hotkeys, [hotkey.to_owned()].into());
        let says = of("a=noise").unwrap_err().to_string();
        assert!(says.contains("--group a=noise") && !says.contains("skilled"), "{says}");
        std::fs::write(
            dir.path().join("demo.json"),
            r#"{"plan": {"seed": 1, "miners": 24, "days": 4, "live": 9}}"#,
        )
        .unwrap();
        let noise = of(&format!("a=noise,{hotkey}")).unwrap().hotkeys;
        let expected = cast(24, 1).into_iter().filter(|miner| miner.about.starts_with("noise")).count();
        assert!(expected > 0 && noise.len() == expected + 1 && noise.contains(hotkey), "{noise:?}");
        assert!(of("a=unheard").unwrap_err().to_string().contains("skilled"));
    }
}
