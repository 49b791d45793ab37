//! One network on one device: batches of ids in, numbers out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ort::ep;
use ort::logging::LogLevel;
use ort::memory::{AllocationDevice, Allocator, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{Session, SessionInputValue};
use ort::value::{DynValue, Outlet, Tensor, TensorElementType, ValueType};

use crate::error::{ModelError, Result};
use crate::runtime::Runtime;
use crate::settings::{Device, Settings};

/// Where a session runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Cpu { threads: usize },
    Cuda { gpu: i32 },
    Tensorrt { gpu: i32 },
}

impl Place {
    fn gpu(self) -> Option<i32> {
        match self {
            Place::Cpu { .. } => None,
            Place::Cuda { gpu } | Place::Tensorrt { gpu } => Some(gpu),
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Cpu { threads: 1 } => write!(f, "CPU, 1 thread"),
            Place::Cpu { threads } => write!(f, "CPU, {threads} threads"),
            Place::Cuda { gpu } => write!(f, "CUDA, GPU {gpu}"),
            Place::Tensorrt { gpu } => write!(f, "TensorRT, GPU {gpu}"),
        }
    }
}

/// The places that the settings ask for, one a session.
///
/// Errors: a device is asked for that this ONNX Runtime was built without.
pub(crate) fn places(runtime: &Runtime, settings: &Settings) -> Result<Vec<Place>> {
    let sessions = settings.sessions.max(1);
    let absent = |what: &str| {
        let library = runtime.library.display();
        ModelError::Device(format!("`[models] device` asks for {what}, and {library} was built without it: install onnxruntime-gpu"))
    };
    let on_gpus = |place: fn(i32) -> Place| {
        let gpus = if settings.gpus.is_empty() { vec![0] } else { settings.gpus.clone() };
        // In turn: first every GPU once.
        (0..sessions).flat_map(|_| gpus.clone()).map(place).collect()
    };
    Ok(match settings.device {
        Device::Tensorrt if !runtime.has_tensorrt() => return Err(absent("TensorRT")),
        Device::Cuda if !runtime.has_cuda() => return Err(absent("CUDA")),
        Device::Tensorrt => on_gpus(|gpu| Place::Tensorrt { gpu }),
        Device::Cuda => on_gpus(|gpu| Place::Cuda { gpu }),
        Device::Auto if runtime.has_cuda() => on_gpus(|gpu| Place::Cuda { gpu }),
        Device::Auto | Device::Cpu => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let threads = if settings.threads > 0 { settings.threads } else { (cores / sessions).max(1) };
            vec![Place::Cpu { threads }; sessions]
        }
    })
}

/// Numbers of an output, row-major.
pub(crate) struct Output {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// Type and dimensions of a tensor.
pub(crate) type Shape = (TensorElementType, Vec<i64>);

/// A session with what its graph wants.
pub(crate) struct Network {
    session: Session,
    pub place: Place,
    /// Whether ONNX Runtime said that some of the graph runs elsewhere than asked.
    mixed: Arc<AtomicBool>,
    /// Types by input, in the graph's order.
    pub inputs: Vec<(String, TensorElementType)>,
    pub outputs: Vec<(String, Option<Shape>)>,
    pinned: Option<Allocator>,
}

fn tensor(outlet: &Outlet) -> Option<Shape> {
    match outlet.dtype() {
        ValueType::Tensor { ty, shape, .. } => Some((*ty, shape.iter().copied().collect())),
        _ => None,
    }
}

/// Message of an error on one line; it speaks of the graph, not of the text.
fn said<R>(error: &ort::Error<R>) -> String {
    error.message().split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Network {
    /// Loads a graph.
    ///
    /// Errors: the graph cannot be read, or the device is not there.
    pub fn load(runtime: &Runtime, graph: &Path, place: Place, settings: &Settings) -> Result<Network, String> {
        let mixed = Arc::new(AtomicBool::new(false));
        let heard = mixed.clone();
        let hear = move |level: LogLevel, _: &str, _: &str, _: &str, message: &str| {
            if message.contains("not assigned to the preferred execution providers") {
                heard.store(true, Ordering::Relaxed);
            }
            // The severity says enough: a message of a kernel may tell values.
            if matches!(level, LogLevel::Error | LogLevel::Fatal) {
                tracing::debug!("ONNX Runtime reports an error");
            }
        };
        let build = || -> ort::Result<Session> {
            let builder = Session::builder(&runtime.environment)?
                .with_no_environment_execution_providers()?
                .with_logger(Arc::new(hear))?
                .with_log_level(LogLevel::Warning)?
                .with_optimization_level(GraphOptimizationLevel::All)?;
            let mut builder = match place {
                Place::Cpu { threads } => builder.with_intra_threads(threads)?.with_inter_threads(1)?,
                Place::Cuda { gpu } => builder.with_execution_providers([cuda(gpu, settings).build().error_on_failure()])?,
                Place::Tensorrt { gpu } => builder.with_execution_providers([
                    ep::TensorRT::default().with_device_id(gpu).with_fp16(true).build().error_on_failure(),
                    cuda(gpu, settings).build().error_on_failure(),
                ])?,
            };
            builder.commit_from_file(graph)
        };
        if place.gpu().is_some() {
            runtime.preload_cuda();
        }
        let session = build().map_err(|e| said(&e))?;
        let mut inputs = Vec::new();
        for input in session.inputs() {
            let Some((kind, _)) = tensor(input) else { return Err(format!("its input `{}` is no tensor", input.name())) };
            inputs.push((input.name().to_owned(), kind));
        }
        let outputs = session.outputs().iter().map(|o| (o.name().to_owned(), tensor(o))).collect();
        let pinned = place.gpu().and_then(|gpu| {
            let info = MemoryInfo::new(AllocationDevice::CUDA_PINNED, gpu, AllocatorType::Device, MemoryType::CPUInput).ok()?;
            Allocator::new(&session, info).ok()
        });
        Ok(Network { session, place, mixed, inputs, outputs, pinned })
    }

    /// What is really used.
    pub fn statement(&self) -> String {
        let mut statement = self.place.to_string();
        if self.mixed.load(Ordering::Relaxed) {
            statement.push_str(", some nodes on the CPU");
        }
        if self.place.gpu().is_some() && self.pinned.is_none() {
            statement.push_str(", without pinned memory");
        }
        statement
    }

    /// Runs a batch: for each input of the graph its values, `rows` by `length`.
    ///
    /// Errors: what ONNX Runtime says.
    pub fn run(&mut self, rows: usize, length: usize, value: impl Fn(&str, usize) -> i64, output: &str) -> Result<Output, String> {
        let count = rows * length;
        let mut tensors = Vec::with_capacity(self.inputs.len());
        for (name, kind) in &self.inputs {
            tensors.push((name.clone(), self.input(name, *kind, [rows, length], count, &value)?));
        }
        if self.place.gpu().is_some() {
            return self.run_bound(&tensors, output);
        }
        let inputs: Vec<(String, SessionInputValue<'_>)> =
            tensors.into_iter().map(|(name, value)| (name, SessionInputValue::from(value))).collect();
        let outputs = self.session.run(inputs).map_err(|e| said(&e))?;
        let value = outputs.get(output).ok_or_else(|| format!("the output `{output}` did not come"))?;
        read(value)
    }

    /// Inputs in pinned memory go over while the device still works, outputs come back into it.
    fn run_bound(&mut self, tensors: &[(String, DynValue)], output: &str) -> Result<Output, String> {
        let failed = |e: ort::Error| said(&e);
        let mut binding = self.session.create_binding().map_err(failed)?;
        for (name, value) in tensors {
            binding.bind_input(name.as_str(), value).map_err(failed)?;
        }
        let device = match (&self.pinned, self.place.gpu()) {
            (Some(_), Some(gpu)) => MemoryInfo::new(AllocationDevice::CUDA_PINNED, gpu, AllocatorType::Device, MemoryType::CPUOutput),
            _ => MemoryInfo::new(AllocationDevice::CPU, 0, AllocatorType::Device, MemoryType::Default),
        };
        binding.bind_output_to_device(output, &device.map_err(failed)?).map_err(failed)?;
        binding.synchronize_inputs().map_err(failed)?;
        let outputs = self.session.run_binding(&binding).map_err(failed)?;
        binding.synchronize_outputs().map_err(failed)?;
        let value = outputs.get(output).ok_or_else(|| format!("the output `{output}` did not come"))?;
        read(value)
    }

    fn input(
        &self,
        name: &str,
        kind: TensorElementType,
        shape: [usize; 2],
        count: usize,
        value: impl Fn(&str, usize) -> i64,
    ) -> Result<DynValue, String> {
        macro_rules! filled {
            ($type:ty) => {{
                let shape = shape.map(|side| side as i64);
                match &self.pinned {
                    Some(allocator) => {
                        let mut tensor = Tensor::<$type>::new(allocator, shape).map_err(|e| said(&e))?;
                        let (_, slots) = tensor.try_extract_tensor_mut::<$type>().map_err(|e| said(&e))?;
                        for (at, slot) in slots.iter_mut().enumerate() {
                            *slot = value(name, at) as $type;
                        }
                        Ok(tensor.into_dyn())
                    }
                    None => {
                        let values: Vec<$type> = (0..count).map(|at| value(name, at) as $type).collect();
                        Tensor::from_array((shape, values)).map(Tensor::into_dyn).map_err(|e| said(&e))
                    }
                }
            }};
        }
        match kind {
            TensorElementType::Int64 => filled!(i64),
            TensorElementType::Int32 => filled!(i32),
            other => Err(format!("its input `{name}` is {other}, and ids are int64 or int32")),
        }
    }

    /// Runs rows of numbers through a graph of one input; all outputs by name.
    ///
    /// Errors: what ONNX Runtime says.
    pub fn run_numbers(&mut self, rows: usize, columns: usize, values: Vec<f32>) -> Result<Vec<(String, Column)>, String> {
        let [(name, kind)] = self.inputs.as_slice() else {
            return Err(format!("it has {} inputs, and a tabular model has one: [rows, features]", self.inputs.len()));
        };
        let shape = [rows as i64, columns as i64];
        let tensor = match kind {
            TensorElementType::Float32 => Tensor::from_array((shape, values)).map(Tensor::into_dyn),
            TensorElementType::Float64 => {
                Tensor::from_array((shape, values.into_iter().map(f64::from).collect::<Vec<_>>())).map(Tensor::into_dyn)
            }
            other => return Err(format!("its input `{name}` is {other}, and features are float")),
        };
        let tensor = tensor.map_err(|e| said(&e))?;
        let outputs = self.session.run(vec![(name.clone(), SessionInputValue::from(tensor))]).map_err(|e| said(&e))?;
        outputs.iter().map(|(name, value)| Ok((name.to_owned(), column(&value)?))).collect()
    }
}

fn cuda(gpu: i32, settings: &Settings) -> ep::CUDA {
    let provider = ep::CUDA::default().with_device_id(gpu).with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested);
    if settings.gpu_bytes > 0 { provider.with_memory_limit(settings.gpu_bytes) } else { provider }
}

/// An output of a tabular model.
pub(crate) enum Column {
    Numbers(Output),
    /// Names of classes: the manifest has them.
    Names,
    /// A sequence or a map.
    Other,
}

fn column(value: &DynValue) -> Result<Column, String> {
    let ValueType::Tensor { ty, .. } = value.dtype() else { return Ok(Column::Other) };
    if *ty == TensorElementType::String {
        return Ok(Column::Names);
    }
    read(value).map(Column::Numbers)
}

/// Numbers of a tensor as floats.
fn read(value: &DynValue) -> Result<Output, String> {
    let ValueType::Tensor { ty, .. } = value.dtype() else { return Err("the output is no tensor".to_owned()) };
    macro_rules! numbers {
        ($type:ty, $convert:expr) => {{
            let (shape, values) = value.try_extract_tensor::<$type>().map_err(|e| said(&e))?;
            (shape.iter().map(|s| *s as usize).collect(), values.iter().map($convert).collect())
        }};
    }
    let (shape, values) = match ty {
        TensorElementType::Float32 => numbers!(f32, |v| *v),
        TensorElementType::Float16 => numbers!(half::f16, |v| v.to_f32()),
        TensorElementType::Bfloat16 => numbers!(half::bf16, |v| v.to_f32()),
        TensorElementType::Float64 => numbers!(f64, |v| *v as f32),
        TensorElementType::Int64 => numbers!(i64, |v| *v as f32),
        TensorElementType::Int32 => numbers!(i32, |v| *v as f32),
        other => return Err(format!("the output is {other}")),
    };
    Ok(Output { shape, values })
}
