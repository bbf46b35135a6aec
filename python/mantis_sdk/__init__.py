"""Backtests of MANTIS strategies that cannot look ahead, and signals that a subnet's owner publishes.

A strategy is a `Featurizer` and a `Predictor` in a file of their own. `evaluate` has the `mantis` program run that file in a
process that is told one row of the market at a time, and measures its answers as the network would have stored them.
`mantis_sdk.signal` reads signals; it needs nothing but Python, so numpy is loaded where a strategy asks for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import EvaluationError, Result, Salience, evaluate, salience
    from .model import Featurizer, Predictor
    from .view import View

__all__ = ["EvaluationError", "Featurizer", "Predictor", "Result", "Salience", "View", "evaluate", "salience"]
__version__ = "0.1.0"

_PLACES = {
    "EvaluationError": "client",
    "Featurizer": "model",
    "Predictor": "model",
    "Result": "client",
    "Salience": "client",
    "View": "view",
    "evaluate": "client",
    "salience": "client",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'mantis_sdk' has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
