"""A strategy to begin with: momentum over an hour, for the challenges of one price that ask whether it rises.

    mantis sdk check examples/strategies/momentum.py --challenge ETH
    mantis sdk evaluate examples/strategies/momentum.py --challenge ETH --ledger sim.db --embeddings eth.parquet
    mantis salience eth.parquet --ledger sim.db
"""

import numpy as np

from mantis_sdk import Featurizer, Predictor

HOUR = 60  # rows: a row is a minute


class Momentum(Featurizer):
    warmup = HOUR  # rows that it wants before its first answer
    compute_interval = 1  # rows from one answer to the next

    def compute(self, view):
        prices = view.prices(view.assets[0], last=HOUR + 1)  # up to and including this row
        return {"move": np.log(prices[-1] / prices[0])}


class Trend(Predictor):
    def predict(self, features):
        move = features["move"]
        if not np.isfinite(move):
            return None  # a price is missing: say nothing
        return [np.tanh(100 * move), np.tanh(25 * move)]
