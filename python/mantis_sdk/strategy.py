"""Runs a strategy for the host: `python -m mantis_sdk.strategy model.py`. Speaks the protocol of docs/strategies.md."""

from __future__ import annotations

import json
import os
import struct
import sys
import traceback
from typing import Any, BinaryIO, Optional

MOST_TEXT = 1 << 15


class _Pipe:
    """Records, in and out."""

    def __init__(self) -> None:
        # What a strategy prints is for people, and goes to standard error.
        self._out = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb", buffering=1 << 16)
        with open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)

    def read(self) -> tuple[bytes, bytes]:
        """The next record: its kind and its body. The end counts as a farewell."""
        head = self._in.read(5)
        if len(head) < 5:
            return b"B", b""
        length, kind = struct.unpack("<Ic", head)
        return kind, self._in.read(length - 1)

    def write(self, kind: bytes, body: bytes) -> None:
        """Sends a record."""
        record = struct.pack("<Ic", len(body) + 1, kind) + body
        while record:
            record = record[self._out.write(record) :]

    def fail(self, sentence: str) -> None:
        """Gives up."""
        self.write(b"f", sentence.encode("utf-8", "replace")[:MOST_TEXT])


def main(arguments: list[str]) -> int:
    """Answers until the host says goodbye; the exit code."""
    pipe = _Pipe()
    if len(arguments) != 1:
        pipe.fail("usage: python -m mantis_sdk.strategy MODEL.py")
        return 2
    try:
        import numpy
    except ImportError as error:
        pipe.fail(f"{sys.executable} has no numpy ({error}); name a Python that has it with --python")
        return 1
    try:
        numpy.seterr(all="ignore")
        _serve(pipe, arguments[0])
    except BaseException:  # whatever a strategy does, the host is told
        pipe.fail(_said(arguments[0]))
        return 1
    return 0


def _said(path: str) -> str:
    """What was raised, from the strategy's own lines on."""
    kind, error, trace = sys.exc_info()
    frames = traceback.extract_tb(trace)
    folder = os.path.dirname(os.path.abspath(__file__))
    own = [frame for frame in frames if not frame.filename.startswith((folder, "<frozen"))]
    lines = traceback.format_list(own) + traceback.format_exception_only(kind, error)
    return "".join(lines).strip()[-8000:]


def _serve(pipe: _Pipe, path: str) -> None:
    import random

    import numpy as np

    from .found import load
    from .model import Predictor
    from .view import View

    kind, body = pipe.read()
    if kind != b"H":
        raise RuntimeError("the host sent no greeting")
    hello = json.loads(body)
    if hello["protocol"] != 1:
        raise RuntimeError(f"the host speaks protocol {hello['protocol']}, this package 1; take the other of the same version")
    random.seed(hello["seed"])
    np.random.seed(hello["seed"] % (1 << 32))
    featurizer, predictor, found = load(path)
    warmup, interval = int(featurizer.warmup), int(featurizer.compute_interval)
    if warmup < 0 or interval < 1:
        raise ValueError(f"warmup = {warmup}, compute_interval = {interval}: at least 0 and 1")
    view = View(hello["assets"], hello["fields"])
    featurizer.setup(view.assets, hello["seed"])
    pipe.write(b"r", json.dumps({"warmup": warmup, "interval": interval, "found": found}).encode())
    learns = type(predictor).fit is not Predictor.fit
    memory = _Memory(predictor, len(hello["subjects"])) if learns else None
    while True:
        kind, body = pipe.read()
        if kind == b"R":
            view._append(np.frombuffer(body, "<f8"))
            t = view.t
            if t >= warmup and (t - warmup) % interval == 0:
                features = featurizer.compute(view)
                if memory is not None:
                    memory.take(t, features)
                numbers = _numbers(predictor.predict(features), hello, t)
                pipe.write(b"a", struct.pack("<d", t) + numbers)
        elif kind == b"L" and memory is not None:
            numbers = np.frombuffer(body, "<f8")
            memory.label(int(numbers[0]), numbers[1:])
        elif kind == b"B":
            return


def _numbers(said: Any, hello: dict[str, Any], t: int) -> bytes:
    """What a predictor gave, as the numbers of an answer."""
    import numpy as np

    if said is None:
        return b""
    if isinstance(said, dict):
        unknown = [name for name in said if name not in hello["subjects"]]
        if unknown:
            raise ValueError(f"predict gave numbers for {unknown[0]!r}, which is no asset of {hello['challenge']}")
        nothing = [0.0] * hello["dim"]
        said = [np.ravel(said.get(name, nothing)) for name in hello["subjects"]]
    numbers = np.ravel(np.asarray(said, dtype="<f4"))
    if numbers.size != hello["numbers"]:
        raise ValueError(f"predict gave {numbers.size} numbers for row {t}; {hello['challenge']} takes {hello['numbers']}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"predict gave numbers for row {t} that are not finite: {numbers[:8]}")
    return numbers.tobytes()


class _Memory:
    """Features of rows, and the labels that have become known of them."""

    def __init__(self, predictor: Any, subjects: int) -> None:
        self._predictor = predictor
        self._subjects = subjects
        self._features: dict[int, Any] = {}
        self._known: dict[int, Any] = {}
        self._last: Optional[int] = None

    def label(self, t: int, values: Any) -> None:
        """A label of an earlier row has become known."""
        if t in self._features:
            self._known[t] = values

    def take(self, t: int, features: Any) -> None:
        """Learns where it is time, then keeps a row's features."""
        import numpy as np

        if self._last is None:
            self._last = t
        if self._known and t - self._last >= int(self._predictor.fit_interval):
            self._last = t
            rows = sorted(self._known)
            names = self._features[rows[0]].keys()
            stacked = {name: np.array([self._features[row][name] for row in rows]) for name in names}
            self._predictor.fit(stacked, np.array([self._known[row] for row in rows]).reshape(-1, self._subjects))
        # A strategy may hand out the same arrays each time, and windows move on.
        self._features[t] = {name: np.array(value) for name, value in features.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
