"""The models of the tests: a few kilobytes each, made by hand and not trained.

    python sandbox/inference/tiny_models.py tests/models

needs the package onnx and nothing else. Each tagger looks up every word in a table, so
that a test can say what must come out; two words of it make the network fail, as a
broken model would: on "nonnombre" it answers "not a number", on "horslimite" ONNX
Runtime refuses to go on.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]

CLINICAL = {
    "B-DISORDER": ["maladie", "fibrobulbose", "hta", "migraine"],
    "I-DISORDER": ["de", "korvath"],
    "B-DRUG": ["zorbaxine", "apixaban"],
    "B-SIGN": ["zozotement"],
}
PHI = {
    "B-NOM": ["quillandre", "zorbaxine", "migraine"],
    "B-PRENOM": ["ewaldine"],
    "B-VILLE": ["plouzennec"],
}
CLINICAL_LABELS = ["O", "B-DISORDER", "I-DISORDER", "B-DRUG", "I-DRUG", "B-SIGN", "I-SIGN"]
PHI_LABELS = ["O", "B-NOM", "I-NOM", "B-PRENOM", "I-PRENOM", "B-VILLE", "I-VILLE"]


def tokenizer(words):
    vocabulary = {word: index for index, word in enumerate(SPECIAL + words)}
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": index, "content": token, **special} for index, token in enumerate(SPECIAL)],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": False, "strip_accents": False, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
        "decoder": None,
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocabulary},
    }


def write(folder, graph, manifest, words=None):
    folder.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="sillage")
    model.ir_version = 8
    onnx.checker.check_model(model)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    files = ["model.onnx"]
    if words is not None:
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer(words), ensure_ascii=False, indent=0) + "\n")
        files.append("tokenizer.json")
    digests = "".join(f'"{name}" = "{hashlib.sha256((folder / name).read_bytes()).hexdigest()}"\n' for name in files)
    (folder / "model.toml").write_text(manifest.rstrip() + "\n\n[sha256]\n" + digests)


def text_inputs():
    axes = ["batch", "sequence"]
    return [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in ("input_ids", "attention_mask")]


def tagger(folder, role, labels, table, more=""):
    words = sorted({word for words in table.values() for word in words}) + ["nonnombre", "horslimite"]
    rows = numpy.zeros((len(SPECIAL) + len(words) - 1, len(labels)), dtype=numpy.float32)
    rows[:, 0] = 4.0
    for label, members in table.items():
        for word in members:
            at = len(SPECIAL) + words.index(word)
            rows[at, 0], rows[at, labels.index(label)] = 0.0, 4.0
    rows[len(SPECIAL) + words.index("nonnombre"), :] = numpy.nan
    # The last word has no row: the look-up fails on it.
    weights = numpy_helper.from_array(rows, "table")
    zero = numpy_helper.from_array(numpy.zeros((1,), dtype=numpy.float32), "zero")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["looked_up"], axis=0),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["mask", "zero"], ["nothing"]),
        helper.make_node("Unsqueeze", ["nothing", "last"], ["nothing_each"]),
        helper.make_node("Add", ["looked_up", "nothing_each"], ["logits"]),
    ]
    last = numpy_helper.from_array(numpy.array([-1], dtype=numpy.int64), "last")
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "sequence", len(labels)])
    graph = helper.make_graph(nodes, "tagger", text_inputs(), [output], [weights, zero, last])
    names = ", ".join(f'"{label}"' for label in labels)
    manifest = f"""# Made by sandbox/inference/tiny_models.py, for the tests: it knows a few invented words.
version = "1.0.0"
task = "token-classification"
role = "{role}"
licence = "Apache-2.0"
source = "sandbox/inference/tiny_models.py"
description = "Looks words up in a table"
precision = "fp32"

[input]
max_length = 16
overlap = 4
normalisation = ["typography"]

[labels]
scheme = "BIO"
names = [{names}]
{more}"""
    write(folder, graph, manifest, words)


def embedding(folder):
    words = ["avc", "ischémique", "hémorragique", "migraine"]
    rows = numpy.zeros((len(SPECIAL) + len(words), 3), dtype=numpy.float32)
    rows[4], rows[5], rows[6], rows[7] = (1, 0, 0), (1, 1, 0), (1, 0, 1), (0, 0, 2)
    weights = numpy_helper.from_array(rows, "table")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["looked_up"], axis=0),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["mask_each"]),
        helper.make_node("Mul", ["looked_up", "mask_each"], ["last_hidden_state"]),
    ]
    last = numpy_helper.from_array(numpy.array([-1], dtype=numpy.int64), "last")
    output = helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "sequence", 3])
    graph = helper.make_graph(nodes, "embedding", text_inputs(), [output], [weights, last])
    manifest = """# Made by sandbox/inference/tiny_models.py, for the tests.
version = "1.0.0"
task = "embedding"
licence = "Apache-2.0"
source = "sandbox/inference/tiny_models.py"

[input]
max_length = 16

[embedding]
pooling = "mean"
normalise = true
dimension = 3
"""
    write(folder, graph, manifest, words)


def risk(folder):
    """P(yes) = 1 / (1 + exp(-(0.1 age - 7 + 0.5 nihss)))"""
    weights = numpy_helper.from_array(numpy.array([[0.0, 0.1], [0.0, 0.5]], dtype=numpy.float32), "weights")
    bias = numpy_helper.from_array(numpy.array([0.0, -7.0], dtype=numpy.float32), "bias")
    nodes = [
        helper.make_node("Gemm", ["features", "weights", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 2])]
    outputs = [
        helper.make_tensor_value_info("label", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", 2]),
    ]
    graph = helper.make_graph(nodes, "risk", inputs, outputs, [weights, bias])
    manifest = """# Made by sandbox/inference/tiny_models.py, for the tests.
version = "1.0.0"
task = "tabular"
licence = "Apache-2.0"
source = "sandbox/inference/tiny_models.py"

[tabular]
features = ["age", "nihss"]
missing = "refuse"
classes = ["no", "yes"]
"""
    write(folder, graph, manifest)


def main():
    out = Path(sys.argv[1])
    tagger(out / "tiny-clinical", "clinical", CLINICAL_LABELS, CLINICAL)
    tagger(out / "tiny-phi", "phi", PHI_LABELS, PHI)
    embedding(out / "tiny-embedding")
    risk(out / "tiny-risk")


if __name__ == "__main__":
    main()
