//! What a miner who knew the future would send, and how knowledge and noise become a submission.

use super::intents::{FIELDS, horizons, renew};
use super::prices::Prices;
use mantis_config::Challenge;
use mantis_kit::math;
use std::sync::Arc;

/// Rows of the future that breakouts are foreseen by, and of the past that gives them their direction.
const BREAKOUT_ROWS: (usize, usize) = (240, 600);
/// Rows of the future that positions are taken by, and how much surer one is of them than of a direction: a trader who
/// turned with every doubt would lose all to the fees.
const POSITION_ROWS: usize = 180;
const POSITION_SURENESS: f64 = 6.0;
/// Numbers of an embedding that know something; the others are noise.
const EMBEDDED: usize = 4;
/// The list of facts that bets on trades are in, as the plugin `flow` calls it.
const BETS: &str = "bets";

/// The shape of a challenge's submissions. The simulation must know how miners would answer, so it goes by the names
/// of the network's plugins; a challenge of another plugin is answered like `binary`,
/// asset by asset where it has several.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Direction,
    Directions,
    HitFirst,
    Buckets,
    Breakout,
    CrossSection,
    Funding,
    Position,
    Intents,
    Embedding,
}

/// One challenge of the simulation.
pub(super) struct Truth {
    challenge: Challenge,
    shape: Shape,
    prices: Arc<Prices>,
    ahead: usize,
    /// Standard deviation of returns over one horizon.
    deviation: f64,
}

impl Truth {
    pub(super) fn new(challenge: &Challenge, prices: &Arc<Prices>, sample_every: u32) -> Self {
        let shape = match challenge.plugin.as_str() {
            "hitfirst" => Shape::HitFirst,
            "lbfgs" => Shape::Buckets,
            "breakout" => Shape::Breakout,
            "xsec" => Shape::CrossSection,
            "funding" => Shape::Funding,
            "trademix" => Shape::Position,
            "flow" => Shape::Intents,
            "dmae" => Shape::Embedding,
            _ if challenge.assets.is_empty() => Shape::Direction,
            _ => Shape::Directions,
        };
        let ahead = (challenge.blocks_ahead / sample_every.max(1)) as usize;
        let mut truth =
            Self { challenge: challenge.clone(), shape, prices: prices.clone(), ahead, deviation: 1.0 };
        let key = truth.key();
        let returns: Vec<f64> =
            (0..prices.rows()).filter_map(|row| truth.change(prices.path(key), row, ahead)).collect();
        let square = math::sum(&returns.iter().map(|r| r * r).collect::<Vec<_>>());
        truth.deviation = (square / returns.len().max(1) as f64).sqrt().max(1e-12);
        truth
    }

    /// Whether a submission is a position, or means to take one, rather than an opinion.
    pub(super) fn asks_for_positions(&self) -> bool {
        matches!(self.shape, Shape::Position | Shape::Intents)
    }

    /// The list of facts in which miners bet on what they send, if they do.
    pub(super) fn bets(&self) -> Option<&str> {
        let facts = &self.challenge.facts;
        facts.iter().map(String::as_str).find(|list| self.shape == Shape::Intents && *list == BETS)
    }

    /// The single price that is stored, where the challenge has one.
    pub(super) fn price(&self, row: usize) -> Option<f64> {
        match self.shape {
            Shape::Direction | Shape::HitFirst | Shape::Buckets | Shape::Embedding => {
                self.prices.path(self.key()).get(row).copied()
            }
            _ => Some(0.0),
        }
    }

    /// The prices or funding rates per asset that are stored, and the channels behind them, where the challenge has them.
    pub(super) fn price_data(&self, row: usize) -> Option<Vec<(String, f64)>> {
        let series = |asset: &str| match self.shape {
            Shape::Funding => self.prices.funding_of(asset),
            _ => self.prices.path(asset),
        };
        match self.shape {
            Shape::Directions | Shape::CrossSection | Shape::Funding | Shape::Position | Shape::Intents => {
                let assets = self.challenge.assets.iter();
                let assets = assets.filter_map(|asset| Some((asset.clone(), *series(asset).get(row)?)));
                let channels = self.challenge.channels.iter();
                let channels =
                    channels.filter_map(|name| Some((name.clone(), self.prices.channel(name, row)?)));
                Some(assets.chain(channels).collect())
            }
            Shape::Direction | Shape::HitFirst | Shape::Buckets | Shape::Breakout | Shape::Embedding => None,
        }
    }

    /// What somebody who knew the future would lean to: `storage_dim` numbers of about size 1, 0 where it is unknown.
    pub(super) fn foresight(&self, row: usize, out: &mut [f64]) {
        out.fill(0.0);
        let next = |asset: &str, rows| self.change(self.prices.path(asset), row, rows).unwrap_or(0.0);
        match self.shape {
            Shape::Direction => out.fill(sign(next(self.key(), self.ahead))),
            Shape::Directions => {
                for (asset, numbers) in
                    self.challenge.assets.iter().zip(out.chunks_mut(self.challenge.dim.max(1)))
                {
                    numbers.fill(sign(next(asset, self.ahead)));
                }
            }
            Shape::HitFirst => {
                let up = sign(next(self.key(), self.ahead));
                out.iter_mut().zip([up, -up, 0.0]).for_each(|(out, lean)| *out = lean);
            }
            Shape::Buckets => {
                let z = next(self.key(), self.ahead) / self.deviation;
                let bucket = [-2.0, -1.0, 1.0, 2.0].iter().filter(|&&edge| z >= edge).count();
                for (i, out) in out.iter_mut().enumerate() {
                    *out = match i {
                        0..5 => f64::from(u8::from(i == bucket)),
                        _ => z.abs() - [0.5, 1.0, 2.0][(i - 5) % 3],
                    };
                }
            }
            Shape::Breakout => {
                let (future, past) = BREAKOUT_ROWS;
                for (asset, pair) in self.challenge.assets.iter().zip(out.chunks_mut(2)) {
                    let path = self.prices.path(asset);
                    let was =
                        row.checked_sub(past).and_then(|from| self.change(path, from, past)).unwrap_or(0.0);
                    let goes_on = sign(next(asset, future)) * sign(was);
                    pair.iter_mut().zip([goes_on, -goes_on]).for_each(|(out, lean)| *out = lean);
                }
            }
            Shape::CrossSection | Shape::Funding => {
                let series = |asset: &String| match self.shape {
                    Shape::Funding => {
                        let path = self.prices.funding_of(asset);
                        path.get(row + self.ahead).map_or(0.0, |later| later - path[row])
                    }
                    _ => next(asset, self.ahead),
                };
                let changes: Vec<f64> = self.challenge.assets.iter().map(series).collect();
                let middle = median(&changes);
                out.iter_mut().zip(changes).for_each(|(out, change)| *out = sign(change - middle));
            }
            Shape::Embedding => {
                // Whoever knows something says it in a few of its numbers; together they are surer than one.
                let knowing = out.len().min(EMBEDDED);
                out[..knowing].fill(next(self.key(), self.ahead) / self.deviation);
            }
            Shape::Position => {
                for (asset, out) in self.challenge.assets.iter().zip(out) {
                    *out = POSITION_SURENESS * sign(next(asset, POSITION_ROWS));
                }
            }
            Shape::Intents => {
                for (asset, out) in
                    self.challenge.assets.iter().zip(out.chunks_mut(self.challenge.dim.max(1)))
                {
                    for (rows, intent) in horizons().zip(out.chunks_exact_mut(FIELDS)) {
                        intent.fill(sign(next(asset, rows)));
                    }
                }
            }
        }
    }

    /// Turns leanings into what the challenge takes: probabilities, numbers from -1 to 1, or intents, which go on from
    /// what `out` holds, the miner's numbers of the row before; `turn` counts its rows.
    pub(super) fn submission(&self, leanings: &[f64], turn: Option<usize>, out: &mut Vec<f32>) {
        let logistic = |x: f64| math::sigmoid(x).clamp(1e-3, 1.0 - 1e-3) as f32;
        if self.shape == Shape::Intents {
            return renew(turn, leanings, out);
        }
        out.clear();
        match self.shape {
            Shape::HitFirst => softmax(leanings, &[0.0; 3], 1.0, out),
            Shape::Buckets => {
                let (buckets, quantiles) = leanings.split_at(5.min(leanings.len()));
                softmax(buckets, &[-1.5, -0.3, 1.0, -0.3, -1.5], 1.5, out);
                out.extend(quantiles.iter().map(|&x| logistic(x)));
            }
            Shape::Breakout => out.extend(leanings.iter().map(|&x| logistic(x))),
            _ => out.extend(leanings.iter().map(|&x| math::tanh(x) as f32)),
        }
    }

    fn key(&self) -> &str {
        self.challenge.price_key.as_deref().unwrap_or(&self.challenge.ticker)
    }

    fn change(&self, path: &[f64], row: usize, rows: usize) -> Option<f64> {
        Some(math::ln(path.get(row + rows)? / path.get(row)?))
    }
}

fn softmax(leanings: &[f64], offsets: &[f64], scale: f64, out: &mut Vec<f32>) {
    let odds: Vec<f64> =
        leanings.iter().zip(offsets).map(|(x, offset)| math::exp(scale * x + offset)).collect();
    let sum = math::sum(&odds);
    out.extend(odds.iter().map(|odds| (odds / sum).clamp(1e-3, 1.0 - 1e-3) as f32));
}

fn sign(x: f64) -> f64 {
    f64::from(i8::from(x > 0.0) - i8::from(x < 0.0))
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n if n % 2 == 1 => sorted[n / 2],
        n => (sorted[n / 2 - 1] + sorted[n / 2]) / 2.0,
    }
}
