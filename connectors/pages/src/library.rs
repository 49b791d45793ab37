//! Where the PDF library (pdfium) is: the configuration, `SILLAGE_PDFIUM`, beside
//! the program, an installed `pypdfium2` of `SILLAGE_PYTHON` or of the python on the
//! path, the system.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Asks a python where its wheel keeps the library.
const ASK: &str = "import importlib.util as u, pathlib as p\n\
s = u.find_spec('pypdfium2_raw')\n\
print(next((str(f) for f in p.Path(s.origin).parent.glob('*pdfium*') if f.suffix in ('.so', '.dylib', '.dll')), '') if s and s.origin else '')";

/// The library, `None` where there is none. `configured` comes first.
pub fn find(configured: &Path) -> Option<PathBuf> {
    if !configured.as_os_str().is_empty() {
        return is_library(configured);
    }
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    FOUND.get_or_init(search).clone()
}

/// A file, or a folder that holds the library.
fn is_library(path: &Path) -> Option<PathBuf> {
    let path = if path.is_dir() { path.join(name()) } else { path.to_owned() };
    path.is_file().then_some(path)
}

fn name() -> String {
    format!("{}pdfium{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}

fn search() -> Option<PathBuf> {
    if let Some(given) = env::var_os("SILLAGE_PDFIUM").filter(|given| !given.is_empty()) {
        return is_library(Path::new(&given));
    }
    let beside = env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_owned));
    let pythons = env::var_os("SILLAGE_PYTHON").map(PathBuf::from).into_iter().chain(["python3".into(), "python".into()]);
    beside.and_then(|folder| is_library(&folder)).or_else(|| pythons.into_iter().find_map(|python| of_python(&python))).or_else(|| {
        ["/usr/lib", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/opt/pdfium/lib"]
            .iter()
            .find_map(|folder| is_library(Path::new(folder)))
    })
}

fn of_python(python: &Path) -> Option<PathBuf> {
    let answer = Command::new(python).args(["-c", ASK]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    is_library(Path::new(String::from_utf8(answer.stdout).ok()?.trim()))
}
