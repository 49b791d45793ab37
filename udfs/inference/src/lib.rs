//! Learned models: folders with an ONNX graph, run by ONNX Runtime on the CPU or on
//! GPUs. The one crate that knows ONNX Runtime and tokenizers; it knows no engine.
//!
//! [`Models`] finds and keeps models by name. A [`text_model::TextModel`] cuts texts
//! into [`window`]s of tokens, its [`pool`] runs them in batches of one length across
//! documents and callers, and [`label`]s become spans with exact offsets.

pub mod bare;
pub mod error;
pub mod folder;
pub mod label;
mod models;
mod pool;
pub mod runtime;
mod session;
mod settings;
pub mod tabular;
pub mod text_model;
pub mod tokens;
pub mod window;

pub use error::ModelError;
pub use models::{Model, Models};
pub use settings::{Device, Settings};
