//! `sillage model add`: the export of a model becomes a folder of ours.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use sillage_inference::folder::{Folder, GRAPH, MANIFEST, TOKENIZER, is_name, sha256};
use sillage_inference::{Model, Models, Settings};

use super::Where;
use crate::error::{Error, Result};

#[derive(Args)]
pub(in crate::cli) struct Options {
    /// Folder with model.onnx, tokenizer.json and config.json or model.toml
    folder: PathBuf,
    /// Name of the model; by default that of the folder
    #[arg(long)]
    name: Option<String>,
    /// SPDX licence of the model
    #[arg(long)]
    licence: Option<String>,
    /// Where the model comes from
    #[arg(long)]
    source: Option<String>,
    /// Version of the model
    #[arg(long, default_value = "1")]
    version: String,
    /// What a pipeline may use it for
    #[arg(long, value_parser = ["clinical", "phi"])]
    role: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub(super) fn execute(options: &Options) -> Result<()> {
    let settings = options.place.settings()?;
    let from = options.folder.canonicalize().map_err(|_| wrong(&options.folder, "no such folder"))?;
    let name = options.name.clone().unwrap_or_else(|| from.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default());
    if !is_name(&name) {
        return Err(Error::Configuration(format!(
            "`{name}` is no name for a model: give --name with small letters, digits, `.`, `-`, `_`"
        )));
    }
    let target = settings.folder.join(&name);
    if target.exists() {
        return Err(Error::Configuration(format!("{} is there already; `sillage model remove {name}` deletes it", target.display())));
    }
    let manifest = manifest(options, &from)?;
    let graph = graph(&from)?;
    // Put together beside the target, so that a half-copied folder is never a model.
    let staging = tempfile::Builder::new().prefix(".adding-").tempdir_in(parent(&settings.folder)?).map_err(Error::io(&settings.folder))?;
    let work = staging.path().join(&name);
    fs::create_dir(&work).map_err(Error::io(&work))?;
    copy(&graph, &work.join(GRAPH))?;
    // Weights of more than two gigabytes lie beside the graph.
    for suffix in ["_data", ".data"] {
        let beside = PathBuf::from(format!("{}{suffix}", graph.display()));
        if let (true, Some(file)) = (beside.is_file(), beside.file_name()) {
            copy(&beside, &work.join(file))?;
        }
    }
    let mut files = vec![GRAPH];
    if from.join(TOKENIZER).is_file() {
        copy(&from.join(TOKENIZER), &work.join(TOKENIZER))?;
        files.push(TOKENIZER);
    }
    let mut manifest = manifest;
    if !manifest.contains("[sha256]") {
        manifest.push_str("\n[sha256]\n");
        for file in files {
            let digest = sha256(&work.join(file)).map_err(Error::io(work.join(file)))?;
            manifest.push_str(&format!("\"{file}\" = \"{digest}\"\n"));
        }
    }
    fs::write(work.join(MANIFEST), manifest).map_err(Error::io(work.join(MANIFEST)))?;
    let folder = Folder::read(&work)?;
    // Without ONNX Runtime a folder can be added, and is checked when it is first used.
    if sillage_inference::runtime::Runtime::load(&settings.runtime).is_ok() {
        if let Model::Text(_) = Models::new(Settings { folder: staging.path().to_owned(), ..settings.clone() }).get(&name)? {
            super::padding(&folder, &settings)?;
        }
    } else {
        folder.digest()?;
        eprintln!("ONNX Runtime is not installed: the model is added and has not been tried");
    }
    fs::rename(&work, &target).map_err(Error::io(&target))?;
    eprintln!("{} is a model now; read its {MANIFEST}, then `sillage model check {name}`", target.display());
    Ok(())
}

fn wrong(path: &Path, message: &str) -> Error {
    Error::Configuration(format!("{}: {message}", path.display()))
}

fn parent(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    Ok(folder.to_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).map_err(Error::io(from))?;
    Ok(())
}

/// The graph: `model.onnx`, here or in `onnx/`.
fn graph(folder: &Path) -> Result<PathBuf> {
    [folder.join(GRAPH), folder.join("onnx").join(GRAPH)]
        .into_iter()
        .find(|p| p.is_file())
        .ok_or_else(|| wrong(folder, "model.onnx is missing: export the model with `optimum-cli export onnx`"))
}

/// The manifest that is there, or one made of `config.json`.
fn manifest(options: &Options, folder: &Path) -> Result<String> {
    let there = folder.join(MANIFEST);
    if there.is_file() {
        return fs::read_to_string(&there).map_err(Error::io(&there));
    }
    let file = folder.join("config.json");
    let text = fs::read_to_string(&file).map_err(|_| {
        wrong(folder, "model.toml is missing, and so is config.json, which says what the model is: write a model.toml (docs/models.md)")
    })?;
    let config: Value = serde_json::from_str(&text).map_err(|e| wrong(&file, &e.to_string()))?;
    let (Some(licence), Some(source)) = (&options.licence, &options.source) else {
        return Err(Error::Configuration(
            "without a model.toml, --licence and --source say what may be done with the model and where it is from".to_owned(),
        ));
    };
    let mut out = format!(
        "# Made by `sillage model add` from config.json: check labels, scheme and length.\nversion = {}\n",
        quoted(&options.version)
    );
    let tags = config["architectures"]
        .as_array()
        .is_some_and(|a| a.iter().any(|n| n.as_str().is_some_and(|n| n.ends_with("ForTokenClassification"))));
    let task = if tags { "token-classification" } else { "embedding" };
    out.push_str(&format!("task = {}\n", quoted(task)));
    if let Some(role) = options.role.as_ref().filter(|_| tags) {
        out.push_str(&format!("role = {}\n", quoted(role)));
    }
    out.push_str(&format!("licence = {}\nsource = {}\n", quoted(licence), quoted(source)));
    out.push_str(&format!("\n[input]\nmax_length = {}\n", max_length(&config)));
    if tags {
        let names = labels(&config).ok_or_else(|| wrong(&file, "its id2label does not name every label"))?;
        let listed: Vec<String> = names.iter().map(|n| quoted(n)).collect();
        out.push_str(&format!("\n[labels]\nscheme = {}\nnames = [{}]\n", quoted(scheme(&names)), listed.join(", ")));
    } else {
        let dimension = config["hidden_size"].as_u64().ok_or_else(|| wrong(&file, "it has no hidden_size"))?;
        out.push_str(&format!("\n[embedding]\npooling = \"mean\"\nnormalise = true\ndimension = {dimension}\n"));
    }
    Ok(out)
}

/// A string of TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The longest window: what positions there are, without those that RoBERTa's kind keeps.
fn max_length(config: &Value) -> u64 {
    let positions = config["max_position_embeddings"].as_u64().unwrap_or(512);
    let kept = match config["model_type"].as_str() {
        Some("roberta" | "camembert" | "xlm-roberta") => 2,
        _ => 0,
    };
    positions.saturating_sub(kept).clamp(8, 512)
}

fn labels(config: &Value) -> Option<Vec<String>> {
    let named = config["id2label"].as_object()?;
    (0..named.len()).map(|index| named.get(&index.to_string())?.as_str().map(str::to_owned)).collect()
}

/// The scheme that the names' prefixes speak of.
fn scheme(names: &[String]) -> &'static str {
    let has = |prefixes: &[&str]| names.iter().any(|n| prefixes.iter().any(|p| n.starts_with(p)));
    if has(&["E-", "S-", "L-", "U-"]) {
        "BIOES"
    } else if has(&["B-"]) {
        "BIO"
    } else {
        "IO"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_says_what_the_model_is() {
        let config: Value =
            serde_json::from_str(r#"{"model_type":"camembert","max_position_embeddings":514,"id2label":{"1":"B-X","0":"O","2":"I-X"}}"#)
                .unwrap();
        assert_eq!(max_length(&config), 512);
        let names = labels(&config).unwrap();
        assert_eq!((names.join(" ").as_str(), scheme(&names)), ("O B-X I-X", "BIO"));
        assert_eq!(labels(&serde_json::json!({"id2label": {"0": "O", "2": "X"}})), None);
    }
}
