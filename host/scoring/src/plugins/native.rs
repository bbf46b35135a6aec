//! The native loader: shared libraries over the C ABI of `mantis_plugin_api::abi`.
#![allow(unsafe_code)]
// Why unsafe is needed at all: loading a library runs its initialisers, and its functions take raw pointers. A
// native plugin is trusted code; it is loaded in worker processes only, so the worst it can do by accident is to
// end its own challenge. What is checked before any of its code is called: magic, ABI version, table size, and the
// fingerprint of compiler and target.

use super::results::{
    broken, checked_fit, checked_forecast, checked_salience, checked_vector, no_signal, parse, to_json,
};
use super::{Instance, LoadError, Plugin, Scored};
use libloading::Library;
use mantis_plugin_api::abi::{
    Bytes, Emit, FINGERPRINT, FirstTable, HistoryTable, HostTable, MAGIC, MINOR, MarketTable, OK,
    PluginTable, SUPPORTED, SYMBOL, VERSION,
};
use mantis_plugin_api::{
    Description, Forecast, History, Market, Outlook, ParamMap, PluginError, Progress, Silent, Spec, States,
    TrackedRow, f16,
};
use std::ffi::c_void;
use std::mem::{ManuallyDrop, offset_of};
use std::ops::Range;
use std::path::Path;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};

/// A loaded native plugin. It stays loaded until the process ends: unloading a library whose threads or
/// destructors may still run is undefined.
#[derive(Clone, Copy)]
pub struct NativePlugin {
    table: &'static FirstTable,
    minor: u32,
    signal: Option<SignalTable>,
}

/// The functions of a plugin that forecasts.
#[derive(Clone, Copy)]
struct SignalTable {
    outlook: unsafe extern "C" fn(*mut c_void, *const HostTable) -> i32,
    forecast: unsafe extern "C" fn(
        *mut c_void,
        *const HostTable,
        Bytes,
        *const f32,
        usize,
        *const MarketTable,
    ) -> i32,
}

impl NativePlugin {
    /// Loads a library from `file`; `path` is its name in messages.
    ///
    /// # Errors
    /// [`LoadError`], which names the file, what it was built for, what is supported, and the remedy.
    pub(super) fn load(path: &Path, file: &Path) -> Result<Self, LoadError> {
        // SAFETY: runs the library's initialisers; see the head of this file.
        let library = unsafe { Library::new(file) }.map_err(|e| LoadError::Unloadable {
            path: path.to_path_buf(),
            message: describe_dl_error(&e).replace(&*file.to_string_lossy(), &path.to_string_lossy()),
        })?;
        let library = ManuallyDrop::new(library);
        // SAFETY: every library that exports this name exports a `PluginTable`; its prefix is checked first.
        let table = unsafe { library.get::<*const PluginTable>(SYMBOL.as_bytes()) }
            .map(|symbol| *symbol)
            .map_err(|_| not_a_plugin(path, "it exports no `MANTIS_PLUGIN`"))?;
        checked(path, table)
    }
}

/// Checks the prefix, field by field, before anything behind it is believed.
fn checked(path: &Path, table: *const PluginTable) -> Result<NativePlugin, LoadError> {
    if table.is_null() || !table.is_aligned() {
        return Err(not_a_plugin(path, "its `MANTIS_PLUGIN` is no table"));
    }
    let first: *const FirstTable = table.cast();
    // SAFETY: the library is never unloaded; the prefix has the same layout in every ABI version.
    let (magic, abi, size, fingerprint) =
        unsafe { ((*first).magic, (*first).abi, (*first).size as usize, (*first).fingerprint) };
    if magic != MAGIC {
        return Err(not_a_plugin(path, "its `MANTIS_PLUGIN` has another magic number"));
    }
    let fingerprint = if fingerprint.ptr.is_null() || fingerprint.len > 1000 {
        "an unknown compiler".into()
    } else {
        // SAFETY: points to a static string of the library.
        String::from_utf8_lossy(unsafe { std::slice::from_raw_parts(fingerprint.ptr, fingerprint.len) })
            .into_owned()
    };
    let is_of_this_version = SUPPORTED.contains(&abi);
    let has = |end: usize| is_of_this_version && size >= end;
    let minor = if has(offset_of!(PluginTable, minor) + size_of::<u32>()) {
        // SAFETY: a table of this version that is so long has the field.
        unsafe { (*table).minor }
    } else {
        0
    };
    let fits = is_of_this_version && size >= size_of::<FirstTable>() && minor <= MINOR;
    if !fits || fingerprint != FINGERPRINT {
        return Err(LoadError::Mismatch {
            path: path.to_path_buf(),
            built_for: format!("ABI {abi}.{minor} by {fingerprint}"),
            supported: format!("ABI {}.0 to {VERSION}.{MINOR} by {FINGERPRINT}", SUPPORTED.start()),
        });
    }
    // SAFETY: version and size say that it is the table that this host knows.
    let first = unsafe { &*first };
    let signal = if has(size_of::<PluginTable>()) {
        // SAFETY: as above, for all of its fields.
        let (outlook, forecast) = unsafe { ((*table).outlook, (*table).forecast) };
        outlook.zip(forecast).map(|(outlook, forecast)| SignalTable { outlook, forecast })
    } else {
        None
    };
    Ok(NativePlugin { table: first, minor, signal })
}

impl Plugin for NativePlugin {
    fn minor(&self) -> u32 {
        self.minor
    }

    fn describe(&self) -> Result<Description, PluginError> {
        let call = Call::new(&Silent, None);
        // SAFETY: the tables outlive the call.
        let status = unsafe { (self.table.describe)(&call.table()) };
        parse(&call.finish(status)?.description, "description")
    }

    fn configure(&self, spec: &Spec, params: &ParamMap) -> Result<Box<dyn Instance>, PluginError> {
        let (spec_json, params) = (to_json(spec)?, to_json(params)?);
        let call = Call::new(&Silent, None);
        let mut instance = std::ptr::null_mut();
        // SAFETY: as above; the plugin stores one pointer in `instance`.
        let status = unsafe {
            (self.table.configure)(
                &call.table(),
                spec_json.as_slice().into(),
                params.as_slice().into(),
                &mut instance,
            )
        };
        call.finish(status)?;
        if instance.is_null() {
            return Err(broken("`configure` gave no instance"));
        }
        let Self { table, signal, .. } = *self;
        Ok(Box::new(NativeInstance { table, signal, instance, storage_dim: spec.storage_dim() }))
    }
}

struct NativeInstance {
    table: &'static FirstTable,
    signal: Option<SignalTable>,
    instance: *mut c_void,
    storage_dim: usize,
}

impl Drop for NativeInstance {
    fn drop(&mut self) {
        // SAFETY: made by this table's `configure`, freed once.
        unsafe { (self.table.destroy)(self.instance) };
    }
}

impl Instance for NativeInstance {
    fn decode(&mut self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        let json = to_json(submission)?;
        let call = Call::new(&Silent, None);
        // SAFETY: as above.
        let status = unsafe { (self.table.decode)(self.instance, &call.table(), json.as_slice().into()) };
        let results = call.finish(status)?;
        let (words, rest) = results.vector.as_chunks::<4>();
        let vector: Vec<f32> = words.iter().map(|&word| f32::from_ne_bytes(word)).collect();
        if !rest.is_empty() {
            return Err(broken("`decode` gave a part of a number"));
        }
        checked_vector(vector, self.storage_dim)
    }

    fn score(
        &mut self,
        market: &Rc<Market>,
        history: &Rc<dyn History>,
        run: &Rc<dyn Progress>,
    ) -> Result<Scored, PluginError> {
        let shape = history.shape();
        if shape.rows != market.scored_rows {
            return Err(PluginError::host("market and history do not fit each other"));
        }
        let hotkeys = to_json(&history.hotkeys())?;
        let parts = MarketParts::of(market)?;
        let market = parts.table(market);
        let table = HistoryTable {
            rows: shape.rows,
            miners: shape.miners,
            dim: shape.dim,
            hotkeys: hotkeys.as_slice().into(),
        };
        let call = Call::new(&**run, Some(&**history));
        // SAFETY: as above; lengths were checked.
        let status = unsafe { (self.table.score)(self.instance, &call.table(), &market, &table) };
        let results = call.finish(status)?;
        let (words, rest) = results.saliences.as_chunks::<8>();
        let numbers: Vec<f64> = words.iter().map(|&word| f64::from_ne_bytes(word)).collect();
        if !rest.is_empty() {
            return Err(broken("`score` gave a part of a number"));
        }
        let salience = checked_salience(numbers, parse(&results.report, "report")?, history.hotkeys())?;
        Ok((salience, checked_fit(results.fit)?))
    }

    fn track(&mut self, states: &States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        let (states, rows) = (to_json(states)?, to_json(&rows)?);
        let call = Call::new(&Silent, None);
        let (states, rows) = (states.as_slice().into(), rows.as_slice().into());
        // SAFETY: as above.
        let status = unsafe { (self.table.track)(self.instance, &call.table(), states, rows) };
        parse(&call.finish(status)?.states, "state")
    }

    fn outlook(&mut self) -> Result<Option<Outlook>, PluginError> {
        let Some(signal) = &self.signal else { return Ok(None) };
        let call = Call::new(&Silent, None);
        // SAFETY: as above.
        let status = unsafe { (signal.outlook)(self.instance, &call.table()) };
        parse(&call.finish(status)?.outlook, "outlook").map(Some)
    }

    fn forecast(&mut self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        let signal = self.signal.as_ref().ok_or_else(no_signal)?;
        let parts = MarketParts::of(market)?;
        let call = Call::new(&Silent, None);
        // SAFETY: as above; lengths were checked.
        let status = unsafe {
            (signal.forecast)(
                self.instance,
                &call.table(),
                fit.into(),
                latest.as_ptr(),
                latest.len(),
                &parts.table(market),
            )
        };
        checked_forecast(parse(&call.finish(status)?.forecast, "forecast")?)
    }
}

/// What of a market must be made before it can cross, and how many channels it has.
struct MarketParts {
    submitted: Vec<u8>,
    carried: Vec<u8>,
    facts: Vec<u8>,
    channel_count: usize,
}

impl MarketParts {
    /// The parts of a market whose columns are as long as its rows say.
    fn of(market: &Market) -> Result<Self, PluginError> {
        let channel_count = market.channels.len() / market.rows().max(1);
        if market.channels.len() != market.rows() * channel_count {
            return Err(PluginError::host("channels and rows do not fit each other"));
        }
        if market.prices.len() != market.rows() * market.assets
            || market.submitted.len() != market.scored_rows
            || market.scored_rows > market.rows()
        {
            return Err(PluginError::host("a market whose columns do not fit each other"));
        }
        Ok(Self {
            submitted: market.submitted.iter().map(|&x| u8::from(x)).collect(),
            carried: to_json(&market.carried)?,
            facts: to_json(&market.facts)?,
            channel_count,
        })
    }

    /// The table of the market that it was made of; both must outlive it.
    fn table(&self, market: &Market) -> MarketTable {
        MarketTable {
            rows: market.rows(),
            assets: market.assets,
            scored_rows: market.scored_rows,
            sidx: market.sidx.as_ptr(),
            prices: market.prices.as_ptr(),
            submitted: self.submitted.as_ptr(),
            carried: self.carried.as_slice().into(),
            channels: market.channels.as_ptr(),
            channel_count: self.channel_count,
            facts: self.facts.as_slice().into(),
        }
    }
}

/// One call into a plugin: what it may reach, and what it has emitted.
struct Call<'a> {
    run: &'a dyn Progress,
    history: Option<&'a dyn History>,
    results: Mutex<Results>,
}

#[derive(Default)]
struct Results {
    error: Vec<u8>,
    description: Vec<u8>,
    vector: Vec<u8>,
    saliences: Vec<u8>,
    report: Vec<u8>,
    states: Vec<u8>,
    fit: Option<Vec<u8>>,
    outlook: Vec<u8>,
    forecast: Vec<u8>,
}

impl<'a> Call<'a> {
    fn new(run: &'a dyn Progress, history: Option<&'a dyn History>) -> Self {
        Self { run, history, results: Mutex::default() }
    }

    fn table(&self) -> HostTable {
        HostTable { ctx: std::ptr::from_ref(self).cast_mut().cast(), emit, read, read_f32 }
    }

    fn finish(self, status: i32) -> Result<Results, PluginError> {
        let results = self.results.into_inner().unwrap_or_else(PoisonError::into_inner);
        if status == OK {
            return Ok(results);
        }
        Err(parse(&results.error, "error").unwrap_or_else(|e| e))
    }
}

unsafe extern "C" fn emit(ctx: *mut c_void, kind: u32, ptr: *const u8, len: usize) {
    // SAFETY: `ctx` is the `Call` whose table this is, alive during the call; the plugin's bytes are too.
    let (call, bytes) = unsafe {
        (&*ctx.cast::<Call<'_>>(), if len == 0 { &[] } else { std::slice::from_raw_parts(ptr, len) })
    };
    let mut results = call.results.lock().unwrap_or_else(PoisonError::into_inner);
    let slot = match Emit::from_u32(kind) {
        Some(Emit::Error) => &mut results.error,
        Some(Emit::Description) => &mut results.description,
        Some(Emit::Vector) => &mut results.vector,
        Some(Emit::Saliences) => &mut results.saliences,
        Some(Emit::Report) => &mut results.report,
        Some(Emit::States) => &mut results.states,
        Some(Emit::Fit) => results.fit.get_or_insert_default(),
        Some(Emit::Outlook) => &mut results.outlook,
        Some(Emit::Forecast) => &mut results.forecast,
        Some(Emit::Log) => return call.run.log(&String::from_utf8_lossy(bytes)),
        Some(Emit::Progress) => {
            return call.run.report(bytes.try_into().map_or(0.0, f64::from_ne_bytes));
        }
        None => return,
    };
    *slot = bytes.to_vec();
}

unsafe extern "C" fn read(
    ctx: *mut c_void,
    miners_from: usize,
    miners_to: usize,
    rows_from: usize,
    rows_to: usize,
    out: *mut u16,
    len: usize,
) -> i32 {
    let range = [miners_from, miners_to, rows_from, rows_to];
    // SAFETY: `ctx` and `out` are the caller's; half floats are transparent `u16`s.
    unsafe { read_block(ctx, range, out.cast::<f16>(), len, |history, m, r, out| history.read(m, r, out)) }
}

unsafe extern "C" fn read_f32(
    ctx: *mut c_void,
    miners_from: usize,
    miners_to: usize,
    rows_from: usize,
    rows_to: usize,
    out: *mut f32,
    len: usize,
) -> i32 {
    let range = [miners_from, miners_to, rows_from, rows_to];
    // SAFETY: `ctx` and `out` are the caller's.
    unsafe { read_block(ctx, range, out, len, |history, m, r, out| history.read_f32(m, r, out)) }
}

/// Reads a block, miners and rows from and to, as `read` does.
///
/// # Safety
/// `ctx` must be the `Call` whose table this is, and `out` hold `len` numbers, alive during the call.
unsafe fn read_block<T>(
    ctx: *mut c_void,
    [miners_from, miners_to, rows_from, rows_to]: [usize; 4],
    out: *mut T,
    len: usize,
    read: impl Fn(&dyn History, Range<usize>, Range<usize>, &mut [T]) -> Result<(), PluginError>,
) -> i32 {
    // SAFETY: by contract.
    let (call, out) = unsafe {
        let out = if len == 0 { &mut [] } else { std::slice::from_raw_parts_mut(out, len) };
        (&*ctx.cast::<Call<'_>>(), out)
    };
    let Some(history) = call.history else { return 2 };
    if miners_from > miners_to || rows_from > rows_to {
        return 3;
    }
    match read(history, miners_from..miners_to, rows_from..rows_to, out) {
        Ok(()) => OK,
        Err(error) => {
            call.run.log(&error.to_string());
            4
        }
    }
}

fn not_a_plugin(path: &Path, message: &str) -> LoadError {
    LoadError::NotAPlugin { path: path.to_path_buf(), message: message.into() }
}

/// libloading's errors hide the loader's sentence in their source.
fn describe_dl_error(error: &libloading::Error) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
