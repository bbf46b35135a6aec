//! Calling the functions of one instance, and saying what went wrong.

use super::super::results::{Broken, broken, no_signal};
use super::imports::{Context, Inputs};
use super::limits::{MemoryLimit, MemoryLimitError};
use mantis_plugin_api::PluginError;
use wasmtime::component::{ComponentNamedList, Instance, InstancePre, Lift, Lower};
use wasmtime::{Store, Trap};

/// Bytes that a plugin may hand over in one result, and the host hold for it.
const MAX_RESULT: usize = 64 << 20;

/// Full names of the interfaces that a component exports.
#[derive(Clone)]
pub(super) struct Interfaces {
    pub(super) plugin: String,
    /// There if it forecasts.
    pub(super) signal: Option<String>,
}

/// One instance of a component.
pub(super) struct Call {
    store: Store<Context>,
    instance: Instance,
    interface: String,
    signal: Option<String>,
    alive: bool,
}

impl Call {
    /// Makes an instance. `interfaces` are the full names of what it exports.
    ///
    /// # Errors
    /// If it traps at its start, or wants more memory than it may have.
    pub(super) fn start(
        pre: &InstancePre<Context>,
        interfaces: &Interfaces,
        memory_mib: u32,
        inputs: Option<Inputs>,
    ) -> Result<Self, PluginError> {
        let context = Context { limits: MemoryLimit::new(memory_mib), inputs, panic: None };
        let mut store = Store::new(pre.engine(), context);
        store.limiter(|context| &mut context.limits);
        store.set_hostcall_fuel(MAX_RESULT);
        match pre.instantiate(&mut store) {
            Ok(instance) => {
                let Interfaces { plugin, signal } = interfaces.clone();
                Ok(Self { store, instance, interface: plugin, signal, alive: true })
            }
            Err(error) => Err(explain(&error, &mut store)),
        }
    }

    /// Whether it can be called again: no call of it trapped.
    pub(super) fn is_alive(&self) -> bool {
        self.alive
    }

    pub(super) fn describe(&mut self) -> Result<String, PluginError> {
        self.call::<(), (String,)>("describe", ()).map(|(description,)| description)
    }

    pub(super) fn configure(&mut self, spec: String, params: String) -> Result<(), PluginError> {
        self.call::<_, (Result<(), String>,)>("configure", (spec, params))?.0.map_err(said)
    }

    pub(super) fn decode(&mut self, submission: String) -> Result<Vec<f32>, PluginError> {
        self.call::<_, (Result<Vec<f32>, String>,)>("decode", (submission,))?.0.map_err(said)
    }

    pub(super) fn score(&mut self, task: String) -> Result<(Vec<f64>, String), PluginError> {
        self.call::<_, (Result<(Vec<f64>, String), String>,)>("score", (task,))?.0.map_err(said)
    }

    pub(super) fn track(&mut self, states: String, rows: String) -> Result<String, PluginError> {
        self.call::<_, (Result<String, String>,)>("track", (states, rows))?.0.map_err(said)
    }

    /// `None` for one that does not forecast.
    pub(super) fn outlook(&mut self) -> Result<Option<String>, PluginError> {
        let Some(signal) = self.signal.clone() else { return Ok(None) };
        self.call_of::<(), (String,)>(&signal, "outlook", ()).map(|(outlook,)| Some(outlook))
    }

    /// What the score before has fitted.
    pub(super) fn fit(&mut self) -> Result<Option<Vec<u8>>, PluginError> {
        let Some(signal) = self.signal.clone() else { return Ok(None) };
        self.call_of::<(), (Option<Vec<u8>>,)>(&signal, "fit", ()).map(|(fit,)| fit)
    }

    pub(super) fn forecast(
        &mut self,
        fit: &[u8],
        latest: &[f32],
        market: String,
    ) -> Result<String, PluginError> {
        let signal = self.signal.clone().ok_or_else(no_signal)?;
        let params = (fit, latest, market);
        self.call_of::<_, (Result<String, String>,)>(&signal, "forecast", params)?.0.map_err(said)
    }

    fn call<P, R>(&mut self, name: &str, params: P) -> Result<R, PluginError>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let interface = self.interface.clone();
        self.call_of(&interface, name, params)
    }

    fn call_of<P, R>(&mut self, interface: &str, name: &str, params: P) -> Result<R, PluginError>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift,
    {
        let Self { store, instance, .. } = self;
        let index = instance.get_export_index(&mut *store, None, interface);
        let index =
            index.and_then(|interface| instance.get_export_index(&mut *store, Some(&interface), name));
        let index = index.ok_or_else(|| broken(&format!("it exports no `{name}`")))?;
        let function = instance.get_typed_func::<P, R>(&mut *store, &index);
        let function = function.map_err(|e| broken(&format!("its `{name}` has another type: {e:#}")))?;
        function.call(&mut *store, params).map_err(|error| {
            self.alive = false;
            explain(&error, &mut self.store)
        })
    }
}

/// An error as the plugin said it: JSON, or a plain sentence.
fn said(error: String) -> PluginError {
    serde_json::from_str(&error).unwrap_or(PluginError::Data { message: error })
}

/// Why a call ended without a result.
fn explain(error: &wasmtime::Error, store: &mut Store<Context>) -> PluginError {
    if let Some(message) = store.data_mut().panic.take() {
        return PluginError::Panic { message };
    }
    if let Some(too_much) = error.downcast_ref::<MemoryLimitError>() {
        return Broken::Memory.error(&too_much.to_string());
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Broken::Trap.error("it overflowed its stack"),
        Some(Trap::MemoryOutOfBounds) => {
            Broken::Trap.error("it reached outside of its memory, which a stack that overflows does too")
        }
        Some(Trap::UnreachableCodeReached) => Broken::Trap.error("it aborted without a message"),
        Some(trap) => Broken::Trap.error(&trap.to_string()),
        None => broken(&error.root_cause().to_string()),
    }
}
