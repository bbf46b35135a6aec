//! The page as a whole.

use super::assets::{SCRIPT, STYLE};
use super::links::Links;
use super::summary::Extent;
use super::text::esc;
use super::view::{Matter, View};
use super::{challenges, configuration, leaderboard, miners, summary, weights};
use crate::standing::{DRAWN, all_series};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mantis_config::Config;
use mantis_ledger::{Ledger, LedgerError};
use mantis_weights::Outcome;
use mantis_weights::Scores;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a report is about.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What the run is called: `Demo, seed 1`, or the ledger's name.
    pub title: &'a str,
    /// The configuration that was scored by.
    pub config: &'a Config,
    /// The ledger that was scored; it is only read.
    pub ledger: &'a Ledger,
    /// What came of it.
    pub scores: &'a Scores,
    /// The weights that follow.
    pub outcome: &'a Outcome,
    /// What is known of a hotkey beside its name: `skilled 0.24`. May be empty.
    pub about: &'a BTreeMap<String, String>,
}

/// The report as one HTML document.
///
/// Everything in it that comes from outside is escaped and cut to a few lines. 256 miners in 12 challenges stay below
/// 3.5 MB. The result depends on the input alone.
///
/// # Errors
/// If the ledger cannot be read.
pub fn html(input: &Input<'_>) -> Result<String, LedgerError> {
    let ledger = input.ledger;
    let refusals = ledger.rejections(None)?;
    let series = all_series(ledger, input.config)?;
    let past = ledger.past_weights(DRAWN)?;
    let activities = ledger.activities()?;
    let states = ledger.breakout_state()?;
    let blocks = ledger.blocks()?;
    let ends = (blocks.iter().min().copied().unwrap_or(0), blocks.iter().max().copied().unwrap_or(0));
    let extent = Extent {
        blocks: (blocks.len() as u64, ends.0, ends.1),
        rows: ledger.tickers()?.iter().map(|ticker| ticker.rows).sum(),
    };
    let matter = Matter {
        title: input.title,
        config: input.config,
        scores: input.scores,
        outcome: input.outcome,
        about: input.about,
        refusals: &refusals,
        series: &series,
        past: &past,
        activities: &activities,
        links: Links::Anchors,
    };
    let view = View::new(&matter);
    let sections = [
        summary::section(&view, &extent),
        leaderboard::section(&view),
        challenges::section(&view, &states),
        miners::section(&view),
        weights::section(&view),
        configuration::section(&view),
    ];
    let title = esc(input.title);
    let style = STYLE.text;
    // A browser takes the marks for comments, a reader of XML what is between them for plain text. The script is asked
    // to wait: it stands before what it is about.
    let script =
        format!("//<![CDATA[\naddEventListener('DOMContentLoaded', () => {{\n{}}});\n//]]>", SCRIPT.text);
    let digest = BASE64.encode(Sha256::digest(&script));
    Ok(format!(
        r##"<!DOCTYPE html>
<html lang="en" xmlns="http://www.w3.org/1999/xhtml">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"/>
<title>{title} – Mantis report</title>
<style>
{style}</style>
<script>{script}</script>
</head>
<body>
<a class="skip" href="#s-summary">Skip to the summary</a>
<header><div class="in"><a class="brand" href="#top-">Mantis</a><nav aria-label="Sections"><a href="#s-summary">Summary</a><a href="#s-leaderboard">Leaderboard</a><a href="#s-challenges">Challenges</a><a href="#s-miners">Miners</a><a href="#s-weights">Weights</a><a href="#s-configuration">Configuration</a></nav></div></header>
<main id="top-">
{}</main>
<footer><p>Made by Mantis {} from the ledger and the configuration alone: the same input gives the same page.</p></footer>
</body>
</html>
"##,
        sections.concat(),
        env!("CARGO_PKG_VERSION")
    ))
}
