//! `embed(text, model)`: the vector of a text.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListBuilder, Float32Builder};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, DocSection, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use sillage_inference::Models;

use crate::arguments::texts;
use crate::catalogue::MODELS;
use crate::hybrid::waiting;
use crate::model_entities::{all, one_name};

struct Embed {
    models: Arc<Models>,
    signature: Signature,
    documentation: Documentation,
}

impl std::fmt::Debug for Embed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "embed")
    }
}

impl PartialEq for Embed {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.models, &other.models)
    }
}

impl Eq for Embed {}

impl Hash for Embed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "embed".hash(state);
    }
}

pub(crate) fn udf(models: &Arc<Models>) -> ScalarUDF {
    let documentation = Documentation::builder(
        DocSection { label: MODELS, ..DocSection::default() },
        "Vector of a text by a learned model: a fixed-size list of the model's dimension, pooled and normalised as the model's folder says. Needs ONNX Runtime.",
        "embed(text, model)",
    )
    .with_argument("text", "Text to read, of any length: vectors of its parts are averaged; null gives null.")
    .with_argument("model", "Name of a model folder, written as a constant: the type of the result depends on it.")
    .with_sql_example("select document_id, embed(text, 'sentence-camembert') from documents")
    .build();
    ScalarUDF::from(Embed { models: Arc::clone(models), signature: Signature::any(2, Volatility::Immutable), documentation })
}

fn vector(dimension: usize) -> DataType {
    DataType::FixedSizeList(Arc::new(Field::new("item", DataType::Float32, true)), dimension as i32)
}

impl ScalarUDFImpl for Embed {
    fn name(&self) -> &str {
        "embed"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        plan_err!("the type of embed depends on its model")
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let Some(Some(ScalarValue::Utf8(Some(name)) | ScalarValue::Utf8View(Some(name)) | ScalarValue::LargeUtf8(Some(name)))) =
            arguments.scalar_arguments.get(1)
        else {
            return plan_err!("the model of embed is a constant: embed(text, 'NAME')");
        };
        // The manifest says it; nothing is loaded to plan a query.
        match self.models.folder(name).map(|folder| folder.manifest.embedding) {
            Ok(Some(embedding)) => Ok(Arc::new(Field::new("embed", vector(embedding.dimension), true))),
            Ok(None) => plan_err!("model `{name}` makes no vectors: its model.toml has no [embedding]"),
            Err(error) => plan_err!("{error}"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let DataType::FixedSizeList(_, dimension) = arguments.return_field.data_type() else {
            return exec_err!("embed was planned without its model");
        };
        let arrays = ColumnarValue::values_to_arrays(&arguments.args)?;
        let sources = texts(&arrays, 0)?;
        let mut vectors = FixedSizeListBuilder::new(Float32Builder::new(), *dimension);
        let mut found = Vec::new();
        if sources.null_count() < sources.len() {
            let name = one_name(&arrays, 1)?;
            let model = match waiting(|| self.models.embedding(&name)) {
                Ok(model) => model,
                Err(error) => return exec_err!("{error}"),
            };
            found = all(&name, waiting(|| model.vectors(sources.iter().flatten())))?;
        }
        let mut found = found.into_iter();
        for row in 0..sources.len() {
            let given = sources.is_valid(row).then(|| found.next().unwrap_or_default());
            let numbers = given.as_deref().filter(|v| v.len() == *dimension as usize);
            match numbers {
                Some(numbers) => vectors.values().append_slice(numbers),
                None => vectors.values().append_nulls(*dimension as usize),
            }
            vectors.append(numbers.is_some());
        }
        Ok(ColumnarValue::Array(Arc::new(vectors.finish()) as ArrayRef))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
