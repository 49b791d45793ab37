#!/usr/bin/env python3
"""Makes both taggers from nothing: data, vocabulary, training, int8 export, thresholds, table.

    python sandbox/training/make.py --sillage target/release/sillage \\
        --reports ../shared/corpus/pamj_fr.jsonl.gz --out models --test dev=../shared/corpus/dev

Same arguments and seeds give the same data; weights differ in the last digits with the
processor and with how many steps its time allows (`--steps` counts steps instead).
"""

import argparse
import json
import time
from pathlib import Path

import torch

import corpus
import evaluate
import generated
import ship
import silver
import table
import tokens
import train
from dossiers.render import PHI

VOCABULARY = 12000
PHI_LABELS = PHI + tokens.KINDS
# A span may be added when, on writers that the model has not read, its like is right this often.
PRECISION = 0.9


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sillage", required=True, help="the sillage program, for the silver labels and the comparison")
    parser.add_argument("--reports", required=True, type=Path, help="open case reports, JSONL")
    parser.add_argument("--out", default=Path("models"), type=Path)
    parser.add_argument("--work", default=Path("/tmp/sillage-training"), type=Path)
    parser.add_argument("--documents", default=26000, type=int, help="generated documents to train on")
    parser.add_argument("--phi-seconds", default=600, type=int, help="processor seconds for the PHI tagger")
    parser.add_argument("--second-seconds", default=310, type=int, help="of them more, on documents with many lines that name nobody")
    parser.add_argument("--clinical-seconds", default=340, type=int)
    parser.add_argument("--test", action="append", default=[], metavar="NAME=DIR", help="gold and ndjson folders of a test set, for the table only")
    return parser.parse_args()


def log(work, name):
    return open(work / (name + ".log"), "w", encoding="utf-8")


def fit(model, pieces, held, names, seconds, work, name, **settings):
    check = lambda m: train.token_scores(m, held, names, 500)
    with log(work, name) as lines:
        report = train.train(model, pieces, seconds, lines, check=check, checkpoint=work / (name + ".part"), **settings)
    torch.save(model.state_dict(), work / (name + ".pt"))
    return report


def phi_tagger(a, tokenizer, work):
    names = tokens.label_names(PHI_LABELS)
    pieces = list(tokens.pieces(tokenizer, tokens.read(work / "train.jsonl"), names))
    held = list(tokens.pieces(tokenizer, tokens.read(work / "held.jsonl"), names, 1))
    torch.manual_seed(1)
    model = train.new(tokenizer.get_vocab_size(), len(names))
    print("phi", fit(model, pieces, held, names, a.phi_seconds, work, "phi"), flush=True)
    pieces = list(tokens.pieces(tokenizer, tokens.read(work / "second.jsonl"), names, 2))
    print("phi, second", fit(model, pieces, held, names, a.second_seconds, work, "phi-second", rate=1e-3, seed=50), flush=True)
    return model, names, held


def clinical_tagger(a, tokenizer, work):
    """Learns what the rules find."""
    names = tokens.label_names(tokens.KINDS)
    texts = [(f"g-{n:05}", "2024-06-01", text) for n, (text, _) in enumerate(tokens.read(work / "train.jsonl", a.documents // 10))]
    found = silver.rules(a.sillage, texts, work / "rules")
    found += silver.read(work / "reports" / "export")
    documents = [(text, sorted(s for s in spans if s[2] in tokens.KINDS)) for _, text, spans in sorted(found)]
    pieces = list(tokens.pieces(tokenizer, [d for n, d in enumerate(documents) if n % 20 != 3], names))
    held = list(tokens.pieces(tokenizer, [d for n, d in enumerate(documents) if n % 20 == 3], names, 1))
    torch.manual_seed(2)
    model = train.new(tokenizer.get_vocab_size(), len(names))
    print("clinical", fit(model, pieces, held, names, a.clinical_seconds, work, "clinical"), flush=True)
    return model, names, held


def release(model, tokenizer, names, held, path, role, description, mapping):
    plain = ship.onnx_files(model, path)
    size = ship.folder(path, tokenizer, names, role, description, tokens.MAX_LENGTH, {}, mapping)
    changed = ship.difference(plain, path / "model.onnx", held[:150])
    print(path, f"{size / 1e6:.1f} MB; {changed:.2%} of the labels of tokens changed by int8", flush=True)
    return ship.Runtime(path)


def main():
    a = arguments()
    torch.set_num_threads(1)
    work, begin = a.work, time.time()
    work.mkdir(parents=True, exist_ok=True)
    silver.rules(a.sillage, list(silver.case_reports(a.reports)), work / "reports")
    corpus.make(work / "reports" / "export", work, a.documents)
    tokenizer = tokens.train_tokenizer((text for text, _ in tokens.read(work / "train.jsonl")), VOCABULARY)
    model, names, held = phi_tagger(a, tokenizer, work)
    drop = {k: "" for k in tokens.KINDS}
    runtime = release(model, tokenizer, names, held, a.out / "phi-fr", "phi", "French stroke documents: identifying information, to vote beside the rules", drop)
    gold, export = generated.run(a.sillage, work / "held.jsonl", work / "held")
    seen = evaluate.Gold(gold, export)
    spans = {n: runtime.spans(t, floor=0.3) for n, t in seen.texts.items()}
    thresholds, _ = evaluate.phi_thresholds(seen, spans, PRECISION)
    ship.folder(a.out / "phi-fr", tokenizer, names, "phi", runtime.configuration["description"], tokens.MAX_LENGTH, thresholds, drop)
    print("thresholds", json.dumps(thresholds), flush=True)
    clinical, names, held = clinical_tagger(a, tokenizer, work)
    mapping = {short: long for long, short in silver.KIND.items()}
    release(clinical, tokenizer, names, held, a.out / "clinical-fr", "clinical", "French clinical mentions, learned from the rules", mapping)
    if a.test:
        print(table.markdown(a.sillage, a.out, [t.partition("=")[::2] for t in a.test], work))
    print(f"{(time.time() - begin) / 60:.0f} minutes")


if __name__ == "__main__":
    main()
