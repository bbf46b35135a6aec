"""The challenge, written a second time from its text (docs/scoring.md, dmae), in double precision throughout.

Naive where the plugin is careful: it holds all rows at once, and every model is one loop over its chunks. Needs NumPy 2.
`python3 mlp.py` makes `mlp.json` anew: what it finds on simulated markets, which `tests/second.rs` compares with the plugin.
"""
import json
import os
import numpy as np

HIDDEN, SEED, SAMPLE = 32, 42, 1500
DEFAULTS = {
    "max_rows": 17280, "min_rows": 1440, "stride": 5, "chunk_rows": 60, "freeze_limit": 15, "clip": 10.0, "max_unchanged": 0,
    "learning_rate": 1e-3, "warm_up": 0.25, "screen": 64, "pay": "group", "alike": 0.5, "share": "senior", "t_min": 2.0,
}


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


def ledger(seed, rows, miners, dim):
    """Prices, some of them missing or frozen, and numbers by miner, row and place.

    Miners 0 to 2 each know a factor; 3 knows that of 0 with noise of its own and comes a third later; 4 and 5 are copies of
    1, 5 from the middle on; 6 is absent in every other tenth; 7 is never there; 8 gathers
    half of what 0 and half of what 2 sends, from a third on; the rest know nothing.
    """
    noise = Noise(seed)
    factors, level, price = np.zeros(3), 100.0, np.empty(rows)
    known = np.empty((rows, 3))
    for row in range(rows):
        price[row] = level
        for k in range(3):
            factors[k] = 0.98 * factors[k] + 0.2 * noise.normal()
        known[row] = factors
        level = level * (1.0 + 4e-4 * (factors[0] + factors[1] + factors[2]) + 1e-3 * noise.normal())
    price[rows // 7] = np.nan
    price[rows // 3 : rows // 3 + 25] = price[rows // 3]
    sent = np.zeros((miners, rows, dim), np.float16)
    for miner in range(miners):
        noise = Noise(1000 * seed + miner)
        lean = [0.9 * noise.uniform() for _ in range(dim)]
        factor = {0: 0, 1: 1, 2: 2, 3: 0}.get(miner)
        for row in range(rows):
            for d in range(dim):
                x = 0.4 * noise.normal()
                if factor is not None:
                    x = lean[d] * known[row, factor] + 0.3 * x
                sent[miner, row, d] = np.float16(np.float32(min(max(x, -1.0), 1.0)))
    sent[3, : rows // 3] = 0
    sent[4] = sent[1]
    sent[5, rows // 2 :] = sent[1, rows // 2 :]
    sent[5, : rows // 2] = 0
    for row in range(rows):
        if row * 10 // rows % 2 == 1:
            sent[6, row] = 0
    sent[7] = 0
    sent[8, : rows // 3] = 0
    sent[8, rows // 3 :, : dim // 2] = sent[0, rows // 3 :, : dim // 2]
    sent[8, rows // 3 :, dim // 2 :] = sent[2, rows // 3 :, dim // 2 :]
    return price, sent.astype(float)


def rows_of(p, price, sent, ahead):
    """Rows that count, and their targets."""
    rows, targets, streak, last = [], [], 0, np.nan
    for t in range(len(price)):
        if not (np.isfinite(price[t]) and price[t] > 0):
            last = np.nan
            continue
        streak = streak + 1 if price[t] == last else 0
        last = price[t]
        if t % p["stride"] or streak > p["freeze_limit"] or not np.any(sent[:, t] != 0):
            continue
        if t + ahead < len(price) and np.isfinite(price[t + ahead]) and price[t + ahead] > 0:
            rows.append(t)
            targets.append(np.clip(100.0 * (price[t + ahead] / price[t] - 1.0), -p["clip"], p["clip"]))
    rows, targets = rows[-p["max_rows"] :], targets[-p["max_rows"] :]
    return rows, np.array(targets, np.float32).astype(float)


def numbers(p, sent, rows):
    """Numbers by miner and row that counts, and whether the miner is there."""
    x = np.clip(sent[:, rows], -1.0, 1.0)
    if p["max_unchanged"]:
        kept = x.copy()
        for miner in range(len(x)):
            unchanged = 0
            for j in range(1, len(rows)):
                unchanged = unchanged + 1 if np.array_equal(kept[miner, j], kept[miner, j - 1]) else 0
                if unchanged >= p["max_unchanged"]:
                    x[miner, j] = 0.0
    return x, np.any(x != 0, axis=2)


def start(miners, dim):
    """Parameters before the first step."""
    state = SEED

    def draw():
        nonlocal state
        state = (state + 0x9E3779B97F4A7C15) % 2**64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        return ((z ^ (z >> 31)) >> 11) / 2**53

    scale = 1.0 / np.sqrt(HIDDEN)
    w2 = np.array([(2.0 * draw() - 1.0) * scale for _ in range(HIDDEN * HIDDEN)]).reshape(HIDDEN, HIDDEN)
    w3 = np.array([(2.0 * draw() - 1.0) * 0.3 * scale for _ in range(HIDDEN)])
    return {
        "w1": np.zeros((miners, dim, HIDDEN)), "b1": np.full(HIDDEN, 0.1), "w2": w2, "b2": np.full(HIDDEN, 0.05),
        "w3": w3, "b3": np.zeros(()),
    }


def forward(w, z1):
    a1 = np.maximum(z1, 0.0)
    z2 = w["b2"] + a1 @ w["w2"].T
    a2 = np.maximum(z2, 0.0)
    return a1, z2, a2, w["b3"] + a2 @ w["w3"]


def run(p, x, present, y, mask, first_counted, groups, without=None):
    """Absolute errors of the model without the miners of a mask, over the rows that count in the comparison.

    With `without`, a list for each group, also fills in the errors when each is taken out at once. Gives the parameters after
    the last step, too."""
    miners, rows, dim = x.shape
    w = start(miners, dim)
    moments = {key: (np.zeros_like(value), np.zeros_like(value)) for key, value in w.items()}
    kept = [i for i in range(miners) if i not in mask]
    size, errors, steps, own_steps = p["chunk_rows"], [], 0, np.zeros(miners, int)
    for c in range(-(-rows // size)):
        now = slice(c * size, min((c + 1) * size, rows))
        parts = np.einsum("ird,idk->irk", x[:, now], w["w1"])
        z1 = w["b1"] + parts[kept].sum(axis=0)
        _, _, _, found = forward(w, z1)
        if c >= first_counted:
            errors.append(np.abs(found - y[now]))
            if without is not None:
                for group, losses in zip(groups, without):
                    losses.append(np.abs(forward(w, z1 - parts[group].sum(axis=0))[3] - y[now]))
        if c == 0:
            continue
        before = slice((c - 1) * size, c * size)
        xb, n = x[:, before], size
        z1 = w["b1"] + np.einsum("ird,idk->rk", xb[kept], w["w1"][kept])
        a1, z2, a2, found = forward(w, z1)
        e = np.sign(found - y[before]) / n
        d2 = e[:, None] * w["w3"] * (z2 > 0)
        d1 = d2 @ w["w2"] * (z1 > 0)
        gradients = {
            "w1": np.einsum("ird,rk->idk", xb, d1), "b1": d1.sum(axis=0), "w2": d2.T @ a1, "b2": d2.sum(axis=0),
            "w3": e @ a2, "b3": e.sum(),
        }
        steps += 1
        # A miner's steps are counted from its first row on, and shared with those of its group that are there.
        own_steps += np.any(present[:, : c * size], axis=1)
        there = np.any(present[:, before], axis=1)
        share = np.ones(miners)
        for group in groups:
            share[group] = max(1, sum(there[i] and i in kept for i in group))
        for key, g in gradients.items():
            m, v = moments[key]
            m = 0.9 * m + 0.1 * g
            v = 0.999 * v + 0.001 * g * g
            moments[key] = (m, v)
            count, rate = steps, p["learning_rate"]
            if key == "w1":
                count = np.maximum(own_steps, 1)[:, None, None]
                rate = rate / share[:, None, None]
            w[key] = w[key] - rate / (1 - 0.9**count) * m / (np.sqrt(v / (1 - 0.999**count)) + 1e-8)
    return np.concatenate(errors), w


def contributions_of(x, w):
    """What each miner contributes to the forecast of each row, to first order."""
    parts = np.einsum("ird,idk->irk", x, w["w1"])
    z1 = w["b1"] + parts.sum(axis=0)
    _, z2, _, _ = forward(w, z1)
    slope = ((z2 > 0) * w["w3"]) @ w["w2"] * (z1 > 0)
    return np.einsum("rk,irk->ir", slope, parts)


def evidence(difference, lags):
    """Mean and t of a series of differences, by Newey and West."""
    n, mean = len(difference), np.mean(difference)
    d, variance = difference - mean, 0.0
    for lag in range(min(lags, n - 1) + 1):
        c = np.sum(d[lag:] * d[: n - lag]) / n
        variance += c if lag == 0 else 2.0 * (1.0 - lag / (lags + 1)) * c
    return mean, mean / np.sqrt(variance / n) if variance > 0 else 0.0


def foretold(x, there, u):
    """How well the numbers of a miner, in the first half of the rows in which it is there, tell what others contribute in the
    second: a correlation for each of them, 0 where nothing can be said."""
    rows = np.flatnonzero(there)
    half = len(rows) // 2
    if half < 30:
        return np.zeros(len(u))
    fit, ask = rows[:half], rows[half:]
    mean = x[fit].mean(axis=0)
    known, asked = x[fit] - mean, x[ask] - mean
    gram = known.T @ known
    size = np.trace(gram) / len(gram)
    if not size > 0:
        return np.zeros(len(u))
    gram += 1e-6 * size * np.eye(len(gram))
    found = []
    for contribution in u:
        cross = known.T @ (contribution[fit] - contribution[fit].mean())
        told, true = asked @ np.linalg.solve(gram, cross), contribution[ask]
        told, true = told - told.mean(), true - true.mean()
        both = np.sqrt(np.sum(told**2) * np.sum(true**2))
        found.append(np.sum(told * true) / both if both > 0 else 0.0)
    return np.array(found)


def groups_of(p, order, tells):
    """Members and followers of groups of miners, in the order given: each joins the first group of whose first member its numbers
    tell the contribution, and is a follower of the others; one that tells none begins a group."""
    groups = []
    for i in order:
        told = [g for g in groups if tells[i][g[0][0]] >= p["alike"]]
        if not told:
            groups.append(([i], []))
            continue
        told[0][0].append(i)
        for _, followers in told[1:]:
            followers.append(i)
    return groups


def score(p, price, sent, ahead):
    p = DEFAULTS | p
    rows, y = rows_of(p, price, sent, ahead)
    x, present = numbers(p, sent, rows)
    miners, chunks = len(x), -(-len(rows) // p["chunk_rows"])
    first = int(np.floor(p["warm_up"] * chunks))
    lags = 2 * -(-ahead // p["stride"])
    counted = slice(first * p["chunk_rows"], None)

    groups = [[i] for i in range(miners)]
    without = [[] for _ in groups]
    # Where groups are looked for, nobody may learn so fast that others matter.
    slow = p | {"learning_rate": p["learning_rate"] / miners} if p["pay"] == "group" else p
    base, w = run(slow, x, present, y, [], first, groups, without)
    every = -(-len(base) // SAMPLE)
    sample = np.arange(first * p["chunk_rows"], len(rows), every)
    contributions = contributions_of(x[:, sample], w)
    spread = np.var(contributions, axis=1)
    risen = lambda: [np.mean(np.concatenate(losses)) - np.mean(base) for losses in without]
    at_once = risen()
    first_row = [int(np.argmax(present[i])) for i in range(miners)]
    order = sorted((i for i in range(miners) if spread[i] > 0), key=lambda i: -at_once[i])
    groups = [([i], []) for i in order]
    if p["pay"] == "group":
        order.sort(key=lambda i: first_row[i])
        tells = [foretold(x[i, sample], present[i, sample], contributions) for i in range(miners)]
        groups = groups_of(p, order, tells)
    teams = [members for members, _ in groups]
    if p["pay"] == "group":
        teams += [[i] for i in range(miners) if not spread[i] > 0]
        without = [[] for _ in teams]
        base, _ = run(p, x, present, y, [], first, teams, without)
        for team, rise in zip(teams, risen()):
            for i in team:
                at_once[i] = rise
    groups.sort(key=lambda group: -at_once[group[0][0]])
    out = {
        "rows": len(rows), "baseline_mae": np.mean(base), "zero_mae": np.mean(np.abs(y[counted])), "delta_at_once": at_once,
        "delta": [None] * miners, "t": [None] * miners, "adds": [None] * miners, "saliences": [0.0] * miners,
    }
    if out["baseline_mae"] >= out["zero_mae"]:
        return out
    tried = [g for g in groups if at_once[g[0][0]] > 0]
    for group, followers in tried[: p["screen"] or None]:
        if p["share"] == "equal":
            steps = [group]
        else:
            steps = [[i for i in group if first_row[i] == f] for f in sorted(set(first_row[i] for i in group))]
        masks = [sum(steps[s:], []) + followers for s in range(len(steps) + 1)]
        curves = [run(p, x, present, y, mask, first, teams)[0] if mask else base for mask in masks]
        delta, t = evidence(curves[0] - curves[-1], lags)
        added = [evidence(curves[s] - curves[s + 1], lags) for s in range(len(steps))]
        is_sure = lambda mean, t: mean > 0 and t >= p["t_min"]
        pay = [a if is_sure(a, ta) else 0.0 for a, ta in added]
        if not any(pay) and is_sure(delta, t):
            pay = [max(a, 0.0) for a, _ in added]
            pay = [delta * a / sum(pay) for a in pay]
        for step, (a, _), paid in zip(steps, added, pay):
            for i in step:
                out["delta"][i], out["t"][i], out["adds"][i] = delta, t, a
                out["saliences"][i] = paid * spread[i] / sum(spread[k] for k in step)
    return out


def main():
    cases = [
        (1, 3000, 20, 6, 20, {"stride": 2, "chunk_rows": 20, "min_rows": 100}),
        (2, 3000, 20, 6, 20, {"stride": 2, "chunk_rows": 30, "min_rows": 100, "share": "equal", "max_unchanged": 3}),
        (3, 3000, 20, 6, 20, {"stride": 2, "chunk_rows": 20, "min_rows": 100, "pay": "alone", "t_min": 0.0, "screen": 0}),
        (4, 3000, 20, 6, 20, {"stride": 1, "chunk_rows": 24, "min_rows": 100, "screen": 5, "max_rows": 2000}),
    ]
    found = []
    for seed, rows, miners, dim, ahead, params in cases:
        price, sent = ledger(seed, rows, miners, dim)
        out = score(params, price, sent, ahead)
        found.append({
            "seed": seed, "rows": rows, "miners": miners, "dim": dim, "ahead": ahead, "params": params, "found": out,
        })
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "mlp.json")
    with open(path, "w") as file:
        json.dump(found, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
