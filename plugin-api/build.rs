//! Records which compiler and target the contract is built for: the native loader compares them.

use std::{env, process::Command};

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output();
    let version = version.map(|out| String::from_utf8_lossy(&out.stdout).trim().to_owned());
    println!("cargo::rustc-env=MANTIS_RUSTC={}", version.unwrap_or_else(|_| "unknown rustc".into()));
    println!("cargo::rustc-env=MANTIS_TARGET={}", env::var("TARGET").unwrap_or_default());
    println!("cargo::rerun-if-changed=build.rs");
}
