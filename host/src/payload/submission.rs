//! From a miner's plaintext to one JSON value per challenge.
