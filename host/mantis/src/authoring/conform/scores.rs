//! What scores must be: the same whenever and wherever they are made, and blind to names and to the future.

use super::bench::{Bench, Case, Scored, same, shares};
use super::plan::Bars;
use super::report::{Report, Verdict};
use super::world::SuiteMarket;
use crate::simulation::MinerKind;
use mantis_ledger::snapshot::Column;
use mantis_plugin_api::{Market, f16};
use mantis_scoring::plugins::Source;

/// What every check compares with.
pub(super) struct Base<'a> {
    pub(super) bench: &'a Bench,
    pub(super) source: &'a Source,
    pub(super) world: &'a SuiteMarket,
    pub(super) scored: &'a Scored,
}

impl Base<'_> {
    /// The place of the skilled miner that earns most.
    fn best(&self) -> Option<usize> {
        let parts = shares(&self.scored.salience);
        self.world.skilled().into_iter().max_by(|a, b| parts[*a].total_cmp(&parts[*b]))
    }

    /// The miners, and one more in its place among them.
    fn with<'b>(&'b self, name: &'b str, numbers: &'b [f16]) -> Vec<Column<'b>> {
        let mut miners = self.world.columns();
        miners.push((name, numbers));
        miners.sort_by_key(|(hotkey, _)| hotkey.as_bytes());
        miners
    }
}

/// The place of a hotkey among miners that it is one of.
fn place_of(miners: &[Column<'_>], hotkey: &str) -> usize {
    miners.iter().position(|(other, _)| *other == hotkey).unwrap_or_default()
}

/// A part of all that is paid below which a miner counts as unpaid: rounding in a fit, not a reward.
const NOTHING: f64 = 1e-3;
/// How far parts may move when the order of miners changes, summed: the order of additions does.
const ORDER: f64 = 1e-6;

/// The same bits again, alone and beside others.
pub(super) fn repeats(base: &Base<'_>, report: &mut Report) {
    let case = || Case { source: base.source, market: &base.world.market, miners: base.world.columns() };
    let outcome = |scored: Result<Scored, super::bench::BenchError>, how: &str| match scored {
        Ok(again) if same(&again.salience, &base.scored.salience) => Ok(()),
        Ok(again) => Err(format!("another result {how}: {}", difference(base.scored, &again))),
        Err(error) => Err(format!("{how}: {error}")),
    };
    let once = outcome(base.bench.score(&case()), "in a second run");
    report.record("repeats", once.map(|()| "a second run gives the same bits".into()));
    let mut many = base.bench.score_all(&[case(), case(), case()]).into_iter();
    let many = many.try_for_each(|scored| outcome(scored, "beside others"));
    report.record("threads", many.map(|()| "three runs side by side give the same bits".into()));
}

/// The same bits in the plugin's other form.
pub(super) fn runtimes(base: &Base<'_>, other: Option<&Source>, report: &mut Report) {
    let Some(other) = other else {
        let says = "only one form is there: build both, into one folder, to compare them";
        return report.add("runtimes", Verdict::Skip, says);
    };
    let case = Case { source: other, market: &base.world.market, miners: base.world.columns() };
    // The first run may compile a component; the second takes the machine code that was kept.
    let outcome = match base.bench.score(&case).and_then(|_| base.bench.score(&case)) {
        Ok(scored) if same(&scored.salience, &base.scored.salience) => {
            Ok(format!("{} gives the same bits, in {:.2} s", other.path.display(), scored.seconds))
        }
        Ok(scored) => Err(format!(
            "{} gives another result: {}",
            other.path.display(),
            difference(base.scored, &scored)
        )),
        Err(error) => Err(format!("{}: {error}", other.path.display())),
    };
    report.record("runtimes", outcome);
}

/// Hotkeys in another order: each miner keeps its part.
pub(super) fn order(base: &Base<'_>, report: &mut Report) {
    let count = base.world.miners.len();
    let names: Vec<String> = (0..count).map(|i| format!("5Other{:02}", count - 1 - i)).collect();
    let mut miners: Vec<Column<'_>> = names
        .iter()
        .zip(&base.world.miners)
        .map(|(name, (.., numbers))| (name.as_str(), numbers.as_slice()))
        .collect();
    miners.reverse();
    let outcome = match base.bench.score(&Case { source: base.source, market: &base.world.market, miners }) {
        Ok(scored) => {
            let turned = shares(&scored.salience);
            let pairs = shares(&base.scored.salience).into_iter().zip(turned.into_iter().rev());
            let moved: f64 = pairs.map(|(a, b)| (a - b).abs()).sum();
            let says = format!("with the hotkeys in reverse order, parts move by {moved:.1e} in all");
            if moved <= ORDER { Ok(says) } else { Err(says) }
        }
        Err(error) => Err(error.to_string()),
    };
    report.record("order", outcome);
}

/// Other hotkeys in the same order: nothing changes, to the bit. A plugin that pays a hotkey it knows is not found so, but
/// one that counts letters or draws lots by names is.
pub(super) fn names(base: &Base<'_>, report: &mut Report) {
    let count = base.world.miners.len();
    let names: Vec<String> = (0..count).map(|i| format!("5Stranger{i:02}")).collect();
    let columns = names.iter().zip(&base.world.miners);
    let miners = columns.map(|(name, (.., numbers))| (name.as_str(), numbers.as_slice())).collect();
    let outcome = match base.bench.score(&Case { source: base.source, market: &base.world.market, miners }) {
        Ok(scored) if bits(&scored) == bits(base.scored) => {
            Ok("other hotkeys in the same order change no bit".into())
        }
        Ok(scored) => {
            Err(format!("what is paid depends on the hotkeys: {}", difference(base.scored, &scored)))
        }
        Err(error) => Err(error.to_string()),
    };
    report.record("names", outcome);
}

/// What it earns to send now what would have been right one horizon ago, over what it earned then: all know that by now.
pub(super) fn hindsight(base: &Base<'_>, report: &mut Report) {
    const NAME: &str = "5Hindsight";
    let late = base.bench.spec.rows_ahead() * base.bench.spec.storage_dim();
    let Some(best) = base.best() else { return };
    let known = base.world.miners[best].2.as_slice();
    let Some(rest) = known.len().checked_sub(late).filter(|rest| *rest > late) else {
        return report.add("hindsight", Verdict::Skip, "too few rows to send again what has come true");
    };
    let mut numbers = vec![f16::ZERO; late];
    numbers.extend_from_slice(&known[..rest]);
    let miners = base.with(NAME, &numbers);
    let (hindsight, best) = (place_of(&miners, NAME), place_of(&miners, &base.world.miners[best].0));
    let case = Case { source: base.source, market: &base.world.market, miners };
    let (verdict, says) = match base.bench.score(&case) {
        Ok(scored) => {
            let parts = shares(&scored.salience);
            let says = match parts[hindsight] / parts[best] {
                ratio if ratio.is_finite() => {
                    format!("what came true a horizon ago, sent now, earns {ratio:.3} of what it earned then")
                }
                _ => format!(
                    "what came true a horizon ago, sent now, earns {:.2}% of all",
                    100.0 * parts[hindsight]
                ),
            };
            let is_much = parts[hindsight] > NOTHING && parts[hindsight] > 0.5 * parts[best];
            (if is_much { Verdict::Note } else { Verdict::Pass }, says)
        }
        Err(error) => (Verdict::Fail, error.to_string()),
    };
    report.add("hindsight", verdict, says);
}

/// A miner who sent only in rows whose label is not known yet, and there what has come true: nothing can be said of it.
pub(super) fn timing(base: &Base<'_>, report: &mut Report) {
    const NAME: &str = "5Timing";
    let (dim, ahead) = (base.bench.spec.storage_dim(), base.bench.spec.rows_ahead());
    let Some(best) = base.best() else { return };
    let known = base.world.miners[best].2.as_slice();
    let market = &base.world.market;
    let rows = market.scored_rows;
    if ahead == 0 || rows < 3 * ahead {
        return report.add("timing", Verdict::Skip, "no horizon, or too few rows");
    }
    // Nothing is known of what comes after the scored rows, so the last ones have no label.
    let market = Market {
        sidx: market.sidx[..rows].to_vec(),
        prices: market.prices[..rows * market.assets].to_vec(),
        ..market.clone()
    };
    let first = (rows - ahead) * dim;
    let mut numbers = vec![f16::ZERO; first];
    numbers.extend_from_slice(&known[first - ahead * dim..rows * dim - ahead * dim]);
    let miners = base.with(NAME, &numbers);
    let place = place_of(&miners, NAME);
    let outcome = match base.bench.score(&Case { source: base.source, market: &market, miners }) {
        Ok(scored) => {
            let part = shares(&scored.salience)[place];
            let says =
                format!("a miner of whose rows no label is known yet earns {:.4}% of all", 100.0 * part);
            let why = "is a row's label compared with what was sent after that row?";
            if part <= NOTHING { Ok(says) } else { Err(format!("{says}: {why}")) }
        }
        Err(error) => Err(error.to_string()),
    };
    report.record("timing", outcome);
}

fn bits(scored: &Scored) -> Vec<u64> {
    scored.salience.miners.iter().map(|miner| miner.salience.to_bits()).collect()
}

/// Prices beyond the last label are another market's: nothing changes.
pub(super) fn future(base: &Base<'_>, report: &mut Report) {
    let market = &base.world.market;
    let known = market.scored_rows + base.bench.spec.rows_ahead();
    let mut other = market.clone();
    for (i, price) in other.prices.iter_mut().enumerate().skip(known * market.assets) {
        *price = if i % 2 == 0 { *price * 2.0 } else { f64::NAN };
    }
    let shorter = Market {
        sidx: market.sidx[..known].to_vec(),
        prices: market.prices[..known * market.assets].to_vec(),
        ..market.clone()
    };
    let changed = market.rows() - known;
    let mut outcome = Ok(format!("{changed} rows beyond the last label, changed or gone, change nothing"));
    let case = |market| Case { source: base.source, market, miners: base.world.columns() };
    for (scored, how) in
        base.bench.score_all(&[case(&other), case(&shorter)]).into_iter().zip(["changed", "gone"])
    {
        match scored {
            Ok(scored) if bits(&scored) == bits(base.scored) => {}
            Ok(scored) => {
                let what = difference(base.scored, &scored);
                outcome = Err(format!(
                    "prices later than one horizon after the last scored row count ({how}): {what}"
                ));
            }
            Err(error) => outcome = Err(format!("later prices {how}: {error}")),
        }
    }
    report.record("look-ahead", outcome);
}

/// What several copies of the best miner earn, over what it earned alone.
pub(super) fn clones(base: &Base<'_>, bars: &Bars, report: &mut Report) {
    let alone = shares(&base.scored.salience);
    let Some(best) = base.best() else { return };
    let numbers = base.world.miners[best].2.as_slice();
    let names: Vec<String> = (1..5).map(|i| format!("{}-{i}", base.world.miners[best].0)).collect();
    let crowd = |copies: usize| {
        let mut miners = base.world.columns();
        miners.extend(names.iter().take(copies).map(|name| (name.as_str(), numbers)));
        miners.sort_by_key(|(hotkey, _)| hotkey.as_bytes());
        miners
    };
    let crowds = [crowd(1), crowd(4)];
    let cases: Vec<Case<'_>> = crowds
        .iter()
        .map(|miners| Case { source: base.source, market: &base.world.market, miners: miners.clone() })
        .collect();
    let prefix = base.world.miners[best].0.clone();
    let mut gains = Vec::new();
    for (scored, miners) in base.bench.score_all(&cases).into_iter().zip(&crowds) {
        match scored {
            Ok(scored) => {
                let parts = shares(&scored.salience).into_iter().zip(miners);
                let together: f64 =
                    parts.filter(|(_, (hotkey, _))| hotkey.starts_with(&prefix)).map(|(x, _)| x).sum();
                gains.push(together / alone[best]);
            }
            Err(error) => return report.add("clones", Verdict::Fail, error.to_string()),
        }
    }
    let worst = gains.iter().copied().fold(0.0, f64::max);
    let text: Vec<String> = gains.iter().map(|gain| format!("{gain:.3}")).collect();
    let says = format!("2 and 5 copies of a miner earn {} of what it earned alone", text.join(" and "));
    let verdict = judged(worst, bars.clones, 1.1);
    report.add("clones", verdict, with_bar(says, verdict, bars.clones, 1.1));
}

/// What those who know nothing earn, over what those who do earn.
pub(super) fn noise(base: &Base<'_>, bars: &Bars, report: &mut Report) {
    let parts = shares(&base.scored.salience);
    let mean =
        |places: Vec<usize>| places.iter().map(|i| parts[*i]).sum::<f64>() / places.len().max(1) as f64;
    let ratio = mean(base.world.places(|kind| kind == MinerKind::Noise)) / mean(base.world.skilled());
    let says = format!("noise earns {ratio:.3} of what skill earns, miner by miner");
    let verdict = judged(ratio, bars.noise, 0.5);
    // A miner that earns more by knowing nothing is paid for something else than the simulated miners know.
    if bars.noise.is_none() && ratio > 1.0 && base.world.is_simulated() {
        let why = "the simulated miners know direction only; where the challenge is about something else, say what it may be with \
                   --max-noise";
        return report.add("noise", Verdict::Fail, format!("{says}: {why}"));
    }
    report.add("noise", verdict, with_bar(says, verdict, bars.noise, 0.5));
}

/// The same answer for ever, and none at all: nothing is earned.
pub(super) fn unearned(base: &Base<'_>, bars: &Bars, report: &mut Report) {
    let parts = shares(&base.scored.salience);
    for (name, kind, what) in [
        ("constant", MinerKind::Constant, "the same answer for ever"),
        ("absent", MinerKind::Zeros, "nothing but zeros"),
    ] {
        let part: f64 = base.world.places(|k| k == kind).into_iter().map(|i| parts[i]).sum();
        let says = format!("{what} earns {:.4}% of all", 100.0 * part);
        let verdict = match part <= NOTHING {
            true => Verdict::Pass,
            false if kind == MinerKind::Constant && bars.allow_constant => Verdict::Note,
            false => Verdict::Fail,
        };
        report.add(name, verdict, says);
    }
    let unpaid = base.scored.salience.miners.iter().filter(|m| m.salience <= 0.0);
    let (said, all) =
        unpaid.fold((0, 0), |(said, all), m| (said + usize::from(m.why_zero.is_some()), all + 1));
    let verdict = if said == all { Verdict::Pass } else { Verdict::Note };
    report.add("reasons", verdict, format!("{said} of {all} unpaid miners are told why"));
}

/// Time and memory.
pub(super) fn cost(base: &Base<'_>, report: &mut Report) {
    let Scored { seconds, peak_kib, .. } = base.scored;
    let (rows, miners) = (base.world.market.scored_rows, base.world.miners.len());
    let says = format!(
        "{seconds:.2} s and {:.0} MB for {rows} rows x {miners} miners: {:.1} ms a miner",
        *peak_kib as f64 / 1024.0,
        1000.0 * seconds / miners as f64
    );
    report.add("cost", Verdict::Pass, says);
}

/// A measure against the bar that was declared, which fails, or the usual one, which only notes.
fn judged(found: f64, declared: Option<f64>, usual: f64) -> Verdict {
    match declared {
        Some(bar) if found <= bar => Verdict::Pass,
        Some(_) => Verdict::Fail,
        None if found <= usual => Verdict::Pass,
        None => Verdict::Note,
    }
}

fn with_bar(says: String, verdict: Verdict, declared: Option<f64>, usual: f64) -> String {
    match verdict {
        Verdict::Pass => says,
        _ => format!("{says}; {} is the bar", declared.unwrap_or(usual)),
    }
}

/// The first miner for whom two scores differ.
fn difference(a: &Scored, b: &Scored) -> String {
    let (a, b) = (&a.salience, &b.salience);
    let mut pairs = a.miners.iter().zip(&b.miners).enumerate();
    match pairs.find(|(_, (x, y))| x.salience.to_bits() != y.salience.to_bits()) {
        Some((i, (x, y))) => format!("{:e} and {:e} for miner {i}", x.salience, y.salience),
        None if a.miners.len() != b.miners.len() => {
            format!("{} and {} miners", a.miners.len(), b.miners.len())
        }
        None => "the same saliences, but other facts or reasons".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_declared_bar_fails() {
        assert_eq!(judged(2.0, None, 1.1), Verdict::Note);
        assert_eq!(judged(1.0, None, 1.1), Verdict::Pass);
        assert_eq!(judged(2.0, Some(1.5), 1.1), Verdict::Fail);
        assert_eq!(judged(2.0, Some(2.5), 1.1), Verdict::Pass);
        // No number at all: no miner was paid.
        assert_eq!(judged(f64::NAN, None, 1.1), Verdict::Note);
        assert_eq!(judged(f64::NAN, Some(9.0), 1.1), Verdict::Fail);
    }
}
