//! The Moré-Thuente line search, as MINPACK's `dcsrch` and `dcstep`.

const SUFFICIENT_DECREASE: f64 = 1e-3;
const CURVATURE: f64 = 0.9;
const INTERVAL: f64 = 0.1;
const MAX_STEP: f64 = 1e10;

/// A step length with the value and slope there.
#[derive(Debug, Clone, Copy)]
struct At {
    step: f64,
    value: f64,
    slope: f64,
}

/// What to do after an evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Next {
    /// Evaluate at this step.
    Try(f64),
    /// The last step evaluated is taken.
    Done,
}

/// State of a search; value and slope of the function along the ray are fed to [`LineSearch::next`].
#[derive(Debug)]
pub(super) struct LineSearch {
    start: At,
    best: At,
    other: At,
    bracketed: bool,
    first_stage: bool,
    width: f64,
    width_before: f64,
    low: f64,
    high: f64,
    step: f64,
}

impl LineSearch {
    /// A search whose first trial is `step`; `slope`, at 0, is negative.
    pub(super) fn new(value: f64, slope: f64, step: f64) -> Self {
        let start = At { step: 0.0, value, slope };
        Self {
            start,
            best: start,
            other: start,
            bracketed: false,
            first_stage: true,
            width: MAX_STEP,
            width_before: 2.0 * MAX_STEP,
            low: 0.0,
            high: 5.0 * step,
            step,
        }
    }

    /// Takes in value and slope at the step last asked for.
    pub(super) fn next(&mut self, value: f64, slope: f64) -> Next {
        let required = SUFFICIENT_DECREASE * self.start.slope;
        let allowed = self.start.value + self.step * required;
        if self.first_stage && value <= allowed && slope >= 0.0 {
            self.first_stage = false;
        }
        let stuck = self.bracketed
            && (self.step <= self.low
                || self.step >= self.high
                || self.high - self.low <= INTERVAL * self.high);
        let at_most = self.step == MAX_STEP && value <= allowed && slope <= required;
        let at_least = self.step == 0.0 && (value > allowed || slope >= required);
        let converged = value <= allowed && slope.abs() <= CURVATURE * -self.start.slope;
        if stuck || at_most || at_least || converged {
            return Next::Done;
        }

        let trial = At { step: self.step, value, slope };
        if self.first_stage && value <= self.best.value && value > allowed {
            // In the first stage the interval is that of the function less the required decrease.
            let tilt =
                |at: At, by: f64| At { step: at.step, value: at.value - at.step * by, slope: at.slope - by };
            self.best = tilt(self.best, required);
            self.other = tilt(self.other, required);
            self.shrink(tilt(trial, required));
            self.best = tilt(self.best, -required);
            self.other = tilt(self.other, -required);
        } else {
            self.shrink(trial);
        }

        if self.bracketed {
            if (self.other.step - self.best.step).abs() >= 0.66 * self.width_before {
                self.step = self.best.step + 0.5 * (self.other.step - self.best.step);
            }
            self.width_before = self.width;
            self.width = (self.other.step - self.best.step).abs();
            self.low = self.best.step.min(self.other.step);
            self.high = self.best.step.max(self.other.step);
        } else {
            self.low = self.step + 1.1 * (self.step - self.best.step);
            self.high = self.step + 4.0 * (self.step - self.best.step);
        }
        self.step = self.step.clamp(0.0, MAX_STEP);
        if self.bracketed
            && (self.step <= self.low
                || self.step >= self.high
                || self.high - self.low <= INTERVAL * self.high)
        {
            self.step = self.best.step;
        }
        Next::Try(self.step)
    }

    /// `dcstep`: chooses the next step by cubic and quadratic interpolation, and updates the interval.
    fn shrink(&mut self, trial: At) {
        let (best, other) = (self.best, self.other);
        let opposite = trial.slope * best.slope.signum() < 0.0;
        let secant = trial.step + trial.slope / (trial.slope - best.slope) * (best.step - trial.step);
        let next = if trial.value > best.value {
            // Higher value: the minimum is bracketed.
            let cubic = cubic(best, trial, trial.step < best.step);
            let rise = (best.value - trial.value) / (trial.step - best.step);
            let quadratic = best.step + best.slope / (rise + best.slope) / 2.0 * (trial.step - best.step);
            self.bracketed = true;
            if (cubic - best.step).abs() < (quadratic - best.step).abs() {
                cubic
            } else {
                cubic + (quadratic - cubic) / 2.0
            }
        } else if opposite {
            // Lower value, slopes of opposite sign: bracketed too.
            let cubic = cubic(trial, best, trial.step > best.step);
            self.bracketed = true;
            if (cubic - trial.step).abs() > (secant - trial.step).abs() { cubic } else { secant }
        } else if trial.slope.abs() < best.slope.abs() {
            // Lower value, same sign, flatter: the cubic may have no minimum on this side.
            let cubic = self.cubic_or_bound(trial);
            let closer = (cubic - trial.step).abs() < (secant - trial.step).abs();
            if self.bracketed {
                let next = if closer { cubic } else { secant };
                let bound = trial.step + 0.66 * (other.step - trial.step);
                if trial.step > best.step { next.min(bound) } else { next.max(bound) }
            } else {
                let next =
                    if (cubic - trial.step).abs() > (secant - trial.step).abs() { cubic } else { secant };
                next.max(self.low).min(self.high)
            }
        } else if self.bracketed {
            // Lower value, same sign, not flatter.
            cubic(trial, other, trial.step > other.step)
        } else if trial.step > best.step {
            self.high
        } else {
            self.low
        };

        if trial.value > best.value {
            self.other = trial;
        } else {
            if opposite {
                self.other = best;
            }
            self.best = trial;
        }
        self.step = next;
    }

    /// Minimum of the cubic through best and trial; if there is none beyond the trial, the bound on that side.
    fn cubic_or_bound(&self, trial: At) -> f64 {
        let best = self.best;
        let ahead = trial.step > best.step;
        let (theta, gamma) = cubic_terms(best, trial);
        let gamma = if ahead { -gamma } else { gamma };
        let p = (gamma - trial.slope) + theta;
        let q = (gamma + (best.slope - trial.slope)) + gamma;
        let ratio = p / q;
        if ratio < 0.0 && gamma != 0.0 {
            trial.step + ratio * (best.step - trial.step)
        } else if ahead {
            self.high
        } else {
            self.low
        }
    }
}

/// Minimum of the cubic through `from` and `to`; `negative` is the sign of its root.
fn cubic(from: At, to: At, negative: bool) -> f64 {
    let (theta, gamma) = cubic_terms(from, to);
    let gamma = if negative { -gamma } else { gamma };
    let p = (gamma - from.slope) + theta;
    let q = ((gamma - from.slope) + gamma) + to.slope;
    from.step + p / q * (to.step - from.step)
}

/// The terms theta and gamma of the cubic's minimum.
fn cubic_terms(a: At, b: At) -> (f64, f64) {
    let theta = 3.0 * (a.value - b.value) / (b.step - a.step) + a.slope + b.slope;
    let scale = theta.abs().max(a.slope.abs()).max(b.slope.abs());
    let root = (theta / scale) * (theta / scale) - (a.slope / scale) * (b.slope / scale);
    (theta, scale * root.max(0.0).sqrt())
}
