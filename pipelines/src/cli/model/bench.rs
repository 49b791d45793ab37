//! `sillage model bench`: how fast a model is, beside ONNX Runtime fed with perfect
//! batches, in one run on one machine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use sillage_inference::Models;
use sillage_inference::bare::Bare;
use sillage_inference::folder::Task;

use super::{Where, failed};
use crate::cli::print;
use crate::error::{Error, Result};

/// What invented notes are made of, where no file is given.
const SENTENCES: [&str; 8] = [
    "Patient de 74 ans vu pour un déficit moteur brutal de l'hémicorps gauche.",
    "NIHSS à 11 à l'entrée, 4 à la sortie.",
    "Pas d'argument pour une hémorragie à l'IRM.",
    "Antécédents : HTA, diabète de type 2, tabagisme sevré.",
    "Thrombolyse à 3 h 20 du début, bien tolérée.",
    "L'ETT ne retrouve pas de source cardio-embolique ; Holter en cours, à revoir avec le Dr Modèle en consultation.",
    "Traitement de sortie : acide acétylsalicylique 75 mg, atorvastatine 80 mg.",
    "Retour à domicile.",
];
/// Turns of each side; the quickest counts.
const TURNS: usize = 3;

#[derive(Args)]
pub(in crate::cli) struct Options {
    name: String,
    /// Texts, one a line, instead of invented ones
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// How many texts
    #[arg(long, default_value_t = 256)]
    texts: usize,
    #[command(flatten)]
    place: Where,
}

pub(super) fn execute(options: &Options) -> Result<()> {
    let settings = options.place.settings()?;
    let models = Models::new(settings.clone());
    let folder = models.folder(&options.name)?;
    if folder.manifest.task == Task::Tabular {
        return Err(Error::Configuration(format!("`{}` reads no text: there is nothing to batch", options.name)));
    }
    let texts = texts(options)?;
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let characters: usize = texts.iter().map(|t| t.chars().count()).sum();
    let mut bare = Bare::load(&folder, &settings)?;
    let model = match models.get(&options.name)? {
        sillage_inference::Model::Text(model) => model,
        sillage_inference::Model::Tabular(_) => return Err(Error::Internal("a tabular model reads text".to_owned())),
    };
    let (mut ours, mut floor, mut tokens) = (Duration::MAX, Duration::MAX, 0);
    // In turns: what else the machine does meets both.
    for _ in 0..TURNS {
        let started = Instant::now();
        let failures = match folder.manifest.task {
            Task::Embedding => model.vectors(texts.iter().copied()).into_iter().filter_map(std::result::Result::err).next(),
            _ => model.spans(texts.iter().copied()).into_iter().filter_map(std::result::Result::err).next(),
        };
        ours = ours.min(started.elapsed());
        if let Some(reason) = failures {
            return Err(failed(&options.name, reason));
        }
        let (time, count) = bare.time(&texts).map_err(|e| failed(&options.name, e))?;
        floor = floor.min(time);
        tokens = count;
    }
    let rate = |time: Duration| tokens as f64 / time.as_secs_f64();
    print(&format!(
        "device     {}\ntexts      {} ({characters} characters, {tokens} tokens)\nsillage    {:.3} s, {:.0} tokens/s: text in, spans out\nfloor      {:.3} s, {:.0} tokens/s: one session, perfect batches, nothing else\nratio      {:.3}\n",
        model.device,
        texts.len(),
        ours.as_secs_f64(),
        rate(ours),
        floor.as_secs_f64(),
        rate(floor),
        floor.as_secs_f64() / ours.as_secs_f64(),
    ))
}

fn texts(options: &Options) -> Result<Vec<String>> {
    if let Some(file) = &options.file {
        let text = std::fs::read_to_string(file).map_err(|e| Error::Configuration(format!("{}: {e}", file.display())))?;
        let texts: Vec<String> = text.lines().filter(|l| !l.trim().is_empty()).take(options.texts).map(str::to_owned).collect();
        return if texts.is_empty() { Err(Error::Configuration(format!("{}: no text", file.display()))) } else { Ok(texts) };
    }
    // Lengths as notes have them: many short, some long.
    let length = |at: usize| 1 + (at * 7919 % 97) * (at * 104_729 % 89) / 400;
    let text = |at: usize| (0..length(at)).map(|i| SENTENCES[(at + i * (1 + at % 3)) % SENTENCES.len()]).collect::<Vec<_>>().join(" ");
    Ok((0..options.texts.max(1)).map(text).collect())
}
