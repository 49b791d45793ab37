"""One model, the same texts, one machine: Sillage, a bare ONNX Runtime loop fed with
perfect batches, and transformers.pipeline with its best batch size.

    python sandbox/inference/speed.py SILLAGE OUT [--texts N] [--layers N] [--hidden N] [--threads N] [--int8]

SILLAGE is the binary, OUT a folder for the model: a CamemBERT of random weights, as
parity.py makes them (12 layers of 768 are CamemBERT-base). With --int8 Sillage and the bare
loop run the graph with its weights in eight bits, transformers the model as it was. Prints seconds, tokens a
second, and the two ratios. The three take turns; of each the quickest turn counts.
"""

import argparse
import json
import random
import re
import subprocess
import time
from pathlib import Path

import numpy
import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from transformers import CamembertConfig, CamembertForTokenClassification, pipeline

from parity import LABELS, export, manifest, sentence_piece

SENTENCES = [
    "Patient de 74 ans vu pour un déficit moteur brutal de l'hémicorps gauche.",
    "NIHSS à 11 à l'entrée, 4 à la sortie.",
    "Pas d'argument pour une hémorragie à l'IRM.",
    "Antécédents : HTA, diabète de type 2, tabagisme sevré.",
    "Thrombolyse à 3 h 20 du début, bien tolérée.",
    "L'ETT ne retrouve pas de source cardio-embolique ; Holter en cours, à revoir avec le Dr Modèle en consultation.",
    "Traitement de sortie : acide acétylsalicylique 75 mg, atorvastatine 80 mg.",
    "Retour à domicile.",
]
BATCH_TOKENS = 2048
TURNS = 3


def notes(count):
    draw = random.Random(6)
    return [" ".join(draw.choice(SENTENCES) for _ in range(min(18, int(draw.expovariate(1 / 5)) + 1))) for _ in range(count)]


def make(folder, texts, layers, hidden):
    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>", "bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = sentence_piece(texts, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<s> $A </s>", names)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    torch.manual_seed(6)
    config = CamembertConfig(
        vocab_size=len(tokenizer), max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=hidden // 64, intermediate_size=4 * hidden,
        num_labels=len(LABELS), id2label=dict(enumerate(LABELS)), label2id={label: index for index, label in enumerate(LABELS)},
    )
    model = CamembertForTokenClassification(config).eval()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.toml").write_text(manifest("speed", 512))
    export(model, tokenizer.model_input_names, folder / "model.onnx")
    return model, tokenizer


def perfect(tokenizer, texts):
    rows = sorted((tokenizer(text)["input_ids"] for text in texts), key=len, reverse=True)
    batches = []
    while rows:
        size = max(1, BATCH_TOKENS // len(rows[0]))
        part, rows = rows[:size], rows[size:]
        length = len(part[0])
        ids = numpy.array([row + [1] * (length - len(row)) for row in part], dtype=numpy.int64)
        mask = numpy.array([[1] * len(row) + [0] * (length - len(row)) for row in part], dtype=numpy.int64)
        batches.append({"input_ids": ids, "attention_mask": mask})
    return batches


def timed(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sillage")
    parser.add_argument("out", type=Path)
    parser.add_argument("--texts", type=int, default=256)
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--hidden", type=int, default=768)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--int8", action="store_true", help="quantise the graph (dynamic, per channel)")
    arguments = parser.parse_args()
    texts = notes(arguments.texts)
    folder = arguments.out / "speed"
    model, tokenizer = make(folder, texts, arguments.layers, arguments.hidden)
    if arguments.int8:
        graph = folder / "model.onnx"
        quantize_dynamic(graph.rename(folder / "fp32.onnx"), graph, per_channel=True, weight_type=QuantType.QInt8)
    # Neither the bare loop nor transformers cuts a long text into windows.
    texts = [text for text in texts if len(tokenizer(text)["input_ids"]) <= 512]
    tokens = sum(len(tokenizer(text)["input_ids"]) for text in texts)
    (arguments.out / "texts.txt").write_text("\n".join(texts))
    settings = arguments.out / "speed.pipeline.toml"
    settings.write_text(f'[models]\nfolder = {json.dumps(str(arguments.out))}\ndevice = "cpu"\nthreads = {arguments.threads}\n')
    options = onnxruntime.SessionOptions()
    if arguments.threads:
        options.intra_op_num_threads = arguments.threads
        torch.set_num_threads(arguments.threads)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    batches = perfect(tokenizer, texts)
    tagger = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple", device="cpu")
    few = texts[: max(32, len(texts) // 4)]
    sizes = {size: timed(lambda: tagger(few, batch_size=size)) for size in (1, 4, 8, 16, 32)}
    best = min(sizes, key=sizes.get)
    ours, bare, theirs = [], [], []
    session.run(["logits"], batches[0])
    for _ in range(TURNS):
        command = [arguments.sillage, "model", "bench", "speed", "--pipeline", str(settings), "--file", str(arguments.out / "texts.txt"), "--texts", str(len(texts))]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        ours.append(float(re.search(r"^sillage +([0-9.]+) s", printed, re.M).group(1)))
        bare.append(timed(lambda: [session.run(["logits"], batch) for batch in batches]))
        theirs.append(timed(lambda: tagger(texts, batch_size=best)))
    ours, bare, theirs = min(ours), min(bare), min(theirs)
    print(f"{arguments.layers} layers of {arguments.hidden}, {len(texts)} texts, {tokens} tokens")
    for name, seconds in (("sillage", ours), ("bare ONNX Runtime loop", bare), (f"transformers.pipeline, batches of {best}", theirs)):
        print(f"{name:<42} {seconds:8.3f} s {tokens / seconds:8.0f} tokens/s")
    print(f"sillage is {bare / ours:.2f} of the bare loop and {theirs / ours:.2f} times transformers.pipeline")


if __name__ == "__main__":
    main()
