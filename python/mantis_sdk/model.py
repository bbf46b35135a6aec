"""What a strategy is made of."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

import numpy as np

from .view import View


class Featurizer:
    """Turns what is known at a row into features. Make it without arguments, or hand an instance to `evaluate`."""

    warmup: int = 0
    """Rows that it is given before the first that it answers; a row is a minute."""

    compute_interval: int = 1
    """Rows from one answer to the next. In between, the last answer stands."""

    def setup(self, assets: Sequence[str], seed: int) -> None:
        """Called once before the first row: the assets of each row, and the seed for whatever is drawn."""

    def compute(self, view: View) -> Mapping[str, Any]:
        """Features of the row `view.t`, by name: numbers, or arrays of the same shape each time."""
        raise NotImplementedError


class Predictor:
    """Turns features into the numbers that a miner sends."""

    fit_interval: int = 1440
    """Rows from one call of `fit` to the next, at the least."""

    def fit(self, features: Mapping[str, np.ndarray], labels: np.ndarray) -> None:
        """Learns. Called only where a strategy has a `fit` of its own, with labels that are known by then alone.

        `features` has, by name, an array of shape `(n, ...)`: what `compute` gave for n earlier rows, oldest first.
        `labels` has the shape `(n, subjects)`: what came true of each asset, as the challenge's plugin says; NaN for none.
        """

    def predict(self, features: Mapping[str, Any]) -> Any:
        """The numbers of one row: `dim` of them, for challenges of several assets of the shape `(assets, dim)`, or a dict by
        asset. `None` where there is nothing to say."""
        raise NotImplementedError
