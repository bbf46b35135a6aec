"""Backtests of MANTIS strategies that cannot look ahead.

A strategy is a `Featurizer` and a `Predictor` in a file of their own. `evaluate` has the `mantis` program run that file in a
process that is told one row of the market at a time, and measures its answers as the network would have stored them.
"""

from .client import EvaluationError, Result, Salience, evaluate, salience
from .model import Featurizer, Predictor
from .view import View

__all__ = ["EvaluationError", "Featurizer", "Predictor", "Result", "Salience", "View", "evaluate", "salience"]
__version__ = "0.1.0"
