"""Measuring a strategy from Python: runs the `mantis` program and reads what it says."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from typing import Any, Optional, Sequence

import numpy as np

from .found import hand_over
from .model import Featurizer, Predictor


class EvaluationError(RuntimeError):
    """The program gave no result; its sentence says why."""


@dataclass
class Result:
    """What came of measuring a strategy."""

    document: dict[str, Any] = field(repr=False)
    """All of it, as `mantis sdk evaluate --json` prints it."""

    embeddings: str = ""
    """The file of its answers, which `salience` takes."""

    @property
    def headline(self) -> dict[str, Any]:
        """Measures over all rows that count: auc, auc_ci95, log_loss, brier, balanced_accuracy, spearman, rows, n_eff; those
        that the challenge has."""
        return _measures(self.document["headline"])

    @property
    def holdout(self) -> dict[str, Any]:
        """The same over the last 20 days; empty where there are no rows before them."""
        return _measures(self.document["holdout"])

    @property
    def windows(self) -> np.ndarray:
        """Runs of five days: from and to (blocks), auc, value (of the challenge's own measure), n, in_holdout."""
        kinds = [("from", "i8"), ("to", "i8"), ("auc", "f8"), ("value", "f8"), ("n", "i8"), ("in_holdout", "?")]
        number = lambda x: np.nan if x is None else x
        rows = [
            (w["from_block"], w["to_block"], number(w["auc"]), number(w["value"]), w["n"], w["in_holdout"])
            for w in self.document["windows"]
        ]
        return np.array(rows, dtype=kinds)

    @property
    def causality(self) -> dict[str, Any]:
        """What was done so that no answer knew what came after: enforced, sandbox, replayed_rows, differing, lag_test."""
        causality = dict(self.document["causality"])
        lag = causality.get("lag_test")
        causality["lag_test"] = lag["verdict"] if lag else None
        return causality

    def report(self, path: str) -> None:
        """Writes a page about it: one HTML file."""
        from .report import page

        with open(path, "w", encoding="utf-8") as file:
            file.write(page(self.document))


@dataclass
class Salience:
    """What a strategy would earn of a challenge."""

    salience: float
    """Part of what the challenge pays, 0 to 1."""
    percentile: float
    """How many of a hundred other miners earn less."""
    rank: Optional[int]
    """1 and the number of those who earn more; `None` for one that earns nothing."""
    of: int
    """Miners who have a column, it among them."""
    uniqueness: Optional[float]
    """How much of it is in no other miner's numbers, 0 to 1."""
    document: dict[str, Any] = field(repr=False, default_factory=dict)
    """All of it, as `mantis salience --json` prints it."""


def evaluate(
    challenge: str,
    featurizer: Featurizer,
    predictor: Predictor,
    *,
    days_back: float = 60,
    ledger: Optional[str] = None,
    config: Optional[str] = None,
    seed: int = 1,
    embeddings: Optional[str] = None,
    options: Sequence[str] = (),
) -> Result:
    """Measures a strategy on the last days of a ledger.

    The strategy is started anew from the file that defines it, in a process that is told one row at a time. `ledger` is a
    ledger's file, else what `MANTIS_LEDGER` names, else `datalog.db`; `config` is `challenges.toml` unless it says otherwise.
    `embeddings` names a file for the answers (.csv or .parquet). `options` are further words for `mantis sdk evaluate`. The
    program is `mantis`, or what `MANTIS_PROGRAM` names.
    """
    hand_over(featurizer, predictor)
    file = _file_of(featurizer, predictor)
    target = embeddings or os.path.join(tempfile.mkdtemp(prefix="mantis-"), "embeddings.parquet")
    words = ["sdk", "evaluate", file, "--challenge", challenge, "--ledger", _ledger(ledger), "--json"]
    words += ["--days", str(days_back), "--seed", str(seed), "--embeddings", target, "--force"]
    words += ["--python", sys.executable, *(["--config", config] if config else []), *options]
    document = _run(words)
    if document["format"] != 1:
        raise EvaluationError(f"the program writes form {document['format']}, this package reads 1; take both of one version")
    if document["strategy"]["found"] == "classes":
        for one in (featurizer, predictor):
            _is_plain(one)
    return Result(document, target)


def salience(
    challenge: str,
    embeddings: str,
    *,
    ledger: Optional[str] = None,
    config: Optional[str] = None,
    options: Sequence[str] = (),
) -> Salience:
    """What a file of embeddings would earn beside the miners of a ledger, by the challenge's own plugin."""
    words = ["salience", embeddings, "--challenge", challenge, "--ledger", _ledger(ledger), "--json"]
    words += [*(["--config", config] if config else []), *options]
    document = _run(words)[0]
    place, own = document["places"][0], document["uniqueness"]
    return Salience(
        place["salience"], place["percentile"], place["rank"], place["of"], own["value"] if own else None, document
    )


def _run(words: Sequence[str]) -> Any:
    program = os.environ.get("MANTIS_PROGRAM", "mantis")
    try:
        done = subprocess.run([program, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        raise EvaluationError(f"{program}: {error}; put `mantis` on the PATH, or name it in MANTIS_PROGRAM") from error
    if done.returncode != 0:
        raise EvaluationError(done.stderr.strip() or f"{program} ended with {done.returncode}")
    return json.loads(done.stdout)


def _ledger(ledger: Optional[str]) -> str:
    return os.fspath(ledger or os.environ.get("MANTIS_LEDGER", "datalog.db"))


def _file_of(featurizer: Featurizer, predictor: Predictor) -> str:
    files = []
    for one in (featurizer, predictor):
        try:
            files.append(os.path.realpath(inspect.getfile(type(one))))
        except (TypeError, OSError):
            raise EvaluationError(
                f"{type(one).__name__} is in no file; write it into one, which is started in a process of its own"
            ) from None
    if files[0] != files[1]:
        raise EvaluationError(f"{files[0]} and {files[1]}: put featurizer and predictor into one file")
    return files[0]


def _is_plain(one: Any) -> None:
    """Refuses an instance that is not what its class makes: the measured process made its own."""
    try:
        same = _shown(vars(type(one)())) == _shown(vars(one))
    except TypeError:
        same = False
    if not same:
        raise EvaluationError(
            f"{type(one).__name__} was measured as its file makes it, not as this instance is; name the instance in the file as "
            "`featurizer` or `predictor`, or call `evaluate` there"
        )


def _shown(values: dict[str, Any]) -> dict[str, str]:
    return {name: repr(value) for name, value in values.items()}


def _measures(measures: Optional[dict[str, Any]]) -> dict[str, Any]:
    found = {name: value for name, value in (measures or {}).items() if value is not None and value != []}
    return {name: tuple(value) if name.endswith("_ci95") else value for name, value in found.items()}
