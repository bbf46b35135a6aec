//! The tables: their names, their columns, and the ledger's tables behind them.

use arrow_schema::{DataType, Field, Schema};
use std::str::FromStr;
use std::sync::Arc;

/// A table that can be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Sampled blocks.
    Blocks,
    /// Prices and funding rates, one per row, ticker and asset.
    Prices,
    /// Miners' vectors, one per row, ticker and hotkey.
    Submissions,
    /// Computations of weights.
    Cycles,
    /// What challenges paid to whom.
    Saliences,
    /// Every UID's way to its weight.
    Weights,
    /// Attempts to set weights.
    Settings,
    /// Why payloads were refused.
    Rejections,
    /// Payloads of each hotkey, counted.
    Miners,
    /// Live states of challenges about events.
    Breakouts,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A whole number, 64 bits.
    Whole,
    /// A number, 64 bits.
    Real,
    /// Yes or no.
    Flag,
    /// Text.
    Text,
    /// Text of few different values, such as hotkeys: stored once each.
    Name,
    /// Numbers, 32 bits each.
    Vector,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a value may be missing.
    pub nullable: bool,
}

impl Column {
    /// A column that has a value in every row.
    #[must_use]
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, nullable: false }
    }
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column::new(name, kind)
}

const fn maybe(name: &'static str, kind: Kind) -> Column {
    Column { name, kind, nullable: true }
}

/// Columns in Arrow's words.
pub(super) fn schema(columns: &[Column]) -> Schema {
    let field = |column: &Column| Field::new(column.name, data_type(column.kind), column.nullable);
    Schema::new(columns.iter().map(field).collect::<Vec<_>>())
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Blocks,
        Self::Prices,
        Self::Submissions,
        Self::Cycles,
        Self::Saliences,
        Self::Weights,
        Self::Settings,
        Self::Rejections,
        Self::Miners,
        Self::Breakouts,
    ];

    /// Its name, for people, programs and files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Prices => "prices",
            Self::Submissions => "submissions",
            Self::Cycles => "cycles",
            Self::Saliences => "saliences",
            Self::Weights => "weights",
            Self::Settings => "settings",
            Self::Rejections => "rejections",
            Self::Miners => "miners",
            Self::Breakouts => "breakouts",
        }
    }

    /// Its columns, in order. docs/data.md gives their units.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        use Kind::{Flag, Name, Real, Text, Vector, Whole};
        match self {
            Self::Blocks => const { &[column("sidx", Whole), column("block", Whole)] },
            Self::Prices => {
                const {
                    &[
                        column("sidx", Whole),
                        column("block", Whole),
                        column("ticker", Name),
                        maybe("asset", Name),
                        column("price", Real),
                    ]
                }
            }
            Self::Submissions => {
                const {
                    &[
                        column("sidx", Whole),
                        column("block", Whole),
                        column("ticker", Name),
                        column("hotkey", Name),
                        column("vector", Vector),
                    ]
                }
            }
            Self::Cycles => {
                const {
                    &[
                        column("block", Whole),
                        column("max_block", Whole),
                        column("unix", Whole),
                        column("seconds", Real),
                        maybe("rejected", Text),
                        column("skipped", Text),
                    ]
                }
            }
            Self::Saliences => {
                const {
                    &[
                        column("block", Whole),
                        column("ticker", Name),
                        column("hotkey", Name),
                        column("salience", Real),
                    ]
                }
            }
            Self::Weights => {
                const {
                    &[
                        column("block", Whole),
                        column("uid", Whole),
                        column("hotkey", Name),
                        column("salience", Real),
                        column("young", Flag),
                        column("share", Real),
                        column("burned", Real),
                        maybe("previous", Real),
                        column("weight", Real),
                    ]
                }
            }
            Self::Settings => {
                const {
                    &[
                        column("computed", Whole),
                        column("block", Whole),
                        column("unix", Whole),
                        column("outcome", Name),
                        maybe("hash", Text),
                        maybe("included", Whole),
                        maybe("error", Text),
                        column("weights", Text),
                    ]
                }
            }
            Self::Rejections => {
                const {
                    &[
                        column("first_block", Whole),
                        column("last_block", Whole),
                        column("hotkey", Name),
                        column("stage", Name),
                        maybe("ticker", Name),
                        column("code", Name),
                        column("times", Whole),
                        column("detail", Text),
                    ]
                }
            }
            Self::Miners => {
                const {
                    &[
                        column("hotkey", Name),
                        column("accepted", Whole),
                        column("stale", Whole),
                        column("early", Whole),
                        column("opened", Whole),
                        column("last_block", Whole),
                    ]
                }
            }
            Self::Breakouts => const { &[column("asset", Name), column("state", Text)] },
        }
    }

    /// The columns in Arrow's words.
    #[must_use]
    pub fn schema(self) -> Schema {
        schema(self.columns())
    }

    /// The ledger's table behind it.
    pub(super) fn source(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Prices | Self::Submissions => "challenge_data",
            Self::Cycles => "host_cycles",
            Self::Saliences => "host_saliences",
            Self::Weights => "host_steps",
            Self::Settings => "host_weight_history",
            Self::Rejections => "host_rejections",
            Self::Miners => "host_miners",
            Self::Breakouts => "breakout_state",
        }
    }

    /// The query for its columns; `?1` and `?2` are the first and the last block, `?3` is a JSON list of tickers or
    /// null. `None` for tables whose rows are not those of the ledger.
    pub(super) fn query(self) -> Option<&'static str> {
        Some(match self {
            Self::Blocks | Self::Prices | Self::Submissions => return None,
            Self::Cycles => {
                "SELECT block, max_block, unix, seconds, rejected, skipped FROM host_cycles
                WHERE block BETWEEN ?1 AND ?2 AND ?3 IS ?3 ORDER BY block"
            }
            Self::Saliences => {
                "SELECT block, ticker, hotkey, salience FROM host_saliences WHERE block BETWEEN ?1 AND ?2
                AND (?3 IS NULL OR ticker IN (SELECT value FROM json_each(?3))) ORDER BY block, ticker, hotkey"
            }
            Self::Weights => {
                "SELECT block, uid, hotkey, salience, young, share, burned, previous, weight FROM host_steps
                WHERE block BETWEEN ?1 AND ?2 AND ?3 IS ?3 ORDER BY block, uid"
            }
            Self::Settings => {
                "SELECT computed, block, unix, outcome, hash, included, error, weights FROM host_weight_history
                WHERE block BETWEEN ?1 AND ?2 AND ?3 IS ?3 ORDER BY block, id"
            }
            Self::Rejections => {
                "SELECT first_block, last_block, hotkey, stage, NULLIF(ticker, ''), code, times, detail
                FROM host_rejections WHERE last_block >= ?1 AND first_block <= ?2
                AND (?3 IS NULL OR ticker IN (SELECT value FROM json_each(?3)))
                ORDER BY first_block, hotkey, stage, ticker, code"
            }
            Self::Miners => {
                "SELECT hotkey, accepted, stale, early, opened, last_block FROM host_miners
                WHERE ?1 IS ?1 AND ?2 IS ?2 AND ?3 IS ?3 ORDER BY hotkey"
            }
            Self::Breakouts => {
                "SELECT asset, state_json FROM breakout_state
                WHERE ?1 IS ?1 AND ?2 IS ?2 AND ?3 IS ?3 ORDER BY asset"
            }
        })
    }
}

/// Arrow's type of a column.
pub(super) fn data_type(kind: Kind) -> DataType {
    match kind {
        Kind::Whole => DataType::Int64,
        Kind::Real => DataType::Float64,
        Kind::Flag => DataType::Boolean,
        Kind::Text => DataType::Utf8,
        Kind::Name => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        Kind::Vector => DataType::List(Arc::new(Field::new("item", DataType::Float32, false))),
    }
}

impl FromStr for Table {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|table| table.as_str() == name);
        found.ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|table| table.as_str()).collect();
            format!("allowed are {}", known.join(", "))
        })
    }
}
