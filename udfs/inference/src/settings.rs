//! Where models are and what they run on: the section `[models]` of a pipeline.

use std::path::PathBuf;

use serde::Deserialize;

/// What models run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    /// A GPU where ONNX Runtime has one, else the CPU.
    Auto,
    Cpu,
    Cuda,
    Tensorrt,
}

impl Device {
    pub const NAMES: [&'static str; 4] = ["auto", "cpu", "cuda", "tensorrt"];

    pub fn from_name(name: &str) -> Option<Device> {
        Some(match name {
            "auto" => Device::Auto,
            "cpu" => Device::Cpu,
            "cuda" => Device::Cuda,
            "tensorrt" => Device::Tensorrt,
            _ => return None,
        })
    }
}

/// How models are run.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Folder of model folders.
    pub folder: PathBuf,
    /// ONNX Runtime's library, or a folder that holds it; empty: it is looked for.
    pub runtime: PathBuf,
    pub device: Device,
    /// Numbers of the GPUs to use.
    pub gpus: Vec<i32>,
    /// Threads of a session on the CPU; 0: one a core.
    pub threads: usize,
    /// Sessions of a model on a device: each holds the weights once.
    pub sessions: usize,
    /// Tokens of a batch with its padding; 0: 2048 on the CPU, 16384 on a GPU.
    pub batch_tokens: usize,
    /// Bytes of memory that a session may take on a GPU; 0: all.
    pub gpu_bytes: usize,
    /// Models that are kept loaded.
    pub max_loaded: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            folder: PathBuf::from("models"),
            runtime: PathBuf::new(),
            device: Device::Auto,
            gpus: vec![0],
            threads: 0,
            sessions: 1,
            batch_tokens: 0,
            gpu_bytes: 0,
            max_loaded: 4,
        }
    }
}
