//! The C ABI that native plugins speak.
//!
//! A plugin exports one symbol, the static [`SYMBOL`] of type [`PluginTable`]: a prefix that never changes (magic,
//! ABI version, size, fingerprint) and C functions. Nothing allocated on one side is freed on the other: results go
//! through the host's [`HostTable::emit`], and history is pulled through [`HostTable::read`]. Structured data is
//! JSON; columns of numbers are plain arrays.
//!
//! This is plumbing: [`crate::export!`] writes the plugin's side, the host's loader is the other one.

mod plugin;

use std::ffi::c_void;
use std::ops::RangeInclusive;

/// The ABI version that plugins built with this crate speak.
pub const VERSION: u32 = 1;
/// What has been added to the version, in a way that older plugins of it do not notice: the second number of the WIT
/// package. 1: burn, single precision, channels, facts, forecasts.
pub const MINOR: u32 = 1;
/// The ABI versions that a host built with this crate accepts, in either form. A component's is the first number of the
/// version of the WIT package whose `plugin` it exports; each version, and each addition to one, has a folder in `wit/`
/// that never changes.
pub const SUPPORTED: RangeInclusive<u32> = 1..=1;
/// First bytes of every [`PluginTable`].
pub const MAGIC: [u8; 8] = *b"MANTISPL";
/// Name of the exported static.
pub const SYMBOL: &str = "MANTIS_PLUGIN";
/// Compiler and target of this build, as `rustc 1.95.0 (...) for x86_64-unknown-linux-gnu`.
pub const FINGERPRINT: &str = concat!(env!("MANTIS_RUSTC"), " for ", env!("MANTIS_TARGET"));

/// Call succeeded; its result was emitted.
pub const OK: i32 = 0;
/// Call failed; a [`crate::PluginError`] was emitted as [`Emit::Error`].
pub const FAILED: i32 = 1;

/// What a call of [`HostTable::emit`] carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Emit {
    /// A [`crate::PluginError`] as JSON.
    Error = 0,
    /// A [`crate::Description`] as JSON.
    Description = 1,
    /// A decoded vector: native-endian `f32`s.
    Vector = 2,
    /// Saliences: native-endian `f64`s, one per miner.
    Saliences = 3,
    /// The [`crate::Salience`] as JSON, its numbers in [`Emit::Saliences`].
    Report = 4,
    /// One line for the log.
    Log = 5,
    /// Progress: one native-endian `f64`, 0 to 1.
    Progress = 6,
    /// The [`crate::States`] as JSON.
    States = 7,
    /// The fitted ensemble, in a form that is the challenge's own. Since minor 1.
    Fit = 8,
    /// The [`crate::Outlook`] as JSON. Since minor 1.
    Outlook = 9,
    /// The [`crate::Forecast`] as JSON. Since minor 1.
    Forecast = 10,
}

impl Emit {
    /// The kind with this number, if there is one.
    #[must_use]
    pub fn from_u32(kind: u32) -> Option<Self> {
        [
            Self::Error,
            Self::Description,
            Self::Vector,
            Self::Saliences,
            Self::Report,
            Self::Log,
            Self::Progress,
            Self::States,
            Self::Fit,
            Self::Outlook,
            Self::Forecast,
        ]
        .into_iter()
        .find(|&known| known as u32 == kind)
    }
}

/// Borrowed bytes.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Bytes {
    /// First byte.
    pub ptr: *const u8,
    /// How many.
    pub len: usize,
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }
}

/// What a plugin may call while one of its functions runs.
#[repr(C)]
pub struct HostTable {
    /// Handed back in every call.
    pub ctx: *mut c_void,
    /// Takes a result: kind (see [`Emit`]), first byte, length. The bytes are copied before it returns.
    pub emit: unsafe extern "C" fn(ctx: *mut c_void, kind: u32, ptr: *const u8, len: usize),
    /// Copies a block of history (miners from-to, rows from-to) to `out`, which holds `len` half floats. Returns
    /// [`OK`] or another number.
    pub read: unsafe extern "C" fn(
        ctx: *mut c_void,
        miners_from: usize,
        miners_to: usize,
        rows_from: usize,
        rows_to: usize,
        out: *mut u16,
        len: usize,
    ) -> i32,
    /// As `read`, in single precision. Since minor 1.
    pub read_f32: unsafe extern "C" fn(
        ctx: *mut c_void,
        miners_from: usize,
        miners_to: usize,
        rows_from: usize,
        rows_to: usize,
        out: *mut f32,
        len: usize,
    ) -> i32,
}

/// [`crate::Market`] across the boundary.
#[repr(C)]
pub struct MarketTable {
    /// All rows.
    pub rows: usize,
    /// Columns of `prices`.
    pub assets: usize,
    /// Rows that may be scored; length of `submitted`.
    pub scored_rows: usize,
    /// `rows` numbers.
    pub sidx: *const i64,
    /// `rows x assets` numbers.
    pub prices: *const f64,
    /// `scored_rows` bytes, 0 or 1.
    pub submitted: *const u8,
    /// JSON list of pairs of strings.
    pub carried: Bytes,
    /// `rows x channel_count` numbers. Since minor 1.
    pub channels: *const f64,
    /// Channels of the feed beside the price. Since minor 1.
    pub channel_count: usize,
    /// JSON list of [`crate::FactList`]. Since minor 1.
    pub facts: Bytes,
}

/// The head of a [`crate::History`] across the boundary.
#[repr(C)]
pub struct HistoryTable {
    /// Rows.
    pub rows: usize,
    /// Miners.
    pub miners: usize,
    /// Numbers per miner and row.
    pub dim: usize,
    /// JSON list of strings.
    pub hotkeys: Bytes,
}

/// What a plugin exports. Tables grow at their ends only, so each side reads what it knows of the other's.
#[repr(C)]
pub struct PluginTable {
    /// What every plugin of version 1 has.
    pub first: FirstTable,
    /// [`MINOR`] of the plugin. A plugin of minor 0 exports a [`FirstTable`] alone.
    pub minor: u32,
    /// Emits the [`Emit::Outlook`]. There if the challenge forecasts.
    pub outlook: Option<unsafe extern "C" fn(instance: *mut c_void, host: *const HostTable) -> i32>,
    /// Emits the [`Emit::Forecast`] of a fit, `latest_len` numbers of miners, and the last rows of the market. There if the
    /// challenge forecasts.
    pub forecast: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            host: *const HostTable,
            fit: Bytes,
            latest: *const f32,
            latest_len: usize,
            market: *const MarketTable,
        ) -> i32,
    >,
}

/// What every plugin of version 1 exports. The fields up to `fingerprint` are the same in every ABI version.
#[repr(C)]
pub struct FirstTable {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// ABI version of the plugin.
    pub abi: u32,
    /// Size in bytes of the table that is exported: of this one, or of a [`PluginTable`].
    pub size: u32,
    /// [`FINGERPRINT`] of the plugin's build.
    pub fingerprint: Bytes,
    /// Emits the [`Emit::Description`].
    pub describe: unsafe extern "C" fn(host: *const HostTable) -> i32,
    /// Makes an instance of a [`crate::Spec`] and a [`crate::ParamMap`], both JSON, and stores it in `out`.
    pub configure: unsafe extern "C" fn(
        host: *const HostTable,
        spec: Bytes,
        params: Bytes,
        out: *mut *mut c_void,
    ) -> i32,
    /// Emits the [`Emit::Vector`] of a submission (JSON).
    pub decode: unsafe extern "C" fn(instance: *mut c_void, host: *const HostTable, json: Bytes) -> i32,
    /// Labels and scores; emits [`Emit::Saliences`], then [`Emit::Report`], and the [`Emit::Fit`] if the spec asks for it and
    /// there is one.
    pub score: unsafe extern "C" fn(
        instance: *mut c_void,
        host: *const HostTable,
        market: *const MarketTable,
        history: *const HistoryTable,
    ) -> i32,
    /// Emits the [`Emit::States`] that [`crate::States`] become by a list of [`crate::TrackedRow`], both JSON.
    pub track: unsafe extern "C" fn(
        instance: *mut c_void,
        host: *const HostTable,
        states: Bytes,
        rows: Bytes,
    ) -> i32,
    /// Frees an instance.
    pub destroy: unsafe extern "C" fn(instance: *mut c_void),
}

#[allow(unsafe_code)]
// SAFETY: the only pointers are `fingerprint`'s, to a `&'static str` that is never written.
unsafe impl Sync for PluginTable {}

impl PluginTable {
    /// The table of a challenge; [`crate::export!`] puts it into a static.
    #[must_use]
    pub const fn for_challenge<C: crate::Challenge>() -> Self {
        plugin::table::<C>()
    }

    /// The table of a challenge that forecasts.
    #[must_use]
    pub const fn for_signal<C: crate::Signal>() -> Self {
        plugin::signal_table::<C>()
    }
}

/// Exports a [`crate::Challenge`] as the plugin of this library: a C table, or the functions of a WebAssembly
/// component. Once per crate, whose `crate-type` has `cdylib`. `export!(MyChallenge: Signal)` exports one that forecasts.
#[cfg(not(target_family = "wasm"))]
#[macro_export]
macro_rules! export {
    ($challenge:ty) => {
        $crate::export!(@table for_challenge, $challenge);
    };
    ($challenge:ty : Signal) => {
        $crate::export!(@table for_signal, $challenge);
    };
    (@table $make:ident, $challenge:ty) => {
        /// What the native loader looks up.
        #[allow(unsafe_code)]
        // SAFETY: no other item of a plugin library has this name.
        #[unsafe(no_mangle)]
        pub static MANTIS_PLUGIN: $crate::abi::PluginTable = $crate::abi::PluginTable::$make::<$challenge>();
    };
}

/// Exports a [`crate::Challenge`] as the plugin of this library: a C table, or the functions of a WebAssembly
/// component. Once per crate, whose `crate-type` has `cdylib`. `export!(MyChallenge: Signal)` exports one that forecasts.
#[cfg(target_family = "wasm")]
#[macro_export]
macro_rules! export {
    ($challenge:ty) => {
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            type MantisComponent = $crate::component::Component<$challenge>;
            $crate::component::bindings::export_component!(
                MantisComponent with_types_in $crate::component::bindings
            );
        };
    };
    ($challenge:ty : Signal) => {
        #[allow(unsafe_code, missing_docs)]
        const _: () = {
            type MantisComponent = $crate::component::Component<$challenge, $crate::component::Forecaster>;
            $crate::component::bindings::export_component!(
                MantisComponent with_types_in $crate::component::bindings
            );
            $crate::component::signal::export_signal!(
                MantisComponent with_types_in $crate::component::signal
            );
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_accepts_the_plugins_that_its_own_contract_makes() {
        assert!(SUPPORTED.contains(&VERSION), "{VERSION} is not in {SUPPORTED:?}");
    }

    #[test]
    fn every_version_has_its_wit() {
        for version in SUPPORTED {
            for minor in 0..=if version == VERSION { MINOR } else { 0 } {
                let folder = if minor == 0 { format!("v{version}") } else { format!("v{version}.{minor}") };
                let path = format!("{}/wit/{folder}/challenge.wit", env!("CARGO_MANIFEST_DIR"));
                let wit = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
                let package = format!("package mantis:challenge@{version}.{minor}.0;");
                assert!(wit.contains(&package), "{path}");
            }
        }
    }

    #[test]
    fn a_plugin_of_minor_0_had_as_many_fields() {
        // Magic, version and size, fingerprint, six functions.
        assert_eq!(size_of::<FirstTable>(), 8 + 8 + size_of::<Bytes>() + 6 * size_of::<usize>());
        assert_eq!(std::mem::offset_of!(PluginTable, minor), size_of::<FirstTable>());
    }

    /// Plugins that people have built must go on working: make a new version instead of changing an old one.
    #[test]
    fn the_wit_of_version_1_is_frozen() {
        let host = "log: func(line: string); progress: func(done: f64); fail: func(message: string); \
            sidx: func() -> list<s64>; prices: func() -> list<f64>; submitted: func() -> list<u8>; \
            hotkeys: func() -> list<string>; history: func(miners-from: u32, miners-to: u32, rows-from: u32, \
            rows-to: u32) -> result<list<u16>, string>;";
        let plugin = "interface plugin { describe: func() -> string; \
            configure: func(spec: string, params: string) -> result<_, string>; \
            decode: func(submission: string) -> result<list<f32>, string>; \
            score: func(task: string) -> result<tuple<list<f64>, string>, string>; \
            track: func(states: string, rows: string) -> result<string, string>; }";
        let world = "world challenge { import host; export plugin; }";
        let first = format!("package mantis:challenge@1.0.0; interface host {{ {host} }} {plugin} {world}");
        assert_eq!(words(include_str!("../../wit/v1/challenge.wit")), words(&first));

        let host = format!(
            "{host} history-f32: func(miners-from: u32, miners-to: u32, rows-from: u32, rows-to: u32) \
             -> result<list<f32>, string>; channels: func() -> list<f64>; facts: func() -> string;"
        );
        let signal = "interface signal { outlook: func() -> string; fit: func() -> option<list<u8>>; \
            forecast: func(fit: list<u8>, latest: list<f32>, market: string) -> result<string, string>; }";
        let worlds = format!("{world} world forecaster {{ include challenge; export signal; }}");
        let second =
            format!("package mantis:challenge@1.1.0; interface host {{ {host} }} {plugin} {signal} {worlds}");
        assert_eq!(words(include_str!("../../wit/v1.1/challenge.wit")), words(&second));
    }

    /// The words of a WIT, without its comments.
    fn words(wit: &str) -> Vec<&str> {
        let code = wit.lines().map(|line| line.split("//").next().unwrap_or_default());
        code.flat_map(str::split_whitespace).collect()
    }
}
