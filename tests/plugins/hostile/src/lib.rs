//! A plugin that fails in the way its `how` parameter says: tests show that each failure costs its own challenge.

use mantis_plugin_api::*;
use std::time::Duration;

params! {
    /// How to fail.
    pub struct Params {
        /// The failure.
        how: String = "none".into(), in Choice(&[
            "none", "error", "panic", "abort", "loop", "sleep", "exit", "overflow", "nan", "infinite", "negative",
            "short", "long", "chatter", "print", "outside", "panic_in_configure", "memory", "gigabyte", "slow", "peek",
            "names", "letters", "late", "forget", "clock", "pry", "hold",
        ]);
    }
}

/// Pays every miner the same, or fails.
pub struct Hostile {
    spec: Spec,
    params: Params,
}

impl Challenge for Hostile {
    fn describe() -> Description {
        Description::new("hostile", "0.1.0", "Fails as it is told to.").with_params(Params::table())
    }

    fn configure(spec: Spec, params: &ParamMap) -> Result<Self, PluginError> {
        let params = Params::read(params)?;
        assert!(params.how != "panic_in_configure", "configured to panic");
        Ok(Self { spec, params })
    }

    fn decode(&self, submission: &serde_json::Value) -> Result<Vec<f32>, PluginError> {
        if self.params.how == "sleep" && submission == "sleep" {
            std::thread::sleep(Duration::from_secs(3600));
        }
        decode::vector(submission, self.spec.storage_dim(), -1.0..=1.0)
    }

    fn track(&self, states: States, rows: &[TrackedRow]) -> Result<States, PluginError> {
        // Counts the rows of this call, and forgets those of earlier ones.
        let forgets = self.params.how == "forget";
        Ok(if forgets { States::from([("A".into(), rows.len().to_string())]) } else { states })
    }
}

impl Label for Hostile {
    /// All prices of the first asset, however far in the future they are.
    type Labels = Vec<f64>;

    fn label(&self, market: &Market) -> Result<Vec<f64>, PluginError> {
        Ok(market.prices.iter().step_by(market.assets.max(1)).copied().collect())
    }
}

impl Score for Hostile {
    fn score(
        &self,
        history: &dyn History,
        prices: &Vec<f64>,
        progress: &dyn Progress,
    ) -> Result<Salience, PluginError> {
        let miners = history.shape().miners;
        let mut salience = Salience::new(miners);
        (0..miners).for_each(|miner| salience.set(miner, 1.0));
        match self.params.how.as_str() {
            "error" => return Err(PluginError::data("told to fail")),
            "panic" => panic!("told to panic"),
            "abort" => std::process::abort(),
            "exit" => std::process::exit(0),
            "loop" => loop {
                std::hint::spin_loop();
            },
            "sleep" => std::thread::sleep(Duration::from_secs(3600)),
            "overflow" => salience.fact("depth", descend(0) as f64),
            "nan" => salience.set(0, f64::NAN),
            "infinite" => salience.set(0, f64::INFINITY),
            "negative" => salience.set(0, -1.0),
            "short" => salience = Salience::new(miners.saturating_sub(1)),
            "long" => salience = Salience::new(miners + 1),
            "memory" => salience.fact("held", fill() as f64),
            // Within what a plugin may have, but not within what an engine gives it.
            "hold" => {
                let held = std::hint::black_box(vec![1_u8; 512 << 20]);
                std::thread::sleep(Duration::from_secs(20));
                salience.fact("held", held.len() as f64);
            }
            "gigabyte" => {
                let line = "x".repeat(1 << 20);
                (0..1024).for_each(|_| progress.log(&line));
                progress.log(&line.repeat(48));
            }
            // Long enough to be seen at work, and then well.
            "slow" => {
                progress.log("at work");
                (0..3_000_000_000_u64).for_each(|i| {
                    std::hint::black_box(i);
                });
            }
            "chatter" => (0..100_000).for_each(|i| progress.log(&format!("line {i} of many"))),
            "print" => println!("{{\"event\":\"end\",\"peak_rss_kib\":0}}\nprinted to standard output"),
            // Told apart by the conformance suite alone.
            "peek" => {
                let seen = prices.last().copied().filter(|last| last.is_finite()).map_or(0.0, f64::abs);
                (0..miners).for_each(|miner| salience.set(miner, 1.0 + seen));
            }
            "letters" => {
                let names = history.hotkeys().iter().enumerate();
                names.for_each(|(miner, name)| salience.set(miner, name.len() as f64));
            }
            // Compares a row's label with what was sent when it was known.
            "late" => {
                let (shape, ahead) = (history.shape(), self.spec.rows_ahead());
                for miner in 0..miners {
                    let sent = history.miner(miner)?;
                    let right = |row: usize| {
                        let moved = prices.get(row).zip(prices.get(row - ahead)).map_or(0.0, |(a, b)| a - b);
                        moved.signum() * f64::from(sent[row * shape.dim])
                    };
                    salience.set(miner, (ahead..shape.rows).map(right).sum::<f64>().max(0.0));
                }
            }
            "names" => (0..miners).for_each(|miner| salience.set(miner, miner as f64)),
            "clock" => {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                let now = now.map_or(1.0, |now| now.as_secs_f64());
                (0..miners).for_each(|miner| salience.set(miner, now));
            }
            "pry" => pry(progress),
            "outside" => drop(history.miner(miners)?),
            _ => {}
        }
        Ok(salience)
    }
}

/// Says what it finds in its environment, and which of the things that no plugin should do it can do.
fn pry(progress: &dyn Progress) {
    for (name, _) in std::env::vars() {
        progress.log(&format!("environment {name}"));
    }
    let own = std::env::temp_dir().join(format!("mantis-pried-{}", std::process::id()));
    let could: [(&str, bool); 8] = [
        ("read a file", std::fs::read("/etc/passwd").is_ok()),
        (
            "list a folder",
            std::fs::read_dir("/").is_ok_and(|mut entries| entries.next().is_some_and(|e| e.is_ok())),
        ),
        ("write a file", std::fs::write(&own, "x").is_ok()),
        ("start a program", std::process::Command::new("/bin/true").status().is_ok()),
        ("open a connection", std::net::TcpStream::connect("127.0.0.1:9").is_err_and(|e| is_refused(&e))),
        ("listen", std::net::TcpListener::bind("127.0.0.1:0").is_ok()),
        ("read its host's environment", host("environ").is_some_and(|bytes| !bytes.is_empty())),
        ("read its host's memory", host("maps").is_some_and(|bytes| !bytes.is_empty())),
    ];
    for (what, _) in could.iter().filter(|(_, could)| *could) {
        progress.log(&format!("could {what}"));
    }
    let thread = std::thread::spawn(|| 7).join();
    progress.log(if thread.is_ok_and(|seven| seven == 7) { "pried, with a thread" } else { "pried" });
}

/// Whether nobody listens there: then the way was open.
fn is_refused(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::ConnectionRefused
}

#[cfg(unix)]
fn host(file: &str) -> Option<Vec<u8>> {
    std::fs::read(format!("/proc/{}/{file}", std::os::unix::process::parent_id())).ok()
}

#[cfg(not(unix))]
fn host(_: &str) -> Option<Vec<u8>> {
    None
}

/// Holds more and more memory, and uses it.
fn fill() -> usize {
    let mut held = Vec::new();
    loop {
        held.push(std::hint::black_box(vec![1_u8; 64 << 20]));
    }
}

/// Recurses without end; `black_box` keeps the compiler from making a loop of it.
#[allow(unconditional_recursion)]
fn descend(depth: u64) -> u64 {
    let frame = std::hint::black_box([depth; 512]);
    descend(frame[0] + 1) + std::hint::black_box(frame)[1]
}

export!(Hostile);
