"""Embeddings of a momentum strategy, from a ledger's prices: what a miner of a challenge of one price would have sent.

    mantis export --ledger sim.db --out prices.csv --table prices --ticker ETH
    python3 examples/embeddings/momentum.py prices.csv embeddings.csv
    mantis salience embeddings.csv --ledger sim.db

A row says only what was known at its block: the price there and those before it. Needs nothing but Python.
"""

import csv
import math
import sys

BACK = 60  # rows that it looks back: an hour
SCALE = 100  # a move of 1% says as much as can be said


def embeddings(prices):
    """Two numbers in [-1, 1] for each row that has a price BACK rows before it: the binary challenges have dim = 2."""
    for row in range(BACK, len(prices)):
        (block, now), (_, then) = prices[row], prices[row - BACK]
        if now > 0 and then > 0:  # 0: the feed had none
            move = math.log(now / then)
            yield block, math.tanh(SCALE * move), math.tanh(SCALE * move / 4)


def main(source, target):
    with open(source, newline="") as file:
        rows = list(csv.DictReader(file))
    tickers = sorted({row["ticker"] for row in rows})
    with open(target, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["block", "ticker", "v0", "v1"])
        for ticker in tickers:
            prices = [(int(row["block"]), float(row["price"])) for row in rows if row["ticker"] == ticker]
            for block, first, second in embeddings(prices):
                writer.writerow([block, ticker, first, second])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: momentum.py PRICES.csv EMBEDDINGS.csv")
    main(sys.argv[1], sys.argv[2])
