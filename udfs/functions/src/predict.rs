//! `predict(model, row)`: what a tabular model says of a row of features.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, Float32Builder, ListBuilder, StringBuilder, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Float32Type};
use datafusion::common::{Result, exec_err};
use datafusion::logical_expr::{DocSection, Documentation, ScalarUDF, Signature, Volatility};
use sillage_inference::Models;
use sillage_inference::tabular::TabularModel;

use crate::catalogue::MODELS;
use crate::hybrid::waiting;
use crate::model_entities::one_name;
use crate::udf::Function;

fn fields() -> Fields {
    let numbers = DataType::List(Arc::new(Field::new("item", DataType::Float32, true)));
    Fields::from(vec![
        Field::new("label", DataType::Utf8, true),
        Field::new("value", DataType::Float32, true),
        Field::new("probabilities", numbers, true),
    ])
}

pub(crate) fn udf(models: &Arc<Models>) -> ScalarUDF {
    let models = Arc::clone(models);
    Function {
        name: "predict",
        signature: Signature::any(2, Volatility::Immutable),
        returns: DataType::Struct(fields()),
        documentation: Documentation::builder(
            DocSection { label: MODELS, ..DocSection::default() },
            "What a tabular model (scikit-learn, XGBoost exported to ONNX) says of a row: the class, its probability and that of every class in the model's order; of a regression the value alone. Needs ONNX Runtime.",
            "predict(model, row)",
        )
        .with_argument("model", "Name of a model folder (`sillage model list`).")
        .with_argument("row", "A struct with a field for each feature of the model, by name; other fields are ignored, booleans count as 0 and 1.")
        .with_sql_example("select predict('mortality', named_struct('age', 70, 'nihss', 12))['value']")
        .build(),
        kernel: Arc::new(move |arguments| kernel(&models, arguments)),
    }
    .into()
}

/// The features of every row, in the model's order.
fn features(model: &TabularModel, rows: &StructArray) -> Result<Vec<Vec<Option<f32>>>> {
    let mut columns: Vec<Float32Array> = Vec::with_capacity(model.features().len());
    for name in model.features() {
        let Some(column) = rows.column_by_name(name) else {
            return exec_err!("model `{}` needs the feature `{name}`, which the struct does not have", model.name);
        };
        columns.push(cast(column, &DataType::Float32)?.as_primitive::<Float32Type>().clone());
    }
    let row = |at: usize| columns.iter().map(|c| c.is_valid(at).then(|| c.value(at))).collect();
    Ok((0..rows.len()).map(row).collect())
}

fn kernel(models: &Models, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let Some(rows) = arguments[1].as_struct_opt() else { return exec_err!("the row of predict is a struct: named_struct('age', 70, …)") };
    let (mut label, mut value) = (StringBuilder::new(), Float32Builder::new());
    let mut probabilities = ListBuilder::new(Float32Builder::new());
    let mut valid = Vec::with_capacity(rows.len());
    if !rows.is_empty() {
        let name = one_name(arguments, 0)?;
        let model = match waiting(|| models.tabular(&name)) {
            Ok(model) => model,
            Err(error) => return exec_err!("{error}"),
        };
        let features = features(&model, rows)?;
        let predictions = match waiting(|| model.predict(&features)) {
            Ok(predictions) => predictions,
            Err(reason) => return exec_err!("model `{name}`: {reason}"),
        };
        for (row, prediction) in predictions.into_iter().enumerate() {
            let prediction = prediction.filter(|_| rows.is_valid(row));
            label.append_option(prediction.as_ref().and_then(|p| p.label.as_deref()));
            value.append_option(prediction.as_ref().map(|p| p.value));
            if let Some(prediction) = &prediction {
                probabilities.values().append_slice(&prediction.probabilities);
            }
            probabilities.append(prediction.as_ref().is_some_and(|p| !p.probabilities.is_empty()));
            valid.push(prediction.is_some());
        }
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(label.finish()), Arc::new(value.finish()), Arc::new(probabilities.finish())];
    Ok(Arc::new(StructArray::try_new(fields(), columns, Some(NullBuffer::from(valid)))?))
}
