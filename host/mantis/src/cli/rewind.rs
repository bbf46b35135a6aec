//! `mantis rewind`.

use super::shared::ConfigArgs;
use clap::Args;
use mantis_config::{Block, Config};
use mantis_ledger::{Ledger, Lock, Rewound};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  mantis rewind --ledger datalog.db --to 7000000            # says what would go\n  \
    mantis rewind --ledger datalog.db --to 7000000 --yes\n  mantis rewind --ledger datalog.db --forget-chain --yes\n\n\
    `mantis doctor --network ...` says what the newest block is. End the validator first, and copy the ledger."
)]
pub(super) struct RewindArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// The ledger.
    #[arg(long, value_name = "DB")]
    ledger: PathBuf,
    /// Take out all that was stored for later blocks than this one.
    #[arg(long, value_name = "BLOCK", required_unless_present_any = ["forget_chain", "forget_sums", "forget_releases"])]
    to: Option<i64>,
    /// Forget which chain the ledger is of: the next one that is believed is taken.
    #[arg(long)]
    forget_chain: bool,
    /// Forget the checksums of all rows: where another program has written the ledger meanwhile, its rows are taken as they
    /// are.
    #[arg(long)]
    forget_sums: bool,
    /// Forget which releases of the subnet's owner were taken: the one that counts now is taken next, whatever its number.
    #[arg(long)]
    forget_releases: bool,
    /// Do it; without this, only say what would go.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &RewindArgs) -> anyhow::Result<()> {
    let every = Config::load(&args.config.config)?.network.sample_every;
    // Nobody else writes it meanwhile; and a file that is not there is not made.
    Ledger::read(&args.ledger)?;
    let _lock = Lock::take(&args.ledger)?;
    let mut ledger = Ledger::open(&args.ledger)?;
    if let Some(to) = args.to.map(Block) {
        let (first, last) = (ledger.first_block()?, ledger.last_block()?);
        let path = args.ledger.display();
        anyhow::ensure!(
            first.is_some_and(|first| first <= to),
            "{path}: nothing would be left: it begins {}; name a later block",
            first.map_or("nowhere, as it is empty".into(), |first| format!("with block {first}"))
        );
        let rewound = if args.yes { ledger.rewind(to, every)? } else { ledger.behind(to, every)? };
        let Rewound { blocks, rows, computations } = rewound;
        let verb = if args.yes { "taken out" } else { "would be taken out" };
        println!("behind block {to}: {blocks} blocks, {rows} rows and {computations} computations {verb}");
        if let (Some(last), true) = (last, blocks == 0) {
            println!("the newest block there is {last}");
        }
    }
    if args.forget_chain {
        if args.yes {
            ledger.forget_chain()?;
        }
        println!("which chain it is of {} forgotten", if args.yes { "is" } else { "would be" });
    }
    if args.forget_sums {
        if args.yes {
            ledger.forget_sums()?;
        }
        println!("the checksums of all rows {} forgotten", if args.yes { "are" } else { "would be" });
    }
    if args.forget_releases {
        if args.yes {
            ledger.forget_releases()?;
        }
        println!("which releases were taken {} forgotten", if args.yes { "is" } else { "would be" });
    }
    if !args.yes {
        println!("nothing is changed; add --yes to do it");
    }
    Ok(())
}
