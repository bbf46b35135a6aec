//! Every constant of the challenge.

use crate::DIM;
use mantis_plugin_api::{Choice, params};

params! {
    /// Parameters of `lbfgs`; the defaults are the network's.
    pub struct Params {
        /// Rows that are scored at most, counted back from the newest.
        max_rows: usize = 432_000, in 1_000..=10_000_000;
        /// Rows with a price, and rows with a bucket, below which no miner is paid.
        min_rows: usize = 7_200, in 2..=10_000_000;
        /// Returns in the window of the deviation that buckets are measured in.
        bucket_sigma_rows: usize = 3_600, in 2..=10_000_000;
        /// Returns in the window of the deviation that excursions are measured in.
        excursion_sigma_rows: usize = 7_200, in 2..=10_000_000;
        /// Return, in deviations, beyond which a row is in bucket 1 or 3.
        inner_z: f64 = 1.0, in 0.0..=1_000.0;
        /// Return, in deviations, from which on a row is in bucket 0 or 4; not below `inner_z`.
        outer_z: f64 = 2.0, in 0.0..=1_000.0;
        /// First excursion, in deviations, that miners give a probability for.
        level_1: f64 = 0.5, in 0.001..=1_000.0;
        /// Second excursion.
        level_2: f64 = 1.0, in 0.001..=1_000.0;
        /// Third excursion.
        level_3: f64 = 2.0, in 0.001..=1_000.0;
        /// Share of the classifier in the result; the rest is the excursions'.
        classifier_share: f64 = 0.75, in 0.0..=1.0;
        /// Classifier: a row counts as sent when some bucket's number is above this.
        active_above: f64 = 0.01, in 0.0..=1.0;
        /// Classifier: a miner is active when more than this share of its rows counts as sent.
        active_share: f64 = 0.05, in 0.0..=1.0;
        /// Classifier: active miners below which it is empty.
        min_active: usize = 2, in 1..=4_096;
        /// Classifier: first row of the first segment.
        first_segment: usize = 24_000, in 1..=10_000_000;
        /// Classifier: rows of a segment.
        segment_rows: usize = 12_000, in 1..=10_000_000;
        /// Classifier: rows that the last segment needs.
        min_segment_rows: usize = 200, in 1..=10_000_000;
        /// Classifier: rows before a segment that are trained on.
        train_rows: usize = 36_000, in 1..=10_000_000;
        /// Classifier: balanced accuracy of chance, which has to be beaten.
        chance: f64 = 0.2, in 0.0..=1.0;
        /// Classifier: miners in the models of a segment.
        max_selected: usize = 100, in 1..=4_096;
        /// Classifier: inverse penalty of its models.
        classifier_c: f64 = 0.1, in 1e-6..=1e6;
        /// Classifier: gradient, relative to that at the start and to the rarer class's share, at which the network's solver stops.
        classifier_tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Classifier: steps at which the network's solver stops.
        classifier_max_iter: usize = 100, in 1..=100_000;
        /// Classifier: difference of the bootstrap's seeds from segment to segment.
        segment_seed_step: u32 = 1_000, in 0..=1_000_000_000;
        /// Classifier: half-life of a segment's weight, in days.
        half_life_days: f64 = 15.0, in 0.001..=100_000.0;
        /// Rows of one day.
        rows_per_day: u32 = 1_440, in 1..=100_000;
        /// Classifier: newest rows on which miners are compared with each other.
        overlap_rows: usize = 12_000, in 1..=10_000_000;
        /// Classifier: power of the share of rows in which a miner differs from a better one.
        overlap_power: u32 = 2, in 0..=100;
        /// Bring each miner's columns to one scale before the models. Without this, probabilities near even ones earn more.
        standardise: bool = false, in false..=true;
        /// Let the best of the miners that are alike stand for them, and split what it earns; by the buckets' probabilities
        /// for the classifier, by those of excursions for the excursions.
        collapse_clones: bool = false, in false..=true;
        /// Absolute rank correlation from which two miners are alike.
        clone_correlation: f64 = 0.5, in 0.05..=1.0;
        /// Rows that one of two alike miners may be late; for excursions, rows of one bucket.
        clone_lag_rows: usize = 5, in 0..=1_000;
        /// Newest rows on which buckets' probabilities are compared.
        clone_rows: usize = 24_000, in 100..=10_000_000;
        /// `on`: one column for each cohort of miners whose buckets' probabilities are correlated, and what it earns in each part
        /// is shared equally.
        cohorts: String = "off".into(), in Choice(&["off", "on"]);
        /// Cohorts: absolute correlation from which two miners are linked.
        cohort_corr: f64 = 0.80, in 0.01..=1.0;
        /// Cohorts: rows with a price, and rows in which a miner is present, below which it is alone.
        cohort_min_rows: usize = 10_080, in 1..=10_000_000;
        /// Cohorts: rows in which both must be present.
        cohort_min_joint: usize = 10_080, in 1..=10_000_000;
        /// Cohorts: largest difference between the means of two linked miners.
        cohort_mean: f64 = 0.10, in 0.0..=1_000_000.0;
        /// Cohorts: numbers of a miner that are compared, from the first on.
        cohort_dims: usize = 5, in 1..=DIM;
        /// Cohorts: rows whose numbers are summed in single precision for a mean.
        cohort_sum_rows: usize = 50_000, in 1..=10_000_000;
        /// Cohorts: let one have one rank, so that the decay by rank leaves its members equal. Always so with
        /// `collapse_clones`.
        cohort_one_rank: bool = false, in false..=true;
        /// Rows that count as recent in a model's weights.
        recent_rows: usize = 14_000, in 1..=10_000_000;
        /// Share of the weight that recent rows have.
        recent_mass: f64 = 0.5, in 0.01..=0.99;
        /// Replicates of the block bootstrap.
        replicates: u32 = 20, in 1..=1_000;
        /// Rows of a block of the bootstrap.
        block_rows: usize = 120, in 1..=1_000_000;
        /// Groups of the bootstrap's median of means.
        groups: usize = 4, in 1..=1_000;
        /// Excursions: rows below which a model is left out.
        min_excursion_rows: usize = 100, in 2..=10_000_000;
        /// Excursions: inverse penalty of the models.
        excursion_c: f64 = 0.5, in 1e-6..=1e6;
        /// Excursions: whether the penalty leaves the intercept free (`L2`) or not (`L2-bias`).
        q_penalty: String = "L2".into(), in Choice(&["L2", "L2-bias"]);
        /// Excursions: difference of the bootstrap's seeds from bucket to bucket.
        bucket_seed_step: u32 = 17, in 0..=1_000_000_000;
        /// Excursions: gradient at which the network's solver stops; with `L2-bias` as for the classifier.
        tol: f64 = 1e-4, in 1e-12..=1.0;
        /// Excursions: iterations, or steps, at which the network's solver stops.
        max_iter: usize = 500, in 1..=100_000;
        /// Miners that each of the two parts keeps.
        keep: usize = 25, in 1..=4_096;
        /// A part whose positive entries spread less than this, relative to their mean, counts as empty.
        min_spread: f64 = 0.01, in 0.0..=1.0;
        /// Ranks over which a miner's share falls by the factor e.
        decay_ranks: f64 = 50.0 / 3.0, in 0.01..=1e9;
        /// Shares of a part up to this are dropped.
        min_share: f64 = 1e-6, in 0.0..=1.0;
    }
}
