//! Every constant of the challenge.

use mantis_plugin_api::{Choice, params};

params! {
    /// Parameters of `flow`; the defaults are the network's.
    pub struct Params {
        /// Newest rows with a price that count.
        history_rows: usize = 432_000, in 2..=10_000_000;
        /// Hours from the first row to the last below which nobody is paid and all is burned.
        warmup_hours: f64 = 168.0, in 0.0..=1e6;

        /// Least hours from the opening of a trade to that of the next one, per regime.
        min_open_gap_h: f64 = 1.0, in 0.0..=1e6;
        /// Ids from this on open no trade.
        max_trade_id: u32 = 16_777_216, in 2..=16_777_216;
        /// Least size of a trade, as a part of what there is.
        f_min: f64 = 0.01, in 1e-6..=1.0;
        /// Largest size of a trade.
        f_max: f64 = 0.25, in 0.0..=1.0;
        /// Least distance of a stop or a target, as a part of the price.
        frac_min: f64 = 1e-4, in 0.0..=1.0;
        /// Largest distance of a stop or a target.
        frac_max: f64 = 0.5, in 0.0..=1.0;
        /// How far the probability of reaching the first target that makes the size Kelly's must be from 0 and 1.
        p_bound: f64 = 0.01, in 0.0..=0.5;
        /// Least horizon in regime A, in hours.
        a_min_hours: f64 = 1.0, in 0.0..=1e6;
        /// Largest horizon in regime A.
        a_max_hours: f64 = 24.0, in 0.0..=1e6;
        /// Least horizon in regime B.
        b_min_hours: f64 = 24.0, in 0.0..=1e6;
        /// Largest horizon in regime B.
        b_max_hours: f64 = 48.0, in 0.0..=1e6;
        /// Least horizon in regime C.
        c_min_hours: f64 = 72.0, in 0.0..=1e6;
        /// Largest horizon in regime C.
        c_max_hours: f64 = 168.0, in 0.0..=1e6;
        /// Least horizon in regime D.
        d_min_hours: f64 = 168.0, in 0.0..=1e6;
        /// Largest horizon in regime D.
        d_max_hours: f64 = 336.0, in 0.0..=1e6;
        /// What becomes of a trade in whose horizon no row lies: "stuck" keeps it and its regime for ever, "next" ends it at
        /// the next row's price, held to its stop and its second target.
        gap: String = "stuck".into(), in Choice(&["stuck", "next"]);

        /// What reaching the second target adds, as a part of what was made.
        delta: f64 = 0.30, in 0.0..=100.0;
        /// What counts of reaching the first target only.
        lam: f64 = 0.50, in 0.0..=100.0;
        /// What the worst price on the way takes off, times its part of the risk.
        gamma: f64 = 0.25, in 0.0..=100.0;
        /// What ending in a tail hour adds to the pay, as a part of it.
        tau: f64 = 1.0, in 0.0..=100.0;
        /// An hour is a tail hour where the deviation of the hours just before is more than so many times the usual one.
        tail_mult: f64 = 2.0, in 0.0..=1e6;
        /// Hours just before.
        tail_short_hours: usize = 24, in 2..=100_000;
        /// Hours that say what is usual.
        tail_long_hours: usize = 720, in 2..=100_000;
        /// Hours from the first row below which no hour is a tail hour.
        tail_min_hours: usize = 168, in 0..=1_000_000;

        /// What each trade moves the average of its regime.
        ewma_alpha: f64 = 0.05, in 1e-9..=1.0;
        /// Hours without a resolved trade after which a score has fallen to 1/e.
        kappa_hours: f64 = 672.0, in 1e-3..=1e9;
        /// Hours from the end of a miner's first trade to its first pay.
        probation_hours: f64 = 168.0, in 0.0..=1e6;
        /// Newest hours over which pay is averaged.
        smooth_hours: usize = 24, in 1..=100_000;
        /// Pay miners with evidence of skill from a pool apart, the others from the dust.
        gate: bool = false, in false..=true;
        /// Hours of a block of evidence.
        gate_block_h: f64 = 168.0, in 1e-2..=1e6;
        /// Least blocks of evidence; the newest so many are also looked at by themselves.
        gate_min_n: usize = 4, in 2..=100_000;
        /// t from which a miner passes the gate.
        gate_z_in: f64 = 1.25, in -1e6..=1e6;
        /// t below which a miner that has passed falls back.
        gate_z_out: f64 = 0.50, in -1e6..=1e6;
        /// Share of each hour for those before the gate; burned where there is no gate.
        dust: f64 = 0.02, in 0.0..=1.0;

        /// What stands behind trades: "none", a fixed amount per miner from the list of facts `static`, or a bet on each
        /// trade from the list `bets`.
        skin: String = "none".into(), in Choice(&["none", "static", "bets"]);
        /// When a bet is in time: by "clock", as the network has it, or by "block", the same for every validator (bets).
        bet_time: String = "clock".into(), in Choice(&["clock", "block"]);
        /// Seconds after the opening until which a trade can be bet on (bets).
        bet_grace_seconds: f64 = 900.0, in 0.0..=1e9;
        /// Unix time at which the first period of the settlement began, in seconds; for display only.
        period_zero: f64 = 1_787_004_000.0, in 0.0..=1e12;
        /// Hours of a period of the settlement; for display only.
        period_hours: f64 = 168.0, in 1e-2..=1e6;
        /// Part of its largest stake that a miner can lose in a period; for display only.
        period_loss_cap: f64 = 0.25, in 0.0..=1.0;
    }
}

impl Params {
    /// Least and largest horizon of a regime, in hours.
    pub(crate) fn horizons(&self, regime: usize) -> std::ops::RangeInclusive<f64> {
        match regime {
            0 => self.a_min_hours..=self.a_max_hours,
            1 => self.b_min_hours..=self.b_max_hours,
            2 => self.c_min_hours..=self.c_max_hours,
            _ => self.d_min_hours..=self.d_max_hours,
        }
    }
}
