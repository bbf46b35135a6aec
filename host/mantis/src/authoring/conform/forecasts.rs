//! What a plugin that forecasts must do: score as without, forecast the same twice and in both forms, and refuse what is no
//! fit of its own.

use super::bench::{Bench, BenchError, Case, is_orderly, same};
use super::report::{Report, Verdict};
use super::scores::Base;
use mantis_plugin_api::{Forecast, LastRows, Market, Outlook};
use mantis_scoring::plugins::Source;
use mantis_scoring::worker::{Failure, Session, Task, WorkerError};
use std::time::{Duration, Instant};

/// Time that a forecast may take; one comes with each row.
const TIME: Duration = Duration::from_millis(50);
/// The name of the check.
const NAME: &str = "forecasts";

/// All of it, for a plugin that forecasts.
pub(super) fn forecasts(base: &Base<'_>, other: Option<&Source>, report: &mut Report) {
    let outlook = match outlook(base) {
        Ok(Some(outlook)) => outlook,
        Ok(None) => return report.add(NAME, Verdict::Skip, "the plugin does not forecast"),
        Err(why) => return report.add(NAME, Verdict::Fail, why),
    };
    match tried(base, other, &outlook) {
        Ok(Some((says, took))) if took <= TIME => report.add(NAME, Verdict::Pass, says),
        Ok(Some((says, took))) => {
            let says = format!("{says}; {:.0} ms is long for one row", took.as_secs_f64() * 1000.0);
            report.add(NAME, Verdict::Note, says);
        }
        Ok(None) => {
            let rows = base.world.market.scored_rows;
            report.add(NAME, Verdict::Note, format!("nothing could be fitted at {rows} rows"));
        }
        Err(why) => report.add(NAME, Verdict::Fail, why),
    }
}

/// What kind of forecast it gives, if any.
fn outlook(base: &Base<'_>) -> Result<Option<Outlook>, String> {
    let job = base.bench.job(base.source, Task::Outlook);
    let finished = base.bench.launcher.run(&job, |_| {}, |_| {}).map_err(|error| error.to_string())?;
    let Some(outlook) = finished.fitted.and_then(|fitted| fitted.outlook) else { return Ok(None) };
    if outlook.numbers() == 0 {
        return Err("its outlook has no subjects".into());
    }
    Ok(Some(outlook))
}

/// What was found, and how long a forecast takes; `None` if there is no fit.
fn tried(
    base: &Base<'_>,
    other: Option<&Source>,
    outlook: &Outlook,
) -> Result<Option<(String, Duration)>, String> {
    let Some(fit) = fitted(base, base.source)? else { return Ok(None) };
    let row = Row::of(base, outlook);
    let mut session = session(base.bench, base.source);
    let forecast = row.ask(&mut session, &fit).map_err(|error| format!("the last row: {error}"))?;
    outlook.check(&forecast).map_err(|error| error.to_string())?;
    let started = Instant::now();
    let again = row.ask(&mut session, &fit).map_err(|error| format!("the last row again: {error}"))?;
    let took = started.elapsed();
    if bits(&again) != bits(&forecast) {
        return Err("another forecast of the same row".into());
    }
    let nobody = Row { latest: vec![0.0; row.latest.len()], market: row.market.clone() };
    let alone = nobody.ask(&mut session, &fit).map_err(|error| format!("a row without miners: {error}"))?;
    outlook.check(&alone).map_err(|error| format!("a row without miners: {error}"))?;
    rubbish(&row, &mut session, &fit)?;
    if let Some(other) = other {
        let theirs = fitted(base, other)?;
        if theirs.as_ref() != Some(&fit) {
            return Err(format!("{} fits another ensemble", other.path.display()));
        }
        let mut session = self::session(base.bench, other);
        let theirs = row.ask(&mut session, &fit).map_err(|e| format!("{}: {e}", other.path.display()))?;
        if bits(&theirs) != bits(&forecast) {
            return Err(format!("{} gives another forecast", other.path.display()));
        }
    }
    let said = forecast.values.iter().flatten().count();
    let says = format!(
        "a fit of {} bytes, with the saliences as they are; the last row's forecast has {said} of {} numbers, by {} miners, the \
         same again{}; rubbish is refused",
        fit.len(),
        outlook.numbers(),
        forecast.miners,
        if other.is_some() { " and in the other form" } else { "" }
    );
    Ok(Some((says, took)))
}

/// The fit of a score that is asked for one, and has to be the same otherwise.
fn fitted(base: &Base<'_>, source: &Source) -> Result<Option<Vec<u8>>, String> {
    let mut bench = base.bench.clone();
    bench.spec.fit = true;
    let case = Case { source, market: &base.world.market, miners: base.world.columns() };
    let (finished, _) = bench.finish(&case).map_err(|error: BenchError| error.to_string())?;
    let salience = finished.salience.ok_or("the worker gave no score")?;
    if !same(&salience, &base.scored.salience) {
        return Err("a score that is asked for its fit has other saliences".into());
    }
    Ok(finished.fitted.and_then(|fitted| fitted.fit))
}

fn session(bench: &Bench, source: &Source) -> Session {
    Session::new(bench.launcher.clone(), bench.job(source, Task::Serve))
}

/// What a forecast is made of, beside the fit.
struct Row {
    latest: Vec<f32>,
    market: LastRows,
}

impl Row {
    /// The last scored row.
    fn of(base: &Base<'_>, outlook: &Outlook) -> Self {
        let (market, dim) = (&base.world.market, base.bench.spec.storage_dim());
        let row = market.scored_rows.saturating_sub(1);
        let latest = base.world.miners.iter().flat_map(|(.., numbers)| {
            numbers[row * dim..(row + 1) * dim].iter().map(|x| x.to_f32()).collect::<Vec<_>>()
        });
        let first = (row + 1).saturating_sub(outlook.market_rows.max(1));
        let columns = market.assets;
        let rows = Market {
            sidx: market.sidx[first..=row].to_vec(),
            prices: market.prices[first * columns..(row + 1) * columns].to_vec(),
            assets: columns,
            ..Market::default()
        };
        Self { latest: latest.collect(), market: LastRows::from(&rows) }
    }

    fn ask(&self, session: &mut Session, fit: &[u8]) -> Result<Forecast, WorkerError> {
        session.forecast(&hex::encode(fit), &self.latest, &self.market)
    }
}

/// What is no fit of its own is refused in an orderly way, or, where a number of it was changed, taken as one.
fn rubbish(row: &Row, session: &mut Session, fit: &[u8]) -> Result<(), String> {
    let flipped = |at: usize| {
        let mut bytes = fit.to_vec();
        bytes[at] ^= 0x15;
        bytes
    };
    let mut trials = vec![Vec::new(), b"{}".to_vec(), vec![0xff; 64], fit[..fit.len() / 2].to_vec()];
    trials.extend((0..16).map(|n| flipped(n * (fit.len() - 1) / 15)));
    for (n, bytes) in trials.iter().enumerate() {
        match row.ask(session, bytes) {
            Ok(_) if n >= 4 => {}
            Ok(_) => return Err(format!("rubbish {n} is taken for a fit")),
            Err(WorkerError::Failed(Failure::Plugin(error))) if is_orderly(&error) => {}
            Err(error) => return Err(format!("rubbish {n} in the place of the fit: {error}")),
        }
    }
    let few = Row { latest: row.latest[1..].to_vec(), market: row.market.clone() };
    match few.ask(session, fit) {
        Err(WorkerError::Failed(Failure::Plugin(error))) if is_orderly(&error) => Ok(()),
        Ok(_) => Err("too few numbers of miners are taken".into()),
        Err(error) => Err(format!("too few numbers of miners: {error}")),
    }
}

/// A forecast's numbers, to the bit.
fn bits(forecast: &Forecast) -> (Vec<Option<u64>>, usize) {
    (forecast.values.iter().map(|x| x.map(f64::to_bits)).collect(), forecast.miners)
}
