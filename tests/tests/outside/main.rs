//! The tests from outside: the built program, its plugins and its library, as those who run them meet them.
//!
//! One program with a harness of its own: see [`mantis_tests::suite`]. The attribute `test` has no meaning here; each file names its
//! tests in `tests()`, and the compiler warns of one that no list names.

#![allow(clippy::unwrap_used, reason = "a test that panics fails, which is what is wanted")]

mod adopt;
mod agree;
mod author;
mod bad_input;
mod belief;
mod bittensor;
mod browser;
mod budget;
mod chain;
mod cluster;
mod cluster_launchers;
mod commands;
mod contract;
mod demo;
mod deploy;
mod doctor;
mod evm;
mod export;
mod file_calls;
mod golden;
mod histories;
mod hostile;
mod hot;
mod killed_writer;
mod live;
mod network;
mod nodes;
mod pages;
mod payload;
mod publishing;
mod publishing_attacked;
mod releases;
mod releases_attacked;
mod replay;
mod report;
mod runtimes;
mod salience;
mod salience_refused;
mod sandbox;
mod score;
mod second;
mod signal;
mod signal_api;
mod signal_keys;
mod step;
mod strategies;
mod strategies_cheat;
mod structure;
mod tracking;
mod validator;
mod validator_chain;
mod walls;
mod web;
mod yuma;

use mantis_tests::suite;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(ledger) = std::env::var_os(killed_writer::LEDGER) {
        killed_writer::write(&ledger);
    }
    let all = [
        adopt::tests(),
        agree::tests(),
        author::tests(),
        bad_input::tests(),
        belief::tests(),
        bittensor::tests(),
        browser::tests(),
        budget::tests(),
        chain::tests(),
        cluster::tests(),
        cluster_launchers::tests(),
        commands::tests(),
        contract::tests(),
        demo::tests(),
        deploy::tests(),
        doctor::tests(),
        evm::tests(),
        export::tests(),
        file_calls::tests(),
        golden::tests(),
        histories::tests(),
        hostile::tests(),
        hot::tests(),
        killed_writer::tests(),
        live::tests(),
        network::tests(),
        nodes::tests(),
        pages::tests(),
        payload::tests(),
        publishing::tests(),
        publishing_attacked::tests(),
        releases::tests(),
        releases_attacked::tests(),
        replay::tests(),
        report::tests(),
        runtimes::tests(),
        salience::tests(),
        salience_refused::tests(),
        sandbox::tests(),
        score::tests(),
        second::tests(),
        signal::tests(),
        signal_api::tests(),
        signal_keys::tests(),
        step::tests(),
        strategies::tests(),
        strategies_cheat::tests(),
        structure::tests(),
        tracking::tests(),
        validator::tests(),
        validator_chain::tests(),
        walls::tests(),
        web::tests(),
        yuma::tests(),
    ];
    suite::run(all.into_iter().flatten())
}
