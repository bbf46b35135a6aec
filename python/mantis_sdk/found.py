"""Finding the strategy in a file."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Any, Optional

from .model import Featurizer, Predictor

_searching = False


class Found(BaseException):
    """Ends the run of a file at its call of `evaluate`: what was handed over is the strategy."""

    def __init__(self, featurizer: Featurizer, predictor: Predictor) -> None:
        super().__init__()
        self.pair = (featurizer, predictor)


def hand_over(featurizer: Featurizer, predictor: Predictor) -> None:
    """Called by `evaluate`: does nothing unless a strategy is looked for."""
    if _searching:
        raise Found(featurizer, predictor)


def load(path: str) -> tuple[Featurizer, Predictor, str]:
    """The strategy of a file, and where it was found: `evaluate` or `classes`."""
    global _searching
    spec = importlib.util.spec_from_file_location("strategy_file", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path}: not a file of Python's")
    module = importlib.util.module_from_spec(spec)
    sys.modules["strategy_file"] = module
    sys.path.insert(0, os.path.dirname(path))
    _searching = True
    try:
        spec.loader.exec_module(module)
    except Found as found:
        return (*found.pair, "evaluate")
    finally:
        _searching = False
    featurizer = _one(module, Featurizer, "featurizer")
    predictor = _one(module, Predictor, "predictor")
    return featurizer, predictor, "classes"


def _one(module: Any, base: type, name: str) -> Any:
    """The instance of that name, or one of the only class of its kind."""
    named: Optional[Any] = getattr(module, name, None)
    if isinstance(named, base):
        return named
    own = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
    ]
    # One that others are made from is a helper.
    leaves = [one for one in own if not any(other is not one and issubclass(other, one) for other in own)]
    if len(leaves) == 1:
        return leaves[0]()
    found = ", ".join(sorted(one.__name__ for one in leaves)) or "none"
    raise LookupError(
        f"the file has to define one class of {base.__name__}, and has {found}; or name an instance `{name}`"
    )
