//! The top of the file.

use super::runtime::{RUNTIME, SOLVER};
use super::{
    BatchEngine, Beacon, Challenge, Collect, Datalog, FactSource, MarketFeed, Mirrors, Network,
    ReleaseSource, Runtime,
};
use crate::fault::KeyPositions;
use crate::kinds::{Folder, Optional};
use crate::section::{SubTable, section};
use mantis_plugin_api::Solver;
use std::path::PathBuf;

section! {
    /// A whole `challenges.toml`, checked; `plugin_dir` is joined to the folder of the file. Made by [`Config::load`]
    /// or [`Config::parse`] alone.
    #[derive(Clone, Debug, PartialEq)]
    #[non_exhaustive]
    pub struct Config {
        /// Where model fits stop, in challenges that do not say: at the optimum, or where the network's scorer stops.
        /// The shipped file says `"network"`.
        solver: Solver = Solver::Exact, in SOLVER;

        /// Form in which plugins run, in challenges that do not say: shared library or WebAssembly component.
        runtime: Runtime = Runtime::Native, in RUNTIME;

        /// Folder of the plugins, from the file's own folder; they are also found beside the program.
        plugin_dir: PathBuf = PathBuf::from("plugins"), in Folder;

        /// Memory that one instance of a WebAssembly plugin may hold, MiB; one that asks for more fails.
        // Beyond the largest score at full size, below the 4 GiB that a component can address.
        wasm_memory_mib: u32 = 3584, in 16..=4095;

        /// Memory that one plugin may hold that runs as a shared library, MiB; one that asks for more is ended.
        native_memory_mib: u32 = 8192, in 64..=1_048_576;

        /// `[network]`: constants of the subnet.
        network: Network = Network::default(), in SubTable;

        /// `[beacon]`: the time-lock's beacon.
        beacon: Beacon = Beacon::default(), in SubTable;

        /// `[market]`: the price feed.
        market: MarketFeed = MarketFeed::default(), in SubTable;

        /// `[collect]`: what may be fetched from miners.
        collect: Collect = Collect::default(), in SubTable;

        /// `[datalog]`: a published ledger to begin with.
        datalog: Option<Datalog> = None, in Optional(SubTable);

        /// `[mirrors]`: a ledger that is published in parts, for the first start and for days that are missing.
        mirrors: Option<Mirrors> = None, in Optional(SubTable);

        /// `[release]`: releases of the subnet's owner, which go before this file.
        release: Option<ReleaseSource> = None, in Optional(SubTable);

        /// `[scoring]`: a batch engine that runs the workers of challenges, on other machines too.
        scoring: Option<BatchEngine> = None, in Optional(SubTable);
    }
    apart {
        /// `[assets]`: named lists of assets for challenges, in the order of storage: append, never reorder.
        assets, else "none", in "lists without repeats";

        /// `[params.NAME]`: named sets of parameters for challenges.
        params, else "none", in "tables";

        /// `[[facts]]`: numbers about miners from outside, for challenges that name them.
        facts, else "none", in "[[facts]] tables";

        /// The challenges, in the order in which a miner's list names them.
        challenge, in CHALLENGES;
    }
    with {
        /// The file it was read from.
        pub file: PathBuf,

        /// `[[facts]]`, in the order of the file.
        pub facts: Vec<FactSource>,

        /// `[[challenge]]`, in the order of the file; never empty.
        pub challenges: Vec<Challenge>,

        /// Where each challenge's keys are written.
        pub(crate) positions: Vec<KeyPositions>,
    }
}

/// What `challenge` may be.
pub(crate) const CHALLENGES: &str = "at least one [[challenge]] table";
