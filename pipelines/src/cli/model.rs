//! `sillage model`: model folders, whether they work and how fast.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use sillage_inference::bare::Bare;
use sillage_inference::folder::{Folder, Role, Task};
use sillage_inference::runtime::Runtime;
use sillage_inference::{Device, Model, Models, Settings};

use super::print;
use super::table::table;
use crate::configuration::Configuration;
use crate::error::{Error, Result};

mod add;
mod bench;

/// A change of the output by padding, as a part of its range, that quantisation does not explain.
const UNMASKED: f32 = 0.15;
/// A sentence that a check reads.
const SENTENCE: &str = "Mme Ewaldine QUILLANDRE, suivie à Plouzennec, est adressée pour une aphasie brutale le 3 mai 2024 ; apixaban 5 mg.";

#[derive(Subcommand)]
pub(super) enum Command {
    /// Take the export of a model into the folder of models
    #[command(
        after_help = "Example:\n  optimum-cli export onnx --model almanach/camembert-bio-base --task token-classification exported/\n  sillage model add exported/ --name camembert-bio --licence MIT --source https://huggingface.co/almanach/camembert-bio-base\n\nmodel.toml is written from config.json where the folder has none; read it: see docs/models.md."
    )]
    Add(add::Options),
    /// What models there are
    List(Where),
    /// Load a model, read a sentence with it, say what it runs on
    #[command(after_help = "Example:\n  sillage model check camembert-bio --text \"AVC sylvien gauche.\"")]
    Check(Check),
    /// How fast a model is here, beside ONNX Runtime fed with perfect batches
    #[command(after_help = "Example:\n  sillage model bench camembert-bio --file texts.txt")]
    Bench(bench::Options),
    /// Delete a model's folder
    Remove {
        name: String,
        #[command(flatten)]
        place: Where,
    },
}

/// Where models are and what runs them.
#[derive(Args)]
pub(super) struct Where {
    /// Pipeline file whose [models] are meant
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    /// Folder of models instead of the pipeline's
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// What to run on instead of the pipeline's
    #[arg(long, value_name = "DEVICE", value_parser = Device::NAMES)]
    device: Option<String>,
}

impl Where {
    fn settings(&self) -> Result<Settings> {
        let mut settings = Configuration::read(self.pipeline.as_deref())?.models.settings();
        if let Some(folder) = &self.models {
            settings.folder = folder.clone();
        }
        if let Some(device) = self.device.as_deref().and_then(Device::from_name) {
            settings.device = device;
        }
        Ok(settings)
    }

    fn models(&self) -> Result<Models> {
        Ok(Models::new(self.settings()?))
    }
}

#[derive(Args)]
pub(super) struct Check {
    name: String,
    /// Text to read instead of the built-in sentence
    #[arg(long)]
    text: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub(super) fn execute(command: Command) -> Result<()> {
    match command {
        Command::Add(options) => add::execute(&options),
        Command::List(place) => list(&place),
        Command::Check(options) => check(&options),
        Command::Bench(options) => bench::execute(&options),
        Command::Remove { name, place } => {
            // Only what is a model folder is deleted.
            let folder = place.models()?.folder(&name)?;
            std::fs::remove_dir_all(&folder.path).map_err(Error::io(&folder.path))?;
            eprintln!("{} is deleted", folder.path.display());
            Ok(())
        }
    }
}

fn list(place: &Where) -> Result<()> {
    let models = place.models()?;
    let rows: Vec<Vec<String>> = models.list().into_iter().map(|(name, folder)| row(name, folder)).collect();
    if rows.is_empty() {
        eprintln!("no model in {}; `sillage model add` takes one in", models.settings().folder.display());
        return Ok(());
    }
    print(&table(&["model", "version", "task", "role", "licence", "labels"], &rows, &[24, 10, 20, 8, 16, 60]))
}

fn row(name: String, folder: sillage_inference::error::Result<Folder>) -> Vec<String> {
    match folder {
        Ok(Folder { manifest, .. }) => {
            let labels = match (&manifest.labels, &manifest.embedding, &manifest.tabular) {
                (Some(labels), ..) => labels.names.join(" "),
                (_, Some(embedding), _) => format!("{} numbers", embedding.dimension),
                (_, _, Some(tabular)) => tabular.classes.join(" "),
                _ => String::new(),
            };
            vec![
                name,
                manifest.version,
                manifest.task.name().to_owned(),
                manifest.role.map_or("", Role::name).to_owned(),
                manifest.licence,
                labels,
            ]
        }
        Err(error) => vec![name, String::new(), "unusable".to_owned(), String::new(), String::new(), error.to_string()],
    }
}

fn check(options: &Check) -> Result<()> {
    let models = options.place.models()?;
    let folder = models.folder(&options.name)?;
    let runtime = Runtime::load(&models.settings().runtime)?;
    let mut out = format!(
        "folder     {}\ntask       {}\nlicence    {}\nsource     {}\nruntime    {} ({})\n           {}\n",
        folder.path.display(),
        folder.manifest.task.name(),
        folder.manifest.licence,
        folder.manifest.source,
        runtime.library.display(),
        runtime.found,
        runtime.build.trim_start_matches("ORT Build Info: "),
    );
    let text = options.text.as_deref().unwrap_or(SENTENCE);
    match models.get(&options.name)? {
        Model::Text(model) => {
            out.push_str(&format!("sha256     {}\ndevice     {}\n", model.sha256, model.device));
            let apart = padding(&folder, models.settings())?;
            out.push_str(&format!("padding    changes the output by {:.1} % of its range\n", apart * 100.0));
            if folder.manifest.task == Task::Embedding {
                let vector = model.vectors([text]).remove(0).map_err(|e| failed(&options.name, e))?;
                let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
                out.push_str(&format!("vector     {} numbers, length {length:.3}\n", vector.len()));
            } else {
                let spans = model.spans([text]).remove(0).map_err(|e| failed(&options.name, e))?;
                out.push_str(&format!("labels     {}\ntext       {text}\n", model.labels().join(" ")));
                for span in &spans {
                    out.push_str(&format!(
                        "           {:<16} {:.3}  {}\n",
                        model.labels()[span.kind],
                        span.score,
                        &text[span.start..span.end]
                    ));
                }
                if spans.is_empty() {
                    out.push_str("           nothing found\n");
                }
            }
        }
        Model::Tabular(model) => {
            out.push_str(&format!("sha256     {}\ndevice     {}\nfeatures   {}\n", model.sha256, model.device, model.features().join(" ")));
            if !model.classes().is_empty() {
                out.push_str(&format!("classes    {}\n", model.classes().join(" ")));
            }
        }
    }
    print(&out)
}

/// How much padding changes a model's output, as a part of its range.
///
/// Errors: so much that it must have been exported without its mask.
fn padding(folder: &Folder, settings: &Settings) -> Result<f32> {
    let effect = Bare::load(folder, settings)?.padding_effect();
    let (apart, range) = effect.map_err(|e| failed(&folder.name, e))?;
    let part = if range > 0.0 { apart / range } else { 0.0 };
    if part > UNMASKED {
        let message = format!(
            "{}: padding changes the output of model.onnx by {:.0} % of its range: it was exported without its mask. \
             Export it with a batch in which something is padded, or with optimum-cli",
            folder.path.display(),
            part * 100.0
        );
        return Err(Error::Configuration(message));
    }
    Ok(part)
}

fn failed(name: &str, reason: String) -> Error {
    Error::Model(sillage_inference::ModelError::Failed { name: name.to_owned(), reason })
}
