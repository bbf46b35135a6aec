//! Landlock: which files a process reaches, and that it reaches no network.

use super::Allowed;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, PathBeneath, PathFd, RestrictionStatus, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::path::Path;

/// The newest rules that are known here; of older kernels, those that they have.
const RULES: ABI = ABI::V6;

/// Whether the files are out of reach from now on, as far as the kernel knows how; and whether nothing that is started
/// could have more rights, which comes first.
pub(super) fn restrict(allowed: &Allowed) -> (bool, bool) {
    let Ok(status) = ruleset(allowed) else { return (false, false) };
    let files = matches!(status.ruleset, RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced);
    (files, status.no_new_privs)
}

fn ruleset(allowed: &Allowed) -> Result<RestrictionStatus, RulesetError> {
    let reads = AccessFs::ReadFile | AccessFs::ReadDir;
    let writes = AccessFs::from_all(RULES)
        & !(AccessFs::Execute | AccessFs::MakeSock | AccessFs::MakeFifo)
        & !(AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSym | AccessFs::IoctlDev);
    let mut rules = Ruleset::default()
        .handle_access(AccessFs::from_all(RULES))?
        .handle_access(AccessNet::from_all(RULES))?
        .scope(Scope::from_all(RULES))?
        .create()?;
    for (paths, access) in [(&allowed.reads, reads), (&allowed.writes, writes)] {
        for path in paths {
            // What is not there needs no rule: the plugin's loader, or the reader of the snapshot, says that it is not.
            if let Some((file, access)) = opened(path, access) {
                rules = rules.add_rule(PathBeneath::new(file, access))?;
            }
        }
    }
    rules.restrict_self()
}

/// A file by what it is: rights to a folder's contents make no sense for a file.
fn opened(path: &Path, access: BitFlags<AccessFs>) -> Option<(PathFd, BitFlags<AccessFs>)> {
    let access = if path.is_dir() { access } else { access & AccessFs::from_file(RULES) };
    Some((PathFd::new(path).ok()?, access))
}
