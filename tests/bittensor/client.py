"""What the chain's own client makes of weights and of reveals: a question per line of standard input, an answer per line.

bittensor 11.3.0, bittensor-core 0.1.5.
"""

import json
import sys
import time

import bittensor_core
from bittensor.intents import weights
from bittensor.result import BittensorError

# The beacon quicknet: the time of its first round, and seconds of a round.
GENESIS, PERIOD = 1_692_803_367, 3
# Seconds of a block, so many that a second more or less does not matter.
BLOCK = 3600


def fitted(question):
    """UIDs and weights within a subnet's limits, or why there are none."""
    limits = weights._Preflight(question["own"], False, question["fewest"], question["largest"])
    try:
        uids, values = weights._conform(question["uids"], question["weights"], limits, 123)
    except BittensorError as error:
        return str(error)
    return list(zip(uids, values))


def reveal(question):
    """Blocks from the newest one to the round that a commit is sealed to."""
    now = time.time()
    _, number = bittensor_core.get_encrypted_commit_v2(
        uids=[0],
        weights=[1],
        version_key=0,
        last_epoch_block=question["last_epoch"],
        pending_epoch_at=question["pending"],
        subnet_epoch_index=0,
        tempo=question["tempo"],
        blocks_since_last_step=question["since_step"],
        current_block=question["block"],
        subnet_reveal_period_epochs=question["reveal_period"],
        block_time=float(BLOCK),
        hotkey=bytes(32),
    )
    return round((GENESIS + number * PERIOD - now) / BLOCK)


ANSWERS = {"fitted": fitted, "reveal": reveal}
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps(ANSWERS[question["ask"]](question)))
