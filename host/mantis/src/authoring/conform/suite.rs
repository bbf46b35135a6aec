//! The suite as a whole.

use super::bench::{Bench, BenchError, Case, Scored, shares};
use super::forecasts::forecasts;
use super::plan::Plan;
use super::recorded::Recorded;
use super::report::{Report, Verdict};
use super::world::SuiteMarket;
use super::{robustness, scores};
use crate::authoring::inspect::{describe, form, source};
use mantis_config::Runtime;
use mantis_plugin_api::Description;
use mantis_scoring::plugins::{LoadError, Source};
use mantis_scoring::worker::Task;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};

/// Rows that are tried one after another: two days to a month.
const ROWS: [usize; 5] = [3_000, 6_000, 12_000, 24_000, 48_000];
/// Skilled miners that must be paid for comparisons to say much.
const PAID: usize = 2;

/// Tries a plugin out; `on_part` hears of each part that begins.
///
/// # Errors
/// If the file cannot be read at all. A plugin that does not load is a report with a failure.
pub fn conform(plan: &Plan, mut on_part: impl FnMut(&str)) -> Result<Report, LoadError> {
    let runtime = form(&plan.path)?;
    let plugin = source(&plan.path, runtime, plan.config.memory_mib(runtime));
    let mut report = Report {
        path: plan.path.clone(),
        form: runtime.as_str(),
        name: String::new(),
        version: String::new(),
        rows: 0,
        miners: 0,
        checks: Vec::new(),
    };
    on_part("loading");
    let Some((about, bench)) = loaded(plan, &plugin, &mut report) else { return Ok(report) };
    on_part("parameters");
    robustness::params(&bench, &plugin, &about, &mut report);
    let small = SuiteMarket::new(&plan.config, 1_000, plan.seed);
    on_part("submissions");
    robustness::submissions(&bench, &plugin, &small, &mut report);
    on_part("small ledgers");
    robustness::small_ledgers(&bench, &plugin, &small, &mut report);
    on_part("tracking");
    robustness::tracking(&bench, &plugin, &small, &mut report);

    on_part("scores");
    let (world, scored) = match grown(plan, &bench, &plugin) {
        Ok(found) => found,
        Err(error) => {
            report.add("scores", Verdict::Fail, error.to_string());
            return Ok(report);
        }
    };
    (report.rows, report.miners) = (world.market.scored_rows, world.miners.len());
    let paid = scored.salience.miners.iter().filter(|miner| miner.salience > 0.0).count();
    let says = match &scored.salience.empty {
        _ if paid > 0 => format!("{paid} of {} miners are paid at {} rows", report.miners, report.rows),
        Some(why) => format!("no miner is paid at {} rows: {why}", report.rows),
        None => format!("no miner is paid at {} rows", report.rows),
    };
    report.add("scores", if paid > 0 { Verdict::Pass } else { Verdict::Note }, says);
    let base = scores::Base { bench: &bench, source: &plugin, world: &world, scored: &scored };
    on_part("repeats");
    scores::repeats(&base, &mut report);
    on_part("runtimes");
    scores::runtimes(&base, sibling(plan, runtime).as_ref(), &mut report);
    on_part("forecasts");
    forecasts(&base, sibling(plan, runtime).as_ref(), &mut report);
    on_part("order");
    scores::order(&base, &mut report);
    on_part("names");
    scores::names(&base, &mut report);
    on_part("look-ahead");
    scores::future(&base, &mut report);
    if paid > 0 {
        on_part("clones");
        scores::clones(&base, &plan.bars, &mut report);
        scores::noise(&base, &plan.bars, &mut report);
        on_part("hindsight");
        scores::hindsight(&base, &mut report);
        on_part("timing");
        scores::timing(&base, &mut report);
        scores::unearned(&base, &plan.bars, &mut report);
    } else {
        let says = "no miner is paid: simulated miners do not suit it; try --config, --dim, --blocks-ahead or --rows";
        report.add("clones", Verdict::Skip, says);
    }
    scores::cost(&base, &mut report);
    Ok(report)
}

/// Loads and configures it.
fn loaded(plan: &Plan, plugin: &Source, report: &mut Report) -> Option<(Description, Bench)> {
    let about = match describe(plugin, &plan.launcher) {
        Ok(about) => about,
        Err(why) => {
            report.add("loads", Verdict::Fail, why);
            return None;
        }
    };
    (report.name, report.version) = (about.name.clone(), about.version.clone());
    report.add("loads", Verdict::Pass, format!("{} {}: {}", about.name, about.version, about.summary));
    let challenge = plan.config.challenges.first()?;
    let bench = Bench {
        launcher: plan.launcher.clone(),
        spec: challenge.spec(&plan.config.network, plan.solver),
        params: challenge.params.clone(),
        scratch: plan.scratch.clone(),
    };
    let spec = &bench.spec;
    let assets =
        if spec.assets.is_empty() { "one price".into() } else { format!("{} assets", spec.assets.len()) };
    let what = format!("dim {}, {assets}, {} blocks ahead", spec.dim, spec.blocks_ahead);
    match bench.launcher.run(&bench.job(plugin, Task::Inspect), |_| {}, |_| {}) {
        Ok(_) => report.add("configures", Verdict::Pass, what),
        Err(error) => {
            report.add("configures", Verdict::Fail, format!("{what}: {error}"));
            return None;
        }
    }
    Some((about, bench))
}

/// The smallest world in which enough of the skilled are paid; else the largest.
fn grown(plan: &Plan, bench: &Bench, plugin: &Source) -> Result<(SuiteMarket, Scored), BenchError> {
    if let Some(Recorded(world)) = &plan.recorded {
        let case = Case { source: plugin, market: &world.market, miners: world.columns() };
        return bench.score(&case).map(|scored| (world.clone(), scored));
    }
    let rows = plan.rows.map_or_else(|| ROWS.to_vec(), |rows| vec![rows]);
    let mut best: Option<(SuiteMarket, Scored, usize)> = None;
    for rows in rows {
        let world = SuiteMarket::new(&plan.config, rows, plan.seed);
        let case = Case { source: plugin, market: &world.market, miners: world.columns() };
        let scored = bench.score(&case)?;
        let parts = shares(&scored.salience);
        let paid = world.skilled().iter().filter(|i| parts[**i] > 0.0).count();
        if best.as_ref().is_none_or(|(.., most)| paid >= *most) {
            best = Some((world, scored, paid));
        }
        if paid >= PAID {
            break;
        }
    }
    best.map(|(world, scored, _)| (world, scored)).ok_or(BenchError::Silent)
}

/// The plugin's other form, where it lies beside.
fn sibling(plan: &Plan, runtime: Runtime) -> Option<Source> {
    let path = plan.path.as_path();
    let stem = path.file_stem()?.to_str()?;
    let (other, name) = match runtime {
        Runtime::Native => (Runtime::Wasm, format!("{}.wasm", stem.strip_prefix(DLL_PREFIX).unwrap_or(stem))),
        Runtime::Wasm => (Runtime::Native, format!("{DLL_PREFIX}{stem}{DLL_SUFFIX}")),
    };
    let file = path.with_file_name(name);
    file.is_file().then(|| source(&file, other, plan.config.memory_mib(other)))
}
