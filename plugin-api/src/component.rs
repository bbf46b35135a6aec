//! The plugin's side of a WebAssembly component: `wit/v1.1/challenge.wit` over the traits of this crate.
//!
//! This is plumbing: [`crate::export!`] makes a component of it when a plugin is built for WebAssembly.

use crate::instance::{Instance, Scored, SignalFunctions};
use crate::{
    Challenge, Forecast, History, LastRows, Market, Outlook, PluginError, Progress, Shape, Signal, Spec,
    States, TrackedRow,
};
use half::f16;
use serde::Deserialize;
use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Once;

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
pub mod bindings {
    //! What wit-bindgen makes of the WIT.
    wit_bindgen::generate!({
        path: "wit/v1.1",
        world: "challenge",
        pub_export_macro: true,
        export_macro_name: "export_component",
        default_bindings_module: "mantis_plugin_api::component::bindings",
    });
}

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::undocumented_unsafe_blocks
)]
pub mod signal {
    //! What wit-bindgen makes of the WIT's `signal` alone: with `challenge` it makes the world `forecaster`.
    wit_bindgen::generate!({
        path: "wit/v1.1",
        inline: "package mantis:signal-alone; world signal-alone { export mantis:challenge/signal@1.1.0; }",
        pub_export_macro: true,
        export_macro_name: "export_signal",
        default_bindings_module: "mantis_plugin_api::component::signal",
    });
}

use bindings::exports::mantis::challenge::plugin::Guest;
use bindings::mantis::challenge::host;

/// The component of a challenge. One instance of it holds one configured challenge.
pub struct Component<C, S = Silent>(PhantomData<(C, S)>);

/// Whether a challenge forecasts.
pub trait Forecasts<C: Challenge> {
    #[doc(hidden)]
    fn configure(spec: &str, params: &str) -> Result<(), String>;
}

/// It does not.
pub struct Silent;

/// It does.
pub struct Forecaster;

impl<C: Challenge + 'static> Forecasts<C> for Silent {
    fn configure(spec: &str, params: &str) -> Result<(), String> {
        configure::<C>(spec, params, None)
    }
}

impl<C: Signal + 'static> Forecasts<C> for Forecaster {
    fn configure(spec: &str, params: &str) -> Result<(), String> {
        configure::<C>(spec, params, Some(SignalFunctions::new()))
    }
}

thread_local! {
    static CONFIGURED: RefCell<Option<Box<dyn Configured>>> = const { RefCell::new(None) };
    /// What the score of this instance has fitted.
    static FIT: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// A configured challenge without its type.
trait Configured {
    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError>;
    fn score(
        &self,
        market: &Market,
        history: &dyn History,
        progress: &dyn Progress,
    ) -> Result<Scored, PluginError>;
    fn track(&self, states: States, rows: &[TrackedRow]) -> Result<States, PluginError>;
    fn outlook(&self) -> Result<Outlook, PluginError>;
    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError>;
}

impl<C: Challenge> Configured for Instance<C> {
    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        self.challenge.decode(submission)
    }

    fn score(
        &self,
        market: &Market,
        history: &dyn History,
        progress: &dyn Progress,
    ) -> Result<Scored, PluginError> {
        Self::score(self, market, history, progress)
    }

    fn track(&self, states: States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        self.challenge.track(states, rows)
    }

    fn outlook(&self) -> Result<Outlook, PluginError> {
        Self::outlook(self)
    }

    fn forecast(&self, fit: &[u8], latest: &[f32], market: &Market) -> Result<Forecast, PluginError> {
        Self::forecast(self, fit, latest, market)
    }
}

impl<C: Challenge + 'static, S: Forecasts<C>> Guest for Component<C, S> {
    fn describe() -> String {
        tell_of_panics();
        to_json(&C::describe())
    }

    fn configure(spec: String, params: String) -> Result<(), String> {
        S::configure(&spec, &params)
    }

    fn decode(submission: String) -> Result<Vec<f32>, String> {
        configured(|challenge| challenge.decode(&from_json(&submission)?))
    }

    fn score(task: String) -> Result<(Vec<f64>, String), String> {
        configured(|challenge| score(challenge, &task))
    }

    fn track(states: String, rows: String) -> Result<String, String> {
        configured(|challenge| {
            let rows: Vec<TrackedRow> = from_json(&rows)?;
            Ok(to_json(&challenge.track(from_json(&states)?, &rows)?))
        })
    }
}

impl<C: Signal + 'static> signal::exports::mantis::challenge::signal::Guest for Component<C, Forecaster> {
    fn outlook() -> String {
        // The interface has no place for an error: what is no outlook says that there is none.
        configured(|challenge| Ok(to_json(&challenge.outlook()?))).unwrap_or_default()
    }

    fn fit() -> Option<Vec<u8>> {
        FIT.take()
    }

    fn forecast(fit: Vec<u8>, latest: Vec<f32>, market: String) -> Result<String, String> {
        configured(|challenge| {
            let market: LastRows = from_json(&market)?;
            Ok(to_json(&challenge.forecast(&fit, &latest, &market.into())?))
        })
    }
}

fn configure<C: Challenge + 'static>(
    spec: &str,
    params: &str,
    signal: Option<SignalFunctions<C>>,
) -> Result<(), String> {
    tell_of_panics();
    let configure = || -> Result<Instance<C>, PluginError> {
        let spec: Spec = from_json(spec)?;
        Instance::configure(spec, &from_json(params)?, signal)
    };
    CONFIGURED.set(Some(Box::new(configure().map_err(error)?)));
    Ok(())
}

fn score(challenge: &dyn Configured, task: &str) -> Result<(Vec<f64>, String), PluginError> {
    let task: ScoreTask = from_json(task)?;
    let shape = Shape { rows: task.scored_rows, miners: task.miners, dim: task.dim };
    let history = HostHistory { shape, hotkeys: host::hotkeys() };
    let (salience, fit) = challenge.score(&task.market()?, &history, &HostProgress)?;
    FIT.set(fit);
    let (numbers, report) = salience.into_parts();
    Ok((numbers, to_json(&report)))
}

/// The argument of `score`.
#[derive(Deserialize)]
struct ScoreTask {
    assets: usize,
    scored_rows: usize,
    miners: usize,
    dim: usize,
    carried: Vec<(String, String)>,
}

impl ScoreTask {
    fn market(&self) -> Result<Market, PluginError> {
        let facts = from_json(&host::facts())?;
        Ok(Market {
            sidx: host::sidx(),
            prices: host::prices(),
            assets: self.assets,
            submitted: host::submitted().into_iter().map(|x| x != 0).collect(),
            scored_rows: self.scored_rows,
            channels: host::channels(),
            facts,
            carried: self.carried.clone(),
        })
    }
}

/// The host's history as the plugin's trait.
struct HostHistory {
    shape: Shape,
    hotkeys: Vec<String>,
}

/// A block larger than this crosses in parts, so that no second copy of all of it is held.
const MAX_BLOCK: usize = 16 << 20;

impl History for HostHistory {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn hotkeys(&self) -> &[String] {
        &self.hotkeys
    }

    fn read(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f16]) -> Result<(), PluginError> {
        let convert = |from: &u16| f16::from_bits(*from);
        self.read_in_parts(
            miners,
            rows,
            out,
            |some| host::history(some[0], some[1], some[2], some[3]),
            convert,
        )
    }

    fn read_f32(&self, miners: Range<usize>, rows: Range<usize>, out: &mut [f32]) -> Result<(), PluginError> {
        let read = |some: [u32; 4]| host::history_f32(some[0], some[1], some[2], some[3]);
        self.read_in_parts(miners, rows, out, read, |from: &f32| *from)
    }
}

impl HostHistory {
    /// Copies a block in parts that `read` gives: miners from and to, rows from and to.
    fn read_in_parts<T, U>(
        &self,
        miners: Range<usize>,
        rows: Range<usize>,
        out: &mut [U],
        read: impl Fn([u32; 4]) -> Result<Vec<T>, String>,
        convert: impl Fn(&T) -> U,
    ) -> Result<(), PluginError> {
        let per_miner = rows.len() * self.shape.dim;
        if out.len() != miners.len() * per_miner {
            return Err(PluginError::host(format!(
                "history of miners {miners:?}, rows {rows:?} into {} numbers, of {:?}",
                out.len(),
                self.shape
            )));
        }
        let read = |miners: &Range<usize>, rows: &Range<usize>| {
            let index = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
            read([miners.start, miners.end, rows.start, rows.end].map(index)).map_err(PluginError::host)
        };
        let miners_at_once = (MAX_BLOCK / per_miner.max(1)).max(1);
        let rows_at_once = (MAX_BLOCK / self.shape.dim.max(1)).max(1);
        let mut done = 0;
        for first in miners.clone().step_by(miners_at_once) {
            let some_miners = first..miners.end.min(first + miners_at_once);
            for from in rows.clone().step_by(rows_at_once) {
                let some_rows = from..rows.end.min(from + rows_at_once);
                let block = read(&some_miners, &some_rows)?;
                let place = out.get_mut(done..done + block.len());
                let place = place.ok_or_else(|| PluginError::host("a block of another size"))?;
                place.iter_mut().zip(&block).for_each(|(to, from)| *to = convert(from));
                done += block.len();
            }
        }
        if rows.is_empty() || miners.is_empty() {
            // Nothing is read, but a place outside is an error all the same.
            read(&miners, &rows)?;
        }
        Ok(())
    }
}

struct HostProgress;

impl Progress for HostProgress {
    fn report(&self, done: f64) {
        host::progress(done);
    }

    fn log(&self, line: &str) {
        host::log(line);
    }
}

/// A panic ends in a trap, whose message the host would not see.
fn tell_of_panics() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        std::panic::set_hook(Box::new(|info| host::fail(&info.to_string().replace('\n', " "))));
    });
}

fn configured<T>(body: impl FnOnce(&dyn Configured) -> Result<T, PluginError>) -> Result<T, String> {
    CONFIGURED.with_borrow(|challenge| match challenge {
        Some(challenge) => body(challenge.as_ref()).map_err(error),
        None => Err("the host called it before `configure`".into()),
    })
}

fn error(error: PluginError) -> String {
    to_json(&error)
}

fn to_json(value: &impl serde::Serialize) -> String {
    // Types of this crate only: maps with string keys, strings and finite numbers, which always serialise.
    serde_json::to_string(value).unwrap_or_default()
}

fn from_json<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, PluginError> {
    serde_json::from_str(json).map_err(|e| PluginError::host(format!("unreadable JSON: {e}")))
}
