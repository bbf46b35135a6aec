//! What `deploy/` says, done as it says, in a system of its own: the unit under its systemd, the image's commands at its root.

use mantis::demo::Crowd;
use mantis::simulation::{Simulation, Simulator};
use mantis_network::chain::{Chain, OfflineChain};
use mantis_tests::boot::{Net, System, said};
use mantis_tests::need::Need;
use mantis_tests::stage::{Running, Stage, set};
use mantis_tests::suite::Trial;
use mantis_tests::{bin_dir, http, note, root, runtime, trial};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use toml::Table;

/// The tests of this file.
pub(crate) fn tests() -> Vec<Trial> {
    vec![
        trial!(the_unit_does_what_its_header_says).needs(Need::Systemd).takes(35),
        trial!(the_image_does_what_its_header_says).needs(Need::Systemd).needs(Need::Wasm).takes(25),
    ]
}

const SEED: u64 = 11;
const TICK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(40);
/// Whose key the wallet is, and what opens it.
const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
const PASSWORD: &str = "correct horse";
/// Where the chain lies in the system.
const CHAIN: &str = "offline:/srv/chain/chain.json";
const UNIT: &str = "mantis-validator";
/// A user that no system knows by name.
const OPERATOR: u32 = 4321;

/// The lines of a file of `deploy/`.
fn deployed(file: &str) -> String {
    fs::read_to_string(root().join("deploy").join(file)).unwrap()
}

/// The commands in a file's header: its lines that are set in, those that go on in the next one with it.
fn commands(file: &str) -> Vec<String> {
    let text = deployed(file);
    let header = text.lines().take_while(|line| line.starts_with('#'));
    let lines: Vec<&str> = header.filter_map(|line| line.strip_prefix("#   ")).collect();
    lines.join("\n").replace("\\\n", " ").lines().map(String::from).collect()
}

/// A folder that holds of the project what is not built, with this configuration.
fn project(dir: &Path, configuration: &str) -> PathBuf {
    let project = dir.join("project");
    fs::create_dir_all(project.join("deploy")).unwrap();
    fs::write(project.join("deploy/mantis-validator.service"), deployed("mantis-validator.service")).unwrap();
    fs::write(project.join("challenges.toml"), configuration).unwrap();
    project
}

/// Copies the chain to where everybody may read it, as a whole: its own file is its writer's alone.
fn show(chain: &Path, shown: &Path) {
    fs::create_dir_all(shown).unwrap();
    let (new, file) = (shown.join("new"), shown.join("chain.json"));
    fs::copy(chain, &new).unwrap();
    fs::set_permissions(&new, Permissions::from_mode(0o644)).unwrap();
    fs::rename(new, file).unwrap();
}

fn wallet() -> Vec<u8> {
    fs::read(root().join("host/network/tests/fixtures/wallets/locked")).unwrap()
}

/// What `doctor --json` says of these checks: that nothing is wrong.
#[track_caller]
fn is_sound(doctor: &str, checks: &[&str]) {
    let found: Value = serde_json::from_str(doctor).unwrap_or_else(|error| panic!("{error}: {doctor}"));
    for check in checks {
        let all = found["checks"].as_array().unwrap();
        let one = all.iter().find(|one| one["check"] == **check).unwrap();
        assert!(one["status"] != "fault" && one["status"] != "skipped", "{one:#}");
    }
}

/// The service, and the world that it is in.
struct Service<'a> {
    system: System,
    stage: &'a Stage,
    shown: PathBuf,
    simulator: Simulator<'a>,
    crowd: Crowd<'a>,
}

impl Service<'_> {
    /// The world goes on for some rows.
    async fn play(&mut self, rows: usize) {
        for _ in 0..rows {
            let step = self.simulator.step().unwrap();
            self.crowd.act(&step, self.stage.world.advance(&step), true).await.unwrap();
            self.stage.advance(&step);
            show(&self.stage.dir.join("chain.json"), &self.shown);
            tokio::time::sleep(TICK).await;
        }
    }

    /// A property of the unit.
    fn is(&self, property: &str) -> String {
        self.system.must(&format!("systemctl show --value -p {property} {UNIT}")).trim().into()
    }

    /// What the validator has logged.
    fn log(&self) -> Vec<Value> {
        let text = self.system.must(&format!("journalctl --no-pager -o cat -u {UNIT}"));
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn count(&self, message: &str) -> usize {
        self.log().iter().filter(|line| line["message"] == message).count()
    }

    /// The world goes on until something is so.
    async fn play_until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}: {:#?}", self.log());
            self.play(2).await;
        }
    }
}

fn the_unit_does_what_its_header_says() {
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        // All challenges; opened soon, so that plugins decode; and nothing to write to the chain.
        let stage = Stage::set(dir.path(), 8, SEED, &[], |table: &mut Table| {
            for (key, value) in
                [("lag", 5), ("weight_calc_interval", 100_000), ("weight_set_interval", 100_000)]
            {
                set(table, "network", key, value);
            }
        })
        .await;
        let mut neurons = stage.chain.metagraph().await.unwrap();
        neurons[1].hotkey = ALICE.into();
        stage.chain.set_neurons(neurons).unwrap();
        let configuration = fs::read_to_string(dir.path().join("challenges.toml")).unwrap();
        let project = project(dir.path(), &configuration);
        let shown = dir.path().join("shown");
        show(&dir.path().join("chain.json"), &shown);
        let folders: [(&Path, &str); 3] =
            [(&project, "/root/mantis"), (&bin_dir(), "/root/mantis/target/release"), (&shown, "/srv/chain")];
        let system = System::boot(Net::Shared, &folders);
        note!("booted after {:?}", began.elapsed());
        let config = stage.world.config();
        let simulation =
            Simulation { config: &config, only: None, rows: 1000, miners: &stage.miners, seed: SEED };
        let prices = simulation.prices();
        let simulator = Simulator::new(&simulation, &prices);
        let crowd = Crowd::new(&stage.world, &stage.miners, SEED).unwrap();
        let mut service = Service { system, stage: &stage, shown, simulator, crowd };

        let keys = "/root/.bittensor/wallets/default/hotkeys";
        fs::write(project.join("key"), wallet()).unwrap();
        service.system.must(&format!("install -D -m 600 /root/mantis/key {keys}/default"));
        let drop_in = format!("[Service]\nEnvironment=MANTIS_NETWORK={CHAIN}\nWatchdogSec=4\n");
        let beside = format!("/etc/systemd/system/{UNIT}.service.d");
        service.system.must(&format!("mkdir -p {beside} && printf '{drop_in}' >{beside}/test.conf"));
        service.play(1).await;
        for command in commands("mantis-validator.service") {
            // As careful administrators have it.
            let words = format!("umask 077 && {command}");
            if command.starts_with("runuser ") {
                // The ledger is there, and rows in it.
                service.play_until("payloads are opened", |service| service.count("opened") >= 3).await;
                note!("payloads are opened after {:?}", began.elapsed());
                let words = words.replace("--network finney", &format!("--network {CHAIN}"));
                let doctor = service.system.command("/root/mantis", &format!("{words} --json"));
                let found = output(doctor);
                is_sound(&found, &["configuration", "plugins", "walls", "ledger", "wallet", "subnet"]);
                note!("{:?}: {command}", began.elapsed());
                continue;
            }
            said(&command, service.system.command("/root/mantis", &words).output().unwrap());
            if command.contains("/etc/mantis/secrets") {
                service
                    .system
                    .must(&format!("echo 'MANTIS_WALLET_PASSWORD={PASSWORD}' >>/etc/mantis/secrets"));
            }
            if command.starts_with("install") && command.ends_with(".service") {
                let verified = service.system.bash(&format!("systemd-analyze verify {UNIT}.service 2>&1"));
                assert_eq!(said(&command, verified), "");
            }
            note!("{:?}: {command}", began.elapsed());
        }
        assert_eq!(service.is("ActiveState"), "active");
        assert_eq!(service.is("UnitFileState"), "enabled");
        runs_without_a_fault(&mut service).await;
        note!("it samples after {:?}", began.elapsed());
        the_watchdog_starts_it_again(&mut service).await;
        note!("it was started again after {:?}", began.elapsed());
        it_ends_in_time_and_stays_down_when_misconfigured(&service);
        note!("done after {:?}", began.elapsed());
        drop(service);
        stage.world.stop().await;
    });
}

/// What a command printed, whether or not it found a fault.
fn output(mut command: Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}

async fn runs_without_a_fault(service: &mut Service<'_>) {
    service.play_until("rows are sampled", |service| service.count("sampled") >= 12).await;
    let log = service.log();
    let at = log.iter().find(|line| line["message"] == "dashboard").expect("a dashboard");
    let at: std::net::SocketAddr = at["address"].as_str().unwrap().parse().unwrap();
    service.system.must(&format!("mantis health --url http://{at}"));
    let status = http::get(at, "/api/v1/status").json();
    let faults = status["faults"].to_string();
    assert!(!faults.contains("plugin") && !faults.contains("challenge"), "{faults}");
    for line in &log {
        let grave = line["level"] == "ERROR";
        let plugin = line["level"] == "WARN" && line.to_string().contains("plugin");
        assert!(!grave && !plugin, "{line:#}");
    }
}

async fn the_watchdog_starts_it_again(service: &mut Service<'_>) {
    let (process, sampled) = (service.is("MainPID"), service.count("sampled"));
    service.system.must(&format!("kill -STOP {process}"));
    service.play_until("started again", |service| service.is("NRestarts") == "1").await;
    service.play_until("active", |service| service.is("ActiveState") == "active").await;
    assert_ne!(service.is("MainPID"), process);
    service.play_until("samples again", |service| service.count("sampled") > sampled + 2).await;
    let journal = service.system.must(&format!("journalctl --no-pager -u {UNIT}"));
    assert!(journal.contains("Watchdog timeout"), "{journal}");
    assert!(service.log().iter().all(|line| line["level"] != "ERROR"), "{:#?}", service.log());
}

fn it_ends_in_time_and_stays_down_when_misconfigured(service: &Service<'_>) {
    let since = Instant::now();
    service.system.must(&format!("systemctl stop {UNIT}"));
    assert!(since.elapsed() < Duration::from_secs(15), "{:?}", since.elapsed());
    assert_eq!((service.is("ActiveState"), service.is("Result")), ("inactive".into(), "success".into()));

    service.system.must("sed -i '1i nonsense = 1' /etc/mantis/challenges.toml");
    let started = service.system.bash(&format!("systemctl restart {UNIT}"));
    assert!(!started.status.success());
    // One that is to be started again is `auto-restart` here.
    assert_eq!((service.is("ActiveState"), service.is("SubState")), ("failed".into(), "failed".into()));
    assert_eq!((service.is("ExecMainStatus"), service.is("NRestarts")), ("78".into(), "0".into()));
    let journal = service.system.must(&format!("journalctl --no-pager -n 20 -u {UNIT}"));
    assert!(journal.contains("nonsense"), "{journal}");
}

/// The Dockerfile's instructions: a word, and what comes after it.
fn instructions() -> Vec<(String, String)> {
    let text = deployed("Dockerfile");
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    let lines = lines.join("\n").replace("\\\n", " ");
    let parts = lines.lines().map(|line| line.split_once(' ').unwrap());
    parts.map(|(word, rest)| (word.to_owned(), rest.trim().to_owned())).collect()
}

/// What the last instruction of this kind says.
fn instruction(word: &str) -> String {
    instructions().into_iter().rfind(|(other, _)| other == word).unwrap().1
}

/// The words of an instruction in JSON.
fn words(text: &str) -> String {
    let words: Vec<String> = serde_json::from_str(text.trim_start_matches(|c| c != '[')).unwrap();
    words.join(" ")
}

/// Commands that build what is built already, or fetch.
const DONE: [&str; 6] = [
    "rustup target add wasm32-unknown-unknown",
    "cargo build --release --locked --workspace",
    "cargo xtask plugins",
    "apt-get update -q",
    "apt-get install -y -q --no-install-recommends ca-certificates",
    "rm -rf /var/lib/apt/lists/*",
];

/// Makes the image at the system's root, where the project lies in /mantis.
fn build(system: &System) {
    let mut folder = String::from("/");
    let mut done = Vec::new();
    for (word, rest) in instructions() {
        match word.as_str() {
            "FROM" => folder = "/".into(),
            "WORKDIR" => {
                folder = rest;
                system.must(&format!("mkdir -p {folder}"));
            }
            "COPY" if rest == ". ." => assert_eq!(folder, "/mantis"),
            // Both images are made at one root: what is copied from the other is where it has to be.
            "COPY" => {
                let (from, to) = rest.strip_prefix("--from=build ").unwrap().split_once(' ').unwrap();
                assert_eq!(from, to);
                system.must(&format!("test -d {from}"));
            }
            "RUN" => {
                for command in rest.split(" && ").map(str::trim) {
                    match DONE.iter().find(|other| **other == command) {
                        Some(command) => done.push(*command),
                        None => {
                            said(command, system.command(&folder, command).output().unwrap());
                        }
                    }
                }
            }
            _ => {}
        }
    }
    assert_eq!(done, DONE);
}

fn the_image_does_what_its_header_says() {
    let began = Instant::now();
    let dir = tempfile::tempdir().unwrap();
    let configuration = fs::read_to_string(root().join("challenges.toml")).unwrap();
    let project = project(dir.path(), &configuration);
    let chain = dir.path().join("chain.json");
    OfflineChain::open(&chain).unwrap();
    let shown = dir.path().join("shown");
    show(&chain, &shown);
    // The operator's home, with a wallet that nobody else can read.
    let home = dir.path().join("home");
    let keys = home.join(".bittensor/wallets/default/hotkeys");
    fs::create_dir_all(&keys).unwrap();
    fs::write(keys.join("default"), wallet()).unwrap();
    fs::set_permissions(keys.join("default"), Permissions::from_mode(0o600)).unwrap();
    let below =
        [".bittensor", ".bittensor/wallets", ".bittensor/wallets/default"].map(|name| home.join(name));
    for path in below.iter().chain([&home, &keys, &keys.join("default")]) {
        chown(path, Some(OPERATOR), Some(OPERATOR)).unwrap();
    }
    let folders: [(&Path, &str); 4] = [
        (&project, "/mantis"),
        (&bin_dir(), "/mantis/target/release"),
        (&shown, "/srv/chain"),
        (&home, "/home/operator"),
    ];
    let system = System::boot(Net::Own, &folders);
    build(&system);
    note!("built after {:?}", began.elapsed());
    holds_every_plugin_in_both_forms(&system, &configuration);

    let as_operator = format!("setpriv --reuid={OPERATOR} --regid={OPERATOR} --clear-groups --no-new-privs");
    let (mut run, mut inside) = (String::new(), Vec::new());
    for command in commands("Dockerfile") {
        if command.starts_with("docker run ") {
            run = command;
        } else if let Some(words) = command.strip_prefix("docker exec mantis ") {
            inside.push(words.to_owned());
        } else if !command.starts_with("docker ") {
            let words = format!("{as_operator} env HOME=/home/operator bash -c {}", quoted(&command));
            said(&command, system.command("/mantis", &words).output().unwrap());
        }
    }
    let arguments = mount(&system, &run);
    // As the container's processes run.
    let environment = instruction("ENV");
    let contained = |words: &str| {
        let words = words.replace("--network finney", &format!("--network {CHAIN}"));
        let given = format!("{environment} MANTIS_WALLET_PASSWORD={}", quoted(PASSWORD));
        let place = instruction("WORKDIR");
        system.command(&place, &format!("echo $$ >/run/container && exec {as_operator} env {given} {words}"))
    };
    let entry = words(&instruction("ENTRYPOINT"));
    let help = said("--help", contained(&format!("{entry} --help")).output().unwrap());
    assert!(help.contains("--wallet-path"), "{help}");
    let health = words(&instruction("HEALTHCHECK"));
    assert_eq!(contained(&health).output().unwrap().status.code(), Some(1));

    runtime().block_on(async {
        let mut running = Running::start(&mut contained(&format!("{entry} {arguments}")));
        running.wait_for("dashboard", 0, PATIENCE).await;
        let process = system.must("cat /run/container").trim().to_owned();
        note!("it serves after {:?}", began.elapsed());
        said(&health, contained(&health).output().unwrap());
        for words in &inside {
            if words.starts_with("mantis doctor") {
                let found = output(contained(&format!("{words} --json")));
                is_sound(&found, &["configuration", "plugins", "walls", "ledger", "wallet", "subnet"]);
            } else {
                said(words, contained(words).output().unwrap());
            }
        }
        note!("examined after {:?}", began.elapsed());
        running.read();
        assert!(running.log.iter().all(|line| !line.to_string().contains("plugin")), "{:#?}", running.log);
        // What is written beside the image, in the mounted folder, is taken by what runs.
        let file = "/home/operator/mantis/etc/challenges.toml";
        system.must(&format!("sed -i 's/^runtime = \"native\"/runtime = \"wasm\"/' {file}"));
        let found = output(contained("mantis config check /etc/mantis/challenges.toml"));
        assert!(found.contains("12 challenges"), "{found}");
        note!("as components after {:?}", began.elapsed());

        let signal = instruction("STOPSIGNAL");
        let since = Instant::now();
        system.must(&format!(
            "kill -{signal} {process} && while kill -0 {process}; do sleep 0.1; done 2>/dev/null; true"
        ));
        assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
        running.wait_for("validator ends", 0, Duration::from_secs(1)).await;
    });
    note!("done after {:?}", began.elapsed());
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The plugins of the configuration, of the network's later profiles and of challenges that are in none yet, and no others.
fn holds_every_plugin_in_both_forms(system: &System, configuration: &str) {
    let read = |file: &str| fs::read_to_string(root().join(file)).unwrap();
    let (later, new) = (read("profiles/2026-09.toml"), read("challenges/dmae/challenge.toml"));
    let tables = [configuration, &later, &new].map(|text| toml::from_str::<Table>(text).unwrap());
    let challenges = tables.iter().flat_map(|table| table["challenge"].as_array().unwrap());
    let plugins: BTreeSet<&str> = challenges.map(|challenge| challenge["plugin"].as_str().unwrap()).collect();
    let mut expected: BTreeSet<String> = ["mantis".into()].into();
    for plugin in &plugins {
        expected.extend([format!("libmantis_{plugin}.so"), format!("mantis_{plugin}.wasm")]);
    }
    let found: BTreeSet<String> = system.must("ls /opt/mantis").lines().map(String::from).collect();
    assert_eq!(found, expected);
}

/// Mounts what `docker run` does; gives what it passes to the program.
fn mount(system: &System, run: &str) -> String {
    let words: Vec<&str> = run.split_whitespace().collect();
    let option = |name: &str| -> Vec<&str> {
        words.windows(2).filter(|pair| pair[0] == name).map(|pair| pair[1]).collect()
    };
    assert_eq!(option("--user").first().copied(), Some("\"$(id"), "{run}");
    for volume in option("-v") {
        let mut parts = volume.split(':');
        let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
        let Some(folder) = from.strip_prefix('~') else {
            // A new volume begins as what the image has there.
            assert_eq!((from, to), ("mantis-data", instruction("VOLUME").as_str()));
            continue;
        };
        system.must(&format!("mkdir -p {to} && mount --bind /home/operator{folder} {to}"));
        assert_eq!(parts.next(), Some("ro"), "{volume}");
        system.must(&format!("mount -o remount,bind,ro {to}"));
    }
    let secrets = option("--env-file")[0].replace('~', "/home/operator");
    assert_eq!(system.must(&format!("stat -c '%a %u' {secrets}")).trim(), format!("600 {OPERATOR}"));
    run.rsplit_once(" mantis ").unwrap().1.into()
}
