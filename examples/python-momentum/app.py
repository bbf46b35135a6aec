"""Which way after a strong move? A challenge in Python.

A miner sends one number from -1 (surely down) to 1 (surely up). Only rows count that follow a strong move of the price,
one horizon apart; a miner earns by how far its positions' mean gain is above chance, and miners who send the same share
one pay. The interface is `plugin-api/wit/v1/challenge.wit`; `mantis plugin build` makes a component of this file.

Nothing here depends on the machine: no clock, no files, no randomness, no order of sets, and of floating point only
`+ - * /` and `sqrt`.
"""

import json
import struct
from array import array
from math import isfinite, isnan, sqrt

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import host

# Key: default, smallest, largest, meaning.
PARAMS = {
    "lookback": (60, 1, 100_000, "Rows over which the price must have moved."),
    "min_move": (0.002, 0.0, 1.0, "Part of the price by which it must have moved."),
    "min_rows": (30, 2, 1_000_000, "Rows that count in which a miner must be present."),
    "min_t": (2.0, 0.0, 100.0, "t-statistic that a miner must exceed."),
}


def allowed(key):
    default, low, high, _ = PARAMS[key]
    return f"a {'whole ' if isinstance(default, int) else ''}number from {low} to {high}"


def refuse(kind, **fields):
    """An error of the contract: a `PluginError` as JSON."""
    return Err(json.dumps({"kind": kind, **fields}))


def told(method):
    """Tells the host of an unexpected exception: nothing else does, standard error leads nowhere."""

    def wrapped(*arguments):
        try:
            return method(*arguments)
        except Err:
            raise
        except Exception as error:
            host.fail(f"{type(error).__name__}: {error}")
            raise

    return wrapped


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)


def read_params(given):
    values = {key: default for key, (default, *_) in PARAMS.items()}
    for key, value in given.items():
        if key not in PARAMS:
            raise refuse("parameter", key=key, found="no such parameter", allowed=", ".join(PARAMS))
        default, low, high, _ = PARAMS[key]
        fits = is_number(value) and (isinstance(value, int) or isinstance(default, float))
        if not (fits and low <= value <= high):
            raise refuse("parameter", key=key, found=f"{json.dumps(value)} is not allowed", allowed=allowed(key))
        values[key] = value
    return values


class Plugin(exports.Plugin):
    """Each call gets a new object of this class: what `configure` keeps is the class's, one per component instance."""

    ahead = 0
    params = None

    def describe(self):
        return json.dumps({
            "name": "python-momentum",
            "version": "0.1.0",
            "summary": "Direction after a strong move, paid by how far above chance each miner is.",
            "params": [
                {"key": key, "default": default, "allowed": allowed(key), "doc": doc}
                for key, (default, _, _, doc) in PARAMS.items()
            ],
        })

    @told
    def configure(self, spec, params):
        spec = json.loads(spec)
        if spec["dim"] != 1:
            raise refuse("spec", key="dim", found=str(spec["dim"]), allowed="1")
        if spec["assets"]:
            raise refuse("spec", key="assets", found="a list of assets", allowed="none: one price per challenge")
        ahead = spec["blocks_ahead"] // max(spec["sample_every"], 1)
        if ahead == 0:
            found = f"{spec['blocks_ahead']} blocks"
            raise refuse("spec", key="blocks_ahead", found=found, allowed="at least one sampled block")
        Plugin.ahead = ahead
        Plugin.params = read_params(json.loads(params))

    @told
    def decode(self, submission):
        numbers = json.loads(submission)
        if not (isinstance(numbers, list) and len(numbers) == 1 and is_number(numbers[0])):
            raise refuse("submission", message="expected a list of one number")
        if not -1 <= numbers[0] <= 1:
            raise refuse("submission", message=f"number 1: {numbers[0]} is outside [-1, 1]")
        return [float(numbers[0])]

    def track(self, states, rows):
        return states

    @told
    def score(self, task):
        task = json.loads(task)
        miners, needed = task["miners"], self.params["min_rows"]
        labels = self.label(host.sidx(), host.prices(), task["assets"], task["scored_rows"])
        if len(labels) < needed:
            reason = f"{len(labels)} rows after a strong move, {needed} are needed"
            return [0.0] * miners, report([{} for _ in range(miners)], len(labels), reason)
        reports, good = [], []
        for miner in range(miners):
            host.progress(miner / miners)
            column = read_column(miner, task["scored_rows"], task["dim"])
            opinions, outcome = self.judge([column[row * task["dim"]] for row, _ in labels], labels)
            reports.append(outcome)
            if opinions is not None:
                good.append((miner, opinions, outcome["facts"][0]["value"]))
        saliences = [0.0] * miners
        for miner, opinions, t in good:
            # Those who say the same share one pay: copies earn nothing more together.
            alike = sum_of(likeness(opinions, other) for _, other, _ in good)
            saliences[miner] = (t - self.params["min_t"]) / alike
        return saliences, report(reports, len(labels), None)

    def label(self, sidx, prices, assets, scored_rows):
        """Rows after a strong move, at least one horizon apart, each with the return that followed."""
        row_of = {index: row for row, index in enumerate(sidx)}

        def price(row):
            # NaN stands for a missing price, and a ledger can hold zeros and infinities.
            found = prices[row * assets] if row is not None else float("nan")
            return found if found > 0.0 and isfinite(found) else None

        labels, next_sidx = [], None
        for row in range(scored_rows):
            if next_sidx is not None and sidx[row] < next_sidx:
                continue
            # Rows can be missing: prices are looked up by the index of the sampled block.
            now, later = price(row), price(row_of.get(sidx[row] + self.ahead))
            before = price(row_of.get(sidx[row] - self.params["lookback"]))
            if now and later and before and abs(now / before - 1.0) >= self.params["min_move"]:
                labels.append((row, later / now - 1.0))
                next_sidx = sidx[row] + self.ahead
        return labels

    def judge(self, sent, labels):
        """A miner's opinions about their mean and its report; no opinions if it earns nothing."""
        # All bits but the sign at zero: absent. Not a finite number: absent too.
        present = [x != 0.0 and not isnan(x) and isfinite(x) for x in sent]
        count = sum(present)
        if count == 0:
            return None, zero("absent", "no prediction is stored in the rows that are scored")
        if count < self.params["min_rows"]:
            needed = self.params["min_rows"]
            return None, zero("too_few_rows", f"present in {count} rows that count, {needed} are needed")
        said = [x for x, there in zip(sent, present) if there]
        if all(x == said[0] for x in said):
            return None, zero("constant", "the prediction never changes")
        centre = sum_of(said) / count
        opinions = [x - centre if there else 0.0 for x, there in zip(sent, present)]
        gains = [x * gain for x, there, (_, gain) in zip(opinions, present, labels) if there]
        mean = sum_of(gains) / count
        variance = sum_of((gain - mean) * (gain - mean) for gain in gains) / (count - 1)
        t = mean / sqrt(variance / count) if variance > 0.0 else 0.0
        if t <= self.params["min_t"]:
            return None, zero("chance", f"its t-statistic, {t:.2f}, is not above {self.params['min_t']}")
        return opinions, {"salience": 0.0, "why_zero": None, "facts": [{"name": "t", "value": t}]}


def zero(code, text):
    return {"salience": 0.0, "why_zero": {"code": code, "text": text}, "facts": []}


def report(miners, rows, empty):
    """The `Salience` as JSON; its own saliences are not looked at."""
    blank = {"salience": 0.0, "why_zero": None, "facts": []}
    facts = [{"name": "rows", "value": float(rows)}]
    return json.dumps({"miners": [{**blank, **miner} for miner in miners], "facts": facts, "empty": empty})


def read_column(miner, rows, dim):
    """All numbers of a miner, row by row: half floats, which cross as their bits."""
    bits = array("H", host.history(miner, miner + 1, 0, rows))
    return struct.unpack(f"={rows * dim}e", bits.tobytes())


def sum_of(numbers):
    """A sum from left to right: what `sum` does with floats differs between Pythons."""
    total = 0.0
    for x in numbers:
        total += x
    return total


def likeness(a, b):
    """1 for the same opinions, and next to 0 for those with some noise between them."""

    def dot(x, y):
        return sum_of(p * q for p, q in zip(x, y))

    cosine = max(dot(a, b), 0.0) / sqrt(dot(a, a) * dot(b, b))
    # To the 16th power, by squaring.
    for _ in range(4):
        cosine *= cosine
    return cosine
