//! A chain of Ethereum's kind on this machine: anvil, and a contract that posts bets.

use crate::http::ask;
use crate::localnet::free_port;
use crate::root;
use serde_json::{Value, json};
use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program in the folder of an installation by npm.
///
/// # Errors
/// If `MANTIS_EVM` names no such folder.
pub fn program() -> Result<PathBuf, String> {
    let Some(folder) = env::var_os("MANTIS_EVM").map(PathBuf::from) else {
        return Err("MANTIS_EVM is not set".into());
    };
    // The package of this system holds the program; the one that is asked for chooses it.
    let packages = fs::read_dir(folder.join("node_modules/@foundry-rs")).into_iter().flatten().flatten();
    let mut programs = packages.map(|package| package.path().join("bin/anvil"));
    programs.find(|program| program.is_file()).ok_or_else(|| "no @foundry-rs/anvil in MANTIS_EVM".into())
}

/// A running chain; it ends when it is dropped.
pub struct Anvil {
    child: Child,
    at: SocketAddr,
}

/// Of `post(bytes32,uint64,uint256,uint64)` and `close(bytes32,uint64)`: see `tests/fixtures/evm/Bets.sol`.
const POST: &str = "ec27eda2";
const CLOSE: &str = "c5a0265c";

impl Anvil {
    /// Starts a chain of this number, whose blocks are final after two epochs of 32.
    ///
    /// # Panics
    /// If it does not start.
    #[must_use]
    pub fn start(chain_id: u64) -> Self {
        let port = free_port();
        let mut command = Command::new(program().expect("anvil"));
        command.args(["--port", &port.to_string(), "--chain-id", &chain_id.to_string()]);
        // Blocks that are made faster than the clock goes are of the future otherwise.
        command.args(["--timestamp", "1700000000", "--silent"]);
        let child = command.stdout(Stdio::null()).spawn().expect("anvil runs");
        let anvil = Self { child, at: SocketAddr::from(([127, 0, 0, 1], port)) };
        let until = Instant::now() + Duration::from_secs(30);
        while anvil.try_call("eth_chainId", &json!([])).is_none() {
            assert!(Instant::now() < until, "anvil does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        anvil
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// What it answers.
    ///
    /// # Panics
    /// If it does not, or with an error.
    #[must_use]
    pub fn call(&self, method: &str, params: &Value) -> Value {
        self.try_call(method, params).unwrap_or_else(|| panic!("{method} {params}"))
    }

    fn try_call(&self, method: &str, params: &Value) -> Option<Value> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            self.at,
            body.len()
        );
        let answer = ask(self.at, (head + &body).as_bytes()).ok()?.json();
        answer.get("result").cloned()
    }

    /// Sends a transaction of the first account; gives its receipt.
    fn send(&self, mut transaction: Value) -> Value {
        transaction["from"] = self.call("eth_accounts", &json!([]))[0].clone();
        let hash = self.call("eth_sendTransaction", &json!([transaction]));
        let until = Instant::now() + Duration::from_secs(30);
        let receipt = loop {
            let receipt = self.call("eth_getTransactionReceipt", &json!([hash]));
            if !receipt.is_null() {
                break receipt;
            }
            assert!(Instant::now() < until, "no block takes the transaction {hash}");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(receipt["status"], "0x1", "{receipt}");
        receipt
    }

    /// Makes the contract; gives its address.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn deploy(&self) -> String {
        let code = fs::read_to_string(root().join("tests/fixtures/evm/Bets.bin")).expect("a fixture");
        let receipt = self.send(json!({ "data": format!("0x{}", code.trim()) }));
        receipt["contractAddress"].as_str().expect("an address").to_owned()
    }

    /// Bets on a trade; gives the block that it is in.
    ///
    /// # Panics
    /// If that fails.
    #[must_use]
    pub fn post(&self, contract: &str, hotkey: [u8; 32], key: u64, rao: u64) -> i64 {
        let data = format!("0x{POST}{}{key:064x}{rao:064x}{:064x}", hex(&hotkey), 0);
        let receipt = self.send(json!({ "to": contract, "data": data }));
        let block = receipt["blockNumber"].as_str().and_then(|text| text.strip_prefix("0x"));
        block.and_then(|digits| i64::from_str_radix(digits, 16).ok()).expect("a block")
    }

    /// An event that is no bet.
    pub fn close(&self, contract: &str, hotkey: [u8; 32], key: u64) {
        self.send(json!({ "to": contract, "data": format!("0x{CLOSE}{}{key:064x}", hex(&hotkey)) }));
    }

    /// Makes so many empty blocks.
    pub fn mine(&self, blocks: u32) {
        let _ = self.call("anvil_mine", &json!([format!("0x{blocks:x}")]));
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
