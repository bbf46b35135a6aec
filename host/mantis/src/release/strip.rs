//! From an operator's configuration to what a release says.

use mantis_config::{OPERATORS_KEYS, OPERATORS_TOP};
use toml::{Table, Value};

/// The keys of a challenge that say in which form this machine runs its plugin, and of which file.
const FORMS: [&str; 2] = ["runtime", "sha256"];

/// The text of a configuration without what belongs to its operator, and with all plugins as components. Comments stay, where
/// the file is written in the usual way; else it is written anew.
///
/// # Errors
/// If the text is not TOML.
pub fn to_release(text: &str) -> Result<String, toml::de::Error> {
    let mut wanted: Table = toml::from_str(text)?;
    strip(&mut wanted);
    let edited = edit(text);
    let is_right = toml::from_str::<Table>(&edited).is_ok_and(|found| found == wanted);
    // A table of values that were read can be written.
    Ok(if is_right { edited } else { toml::to_string(&wanted).unwrap_or(edited) })
}

fn strip(table: &mut Table) {
    OPERATORS_TOP.iter().for_each(|key| drop(table.remove(*key)));
    for (section, key) in OPERATORS_KEYS {
        if let Some(section) = table.get_mut(section).and_then(Value::as_table_mut) {
            section.remove(key);
        }
    }
    table.insert("runtime".into(), "wasm".into());
    let challenges = table.get_mut("challenge").and_then(Value::as_array_mut);
    for challenge in challenges.into_iter().flatten().filter_map(Value::as_table_mut) {
        FORMS.iter().for_each(|key| drop(challenge.remove(*key)));
    }
}

/// The same, line by line.
fn edit(text: &str) -> String {
    let (mut out, mut held): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let (mut section, mut is_left_out) = (String::new(), false);
    for line in text.lines() {
        let word = line.trim();
        if let Some(header) = header(word) {
            section = header.to_owned();
            is_left_out = OPERATORS_TOP.contains(&header.split('.').next().unwrap_or_default());
            // Comments above a header belong to it.
            out.append(&mut held);
            if is_left_out {
                let comments = out.iter().rev().take_while(|line| line.trim().starts_with('#')).count();
                out.truncate(out.len() - comments);
                continue;
            }
        }
        let is_comment = word.is_empty() || word.starts_with('#');
        match (is_left_out, is_comment) {
            (true, true) => held.push(line),
            (true, false) => held.clear(),
            (false, _) if key(word).is_some_and(|key| is_operators(&section, key)) => {}
            (false, _) => out.push(line),
        }
    }
    let first = out.iter().position(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    let first = first.unwrap_or(out.len());
    // Above the comment of what comes first.
    let first = out[..first].iter().rposition(|line| line.trim().is_empty()).map_or(first, |blank| blank + 1);
    out.insert(first, "runtime = \"wasm\"");
    if out.get(first + 1).is_some_and(|next| header(next.trim()).is_some() || next.trim().starts_with('#')) {
        out.insert(first + 1, "");
    }
    out.join("\n") + "\n"
}

fn is_operators(section: &str, key: &str) -> bool {
    match section {
        "" => key == "runtime" || OPERATORS_TOP.contains(&key),
        "challenge" => FORMS.contains(&key),
        other => OPERATORS_KEYS.contains(&(other, key)),
    }
}

/// The name of the table that a line begins.
fn header(line: &str) -> Option<&str> {
    let rest = line.strip_prefix('[')?;
    let (name, after) = rest.strip_prefix('[').unwrap_or(rest).split_once(']')?;
    let after = after.strip_prefix(']').unwrap_or(after).trim();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    (is_name && (after.is_empty() || after.starts_with('#'))).then_some(name)
}

/// The key that a line gives a value.
fn key(line: &str) -> Option<&str> {
    let (key, _) = line.split_once('=')?;
    Some(key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_config::Config;
    use std::path::Path;

    #[test]
    fn the_shipped_file_keeps_its_comments_and_loses_what_is_the_operators() {
        let shipped = include_str!("../../../../challenges.toml");
        let text = to_release(shipped).unwrap();
        let config = Config::parse_release(&text, Path::new("challenges.toml")).unwrap();
        let before = Config::parse(shipped, Path::new("challenges.toml")).unwrap();
        assert_eq!((config.network, config.challenges.len()), (before.network, before.challenges.len()));
        for kept in
            ["# blocks between two rows", "# Lists of assets that challenges name.", "solver = \"network\""]
        {
            assert!(text.contains(kept), "{kept}: {text}");
        }
        for gone in
            ["[market]", "[collect]", "plugin_dir", "api = ", "# The price feed", "runtime = \"native\""]
        {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        assert_eq!(to_release(&text).unwrap(), text, "what is stripped stays as it is");
    }

    #[test]
    fn every_profile_can_be_released() {
        for profile in [
            include_str!("../../../../profiles/2026-05.toml"),
            include_str!("../../../../profiles/2026-09.toml"),
        ] {
            Config::parse_release(&to_release(profile).unwrap(), Path::new("a.toml")).unwrap();
        }
    }

    #[test]
    fn what_is_written_in_another_way_is_written_anew() {
        let text = "plugin_dir = \"x\"\nmarket = { url = \"https://a\" }\nbeacon.api = [\n  \"https://a\",\n]\n[[challenge]]\n\
                    name = \"A\"\nticker = \"A\"\nplugin = \"p\"\nruntime = \"native\"\ndim = 2\nweight = 1\n\
                    params = { text = \"\"\"\n[market]\n\"\"\" }\n";
        let stripped = to_release(text).unwrap();
        let config = Config::parse_release(&stripped, Path::new("a.toml")).unwrap();
        assert_eq!(config.challenges[0].params["text"], "[market]\n");
    }
}
