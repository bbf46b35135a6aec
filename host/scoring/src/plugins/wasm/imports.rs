//! What a component may call: the interface `host` of the WIT, and nothing else.

use super::limits::MemoryLimit;
use half::slice::HalfBitsSliceExt;
use mantis_plugin_api::{History, Market, PluginError, Progress};
use std::ops::Range;
use std::rc::Rc;
use wasmtime::component::{Linker, LinkerInstance, WasmStr};
use wasmtime::{Engine, Result, StoreContextMut};

/// The interface's full names: of each version that components were built for. What came later is in each of them, where
/// nobody asks for it.
pub(super) const HOSTS: [&str; 2] = ["mantis:challenge/host@1.0.0", "mantis:challenge/host@1.1.0"];
/// Bytes of history that cross at once; a plugin reads in smaller blocks.
const MAX_BLOCK: usize = 1 << 30;
/// Bytes of a line or a message that are looked at; more are cut off later.
const MAX_TEXT: usize = 8192;

/// What one instance of a component may reach, and what it has said.
pub(super) struct Context {
    pub(super) limits: MemoryLimit,
    /// There while it scores.
    pub(super) inputs: Option<Inputs>,
    /// The message of its panic.
    pub(super) panic: Option<String>,
}

/// What is scored, and who hears of it.
#[derive(Clone)]
pub(super) struct Inputs {
    pub(super) market: Rc<Market>,
    pub(super) history: Rc<dyn History>,
    pub(super) run: Rc<dyn Progress>,
}

/// The host's functions.
///
/// # Errors
/// Never: names are given once.
pub(super) fn linker(engine: &Engine) -> Result<Linker<Context>> {
    let mut linker: Linker<Context> = Linker::new(engine);
    for name in HOSTS {
        add_functions(&mut linker.instance(name)?)?;
    }
    Ok(linker)
}

fn add_functions(host: &mut LinkerInstance<'_, Context>) -> Result<()> {
    host.func_wrap("log", |store: StoreContextMut<'_, Context>, (line,): (WasmStr,)| {
        if let Some(inputs) = &store.data().inputs {
            inputs.run.log(&text(&store, &line)?);
        }
        Ok(())
    })?;
    host.func_wrap("progress", |store: StoreContextMut<'_, Context>, (done,): (f64,)| {
        if let Some(inputs) = &store.data().inputs {
            inputs.run.report(done);
        }
        Ok(())
    })?;
    host.func_wrap("fail", |mut store: StoreContextMut<'_, Context>, (message,): (WasmStr,)| {
        let message = text(&store, &message)?;
        store.data_mut().panic = Some(message);
        Ok(())
    })?;
    host.func_wrap("sidx", |store: StoreContextMut<'_, Context>, ()| Ok((market(&store)?.sidx.clone(),)))?;
    host.func_wrap("prices", |store: StoreContextMut<'_, Context>, ()| {
        Ok((market(&store)?.prices.clone(),))
    })?;
    host.func_wrap("submitted", |store: StoreContextMut<'_, Context>, ()| {
        Ok((market(&store)?.submitted.iter().map(|&x| u8::from(x)).collect::<Vec<_>>(),))
    })?;
    host.func_wrap("hotkeys", |store: StoreContextMut<'_, Context>, ()| {
        Ok((inputs(&store)?.history.hotkeys().to_vec(),))
    })?;
    host.func_wrap("history", |store: StoreContextMut<'_, Context>, range: (u32, u32, u32, u32)| {
        let history = &inputs(&store)?.history;
        let read = |miners, rows, out: &mut [u16]| history.read(miners, rows, out.reinterpret_cast_mut());
        Ok((block(&**history, range, read).map_err(|e| e.to_string()),))
    })?;
    host.func_wrap("history-f32", |store: StoreContextMut<'_, Context>, range: (u32, u32, u32, u32)| {
        let history = &inputs(&store)?.history;
        let read = |miners, rows, out: &mut [f32]| history.read_f32(miners, rows, out);
        Ok((block(&**history, range, read).map_err(|e| e.to_string()),))
    })?;
    host.func_wrap("channels", |store: StoreContextMut<'_, Context>, ()| {
        Ok((market(&store)?.channels.clone(),))
    })?;
    host.func_wrap("facts", |store: StoreContextMut<'_, Context>, ()| {
        Ok((serde_json::to_string(&market(&store)?.facts)?,))
    })?;
    Ok(())
}

/// Where a function is called outside of `score`, the plugin broke its contract.
fn inputs<'a>(store: &'a StoreContextMut<'_, Context>) -> Result<&'a Inputs> {
    let missing = || wasmtime::Error::msg("it asked for market or history outside of `score`");
    store.data().inputs.as_ref().ok_or_else(missing)
}

fn market<'a>(store: &'a StoreContextMut<'_, Context>) -> Result<&'a Market> {
    Ok(&inputs(store)?.market)
}

fn block<T: Clone + Default>(
    history: &dyn History,
    (m0, m1, r0, r1): (u32, u32, u32, u32),
    read: impl Fn(Range<usize>, Range<usize>, &mut [T]) -> std::result::Result<(), PluginError>,
) -> std::result::Result<Vec<T>, PluginError> {
    let shape = history.shape();
    let (miners, rows) = (m0 as usize..m1 as usize, r0 as usize..r1 as usize);
    let outside = miners.start > miners.end
        || rows.start > rows.end
        || miners.end > shape.miners
        || rows.end > shape.rows;
    let numbers = miners.len().saturating_mul(rows.len()).saturating_mul(shape.dim);
    if outside || numbers.saturating_mul(size_of::<T>()) > MAX_BLOCK {
        return Err(PluginError::data(format!("history of miners {miners:?}, rows {rows:?}, of {shape:?}")));
    }
    let mut out = vec![T::default(); numbers];
    read(miners, rows, &mut out)?;
    Ok(out)
}

/// The beginning of a string of the plugin's, however long it is.
fn text(store: &StoreContextMut<'_, Context>, text: &WasmStr) -> Result<String> {
    let text = text.to_str(store)?;
    Ok(text[..text.floor_char_boundary(MAX_TEXT)].to_owned())
}
