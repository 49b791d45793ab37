//! A model of numbers: a row of features in, a class or a value out.

use std::sync::{Mutex, PoisonError};

use crate::error::{ModelError, Result};
use crate::folder::{Folder, GRAPH, Missing, Tabular};
use crate::runtime::Runtime;
use crate::session::{Column, Network, Place};
use crate::settings::Settings;

/// A loaded tabular model.
pub struct TabularModel {
    pub name: String,
    pub version: String,
    pub sha256: String,
    pub licence: String,
    /// What it really runs on.
    pub device: String,
    table: Tabular,
    network: Mutex<Network>,
}

/// What a model says of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// The class; none for a regression.
    pub label: Option<String>,
    /// The value of a regression, the probability of the label.
    pub value: f32,
    /// By class, in the manifest's order.
    pub probabilities: Vec<f32>,
}

impl TabularModel {
    /// Loads a folder.
    ///
    /// Errors: the piece that is missing, wrong or does not fit the others.
    pub fn load(folder: &Folder, settings: &Settings) -> Result<TabularModel> {
        let wrong = |message: String| ModelError::Folder { path: folder.path.clone(), message };
        let Some(table) = folder.manifest.tabular.clone() else {
            return Err(wrong("model.toml: the section `[tabular]` is missing".to_owned()));
        };
        let sha256 = folder.digest()?;
        let runtime = Runtime::load(&settings.runtime)?;
        // Trees and lines of numbers are quicker on a core than on the way to a GPU.
        let place = Place::Cpu { threads: settings.threads.max(1) };
        let network = Network::load(&runtime, &folder.path.join(GRAPH), place, settings).map_err(|e| wrong(format!("{GRAPH}: {e}")))?;
        let model = TabularModel {
            name: folder.name.clone(),
            version: folder.manifest.version.clone(),
            sha256,
            licence: folder.manifest.licence.clone(),
            device: network.statement(),
            table,
            network: Mutex::new(network),
        };
        let zeros: Vec<Option<f32>> = vec![Some(0.0); model.table.features.len()];
        model.predict(&[zeros]).map_err(|e| wrong(format!("{GRAPH}: {e}")))?;
        Ok(model)
    }

    /// Names of the features, in order.
    pub fn features(&self) -> &[String] {
        &self.table.features
    }

    /// Names of the classes; none for a regression.
    pub fn classes(&self) -> &[String] {
        &self.table.classes
    }

    /// The prediction for each row of features; none where a feature is missing and
    /// the manifest refuses that.
    ///
    /// Errors: the graph fails, or its outputs are none that are known.
    pub fn predict(&self, rows: &[Vec<Option<f32>>]) -> Result<Vec<Option<Prediction>>, String> {
        let whole = |row: &&Vec<Option<f32>>| self.table.missing == Missing::Nan || row.iter().all(Option::is_some);
        let kept: Vec<&Vec<Option<f32>>> = rows.iter().filter(whole).collect();
        let mut found = if kept.is_empty() { Vec::new() } else { self.run(&kept)? }.into_iter();
        Ok(rows.iter().map(|row| if whole(&row) { found.next() } else { None }).collect())
    }

    fn run(&self, rows: &[&Vec<Option<f32>>]) -> Result<Vec<Prediction>, String> {
        let columns = self.table.features.len();
        let values: Vec<f32> = rows.iter().flat_map(|row| row.iter().map(|v| v.unwrap_or(f32::NAN))).collect();
        let outputs = self.network.lock().unwrap_or_else(PoisonError::into_inner).run_numbers(rows.len(), columns, values)?;
        if self.table.classes.is_empty() {
            let numbers = outputs.iter().find_map(|(_, column)| match column {
                Column::Numbers(output) if output.values.len() == rows.len() => Some(output),
                _ => None,
            });
            let Some(numbers) = numbers else { return Err("it has no output of one number a row".to_owned()) };
            let value = |value: &f32| if value.is_finite() { Ok(*value) } else { Err("its output holds what is no number".to_owned()) };
            return numbers.values.iter().map(|v| Ok(Prediction { label: None, value: value(v)?, probabilities: Vec::new() })).collect();
        }
        let classes = self.table.classes.len();
        let table = outputs.iter().find_map(|(_, column)| match column {
            Column::Numbers(output) if output.shape.as_slice() == [rows.len(), classes] => Some(output),
            _ => None,
        });
        let Some(table) = table else {
            let maps = outputs.iter().any(|(_, column)| matches!(column, Column::Other));
            let hint = if maps { ": export it with options={\"zipmap\": False}" } else { "" };
            return Err(format!("it has no output of probabilities, [rows, {classes}]{hint}"));
        };
        let prediction = |probabilities: &[f32]| {
            let best = (0..classes).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b])).unwrap_or(0);
            if probabilities.iter().any(|p| !p.is_finite()) {
                return Err("its output holds what is no number".to_owned());
            }
            Ok(Prediction {
                label: self.table.classes.get(best).cloned(),
                value: probabilities[best],
                probabilities: probabilities.to_vec(),
            })
        };
        table.values.chunks_exact(classes).map(prediction).collect()
    }
}
