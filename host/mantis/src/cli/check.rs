//! `mantis check`.

use super::output::{Table, print, print_json};
use super::payload::read_plaintext;
use super::score::launcher;
use super::shared::ConfigArgs;
use crate::miner::review::{Review, Reviewed, review};
use anyhow::Context;
use clap::Args;
use mantis_config::Config;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  mantis check embeddings.json\n\nThe file, keyed by ticker or name of the challenges:\n  \
    {\"ETH\": [0.2, -0.1], \"MULTIXSEC\": {\"BTC\": 0.5}}\n\nExit code 1 where anything would not be stored as it was \
    sent."
)]
pub(super) struct CheckArgs {
    /// The embeddings as JSON, before they are sealed; `-` is standard input.
    #[arg(value_name = "EMBEDDINGS.json")]
    pub(super) file: PathBuf,
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print one JSON document.
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let config = Config::load(&args.config.config)?;
    let (plaintext, unfit) = read_plaintext(&args.file, &config)?;
    let name = args.file.display();
    let review = review(&config, &plaintext, &launcher(60.0)?).with_context(|| name.to_string())?;
    if args.json {
        let mut document = serde_json::to_value(&review)?;
        document["unfit_numbers"] = unfit.clone().into();
        print_json(&document)?;
    } else {
        print(&text(&review, &unfit))?;
    }
    let faults = review.faults() + unfit.len();
    if faults == 0 {
        return Ok(());
    }
    let noun = if faults == 1 { "thing is" } else { "things are" };
    anyhow::bail!("{name}: {faults} {noun} not stored as sent; correct what is named above")
}

fn text(review: &Review, unfit: &[String]) -> String {
    let mut table = Table::new(["challenge", "ticker", "stored"]);
    for reviewed in &review.challenges {
        table.row([reviewed.name.clone(), reviewed.ticker.clone(), stored(reviewed)]);
    }
    let mut text = table.render();
    for sentence in review.changed().chain(review.ignored()) {
        text += &format!("{sentence}\n");
    }
    for number in unfit {
        text += &format!("{number} is not a JSON number; send finite numbers\n");
    }
    text
}

fn stored(reviewed: &Reviewed) -> String {
    const SHOWN: usize = 4;
    match &reviewed.stored {
        None if reviewed.sent => "nothing".into(),
        None => "not sent".into(),
        Some(vector) => {
            let first: Vec<String> = vector.iter().take(SHOWN).map(f32::to_string).collect();
            let more =
                if vector.len() > SHOWN { format!(", .. ({} numbers)", vector.len()) } else { String::new() };
            format!("{}{more}", first.join(", "))
        }
    }
}
