//! How far a fit goes.

use mantis_plugin_api::Solver;

/// How far a fit goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// To the optimum.
    Exact,
    /// To the point at which the network's scorer stops, which depends on the [`Penalty`](super::Penalty): `L2` goes by
    /// SciPy's L-BFGS-B, unbounded; `L2Bias` by liblinear's trust region; `ElasticNet` by scikit-learn's SAGA in single
    /// precision.
    Network {
        /// L2: stop when no element of the gradient, of the objective divided by the sum of weights, is larger. L2-bias:
        /// when the norm of the gradient is at most this, times the rarer class's share of the rows, of that at 0. Elastic
        /// net: when a pass changes no coefficient by more, relative to the largest.
        tol: f64,
        /// Largest number of iterations; of passes for an elastic net.
        max_iter: usize,
        /// Elastic net: seed of the order in which rows are visited.
        seed: u32,
    },
}

impl Stop {
    /// The same, but a fit that stops as the network's does so at this tolerance, or after so many iterations. One that
    /// goes to the optimum stays as it is.
    #[must_use]
    pub fn within(self, tol: f64, max_iter: usize) -> Self {
        match self {
            Self::Exact => Self::Exact,
            Self::Network { seed, .. } => Self::Network { tol, max_iter, seed },
        }
    }

    /// The same, but a fit that visits rows in a drawn order draws it with this seed.
    #[must_use]
    pub fn seeded(self, seed: u32) -> Self {
        match self {
            Self::Exact => Self::Exact,
            Self::Network { tol, max_iter, .. } => Self::Network { tol, max_iter, seed },
        }
    }
}

/// As the challenge's `solver` says, with the limits that scikit-learn has by itself: a tolerance of 1e-4, 100 iterations;
/// and a seed of 0. [`Stop::within`] and [`Stop::seeded`] set others.
impl From<Solver> for Stop {
    fn from(solver: Solver) -> Self {
        match solver {
            Solver::Exact => Self::Exact,
            Solver::Network => Self::Network { tol: 1e-4, max_iter: 100, seed: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_networks_stop_only() {
        assert_eq!(Stop::from(Solver::Exact).within(1e-3, 7).seeded(42), Stop::Exact);
        let network = Stop::from(Solver::Network);
        assert_eq!(network, Stop::Network { tol: 1e-4, max_iter: 100, seed: 0 });
        let other = Stop::Network { tol: 1e-3, max_iter: 7, seed: 42 };
        assert_eq!(network.within(1e-3, 7).seeded(42), other);
        assert_eq!(network.seeded(42).within(1e-3, 7), other);
    }
}
