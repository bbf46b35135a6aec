"""Yuma consensus a second time, with whole matrices: reads subnets as JSON lines, writes what an epoch comes to.

Written from the formulas of the chain's public source (pallets/subtensor/src/epoch), not from the program's code. A weight
that is absent and one that is 0 are told apart by a mask, as the chain's sparse matrices do.
"""

import json
import sys

import numpy as np

TOP = 65535.0


def normalized_columns(matrix):
    sums = matrix.sum(axis=0)
    return np.divide(matrix, sums, out=matrix.copy(), where=sums > 0)


def normalized(vector):
    total = vector.sum()
    return vector / total if total > 0 else vector


def medians(stake, weights, kappa):
    """By bisection on the sorted weights of each column, with the stake of those who give as much or more."""
    voters = np.flatnonzero(stake > 0)
    if len(voters) == 0:
        return np.zeros(weights.shape[1])
    share = stake[voters] / stake[voters].sum()
    result = np.zeros(weights.shape[1])
    for column in range(weights.shape[1]):
        given = weights[voters, column]
        supported = [w for w in np.unique(given) if share[given < w].sum() <= share.sum() - kappa]
        result[column] = max(supported) if supported else given.min()
    return result


def epoch(subnet, settled):
    n = len(subnet["neurons"])
    rules, block = subnet["rules"], subnet["block"]
    neurons = subnet["neurons"]
    column = lambda name: np.array([neuron[name] for neuron in neurons], dtype=float)
    stake, updated, registered = column("stake"), column("last_update"), column("registered")
    permit = np.array([neuron["permit"] for neuron in neurons])
    if rules["owner"] is not None:
        permit[rules["owner"]] = True
    committed = np.array([np.inf if x["committed"] is None else x["committed"] for x in neurons])

    active = (updated + rules["activity_cutoff"] >= block) & permit
    stake = normalized(np.where(active, stake, 0.0))

    raw, there = np.zeros((n, n)), np.zeros((n, n), dtype=bool)
    bonds = np.zeros((n, n))
    for i, neuron in enumerate(neurons):
        for j, weight in neuron["weights"]:
            raw[i, j], there[i, j] = weight, True
        for j, bond in neuron["bonds"]:
            bonds[i, j] = bond / TOP
    itself = np.eye(n, dtype=bool)
    if rules["owner"] is not None:
        itself[rules["owner"], rules["owner"]] = False
    there &= permit[:, None] & ~itself
    there &= (updated[:, None] > registered[None, :]) & (committed[:, None] >= registered[None, :])
    raw = np.where(there, raw, 0.0)
    rows = raw.sum(axis=1, keepdims=True)
    weights = np.divide(raw, rows, out=raw.copy(), where=rows > 0)

    consensus = medians(stake, weights, rules["kappa"])
    clipped = np.minimum(weights, consensus)
    trust = clipped.sum(axis=1)
    rank = stake @ clipped
    incentive = normalized(rank)

    penalty = rules["bonds_penalty"]
    if penalty == 0:
        followed, named = weights, there
    elif penalty == 1:
        followed, named = clipped, there & ((weights <= consensus) | (consensus > 0))
    else:
        followed = weights + penalty * (clipped - weights)
        named = followed > 0
    bonds = np.where(registered[None, :] < rules["bonds_from"], bonds, 0.0)
    if rules["yuma3"]:
        if settled:
            after = followed
        elif rules["liquid_alpha"] is not None and (consensus > 0).any():
            low, high, steepness = rules["liquid_alpha"]
            apart = np.where(followed >= bonds, followed - consensus, bonds - followed).clip(0, 1)
            alpha = low + (high - low) / (1 + np.exp(-steepness / 100 * (apart - 0.5)))
            alpha = alpha.clip(low, high)
            after = np.where(named, np.minimum((1 - alpha) * bonds + alpha * followed, 1.0), 0.0)
        else:
            after = rules["alpha"] * followed + (1 - rules["alpha"]) * bonds
        dividends = normalized((normalized_columns(after) @ incentive) * stake)
    else:
        new = normalized_columns(followed * stake[:, None])
        alpha = 1.0 if settled else rules["alpha"]
        after = new if settled else normalized_columns(alpha * new + (1 - alpha) * normalized_columns(bonds))
        dividends = normalized(after @ incentive)
    return {
        "consensus": consensus.tolist(),
        "validator_trust": trust.tolist(),
        "incentive": incentive.tolist(),
        "dividends": dividends.tolist(),
    }


for line in sys.stdin:
    subnet = json.loads(line)
    print(json.dumps([epoch(subnet, settled) for settled in (False, True)]))
