//! The tests from outside as one program: what each of them needs, which of them keep apart, the longest first.
//!
//! The standard harness knows only when it is compiled whether a test is ignored, and orders tests by their names.

use crate::need::Need;
use libtest_mimic::{Arguments, Completion};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A test.
pub struct Trial {
    name: String,
    run: Box<dyn FnOnce() + Send>,
    needs: Vec<Need>,
    apart: Option<&'static str>,
    seconds: u32,
}

impl Trial {
    /// A function that panics where the test fails. Its name is `module::name`, without the program's.
    #[must_use]
    pub fn new(module: &str, name: &str, run: impl FnOnce() + Send + 'static) -> Self {
        let module = module.split_once("::").map_or(module, |(_program, module)| module);
        let name = format!("{module}::{name}");
        Self { name, run: Box::new(run), needs: Vec::new(), apart: None, seconds: 0 }
    }

    /// It needs this, too: it is ignored where that is missing, and fails where that must not be missing.
    #[must_use]
    pub fn needs(mut self, need: Need) -> Self {
        self.needs.push(need);
        self
    }

    /// It never runs beside another one that keeps apart by the same name.
    #[must_use]
    pub fn apart(mut self, name: &'static str) -> Self {
        self.apart = Some(name);
        self
    }

    /// About how long it takes: a long one that starts last would end alone.
    #[must_use]
    pub fn takes(mut self, seconds: u32) -> Self {
        self.seconds = seconds;
        self
    }

    /// As the harness runs it.
    fn prepare(self) -> libtest_mimic::Trial {
        libtest_mimic::Trial::ignorable_test(self.name, move || {
            for need in self.needs {
                match need.missing() {
                    Some(what) if need.is_required() => {
                        return Err(format!("{what}, but {} is set", need.variable()).into());
                    }
                    Some(what) => return Ok(Completion::ignored_with(what)),
                    None => {}
                }
            }
            let _held = self.apart.map(hold);
            (self.run)();
            Ok(Completion::Completed)
        })
    }
}

/// A [`Trial`] of a function of the module where this stands.
#[macro_export]
macro_rules! trial {
    ($function:ident) => {
        $crate::suite::Trial::new(module_path!(), stringify!($function), $function)
    };
}

/// Prints what a test measured, where `--nocapture` asks for it.
#[macro_export]
macro_rules! note {
    ($($words:tt)*) => {
        if $crate::suite::is_noted() {
            println!($($words)*);
        }
    };
}

/// Whether `--nocapture` was given.
#[must_use]
pub fn is_noted() -> bool {
    std::env::args().any(|argument| argument == "--nocapture")
}

/// Runs the tests that the arguments of this program name: one more at a time than there are processors, since most of them
/// wait for what they have started.
#[must_use]
pub fn run(trials: impl IntoIterator<Item = Trial>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(processors + 1);
    let mut trials: Vec<Trial> = trials.into_iter().collect();
    trials.sort_by_key(|trial| Reverse(trial.seconds));
    let trials = trials.into_iter().map(Trial::prepare).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Waits until this name is free, and holds it.
fn hold(name: &'static str) -> MutexGuard<'static, ()> {
    static LOCKS: Mutex<BTreeMap<&str, &Mutex<()>>> = Mutex::new(BTreeMap::new());
    // A test that failed leaves its lock poisoned, and nothing else: it guards no data.
    let mut locks = LOCKS.lock().unwrap_or_else(PoisonError::into_inner);
    let lock: &'static Mutex<()> = locks.entry(name).or_insert_with(|| Box::leak(Box::default()));
    drop(locks);
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}
