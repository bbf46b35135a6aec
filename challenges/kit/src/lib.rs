//! Statistics that the scorers of Mantis challenges share.
//!
//! Everything here is pure and single-threaded, and gives the same bits on every machine: elementary functions come
//! from [`math`], sums run in fixed lanes, sorts are stable or of keys without equal but different values. That is what
//! lets validators agree on who is paid, whichever machine they run on.
//!
//! | module | holds |
//! |---|---|
//! | [`math`] | `exp`, `ln`, `tanh` and their kin, sums and dot products in fixed lanes |
//! | [`logistic`] | weighted logistic regression: L2, L2 with the intercept penalised, elastic net; to the optimum, or to the point at which the network's scorer stops |
//! | [`univariate`] | the same for one feature of half floats, over its distinct values |
//! | [`replicates`] | the same for all replicates of a block bootstrap at once |
//! | [`auc`] | area under the ROC curve, exact, ties at mid-rank |
//! | [`bootstrap`] | block bootstrap, median of means |
//! | [`rng`] | NumPy's generator, bit for bit |
//! | [`clones`] | groups of miners that say nearly the same: with noise, of either sign, some rows late |
//! | [`kin`] | clones and cohorts as the network finds them, and what they are paid |
//! | [`standard`] | numbers on one scale |
//! | [`prices`] | log prices and their returns over a horizon |
//! | [`rolling`] | rolling standard deviation |
//! | [`fft`] | Fourier transforms, circular correlations |
//! | [`segments`] | walk-forward segments with an embargo |
//! | [`fitted`] | bytes of a fitted ensemble, and the row that it forecasts |
//! | [`pooled`] | the walk-forward over many assets that `xsec` and `funding` are: parameters, selection, ensemble, report |
//!
//! # Example
//! One miner's numbers, fitted on the first half of the rows and measured on the second:
//!
//! ```
//! use mantis_kit::auc::auc;
//! use mantis_kit::logistic::{Design, Penalty, Problem, Stop, fit};
//! use mantis_plugin_api::Solver;
//!
//! // Numbers that lean to the label; the label is whether a price rose.
//! let rose: Vec<bool> = (0..400).map(|row| row * 7 % 10 < 5).collect();
//! let lean = |row: usize| if rose[row] { 0.2 } else { -0.2 };
//! let numbers: Vec<f64> = (0..400).map(|row| lean(row) + (row * 13 % 17) as f64 / 17.0 - 0.5).collect();
//!
//! let (known, asked) = ([&numbers[..200]], [&numbers[200..]]);
//! let problem = Problem {
//!     x: Design::from_columns(&known),
//!     y: &rose[..200],
//!     weights: None,
//!     balanced: true,
//!     c: 0.5,
//!     penalty: Penalty::L2,
//! };
//! // A plugin takes the solver of its `Spec`, and limits of its parameters.
//! let stop = Stop::from(Solver::Exact).within(1e-4, 200);
//! let model = fit(&problem, stop, None)?;
//!
//! let mut decisions = vec![0.0; 200];
//! model.decision(&Design::from_columns(&asked), &mut decisions);
//! let auc = auc(&decisions, &rose[200..]).expect("both classes occur");
//! assert!(model.coef[0] > 0.0 && auc > 0.7, "{model:?} {auc}");
//! # Ok::<(), mantis_kit::logistic::FitError>(())
//! ```
//!
//! In a scorer, `?` makes a [`PluginError`](mantis_plugin_api::PluginError) of a
//! [`FitError`](logistic::FitError).

pub mod auc;
pub mod bootstrap;
pub mod clones;
pub mod fft;
pub mod fitted;
pub mod kin;
pub mod logistic;
pub mod math;
pub mod pooled;
pub mod prices;
pub mod replicates;
pub mod rng;
pub mod rolling;
pub mod segments;
pub mod standard;
pub mod univariate;
