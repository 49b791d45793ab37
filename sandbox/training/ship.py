"""Export to ONNX, int8, and the model folder."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic


def onnx_files(model, folder: Path):
    """Writes `model.onnx` (int8) and returns the fp32 graph's path for comparison."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model.eval().float()
    plain = Path(tempfile.mkdtemp()) / "fp32.onnx"
    ids = torch.randint(5, 100, (2, 19))
    axes = {"input_ids": {0: "batch", 1: "sequence"}, "attention_mask": {0: "batch", 1: "sequence"}, "logits": {0: "batch", 1: "sequence"}}
    torch.onnx.export(
        model, (ids, torch.ones_like(ids)), str(plain), input_names=["input_ids", "attention_mask"], output_names=["logits"], dynamic_axes=axes, opset_version=17, dynamo=False
    )
    quantize_dynamic(str(plain), str(folder / "model.onnx"), weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gather"])
    return plain


def difference(plain, quantised, pieces):
    """Share of tokens whose label changes by quantisation."""
    sessions = [onnxruntime.InferenceSession(str(p)) for p in (plain, quantised)]
    changed = total = 0
    for ids, _ in pieces:
        feed = {"input_ids": numpy.array([ids]), "attention_mask": numpy.ones((1, len(ids)), dtype=numpy.int64)}
        a, b = (s.run(None, feed)[0].argmax(-1) for s in sessions)
        changed, total = changed + int((a != b).sum()), total + a.size
    return changed / total


def folder(path: Path, tokenizer, names, role, description, max_length, thresholds, mapping, temperature=1.0):
    """`tokenizer.json` and `model.toml`, the hashes in it."""
    tokenizer.save(str(path / "tokenizer.json"), pretty=False)
    digest = lambda name: hashlib.sha256((path / name).read_bytes()).hexdigest()
    lines = [
        'version = "1.0.0"', 'task = "token-classification"', f'role = "{role}"', 'licence = "Apache-2.0"',
        'source = "sandbox/training (make.py); silver labels on case reports of The Pan African Medical Journal, CC BY 4.0"',
        f'description = "{description}"', 'precision = "int8"', "", "[sha256]",
        f'"model.onnx" = "{digest("model.onnx")}"', f'"tokenizer.json" = "{digest("tokenizer.json")}"', "",
        "[input]", f"max_length = {max_length}", "overlap = 64", "normalisation = []", "",
        "[labels]", 'scheme = "BIO"', f"names = {json.dumps(names)}", 'words = "first"', f"temperature = {temperature}",
    ]  # fmt: skip
    if mapping:
        lines += ["[labels.map]"] + [f'"{a}" = "{b}"' for a, b in mapping.items()]
    if thresholds:
        lines += ["", "[thresholds]"] + [f"{label} = {value}" for label, value in thresholds.items()]
    (path / "model.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return sum(os.path.getsize(path / n) for n in ("model.onnx", "tokenizer.json", "model.toml"))


class Runtime:
    """A model folder run the way the product runs it: windows of a text, spans with scores."""

    def __init__(self, path: Path):
        import tomllib

        from tokenizers import Tokenizer

        self.configuration = tomllib.loads((path / "model.toml").read_text(encoding="utf-8"))
        self.tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path / "model.onnx"), options)
        self.names = self.configuration["labels"]["names"]
        self.kinds = sorted({n[2:] for n in self.names if n != "O"})
        self.columns = {k: [i for i, n in enumerate(self.names) if n[2:] == k] for k in self.kinds}

    def probabilities(self, text):
        """Offsets, and for each token the probability of each label, `O` first."""
        from tokens import windows

        encoding = self.tokenizer.encode(text, add_special_tokens=False)
        ids, offsets = encoding.ids, encoding.offsets
        limit = self.configuration["input"]["max_length"] - 2
        cls, sep = self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]")
        scores = numpy.zeros((len(ids), 1 + len(self.kinds)), dtype=numpy.float32)
        for first, last in windows(text, offsets):
            # Context to both sides as far as the window holds it.
            spare = max(0, limit - (last - first))
            start, end = max(0, first - spare // 2), min(len(ids), last + spare - spare // 2)
            row = numpy.array([[cls] + ids[start:end] + [sep]])
            logits = self.session.run(None, {"input_ids": row, "attention_mask": numpy.ones_like(row)})[0][0][1:-1]
            logits = logits / self.configuration["labels"].get("temperature", 1.0)
            p = numpy.exp(logits - logits.max(-1, keepdims=True))
            p /= p.sum(-1, keepdims=True)
            p = p[first - start : last - start]
            scores[first:last, 0] = p[:, 0]
            for k, kind in enumerate(self.kinds):
                scores[first:last, k + 1] = p[:, self.columns[kind]].sum(-1)
        words = encoding.word_ids
        # The pieces of a word follow its first piece.
        for i in range(1, len(ids)):
            if words[i] is not None and words[i] == words[i - 1] and offsets[i][0] == offsets[i - 1][1]:
                scores[i] = scores[i - 1]
        return offsets, scores

    def spans(self, text, thresholds=None, floor=None):
        """Spans `(start, end, label, score)`: the most probable label of a token where it reaches its threshold."""
        offsets, scores = self.probabilities(text)
        thresholds = self.configuration.get("thresholds", {}) if thresholds is None else thresholds
        mapping = self.configuration["labels"].get("map", {})
        found, current = [], None
        for (start, end), row in zip(offsets, scores):
            k = int(row[1:].argmax())
            label, score = self.kinds[k], float(row[k + 1])
            label = mapping.get(label, label)
            limit = floor if floor is not None else thresholds.get(label)
            take = score >= limit if limit is not None else score > row[0]
            take = take and label != "" and text[start:end].strip() != ""
            if not take:
                current = None if text[start:end].strip() else current
                continue
            if current and current[2] == label and not text[current[1] : start].strip():
                current[1] = end
                current[3].append(score)
            else:
                current = [start, end, label, [score]]
                found.append(current)
        return [(s, e, l, sum(p) / len(p)) for s, e, l, p in found]
