//! The plugin's side of the C ABI.
#![allow(unsafe_code)]
// Why unsafe is needed at all: the host reaches a plugin through a C ABI, so pointers cross. Every function here is
// called by the host's loader only, which keeps its half of the contract in `abi/mod.rs`: non-null tables that
// outlive the call, pointers with the lengths they come with, instances made by `configure` and used by one thread
// at a time.

use super::{
    Bytes, Emit, FAILED, FINGERPRINT, FirstTable, HistoryTable, HostTable, MAGIC, MINOR, MarketTable, OK,
    PluginTable, VERSION,
};
use crate::instance::{Instance, SignalFunctions};
use crate::{Challenge, History, Market, PluginError, Progress, Salience, Shape, Signal, Spec, TrackedRow};
use half::f16;
use std::ffi::c_void;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, Once, PoisonError};

pub(super) const fn table<C: Challenge>() -> PluginTable {
    PluginTable { first: first::<C>(configure::<C>), minor: MINOR, outlook: None, forecast: None }
}

pub(super) const fn signal_table<C: Signal>() -> PluginTable {
    PluginTable {
        first: first::<C>(configure_signal::<C>),
        minor: MINOR,
        outlook: Some(outlook::<C>),
        forecast: Some(forecast::<C>),
    }
}

type Configure = unsafe extern "C" fn(*const HostTable, Bytes, Bytes, *mut *mut c_void) -> i32;

const fn first<C: Challenge>(configure: Configure) -> FirstTable {
    FirstTable {
        magic: MAGIC,
        abi: VERSION,
        size: size_of::<PluginTable>() as u32,
        fingerprint: Bytes { ptr: FINGERPRINT.as_ptr(), len: FINGERPRINT.len() },
        describe: describe::<C>,
        configure,
        decode: decode::<C>,
        score: score::<C>,
        track: track::<C>,
        destroy: destroy::<C>,
    }
}

unsafe extern "C" fn describe<C: Challenge>(host: *const HostTable) -> i32 {
    // SAFETY: the loader hands a table that outlives the call.
    let host = unsafe { &*host };
    guarded(host, || {
        emit_json(host, Emit::Description, &C::describe());
        Ok(())
    })
}

unsafe extern "C" fn configure<C: Challenge>(
    host: *const HostTable,
    spec: Bytes,
    params: Bytes,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: as for `configure_with`.
    unsafe { configure_with::<C>(host, spec, params, out, None) }
}

unsafe extern "C" fn configure_signal<C: Signal>(
    host: *const HostTable,
    spec: Bytes,
    params: Bytes,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: as for `configure_with`.
    unsafe { configure_with::<C>(host, spec, params, out, Some(SignalFunctions::new())) }
}

/// # Safety
/// The table and the bytes must outlive the call, and `out` be a place for one pointer.
unsafe fn configure_with<C: Challenge>(
    host: *const HostTable,
    spec: Bytes,
    params: Bytes,
    out: *mut *mut c_void,
    signal: Option<SignalFunctions<C>>,
) -> i32 {
    // SAFETY: by contract.
    let host = unsafe { &*host };
    guarded(host, || {
        // SAFETY: by contract.
        let (spec, params) = unsafe { (spec.borrow(), params.borrow()) };
        let spec: Spec = from_json(spec)?;
        let instance = Instance::<C>::configure(spec, &from_json(params)?, signal)?;
        // SAFETY: by contract.
        unsafe { *out = Box::into_raw(Box::new(instance)).cast() };
        Ok(())
    })
}

unsafe extern "C" fn decode<C: Challenge>(instance: *mut c_void, host: *const HostTable, json: Bytes) -> i32 {
    // SAFETY: as above; `instance` was made by `configure_with::<C>`.
    let (host, challenge) = unsafe { (&*host, &(*instance.cast::<Instance<C>>()).challenge) };
    guarded(host, || {
        // SAFETY: as above.
        let vector = challenge.decode(&from_json(unsafe { json.borrow() })?)?;
        let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_ne_bytes()).collect();
        emit(host, Emit::Vector, &bytes);
        Ok(())
    })
}

unsafe extern "C" fn score<C: Challenge>(
    instance: *mut c_void,
    host: *const HostTable,
    market: *const MarketTable,
    history: *const HistoryTable,
) -> i32 {
    // SAFETY: as above.
    let (host, instance) = unsafe { (&*host, &*instance.cast::<Instance<C>>()) };
    guarded(host, || {
        // SAFETY: the loader's tables describe arrays of the lengths they name, alive during the call.
        let (market, history) = unsafe { (owned_market(&*market)?, HostHistory::new(host, &*history)?) };
        let (salience, fit) = instance.score(&market, &history, host)?;
        emit_salience(host, salience);
        if let Some(fit) = fit {
            emit(host, Emit::Fit, &fit);
        }
        Ok(())
    })
}

unsafe extern "C" fn outlook<C: Challenge>(instance: *mut c_void, host: *const HostTable) -> i32 {
    // SAFETY: as above.
    let (host, instance) = unsafe { (&*host, &*instance.cast::<Instance<C>>()) };
    guarded(host, || {
        emit_json(host, Emit::Outlook, &instance.outlook()?);
        Ok(())
    })
}

unsafe extern "C" fn forecast<C: Challenge>(
    instance: *mut c_void,
    host: *const HostTable,
    fit: Bytes,
    latest: *const f32,
    latest_len: usize,
    market: *const MarketTable,
) -> i32 {
    // SAFETY: as above.
    let (host, instance) = unsafe { (&*host, &*instance.cast::<Instance<C>>()) };
    guarded(host, || {
        // SAFETY: as above.
        let (fit, latest, market) =
            unsafe { (fit.borrow(), owned(latest, latest_len), owned_market(&*market)?) };
        emit_json(host, Emit::Forecast, &instance.forecast(fit, &latest, &market)?);
        Ok(())
    })
}

unsafe extern "C" fn track<C: Challenge>(
    instance: *mut c_void,
    host: *const HostTable,
    states: Bytes,
    rows: Bytes,
) -> i32 {
    // SAFETY: as above.
    let (host, challenge) = unsafe { (&*host, &(*instance.cast::<Instance<C>>()).challenge) };
    guarded(host, || {
        // SAFETY: as above.
        let (states, rows) = unsafe { (states.borrow(), rows.borrow()) };
        let rows: Vec<TrackedRow> = from_json(rows)?;
        emit_json(host, Emit::States, &challenge.track(from_json(states)?, &rows)?);
        Ok(())
    })
}

unsafe extern "C" fn destroy<C: Challenge>(instance: *mut c_void) {
    // SAFETY: made by `configure::<C>`, and the loader frees it once. A panic must not cross the boundary; there is
    // no one left to tell.
    let _ = catch_unwind(|| drop(unsafe { Box::from_raw(instance.cast::<Instance<C>>()) }));
}

impl Bytes {
    /// # Safety
    /// The bytes must be alive and unchanged for `'a`.
    unsafe fn borrow<'a>(self) -> &'a [u8] {
        if self.len == 0 {
            return &[];
        }
        // SAFETY: by contract.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }
}

/// Copies an array that may be empty.
///
/// # Safety
/// `ptr` must point to `len` values if `len` is not 0.
unsafe fn owned<T: Copy>(ptr: *const T, len: usize) -> Vec<T> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: by contract.
    unsafe { std::slice::from_raw_parts(ptr, len) }.to_vec()
}

unsafe fn owned_market(table: &MarketTable) -> Result<Market, PluginError> {
    // SAFETY: the table's pointers hold as many values as it says.
    unsafe {
        Ok(Market {
            sidx: owned(table.sidx, table.rows),
            prices: owned(table.prices, table.rows * table.assets),
            assets: table.assets,
            submitted: owned(table.submitted, table.scored_rows).into_iter().map(|x| x != 0).collect(),
            scored_rows: table.scored_rows,
            channels: owned(table.channels, table.rows * table.channel_count),
            facts: from_json(table.facts.borrow())?,
            carried: from_json(table.carried.borrow())?,
        })
    }
}

/// The host's history as the plugin's trait.
struct HostHistory<'a> {
    host: &'a HostTable,
    shape: Shape,
    hotkeys: Vec<String>,
}

impl<'a> HostHistory<'a> {
    unsafe fn new(host: &'a HostTable, table: &HistoryTable) -> Result<Self, PluginError> {
        let shape = Shape { rows: table.rows, miners: table.miners, dim: table.dim };
        // SAFETY: as above.
        let hotkeys = from_json(unsafe { table.hotkeys.borrow() })?;
        Ok(Self { host, shape, hotkeys })
    }
}

impl History for HostHistory<'_> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        let HostTable { ctx, read, .. } = *self.host;
        // SAFETY: `f16` is a transparent `u16`; the host writes at most `len` of them.
        let status = unsafe {
            read(ctx, miners.start, miners.end, rows.start, rows.end, out.as_mut_ptr().cast(), out.len())
        };
        self.answered(status, &miners, &rows, out.len())
    }

    fn read_f32(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f32]) -> Result<(), PluginError> {
        let HostTable { ctx, read_f32, .. } = *self.host;
        // SAFETY: the host writes at most `len` numbers.
        let status = unsafe {
            read_f32(ctx, miners.start, miners.end, rows.start, rows.end, out.as_mut_ptr(), out.len())
        };
        self.answered(status, &miners, &rows, out.len())
    }
}

impl HostHistory<'_> {
    fn answered(
        &self,
        status: i32,
        miners: &Range<usize>,
        rows: &Range<usize>,
        numbers: usize,
    ) -> Result<(), PluginError> {
        if status == OK {
            return Ok(());
        }
        Err(PluginError::host(format!(
            "history of miners {miners:?}, rows {rows:?} into {numbers} numbers, of {:?}",
            self.shape
        )))
    }
}

impl Progress for HostTable {
    fn report(&self, done: f64) {
        emit(self, Emit::Progress, &done.to_ne_bytes());
    }

    fn log(&self, line: &str) {
        emit(self, Emit::Log, line.as_bytes());
    }
}

/// Runs `body`, and turns an error or a panic into an emitted error.
fn guarded(host: &HostTable, body: impl FnOnce() -> Result<(), PluginError>) -> i32 {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            *last_panic() = Some(info.to_string());
        }));
    });
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| {
        let message = last_panic().take().unwrap_or_else(|| "no message".into());
        Err(PluginError::Panic { message: message.replace('\n', " ") })
    });
    match outcome {
        Ok(()) => OK,
        Err(error) => {
            emit_json(host, Emit::Error, &error);
            FAILED
        }
    }
}

/// Message and place of the last panic; the payload that `catch_unwind` gives has no place.
fn last_panic() -> std::sync::MutexGuard<'static, Option<String>> {
    static LAST: Mutex<Option<String>> = Mutex::new(None);
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}

fn emit_salience(host: &HostTable, salience: Salience) {
    let (numbers, report) = salience.into_parts();
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_ne_bytes()).collect();
    emit(host, Emit::Saliences, &bytes);
    emit_json(host, Emit::Report, &report);
}

fn emit_json(host: &HostTable, kind: Emit, value: &impl serde::Serialize) {
    // Types of this crate only: maps with string keys, strings and numbers, which always serialise.
    emit(host, kind, &serde_json::to_vec(value).unwrap_or_default());
}

fn emit(host: &HostTable, kind: Emit, bytes: &[u8]) {
    // SAFETY: the host copies `len` bytes before it returns.
    unsafe { (host.emit)(host.ctx, kind as u32, bytes.as_ptr(), bytes.len()) };
}

fn from_json<'a, T: serde::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, PluginError> {
    serde_json::from_slice(bytes).map_err(|e| PluginError::host(format!("unreadable JSON: {e}")))
}
