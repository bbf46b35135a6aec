"""What is known at a row."""

from __future__ import annotations

from typing import Optional, Sequence

import numpy as np


class View:
    """The market up to and including one row. Nothing later is in this process."""

    def __init__(self, assets: Sequence[str], fields: Sequence[str]) -> None:
        self._assets = list(assets)
        self._fields = list(fields)
        self._place = {name: place for place, name in enumerate(self._assets)}
        self._field_place = {name: place + len(self._assets) for place, name in enumerate(self._fields)}
        self._data = np.full((len(self._assets) + len(self._fields), 4096), np.nan)
        self._rows = 0
        self._time = np.nan
        self._block = 0

    def _append(self, numbers: np.ndarray) -> None:
        """Takes a row: number, time, block, prices, fields."""
        if self._rows == self._data.shape[1]:
            larger = np.full((self._data.shape[0], 2 * self._rows), np.nan)
            larger[:, : self._rows] = self._data
            self._data = larger
        self._data[:, self._rows] = numbers[3:]
        self._time = numbers[1]
        self._block = int(numbers[2])
        self._rows += 1

    @property
    def t(self) -> int:
        """The row's number, from 0, the warm-up included."""
        return self._rows - 1

    @property
    def time(self) -> float:
        """Unix time of the row in seconds; NaN where the ledger does not know its chain's time."""
        return float(self._time)

    @property
    def block(self) -> int:
        """The block at which the row's prices were known."""
        return self._block

    @property
    def assets(self) -> list[str]:
        """Assets that have prices, in order."""
        return list(self._assets)

    @property
    def fields(self) -> list[str]:
        """What there is beside prices, such as a minute's high and low."""
        return list(self._fields)

    def prices(self, asset: str, last: Optional[int] = None) -> np.ndarray:
        """Prices of an asset, oldest first, up to and including this row: the `last` n, or all. NaN for a missing one.

        A read-only window of shape `(n,)` into what is there already; nothing is copied.
        """
        return self._window(self._place, asset, "asset", last)

    def field(self, name: str, last: Optional[int] = None) -> np.ndarray:
        """Numbers of a field, as `prices`."""
        return self._window(self._field_place, name, "field", last)

    def prices_matrix(self, last: Optional[int] = None) -> np.ndarray:
        """Prices of all assets, of shape `(assets, n)`, as `prices`."""
        window = self._data[: len(self._assets), self._first(last) : self._rows]
        window.flags.writeable = False
        return window

    def age(self, asset: str) -> float:
        """Rows since the asset had a price: 0 if it has one now; infinity if it never had."""
        known = np.flatnonzero(~np.isnan(self.prices(asset)[::-1]))
        return float(known[0]) if known.size else float("inf")

    def _window(self, places: dict[str, int], name: str, what: str, last: Optional[int]) -> np.ndarray:
        if name not in places:
            raise KeyError(f"no {what} {name!r} in this challenge; there are {', '.join(places) or 'none'}")
        window = self._data[places[name], self._first(last) : self._rows]
        window.flags.writeable = False
        return window

    def _first(self, last: Optional[int]) -> int:
        if last is None:
            return 0
        if last < 0:
            raise ValueError(f"last={last}: the past alone is there, and is counted from 0")
        return max(0, self._rows - last)
