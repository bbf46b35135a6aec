"""The desk's options, written a second time from their formulas in ../../README.md: block_bootstrap, gbdt and moe.

Naive where the plugin is clever: without a miner, everything is fitted again from the start. Needs NumPy 2. `python3 desk.py` makes
`desk.json` anew: saliences on random ledgers, which `tests/second.rs` compares with the plugin's.
"""
import json
import os
import numpy as np

ASSETS, AHEAD, SEED = 3, 10, 42


class Noise:
    """The generator of the plugin interface's test kit."""

    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15 % 2**64) ^ 0x2545F4914F6CDD1D

    def uniform(self):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 32) / 2**31 - 1.0

    def normal(self):
        total = 0.0
        for _ in range(12):
            total += self.uniform()
        return total / 2.0


def ledger(seed, rows, miners):
    """Prices by row and asset, some of them missing, and positions by miner, row and asset."""
    noise = Noise(seed)
    price, prices = [100.0] * ASSETS, np.empty((rows, ASSETS))
    for row in range(rows):
        price = [p * (1.0 + 1e-3 * noise.normal()) for p in price]
        prices[row] = price
    positions = np.empty((miners, rows, ASSETS), np.float16)
    for miner in range(miners):
        noise, skill = Noise(1000 * seed + miner), 0.5 * miner / miners
        for row in range(rows):
            for asset in range(ASSETS):
                later, knows = row + AHEAD, 0.0
                if later < rows:
                    knows = skill if prices[later, asset] > prices[row, asset] else -skill
                x = 0.4 * (knows + noise.normal())
                positions[miner, row, asset] = np.float16(np.float32(min(max(x, -1.0), 1.0)))
    # A copy, and holes that no rebalance of the luck filter meets.
    positions[0] = positions[miners - 1]
    prices[5 :: 7 * AHEAD, 1] = np.nan
    return prices, positions.astype(float)


def skill(p, positions, returns):
    """Of one miner in one asset: the share of resamples whose profit is above zero."""
    pnl, before = [], 0.0
    for t in range(0, len(returns) - AHEAD, AHEAD):
        pnl.append(positions[t] * returns[t] - p["fee"] * abs(positions[t] - before))
        before = positions[t]
    n, block = len(pnl), p["bootstrap_block"]
    if n < p["min_rebalances"] or n < 2 * block or not np.all(np.isfinite(pnl)):
        return 0.5
    above = 0.0
    for replicate in range(p["bootstrap_replicates"]):
        starts = np.random.default_rng(SEED + replicate).integers(0, n - block + 1, n // block)
        total = sum(sum(pnl[s : s + block]) for s in starts)
        above += 1.0 if total > 0 else 0.5 if total == 0 else 0.0
    return above / p["bootstrap_replicates"]


class Fold:
    """Rows and returns of one fold and asset."""

    def __init__(self, returns, asset, start, end):
        self.start, self.returns = start, returns[:, asset]
        self.rows = [t for t in range(start) if np.all(np.isfinite(returns[t]))]
        self.rebalances = list(range(start, end - AHEAD, AHEAD))

    def profit(self, p, predictions, known):
        """Of a desk that holds tanh(prediction / deviation of those that are known)."""
        scale, before, total = np.std(known) + 1e-8 if len(known) else 1e-8, 0.0, 0.0
        for t, prediction in zip(self.rebalances, predictions):
            now = np.tanh(prediction / scale)
            if np.isfinite(self.returns[t]):
                total += now * self.returns[t] - p["fee"] * abs(now - before)
            before = now
        return total


def gbdt(p, fold, columns):
    """Profit of boosted trees on these columns."""
    samples = fold.rows[:: p["gbdt_every"]]
    y = fold.returns[samples] - np.mean(fold.returns[samples])
    ends = []
    for column in columns:
        values = np.sort(column[samples])
        at = [i * len(values) // p["gbdt_bins"] for i in range(1, p["gbdt_bins"])]
        ends.append(np.unique(values[at]))
    bins = lambda rows: [np.searchsorted(e, column[rows], "left") for e, column in zip(ends, columns)]
    train, test = bins(samples), bins(fold.rebalances)
    known, asked = np.zeros(len(samples)), np.zeros(len(fold.rebalances))
    residual = y.copy()
    for _ in range(p["gbdt_trees"]):
        least = 1e-9 * np.sum(residual**2)
        everything = (np.arange(len(samples)), np.arange(len(fold.rebalances)))
        steps = grow(p, train, test, residual, least, everything, p["gbdt_depth"])
        if steps is None:
            break
        for of_train, of_test, value in steps:
            known[of_train] += value
            asked[of_test] += value
            residual[of_train] -= value
    return fold.profit(p, asked, known)


def grow(p, train, test, residual, least, node, depth):
    """Leaves of one tree below a node: train samples, test samples, value. None where the node is not split."""
    own, other = node
    r, best = residual[own], (least, None, None)
    gain = lambda part: np.sum(part) ** 2 / len(part)
    if depth > 0 and len(own):
        for column, of_column in enumerate(train):
            b = of_column[own]
            for end in np.unique(b):
                left, right = r[b <= end], r[b > end]
                if min(len(left), len(right)) < p["gbdt_min_leaf"]:
                    continue
                found = gain(left) + gain(right) - gain(r)
                if found > best[0]:
                    best = (found, column, end)
    if best[1] is None:
        return None
    _, column, end = best
    leaves = []
    for side in (lambda b: b <= end, lambda b: b > end):
        child = (own[side(train[column][own])], other[side(test[column][other])])
        value = p["gbdt_learning_rate"] * np.mean(residual[child[0]])
        leaves += grow(p, train, test, residual, least, child, depth - 1) or [(*child, value)]
    return leaves


def moe(p, fold, columns):
    """Profit of a gated mixture of these columns."""
    y, n = fold.returns, len(columns)
    slopes = []
    for column in columns:
        square = np.sum(column[fold.rows] ** 2)
        slopes.append(max(np.sum(column[fold.rows] * y[fold.rows]) / square, 0.0) if square > 0 else 0.0)
    predict = np.array([slope * column for slope, column in zip(slopes, columns)])
    half_life = p["moe_half_life_days"] * p["rebalances_per_day"]
    mix = lambda row: mixture(p, predict, y, row, 2.0 ** (-1.0 / half_life))
    known = [mix(row) for row in range(0, fold.start, AHEAD)]
    return fold.profit(p, [mix(row) for row in fold.rebalances], known)


def mixture(p, predict, y, row, decay):
    """The prediction at a row, by the rebalances whose return is known there."""
    past = [t for t in range(0, row - AHEAD + 1, AHEAD) if np.isfinite(y[t])]
    age = decay ** np.arange(len(past) - 1, -1, -1)
    product, square = predict[:, past] @ (age * y[past]), predict[:, past] ** 2 @ age
    norm = np.sqrt(square * np.sum(age * y[past] ** 2))
    correlation = np.divide(product, norm, out=np.zeros(len(predict)), where=norm > 0)
    gate = np.exp(p["moe_rate"] * np.clip(correlation, -1.0, 1.0))
    return np.sum(gate * predict[:, row]) / np.sum(gate)


def saliences(p, prices, positions):
    """What each miner earns."""
    T = p["window_rows"]
    prices, positions = prices[-T:], positions[:, -T:]
    returns = np.full((T, ASSETS), np.nan)
    returns[:-AHEAD] = np.log(prices[AHEAD:] / prices[:-AHEAD])
    skills = [np.mean([skill(p, own[:, a], returns[:, a]) for a in range(ASSETS)]) for own in positions]
    order = sorted((i for i in range(len(skills)) if skills[i] >= p["min_skill"]), key=lambda i: -skills[i])
    clusters, taken = [], set()
    for i in order:
        if i not in taken:
            alike = [j for j in order if j not in taken and j != i and cosine(positions[i], positions[j]) >= 0.95]
            clusters.append([i, *alike])
            taken.update(clusters[-1])
    seeds = [positions[cluster[0]] for cluster in clusters]
    median = np.median(np.concatenate(seeds, axis=1), axis=1)
    first = max(p["min_fold_rows"], T // 4)
    size = max(p["min_fold_rows"], (T - first) // p["folds"])
    lost = np.zeros(len(seeds))
    for start in range(first, T - size + 1, size):
        for asset in range(ASSETS):
            fold = Fold(returns, asset, start, start + size)
            desk = {"gbdt": gbdt, "moe": moe}[p["meta_model"]]
            columns = [seed[:, asset] for seed in seeds]
            whole = desk(p, fold, [*columns, median])
            for i in range(len(seeds)):
                lost[i] += whole - desk(p, fold, [*columns[:i], *columns[i + 1 :], median])
    earned = np.zeros(len(positions))
    for cluster, loss in zip(clusters, lost):
        for i in cluster:
            earned[i] = max(loss, 0.0) / len(cluster) * skills[i]
    return earned / np.sum(earned) if np.sum(earned) > 0 else earned


def cosine(a, b):
    return np.sum(a * b) / np.sqrt(np.sum(a * a) * np.sum(b * b))


def main():
    common = dict(window_rows=1500, fee=0.0001, luck_filter="block_bootstrap", bootstrap_replicates=200, bootstrap_block=12,
                  min_rebalances=10, rebalances_per_day=24, min_fold_rows=120, folds=5)
    gbdt = dict(meta_model="gbdt", gbdt_trees=12, gbdt_depth=2, gbdt_learning_rate=0.2, gbdt_min_leaf=10, gbdt_bins=8, gbdt_every=5)
    moe = dict(meta_model="moe", moe_half_life_days=2.0, moe_rate=10.0)
    cases = []
    for seed, own in enumerate([gbdt, moe, {**gbdt, "gbdt_depth": 3}, {**moe, "moe_rate": 40.0}], 1):
        for min_skill in (0.0, 0.65):
            p = {**common, **own, "min_skill": min_skill}
            cases.append(dict(seed=seed, rows=1600, miners=7, params=p,
                              saliences=list(saliences(p, *ledger(seed, 1600, 7)))))
            print(own["meta_model"], min_skill, cases[-1]["saliences"])
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "desk.json"), "w") as file:
        json.dump(cases, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
