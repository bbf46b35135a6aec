//! Weightings from a file: CSV with a column per ticker, or a JSON object per line.

use super::error::ReplayInputError;
use mantis_config::{Config, Weight};
use mantis_validator::replay::Weighting;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The column, or the key, of a weighting's name.
const NAME: &str = "name";
/// The largest weight that a challenge may have.
const LARGEST: f64 = 1e9;
const WEIGHT: &str = "a number from 0 to 1000000000, a share as 15%, or nothing to leave it as it is";

/// Reads the weightings of a file for configurations with these challenges; one that has no name is called by its line.
///
/// # Errors
/// [`ReplayInputError`] for the first that is wrong.
pub fn read_weightings(path: &Path, config: &Config) -> Result<Vec<Weighting>, ReplayInputError> {
    let text =
        fs::read_to_string(path).map_err(|source| ReplayInputError::File { path: path.into(), source })?;
    let file = File { path, tickers: config.challenges.iter().map(|c| c.ticker.as_str()).collect() };
    let is_json = text.trim_start().starts_with('{');
    let all = if is_json { file.json(&text)? } else { file.csv(&text)? };
    for (line, weighting) in &all {
        if config.weights_with(&weighting.weights).is_none() {
            let what = "no configuration may say so".into();
            return Err(file.refuse(
                *line,
                what,
                "weights that are not all 0, and shares that sum to less than 100%",
            ));
        }
    }
    if all.is_empty() {
        return Err(ReplayInputError::Empty { path: path.into() });
    }
    Ok(all.into_iter().map(|(_, weighting)| weighting).collect())
}

struct File<'a> {
    path: &'a Path,
    tickers: BTreeSet<&'a str>,
}

impl File<'_> {
    fn csv(&self, text: &str) -> Result<Vec<(u64, Weighting)>, ReplayInputError> {
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
        let broken = |error: csv::Error| {
            let line = error.position().map_or(1, csv::Position::line);
            self.refuse(line, error.to_string(), "as many columns as the header has")
        };
        let header = reader.headers().map_err(broken)?.clone();
        for (at, column) in header.iter().enumerate() {
            self.known(1, column)?;
            if header.iter().take(at).any(|other| other == column) {
                return Err(self.refuse(
                    1,
                    format!("the column {column} is there twice"),
                    "each ticker once",
                ));
            }
        }
        let mut all = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            let mut weighting = unnamed(line);
            for (column, text) in header.iter().zip(&record).filter(|(_, text)| !text.is_empty()) {
                if column == NAME {
                    weighting.name = text.into();
                } else {
                    weighting.weights.insert(column.into(), self.weight(line, column, text)?);
                }
            }
            all.push((line, weighting));
        }
        Ok(all)
    }

    fn json(&self, text: &str) -> Result<Vec<(u64, Weighting)>, ReplayInputError> {
        let mut all = Vec::new();
        for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
            let object: BTreeMap<String, Value> = serde_json::from_str(text).map_err(|error| {
                self.refuse(line, error.to_string(), "{\"name\": \"a\", \"TICKER\": 2, ..}")
            })?;
            let mut weighting = unnamed(line);
            for (key, value) in object {
                self.known(line, &key)?;
                match (key == NAME, &value) {
                    (true, Value::String(name)) => weighting.name.clone_from(name),
                    (false, Value::Null) => {}
                    (false, Value::String(text)) => {
                        let weight = self.weight(line, &key, text)?;
                        weighting.weights.insert(key, weight);
                    }
                    (false, Value::Number(number)) => {
                        let weight = self.weight(line, &key, &number.to_string())?;
                        weighting.weights.insert(key, weight);
                    }
                    (true, _) => return Err(self.refuse(line, format!("the name is {value}"), "a text")),
                    (false, _) => return Err(self.refuse(line, format!("{key} is {value}"), WEIGHT)),
                }
            }
            all.push((line, weighting));
        }
        Ok(all)
    }

    fn known(&self, line: u64, name: &str) -> Result<(), ReplayInputError> {
        if name == NAME || self.tickers.contains(name) {
            return Ok(());
        }
        let known: Vec<&str> = self.tickers.iter().copied().collect();
        Err(self.refuse(line, format!("there is no ticker {name:?}"), &format!("name, {}", known.join(", "))))
    }

    /// `2`, or `15%`.
    fn weight(&self, line: u64, ticker: &str, text: &str) -> Result<Weight, ReplayInputError> {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let weight = match text.strip_suffix('%') {
            Some(percent) => {
                number(percent).map(|x| x / 100.0).filter(|x| *x > 0.0 && *x < 1.0).map(Weight::Share)
            }
            None => number(text).filter(|x| (0.0..=LARGEST).contains(x)).map(Weight::Fixed),
        };
        weight.ok_or_else(|| self.refuse(line, format!("{ticker} is {text:?}"), WEIGHT))
    }

    fn refuse(&self, line: u64, what: String, allowed: &str) -> ReplayInputError {
        ReplayInputError::Line { path: self.path.into(), line, what, allowed: allowed.into() }
    }
}

fn unnamed(line: u64) -> Weighting {
    Weighting { name: format!("line {line}"), weights: BTreeMap::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        let challenge = |ticker: &str| {
            format!("[[challenge]]\nname=\"{ticker}\"\nticker=\"{ticker}\"\nplugin=\"p\"\ndim=2\nweight=1\n")
        };
        Config::parse(&(challenge("ETH") + &challenge("GOLD")), Path::new("a.toml")).unwrap()
    }

    fn read(text: &str) -> Result<Vec<Weighting>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("w");
        fs::write(&path, text).unwrap();
        read_weightings(&path, &config()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_forms_say_the_same() {
        let csv = read("name, ETH,GOLD\n# a comment\nhalf, 0.5,\n,2,15%\n").unwrap();
        let json =
            read("{\"name\": \"half\", \"ETH\": 0.5, \"GOLD\": null}\n\n{\"ETH\": 2, \"GOLD\": \"15%\"}\n")
                .unwrap();
        assert_eq!(
            (csv[0].name.as_str(), csv[1].name.as_str(), json[1].name.as_str()),
            ("half", "line 4", "line 3")
        );
        assert_eq!(csv[0].weights, [("ETH".to_owned(), Weight::Fixed(0.5))].into());
        assert_eq!(csv[1].weights["GOLD"], Weight::Share(0.15));
        assert_eq!(
            csv.iter().map(|one| &one.weights).collect::<Vec<_>>(),
            json.iter().map(|one| &one.weights).collect::<Vec<_>>()
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, says) in [
            ("ETH\n1\n-1\n", "line 3: ETH is \"-1\"; allowed: a number from 0"),
            ("ETH\nnan\n", "line 2: ETH is \"nan\""),
            ("ETH\n1e10\n", "line 2: ETH is"),
            ("ETH\n100%\n", "line 2: ETH is \"100%\""),
            ("ETH,BTC\n1,2\n", "line 1: there is no ticker \"BTC\"; allowed: name, ETH, GOLD"),
            ("ETH,ETH\n1,2\n", "line 1: the column ETH is there twice"),
            ("ETH,GOLD\n1\n", "line 2"),
            ("ETH,GOLD\n1,1\n0,0\n", "line 3: no configuration may say so"),
            ("ETH,GOLD\n", "there is no weighting in it"),
            ("", "there is no weighting in it"),
            ("{\"ETH\": [1]}\n", "line 1: ETH is [1]"),
            ("{\"name\": 3}\n", "line 1: the name is 3"),
            ("{\"ETH\": 1}\n{\n", "line 2: EOF"),
            ("{\"BTC\": 1}\n", "line 1: there is no ticker"),
        ] {
            let said = read(text).unwrap_err();
            assert!(said.contains(says), "{text:?}: {said}");
        }
        assert!(
            read_weightings(Path::new("/no/such"), &config())
                .unwrap_err()
                .to_string()
                .starts_with("/no/such: ")
        );
    }
}
