//! How far a fit goes.

use mantis_plugin_api::Solver;

/// How far a fit goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// To the optimum.
    Exact,
    /// To the point at which the network's scorer stops: SciPy's L-BFGS-B, unbounded, for
    /// [`Penalty::L2`](super::Penalty::L2); liblinear's trust region for [`Penalty::L2Bias`](super::Penalty::L2Bias). An
    /// elastic net is solved as [`Stop::Exact`].
    Network {
        /// L2: stop when no element of the gradient, of the objective divided by the sum of weights, is larger. L2-bias:
        /// stop when the norm of the gradient is at most this, times the rarer class's share of the rows, of that at 0.
        tol: f64,
        /// Largest number of iterations.
        max_iter: usize,
    },
}

impl Stop {
    /// The same, but a fit that stops as the network's does so at this gradient, or after so many iterations. One that
    /// goes to the optimum stays as it is.
    #[must_use]
    pub fn within(self, tol: f64, max_iter: usize) -> Self {
        match self {
            Self::Exact => Self::Exact,
            Self::Network { .. } => Self::Network { tol, max_iter },
        }
    }
}

/// As the challenge's `solver` says, with the limits that scikit-learn has by itself: a gradient of 1e-4, 100 iterations.
/// [`Stop::within`] sets others.
impl From<Solver> for Stop {
    fn from(solver: Solver) -> Self {
        match solver {
            Solver::Exact => Self::Exact,
            Solver::Network => Self::Network { tol: 1e-4, max_iter: 100 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_networks_stop_only() {
        assert_eq!(Stop::from(Solver::Exact).within(1e-3, 7), Stop::Exact);
        let network = Stop::from(Solver::Network);
        assert_eq!(network, Stop::Network { tol: 1e-4, max_iter: 100 });
        assert_eq!(network.within(1e-3, 7), Stop::Network { tol: 1e-3, max_iter: 7 });
    }
}
