//! Statistics shared by the scorers: logistic regression, AUC, block bootstrap, NumPy's generator, rolling deviation
//! and walk-forward segments.
//!
//! Everything here is pure and single-threaded, and gives the same bits on every machine: elementary functions come
//! from [`math`], sums run in fixed lanes, sorts are stable or of keys without equal but different values.

pub mod auc;
pub mod bootstrap;
pub mod logistic;
pub mod math;
pub mod pooled;
pub mod replicates;
pub mod rng;
pub mod rolling;
pub mod segments;
pub mod univariate;
