//! A loaded component, and the instances that are made of it.

use super::super::results::{
    broken, checked_fit, checked_forecast, checked_salience, checked_vector, no_signal, parse, to_json,
};
use super::super::surface::PACKAGE;
use super::super::{Instance, LoadError, Plugin, Scored};
use super::call::{Call, Interfaces};
use super::compile::compile;
use super::imports::{Context, HOSTS, Inputs, linker};
use mantis_plugin_api::abi::{MINOR, SUPPORTED, VERSION};
use mantis_plugin_api::{
    Description, Forecast, History, LastRows, Market, Outlook, ParamMap, PluginError, Progress, Spec, States,
    TrackedRow,
};
use serde_json::json;
use std::path::Path;
use std::rc::Rc;
use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, InstancePre};

/// A component that was compiled and found to fit.
#[derive(Clone)]
pub(super) struct WasmPlugin {
    pre: InstancePre<Context>,
    interfaces: Interfaces,
    memory_mib: u32,
}

/// First bytes of every WebAssembly file, and of those that are components.
const WASM: &[u8] = b"\0asm";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
const FUNCTIONS: [&str; 5] = ["describe", "configure", "decode", "score", "track"];
const SIGNAL_FUNCTIONS: [&str; 3] = ["outlook", "fit", "forecast"];

impl WasmPlugin {
    /// As [`super::load_component`].
    pub(super) fn load(path: &Path, bytes: &[u8], sha256: &str, memory_mib: u32) -> Result<Self, LoadError> {
        let not_a_plugin = |message: String| LoadError::NotAPlugin { path: path.to_path_buf(), message };
        if bytes.starts_with(WASM) && bytes.len() >= COMPONENT.len() && !bytes.starts_with(COMPONENT) {
            let message = "a WebAssembly module, not a component: `mantis plugin build` makes components";
            return Err(not_a_plugin(message.into()));
        }
        let (engine, component) = compile(path, bytes, sha256)?;
        check_imports(path, &engine, &component)?;
        let plugin = interface(path, &engine, &component, "plugin@", &FUNCTIONS)?;
        let plugin = plugin.ok_or_else(|| not_a_plugin(format!("it exports no `{PACKAGE}plugin`")))?;
        let signal = interface(path, &engine, &component, "signal@", &SIGNAL_FUNCTIONS)?;
        let interfaces = Interfaces { plugin, signal };
        let pre = linker(&engine).and_then(|linker| linker.instantiate_pre(&component));
        let pre = pre.map_err(|e| not_a_plugin(format!("{e:#}")))?;
        Ok(Self { pre, interfaces, memory_mib })
    }

    /// A fresh instance, not configured.
    fn start(&self, inputs: Option<Inputs>) -> Result<Call, PluginError> {
        Call::start(&self.pre, &self.interfaces, self.memory_mib, inputs)
    }

    fn configured(
        &self,
        spec: &Spec,
        params: &ParamMap,
        inputs: Option<Inputs>,
    ) -> Result<Call, PluginError> {
        let mut call = self.start(inputs)?;
        call.configure(text(spec)?, text(params)?)?;
        Ok(call)
    }
}

/// Only the host's own interface may be imported.
fn check_imports(path: &Path, engine: &Engine, component: &Component) -> Result<(), LoadError> {
    for (import, _) in component.component_type().imports(engine) {
        match import.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix("host@")) {
            Some(version) if supported(version) => {}
            Some(version) => return Err(mismatch(path, version)),
            None => return Err(LoadError::Import { path: path.to_path_buf(), import: import.into() }),
        }
    }
    Ok(())
}

/// The full name of an interface of the contract, which must have all of these functions; `None` where it is not exported.
fn interface(
    path: &Path,
    engine: &Engine,
    component: &Component,
    interface: &str,
    functions: &[&str],
) -> Result<Option<String>, LoadError> {
    let not_a_plugin = |message: String| LoadError::NotAPlugin { path: path.to_path_buf(), message };
    let ty = component.component_type();
    let mut found = None;
    for (name, item) in ty.exports(engine) {
        let Some(version) = name.strip_prefix(PACKAGE).and_then(|rest| rest.strip_prefix(interface)) else {
            continue;
        };
        if !supported(version) {
            found.get_or_insert(Err(mismatch(path, version)));
        } else if let ComponentItem::ComponentInstance(instance) = item.ty {
            let missing = functions.iter().find(|function| instance.get_export(engine, function).is_none());
            found = Some(match missing {
                Some(function) => Err(not_a_plugin(format!("its `{name}` exports no `{function}`"))),
                None => Ok(name.to_owned()),
            });
        }
    }
    found.transpose()
}

/// Whether this host speaks a version of the WIT package: all of it, as older hosts lack what newer ones added.
fn supported(version: &str) -> bool {
    let Some((abi, minor)) = numbers(version) else { return false };
    SUPPORTED.contains(&abi) && (abi < VERSION || minor <= MINOR)
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn mismatch(path: &Path, version: &str) -> LoadError {
    let abi = numbers(version).map_or_else(|| version.to_owned(), |(abi, minor)| format!("{abi}.{minor}"));
    LoadError::Mismatch {
        path: path.to_path_buf(),
        built_for: format!("ABI {abi} ({PACKAGE}plugin@{version})"),
        supported: format!("ABI {}.0 to {VERSION}.{MINOR} ({})", SUPPORTED.start(), HOSTS.join(", ")),
    }
}

impl Plugin for WasmPlugin {
    fn minor(&self) -> u32 {
        let version = self.interfaces.plugin.rsplit('@').next().unwrap_or_default();
        numbers(version).map_or(0, |(_, minor)| minor)
    }

    fn describe(&self) -> Result<Description, PluginError> {
        parse(self.start(None)?.describe()?.as_bytes(), "description")
    }

    fn configure(&self, spec: &Spec, params: &ParamMap) -> Result<Box<dyn Instance>, PluginError> {
        let call = self.configured(spec, params, None)?;
        let (spec, params) = (spec.clone(), params.clone());
        Ok(Box::new(WasmInstance { plugin: self.clone(), spec, params, decoder: Some(call) }))
    }
}

struct WasmInstance {
    plugin: WasmPlugin,
    spec: Spec,
    params: ParamMap,
    /// Decodes and tracks; dead and gone after a trap.
    decoder: Option<Call>,
}

impl WasmInstance {
    /// Calls the instance that stays, or one made again where a trap ended it.
    fn call<T>(&mut self, call: impl FnOnce(&mut Call) -> Result<T, PluginError>) -> Result<T, PluginError> {
        let mut decoder = match self.decoder.take() {
            Some(decoder) => decoder,
            None => self.plugin.configured(&self.spec, &self.params, None)?,
        };
        let outcome = call(&mut decoder);
        if decoder.is_alive() {
            self.decoder = Some(decoder);
        }
        outcome
    }
}

impl Instance for WasmInstance {
    fn decode(&mut self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        let submission = text(submission)?;
        let decoded = self.call(|decoder| decoder.decode(submission))?;
        checked_vector(decoded, self.spec.storage_dim())
    }

    fn score(
        &mut self,
        market: &Rc<Market>,
        history: &Rc<dyn History>,
        run: &Rc<dyn Progress>,
    ) -> Result<Scored, PluginError> {
        let shape = history.shape();
        let task = json!({
            "rows": market.rows(),
            "assets": market.assets,
            "scored_rows": market.scored_rows,
            "miners": shape.miners,
            "dim": shape.dim,
            "carried": market.carried,
        });
        let inputs = Inputs { market: market.clone(), history: history.clone(), run: run.clone() };
        // Its memory is not needed beside that of the score.
        self.decoder = None;
        // A fresh instance for every score: nothing of an earlier one can be left in it.
        let mut call = self.plugin.configured(&self.spec, &self.params, Some(inputs))?;
        let (numbers, report) = call.score(task.to_string())?;
        let salience = checked_salience(numbers, parse(report.as_bytes(), "report")?, history.hotkeys())?;
        let fit = if self.spec.fit { checked_fit(call.fit()?)? } else { None };
        Ok((salience, fit))
    }

    fn track(&mut self, states: &States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        let (states, rows) = (text(states)?, text(&rows)?);
        parse(self.call(|tracker| tracker.track(states, rows))?.as_bytes(), "state")
    }

    fn outlook(&mut self) -> Result<Option<Outlook>, PluginError> {
        let outlook = self.call(Call::outlook)?;
        outlook.map(|outlook| parse(outlook.as_bytes(), "outlook")).transpose()
    }

    fn forecast(&mut self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        if self.plugin.interfaces.signal.is_none() {
            return Err(no_signal());
        }
        let market = text(&LastRows::from(market))?;
        let forecast = self.call(|call| call.forecast(fit, latest, market))?;
        checked_forecast(parse(forecast.as_bytes(), "forecast")?)
    }
}

fn text(value: &impl serde::Serialize) -> Result<String, PluginError> {
    String::from_utf8(to_json(value)?).map_err(|e| broken(&e.to_string()))
}
