//! `[collect]`.

use crate::kinds::{Flag, HOST, ListOf, Seconds, Words};
use crate::section::{Section, section};
use std::time::Duration;

section! {
    /// What may be fetched from miners.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Collect {
        /// Hosts of miners' files: one with a dot in front allows every host that ends so, any other only the host of that name.
        hosts: Vec<String> = [".r2.dev", ".r2.cloudflarestorage.com"].map(String::from).into(), in ListOf(HOST);

        /// Largest file, bytes: the network's own bound. A file larger than a payload can be, by `plaintext_bytes`, is
        /// not read to its end either.
        max_bytes: u64 = 26_214_400, in 1..=1 << 30;

        /// Largest plaintext of a payload, bytes, which may take 16 times as much memory once it is read; the payload
        /// may have twice as many bytes and 16,384 more. Forecasts for all of the network's challenges have some 5,000.
        plaintext_bytes: usize = 64 << 10, in 1024..=12 << 20;

        /// What becomes of a file served unchanged, or whose round was out when it was sampled.
        stale: Stale = Stale::Count, in Words(&[("count", Stale::Count), ("refuse", Stale::Refuse)]);

        /// Whether miners' files may lie on this machine's loopback, over plain http and on any port: only for a
        /// network on one machine.
        allow_loopback: bool = false, in Flag;

        /// Files fetched at the same time.
        parallel: usize = 256, in 1..=4096;

        /// Time to find a host and connect to it, s.
        connect_timeout: Duration = Duration::from_secs(5), in Seconds;

        /// Longest silence of a server that is sending, s.
        idle_timeout: Duration = Duration::from_secs(5), in Seconds;

        /// Time for one file, from its lookup to its last byte, s.
        timeout: Duration = Duration::from_secs(10), in Seconds;

        /// Time for all files of a sampled block, s; those that are not there by then are left out.
        round_timeout: Duration = Duration::from_secs(40), in Seconds;

        /// Bytes that all files of a sampled block may take. Half of it is shared out evenly, so that a file of up to
        /// `round_bytes` / 2 / hotkeys (128 KiB by default) always has its place; larger files share the other half, and
        /// one that finds no room is refused.
        round_bytes: u64 = 64 << 20, in 1..=1 << 40;

        /// Bytes that all payloads that wait may take in the ledger. Where they do, a hotkey whose own take more than
        /// `waiting_bytes` / hotkeys (16 MiB by default) is refused more of them until some are opened.
        waiting_bytes: u64 = 4 << 30, in 1..=1 << 40;

        /// Hotkeys that are sampled: of more, those that have committed something come first, and of those the lower UIDs.
        max_hotkeys: usize = 4096, in 1..=65_536;
    }
}

/// What becomes of a payload that was seen before, or whose round was out when it was sampled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stale {
    /// Taken, counted and shown.
    #[default]
    Count,
    /// Refused.
    Refuse,
}

impl Default for Collect {
    fn default() -> Self {
        Self::absent()
    }
}
