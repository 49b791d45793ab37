//! ONNX Runtime: a shared library that is looked for when the first model is loaded.
//!
//! In this order: the configuration, `ORT_DYLIB_PATH`, beside the binary, the system,
//! the `onnxruntime` wheel of a Python (`SILLAGE_PYTHON`, else the one on the path).
//! What the first two name is used or the search ends; the others are tried in turn.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::ep::{self, ExecutionProvider};
use ort::logging::LogLevel;

use crate::error::{ModelError, Result};

/// A loaded ONNX Runtime; one a process.
#[derive(Clone)]
pub struct Runtime {
    pub(crate) environment: Environment,
    pub library: PathBuf,
    /// How it was found: `configuration`, `ORT_DYLIB_PATH`, …
    pub found: &'static str,
    /// As ONNX Runtime describes its build.
    pub build: &'static str,
}

static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

impl Runtime {
    /// The runtime of this process, loaded when it is first asked for.
    ///
    /// Errors: there is none, or its version does not fit; the message says where it
    /// was looked for.
    pub fn load(configured: &Path) -> Result<Runtime> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = loaded.as_ref() {
            return Ok(runtime.clone());
        }
        let runtime = first(configured)?;
        tracing::info!(library = %runtime.library.display(), found = runtime.found, "ONNX Runtime loaded");
        Ok(loaded.insert(runtime).clone())
    }

    /// Whether the library was built with CUDA.
    pub fn has_cuda(&self) -> bool {
        ep::CUDA::is_available().unwrap_or(false)
    }

    /// Loads the CUDA libraries that pip installed beside the wheel, where it did: the
    /// loader of the system does not look there.
    pub(crate) fn preload_cuda(&self) {
        let Some(packages) = self.library.ancestors().find(|a| a.file_name().is_some_and(|n| n == "site-packages")) else { return };
        let folders = |folder: PathBuf| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path());
        let mut libraries: Vec<PathBuf> = folders(packages.join("nvidia")).flat_map(|package| folders(package.join("lib"))).collect();
        libraries.extend(folders(packages.join("tensorrt_libs")));
        libraries.retain(|path| path.file_name().is_some_and(|n| n.to_string_lossy().contains(".so.")));
        // They need each other, in an order that nobody states.
        for _ in 0..4 {
            libraries.retain(|path| ort::util::preload_dylib(path).is_err());
        }
    }

    /// Whether the library was built with TensorRT.
    pub fn has_tensorrt(&self) -> bool {
        ep::TensorRT::is_available().unwrap_or(false)
    }
}

fn first(configured: &Path) -> Result<Runtime> {
    let named = [
        ("the configuration", configured.to_path_buf()),
        ("ORT_DYLIB_PATH", PathBuf::from(std::env::var_os("ORT_DYLIB_PATH").unwrap_or_default())),
    ];
    for (found, path) in named {
        if path.as_os_str().is_empty() {
            continue;
        }
        let Some(library) = library_in(&path) else {
            let message = format!("{found} names {} as ONNX Runtime, and there is no such library", path.display());
            return Err(ModelError::Runtime(message));
        };
        return open(&library, found).map_err(|reason| ModelError::Runtime(format!("ONNX Runtime, as {found} names it: {reason}")));
    }
    let mut tried = Vec::new();
    // A list that goes on only where nothing was found before.
    let places = ["beside the binary", "the system", "the onnxruntime wheel"];
    for found in places {
        let libraries = match found {
            "beside the binary" => beside_binary(),
            "the system" => of_system(),
            _ => of_wheel(),
        };
        for library in libraries {
            match open(&library, found) {
                Ok(runtime) => return Ok(runtime),
                Err(reason) => tried.push(reason),
            }
        }
    }
    let mut message = "ONNX Runtime is not installed, and models need it (all else works without): `pip install onnxruntime` \
        (onnxruntime-gpu for CUDA), or name the library in `[models] runtime` or ORT_DYLIB_PATH"
        .to_owned();
    for reason in tried {
        message.push_str("; tried ");
        message.push_str(&reason);
    }
    Err(ModelError::Runtime(message))
}

/// Loads a library.
fn open(library: &Path, found: &'static str) -> std::result::Result<Runtime, String> {
    use ort::LoadDynamicError as E;
    let place = library.display();
    let builder = ort::init_from(library).map_err(|error| match error {
        E::BadVersion { version_str, .. } => format!(
            "{place} is version {version_str}, and version 1.{} or newer is needed: `pip install --upgrade onnxruntime`",
            ort::MINOR_VERSION
        ),
        E::MissingApi { .. } => format!("{place} is no ONNX Runtime: it does not export OrtGetApiBase"),
        E::InvalidVersionString => format!("{place} does not tell its version"),
        E::Dlopen { error, .. } => format!("{place} cannot be loaded: {error}"),
    })?;
    let environment = builder.with_name("sillage").with_telemetry(false).build().map_err(|e| format!("{place}: {e}"))?;
    environment.set_log_level(LogLevel::Warning);
    Ok(Runtime { environment, library: library.to_owned(), found, build: ort::info() })
}

const PREFIX: &str = if cfg!(windows) { "onnxruntime" } else { "libonnxruntime" };
const SUFFIX: &str = if cfg!(windows) {
    "dll"
} else if cfg!(target_os = "macos") {
    "dylib"
} else {
    "so"
};

/// A library: the file itself, or the one in a folder.
fn library_in(path: &Path) -> Option<PathBuf> {
    if path.is_file() {
        return path.canonicalize().ok();
    }
    let entries = std::fs::read_dir(path).ok()?;
    let named = |path: &PathBuf| {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let rest = name.strip_prefix(PREFIX).unwrap_or_default();
        // libonnxruntime.so, libonnxruntime.so.1.31.1, libonnxruntime.1.31.1.dylib
        rest.strip_prefix('.').is_some_and(|rest| {
            rest.split('.').all(|part| part == SUFFIX || part.bytes().all(|b| b.is_ascii_digit())) && rest.contains(SUFFIX)
        })
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(named).collect();
    found.sort();
    found.pop()?.canonicalize().ok()
}

fn beside_binary() -> Vec<PathBuf> {
    let Some(folder) = std::env::current_exe().ok().and_then(|exe| exe.canonicalize().ok()?.parent().map(Path::to_owned)) else {
        return Vec::new();
    };
    [folder.clone(), folder.join("lib"), folder.join("../lib")].iter().filter_map(|f| library_in(f)).collect()
}

fn of_system() -> Vec<PathBuf> {
    let listed = std::env::var_os(if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" }).unwrap_or_default();
    let usual = [
        "/usr/local/lib",
        "/usr/lib",
        "/usr/lib64",
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/opt/onnxruntime/lib",
        "/opt/homebrew/lib",
    ];
    std::env::split_paths(&listed).chain(usual.iter().map(PathBuf::from)).filter_map(|folder| library_in(&folder)).collect()
}

/// The library inside the wheel of a Python that is installed.
fn of_wheel() -> Vec<PathBuf> {
    const WHERE: &str = "import importlib.util as u; s = u.find_spec('onnxruntime'); print(s.submodule_search_locations[0] if s else '')";
    let named = std::env::var_os("SILLAGE_PYTHON").filter(|p| !p.is_empty());
    let pythons = match named {
        Some(python) => vec![python],
        None => vec!["python3".into(), "python".into()],
    };
    let folder = |python| {
        let output = Command::new(python).args(["-c", WHERE]).output().ok()?;
        let folder = String::from_utf8(output.stdout).ok()?.trim().to_owned();
        (output.status.success() && !folder.is_empty()).then(|| Path::new(&folder).join("capi"))
    };
    pythons.into_iter().filter_map(folder).filter_map(|capi| library_in(&capi)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_known_by_name() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["libonnxruntime_providers_shared.so", "libonnxruntime.txt", "libonnx.so"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(library_in(folder.path()), None);
        let library = folder.path().canonicalize().unwrap().join(format!("{PREFIX}.{SUFFIX}.1.31.1"));
        std::fs::write(&library, "").unwrap();
        assert_eq!(library_in(folder.path()), Some(library.clone()));
        assert_eq!(library_in(&library), Some(library));
    }

    #[test]
    fn what_is_no_library_is_said_to_be_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let Err(reason) = open(file.path(), "a test") else { panic!("an empty file was loaded") };
        assert!(reason.contains("cannot be loaded"), "{reason}");
        let error = first(Path::new("/nowhere/libonnxruntime.so")).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("the configuration names /nowhere"), "{error}");
    }
}
