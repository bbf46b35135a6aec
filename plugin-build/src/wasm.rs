//! Crates as WebAssembly components.

use crate::place::{place, shown};
use crate::{BuildError, Crates, Package, TARGET, Toolchain};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use wit_component::ComponentEncoder;

impl Crates {
    /// Builds WebAssembly components, and puts them into `out` under the names that the host looks for.
    ///
    /// # Errors
    /// As [`Crates::build_native`], and [`BuildError::Component`].
    pub fn build_wasm(&self, toolchain: Toolchain, out: &Path) -> Result<Vec<PathBuf>, BuildError> {
        // A folder of its own: two compilers in one would rebuild everything in turns.
        let modules = self.modules();
        let mut command = self.cargo("build");
        command.arg("--target-dir").arg(&modules);
        command.env("CARGO_ENCODED_RUSTFLAGS", rustflags(self.contract.as_deref()));
        // Up to a sixth faster, and a tenth smaller: the sandbox compiles function by function and inlines nothing.
        command.env("CARGO_PROFILE_RELEASE_LTO", "fat").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
        toolchain.apply(&mut command);
        shown(&mut command)?;
        let put = |package: &Package| {
            let module = modules.join(TARGET).join("release").join(format!("{}.wasm", package.lib));
            place(out, &format!("{}.wasm", package.file()), &component(&module)?)
        };
        self.packages.iter().map(put).collect()
    }

    /// Whether components were built in this folder before: the first time takes longest.
    #[must_use]
    pub fn has_built_wasm(&self) -> bool {
        self.modules().is_dir()
    }

    fn modules(&self) -> PathBuf {
        self.target_dir.join("wasm")
    }
}

/// Makes a component of a core module.
fn component(module: &Path) -> Result<Vec<u8>, BuildError> {
    let bytes = fs::read(module).map_err(BuildError::io(module))?;
    let encoder = ComponentEncoder::default();
    let encoded = encoder.validate(true).module(&bytes).and_then(|mut encoder| encoder.encode());
    encoded.map_err(|e| BuildError::Component {
        path: module.to_path_buf(),
        message: format!("{e:#}").replace('\n', " "),
    })
}

/// SIMD, without which scores take five times as long; and no path of this machine in the file, so that its digest is
/// the same wherever it is built.
fn rustflags(contract: Option<&Path>) -> String {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")));
    let remap = |from: &Path, to: &str| format!("--remap-path-prefix={}={to}", from.display());
    let remap_contract = contract.map(|root| remap(root, "/mantis"));
    let remap_home = home.map(|home| remap(&home, "/cargo"));
    let simd = Some("-Ctarget-feature=+simd128".into());
    // The separator that cargo asks for.
    [simd, remap_contract, remap_home].into_iter().flatten().collect::<Vec<String>>().join("\x1f")
}
