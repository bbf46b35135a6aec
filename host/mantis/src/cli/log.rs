//! What a service says while it runs: a line per event on standard error, for people or for machines.

use clap::{Args, ValueEnum};
use std::io::{IsTerminal, stderr};
use tracing::level_filters::LevelFilter;

/// How it says what it does.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// The form of log lines.
    #[arg(long, value_name = "FORM", default_value = "text")]
    log_format: Format,
    /// The least level that is logged.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    log_level: Level,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// A line for people.
    Text,
    /// A JSON document per line.
    Json,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    /// What needs somebody.
    Error,
    /// What may need somebody if it goes on.
    Warn,
    /// A line per sample, computation and setting.
    Info,
    /// Everything.
    Debug,
}

impl LogArgs {
    /// Begins to log.
    pub(super) fn start(&self) {
        let level = match self.log_level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
        };
        let only_ours = tracing_subscriber::filter::Targets::new().with_target("mantis", level);
        use tracing_subscriber::prelude::*;
        let lines = tracing_subscriber::fmt::layer().with_writer(stderr).with_target(false);
        let registry = tracing_subscriber::registry();
        // Fails only where something logs already, and then that goes on.
        let _ = match self.log_format {
            Format::Json => {
                let lines = lines.json().flatten_event(true).with_current_span(false).with_span_list(false);
                registry.with(lines.with_filter(only_ours)).try_init()
            }
            Format::Text => {
                let colours = stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
                registry.with(lines.with_ansi(colours).with_filter(only_ours)).try_init()
            }
        };
    }
}
