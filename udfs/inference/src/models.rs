//! The models of a folder, loaded when they are asked for and kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{ModelError, Result};
use crate::folder::{Folder, Task, is_name};
use crate::settings::Settings;
use crate::tabular::TabularModel;
use crate::text_model::TextModel;

/// A loaded model.
#[derive(Clone)]
pub enum Model {
    Text(Arc<TextModel>),
    Tabular(Arc<TabularModel>),
}

/// The model folders of a process.
pub struct Models {
    settings: Settings,
    /// The last one used at the end.
    loaded: Mutex<Vec<(String, Model)>>,
}

impl Models {
    pub fn new(settings: Settings) -> Models {
        Models { settings, loaded: Mutex::default() }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Reads every folder; an error in place of those that cannot be read.
    pub fn list(&self) -> Vec<(String, Result<Folder>)> {
        let Ok(entries) = std::fs::read_dir(&self.settings.folder) else { return Vec::new() };
        let mut folders: Vec<_> = entries.flatten().map(|e| e.path()).filter(|p| p.is_dir()).collect();
        folders.sort();
        let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        folders.iter().filter(|path| !name(path).starts_with('.')).map(|path| (name(path), Folder::read(path))).collect()
    }

    /// The folder of a model.
    ///
    /// Errors: there is none of that name; the message lists those there are.
    pub fn folder(&self, name: &str) -> Result<Folder> {
        let path = self.settings.folder.join(name);
        if is_name(name) && path.is_dir() {
            return Folder::read(&path);
        }
        let names: Vec<String> = self.list().into_iter().map(|(name, _)| format!("`{name}`")).collect();
        let known = if names.is_empty() { "it holds no model".to_owned() } else { format!("known: {}", names.join(", ")) };
        Err(ModelError::Unknown { name: name.to_owned(), folder: self.settings.folder.clone(), known })
    }

    /// A model, loaded now if it is not yet.
    ///
    /// Errors: it cannot be loaded; the message names the piece.
    pub fn get(&self, name: &str) -> Result<Model> {
        // One loads, the others wait for it: nobody loads the same weights twice.
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = loaded.iter().position(|(n, _)| n == name) {
            let entry = loaded.remove(at);
            let model = entry.1.clone();
            loaded.push(entry);
            return Ok(model);
        }
        let folder = self.folder(name)?;
        let model = match folder.manifest.task {
            Task::Tabular => Model::Tabular(Arc::new(TabularModel::load(&folder, &self.settings)?)),
            Task::TokenClassification | Task::Embedding => Model::Text(Arc::new(TextModel::load(&folder, &self.settings)?)),
        };
        while loaded.len() >= self.settings.max_loaded.max(1) {
            // Who still uses it keeps it until then.
            loaded.remove(0);
        }
        loaded.push((name.to_owned(), model.clone()));
        Ok(model)
    }

    fn of_task(&self, name: &str, wanted: Task) -> Result<Model> {
        let folder = self.folder(name)?;
        let task = folder.manifest.task;
        if task != wanted {
            return Err(ModelError::Task { name: name.to_owned(), task: task.name(), wanted: wanted.name() });
        }
        self.get(name)
    }

    /// A tagger.
    ///
    /// Errors: it cannot be loaded, or is no tagger.
    pub fn tagger(&self, name: &str) -> Result<Arc<TextModel>> {
        match self.of_task(name, Task::TokenClassification)? {
            Model::Text(model) => Ok(model),
            Model::Tabular(_) => Err(self.other(name, Task::TokenClassification)),
        }
    }

    /// A model that makes vectors.
    ///
    /// Errors: it cannot be loaded, or is for something else.
    pub fn embedding(&self, name: &str) -> Result<Arc<TextModel>> {
        match self.of_task(name, Task::Embedding)? {
            Model::Text(model) => Ok(model),
            Model::Tabular(_) => Err(self.other(name, Task::Embedding)),
        }
    }

    /// A tabular model.
    ///
    /// Errors: it cannot be loaded, or is for something else.
    pub fn tabular(&self, name: &str) -> Result<Arc<TabularModel>> {
        match self.of_task(name, Task::Tabular)? {
            Model::Tabular(model) => Ok(model),
            Model::Text(_) => Err(self.other(name, Task::Tabular)),
        }
    }

    fn other(&self, name: &str, wanted: Task) -> ModelError {
        ModelError::Task { name: name.to_owned(), task: "another task", wanted: wanted.name() }
    }
}
