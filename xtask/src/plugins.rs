//! Building plugins as WebAssembly components.

use crate::shell::{cargo, output, root, run, target_dir};
use anyhow::{Context, Result, bail};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wit_component::ComponentEncoder;

const TARGET: &str = "wasm32-unknown-unknown";
/// Debian's compiler, which has the target's parts as packages.
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_LINKER: &str = "/usr/bin/wasm-ld";
const DEBIAN_STD: &str = "/usr/lib/rustlib/src/rust/library/Cargo.lock";

/// What compiles for WebAssembly here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Toolchain {
    /// The compiler of this build, with rustup's target.
    Rustup,
    /// Debian's packages, with the standard library built from source.
    Debian,
}

/// Finds a toolchain.
///
/// # Errors
/// Where there is none, saying how to get one.
pub(crate) fn toolchain() -> Result<Toolchain> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libdir = output(Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]));
    if libdir.is_ok_and(|dir| Path::new(dir.trim()).is_dir()) {
        return Ok(Toolchain::Rustup);
    }
    if [DEBIAN_RUSTC, DEBIAN_LINKER, DEBIAN_STD].iter().all(|path| Path::new(path).exists()) {
        return Ok(Toolchain::Debian);
    }
    bail!(
        "no compiler for {TARGET} here: `rustup target add {TARGET}`, or on Debian `apt-get install rustc-web \
         rust-web-src lld`"
    )
}

/// Builds every plugin of the workspace as a component, beside the program.
pub(crate) fn build() -> Result<()> {
    let toolchain = toolchain()?;
    let names = plugins()?;
    let target = target_dir()?;
    let modules = target.join("wasm");
    let mut command = cargo();
    // A folder of its own: two compilers in one would build everything anew in turns.
    command.env("CARGO_TARGET_DIR", &modules).args(["build", "--release", "--target", TARGET]);
    command.env("CARGO_ENCODED_RUSTFLAGS", rustflags());
    // Up to a sixth faster, and a tenth smaller: the sandbox compiles function by function and inlines nothing.
    command.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    if toolchain == Toolchain::Debian {
        command
            .env("RUSTC", DEBIAN_RUSTC)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", DEBIAN_LINKER)
            .arg("-Zbuild-std=std,panic_abort");
    }
    for name in &names {
        command.args(["-p", name]);
    }
    run(&mut command)?;
    let place = target.join("release");
    fs::create_dir_all(&place)?;
    for name in &names {
        let file = format!("{}.wasm", name.replace('-', "_"));
        let module = modules.join(TARGET).join("release").join(&file);
        component(&module, &place.join(&file)).with_context(|| format!("{}", module.display()))?;
    }
    println!("{} components in {}", names.len(), place.display());
    Ok(())
}

/// SIMD, without which scores take five times as long; and no path of this machine in the file, so that its digest is
/// the same wherever it is built.
fn rustflags() -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let remap_home = home.map(|home| remap(&home, "/cargo"));
    let flags = ["-Ctarget-feature=+simd128".into(), remap(root(), "/mantis")].into_iter().chain(remap_home);
    // The separator that cargo asks for.
    flags.collect::<Vec<String>>().join("\x1f")
}

/// The workspace's packages that are plugins: those with a `cdylib`, but for one that is native by nature.
pub(crate) fn plugins() -> Result<Vec<String>> {
    let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists no packages")?;
    let is_plugin = |package: &&serde_json::Value| {
        let targets = package["targets"].as_array().into_iter().flatten();
        let mut kinds = targets.filter_map(|target| target["kind"].as_array()).flatten();
        kinds.any(|kind| kind == "cdylib") && package["metadata"]["mantis"]["native-only"] != true
    };
    let names = packages.iter().filter(is_plugin).filter_map(|package| package["name"].as_str());
    Ok(names.map(String::from).collect())
}

/// Makes a component of a core module, and leaves a file that is up to date as it is.
fn component(module: &Path, out: &Path) -> Result<()> {
    let bytes = ComponentEncoder::default().validate(true).module(&fs::read(module)?)?.encode()?;
    if fs::read(out).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    // Renamed into its place: a program that is running never sees half of it.
    let part = out.with_extension("wasm.part");
    fs::write(&part, bytes)?;
    Ok(fs::rename(part, out)?)
}
