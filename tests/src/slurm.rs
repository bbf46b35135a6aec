//! A batch engine on this machine: Slurm's controller, and two of its nodes.

use crate::localnet::free_port;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};
use tempfile::TempDir;

/// What to say if it is not installed, whole.
#[must_use]
pub fn missing() -> Option<String> {
    let absent = ["srun", "slurmctld", "slurmd", "munged"].into_iter().find(|name| !is_there(name));
    absent.map(|name| format!("no program {name}"))
}

/// Whether a program is there: without a configuration none of them says even its version.
fn is_there(name: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

/// A running engine; it ends when it is dropped, with all that it runs.
pub struct Slurm {
    dir: TempDir,
    daemons: Vec<(&'static str, Child)>,
}

/// Its daemons: one that says who is who, the controller, two nodes.
const DAEMONS: [&str; 4] = ["munged", "slurmctld", "n1", "n2"];

impl Slurm {
    /// Starts it, with two nodes of one processor and 4,000 MB each.
    ///
    /// # Panics
    /// If it does not come up.
    #[must_use]
    pub fn start() -> Self {
        let dir = TempDir::new().expect("a folder");
        for folder in ["spool", "spool/n1", "spool/n2", "state", "log"] {
            fs::create_dir(dir.path().join(folder)).expect("a folder");
        }
        let key: Vec<u8> = (0..1024_u32).map(|i| (i * 37 % 251) as u8).collect();
        fs::write(dir.path().join("munge.key"), key).expect("a key");
        command("chmod").arg("0400").arg(dir.path().join("munge.key")).status().expect("chmod runs");
        // Who is who is asked by programs of every user.
        command("chmod").arg("0711").arg(dir.path()).status().expect("chmod runs");
        let mut slurm = Self { dir, daemons: Vec::new() };
        fs::write(slurm.conf(), slurm.configuration()).expect("a configuration");
        for daemon in DAEMONS {
            slurm.begin(daemon);
        }
        slurm.await_nodes();
        slurm
    }

    /// The file that its programs are told by `SLURM_CONF`.
    #[must_use]
    pub fn conf(&self) -> PathBuf {
        self.dir.path().join("slurm.conf")
    }

    /// Waits until both nodes take jobs.
    ///
    /// # Panics
    /// If they do not within a minute.
    pub fn await_nodes(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let output = self.program("sinfo").args(["-h", "-N", "-o", "%t"]).output().expect("sinfo runs");
            let states = String::from_utf8_lossy(&output.stdout).into_owned();
            if states.lines().filter(|state| ["idle", "mix", "alloc"].contains(state)).count() == 2 {
                return;
            }
            assert!(Instant::now() < until, "nodes: {states}{}", String::from_utf8_lossy(&output.stderr));
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// One of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> Command {
        let mut program = command(name);
        program.env("SLURM_CONF", self.conf()).stdin(Stdio::null());
        program
    }

    /// Ends a daemon as a crash would.
    ///
    /// # Panics
    /// If there is no such daemon.
    pub fn kill(&mut self, daemon: &str) {
        let place = self.daemons.iter().position(|(name, _)| *name == daemon).expect("a daemon");
        let (_, mut child) = self.daemons.remove(place);
        child.kill().expect("killed");
        child.wait().expect("reaped");
    }

    /// Waits until nothing that it was given is left.
    ///
    /// # Panics
    /// If something is after a minute.
    pub fn await_no_jobs(&self) {
        let until = Instant::now() + Duration::from_secs(60);
        loop {
            let output =
                self.program("squeue").args(["-h", "-o", "%i %j %T %N %r"]).output().expect("squeue runs");
            let jobs = String::from_utf8_lossy(&output.stdout).into_owned();
            if output.status.success() && jobs.trim().is_empty() {
                return;
            }
            assert!(Instant::now() < until, "left: {jobs}{}", String::from_utf8_lossy(&output.stderr));
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Starts the daemons that do not run.
    pub fn restore(&mut self) {
        for daemon in DAEMONS {
            if !self.daemons.iter().any(|(name, _)| *name == daemon) {
                self.begin(daemon);
            }
        }
        self.await_nodes();
    }

    /// Processes of this engine, and what it runs, whose command has all of these words.
    #[must_use]
    pub fn processes(&self, words: &[&str]) -> Vec<u32> {
        let conf = self.conf().into_os_string().into_string().expect("UTF-8");
        let ids = fs::read_dir("/proc").expect("processes").flatten();
        let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|id| {
            let read = |file: &str| {
                let bytes = fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace('\0', " ")
            };
            let command = read("cmdline");
            let is_ours =
                || read("environ").contains(&conf) || command.contains(&*self.dir.path().to_string_lossy());
            words.iter().all(|word| command.contains(word)) && is_ours()
        })
        .collect()
    }

    fn begin(&mut self, daemon: &'static str) {
        let at = |name: &str| self.dir.path().join(name);
        let mut program = match daemon {
            "munged" => {
                let mut munged = self.program("munged");
                munged.args(["--foreground", "--force", "--num-threads=2"]);
                for (flag, file) in [
                    ("--key-file", "munge.key"),
                    ("--socket", "munge.sock"),
                    ("--pid-file", "munged.pid"),
                    ("--log-file", "log/munged.log"),
                    ("--seed-file", "munged.seed"),
                ] {
                    munged.arg(format!("{flag}={}", at(file).display()));
                }
                munged
            }
            "slurmctld" => {
                let mut controller = self.program("slurmctld");
                controller.args(["-D", "-i"]);
                controller
            }
            node => {
                let mut program = self.program("slurmd");
                program.args(["-D", "-N", node]);
                program
            }
        };
        let child = program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a daemon starts");
        self.daemons.push((daemon, child));
        if daemon == "munged" {
            let until = Instant::now() + Duration::from_secs(20);
            while !at("munge.sock").exists() {
                assert!(Instant::now() < until, "munged does not come up");
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }

    fn configuration(&self) -> String {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let user = command("id").arg("-un").output().expect("id runs").stdout;
        let (host, user) = (host.trim(), String::from_utf8(user).expect("UTF-8"));
        let (user, dir) = (user.trim(), self.dir.path().display());
        let [controller, first, second] = [free_port(), free_port(), free_port()];
        let node = |name: &str, port: u16| {
            format!(
                "NodeName={name} NodeAddr=127.0.0.1 NodeHostname={host} Port={port} CPUs=1 RealMemory=4000 State=UNKNOWN"
            )
        };
        format!(
            "ClusterName=tests\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={controller}\n\
             SlurmUser={user}\nSlurmdUser={user}\nAuthType=auth/munge\nAuthInfo=socket={dir}/munge.sock\n\
             ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nMpiDefault=none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core_Memory\n\
             JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=1\n\
             JobAcctGatherParams=OverMemoryKill\nReturnToService=2\nKillWait=5\nSlurmdTimeout=10\nInactiveLimit=10\n\
             SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,bf_interval=1\n\
             SlurmctldPidFile={dir}/slurmctld.pid\nSlurmdPidFile={dir}/slurmd.%n.pid\n\
             SlurmdSpoolDir={dir}/spool/%n\nStateSaveLocation={dir}/state\n\
             SlurmctldLogFile={dir}/log/slurmctld.log\nSlurmdLogFile={dir}/log/slurmd.%n.log\n{}\n{}\n\
             PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n",
            node("n1", first),
            node("n2", second)
        )
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        // What is left of steps goes before those who would start more.
        for (_, child) in self.daemons.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
        for id in self.processes(&["slurmstepd"]) {
            let _ = command("kill").args(["-9", &id.to_string()]).status();
        }
    }
}

fn command(name: &str) -> Command {
    Command::new(Path::new(name))
}
