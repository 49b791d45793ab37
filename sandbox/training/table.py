#!/usr/bin/env python3
"""The table: rules alone, model alone, both, on folders with `ndjson/` and `gold/`.

    python sandbox/training/table.py --sillage target/release/sillage --models models dev=../shared/corpus/dev
"""

import argparse
import shutil
import subprocess
from pathlib import Path

import evaluate
import ship

PHI_COLUMNS = ["direct_recall", "all_recall", "documents_without_direct_leak", "documents_without_leak", "character_precision", "terms_kept"]
MENTION_COLUMNS = ["p", "r", "f1"]
# A mention that the rules have not is kept when the model is this sure of it.
MENTION = 0.9


def rules(binary, source: Path, work: Path):
    for part in ("out", "export"):
        shutil.rmtree(work / part, ignore_errors=True)
    run = lambda *words: subprocess.run([binary, *map(str, words)], check=True, stdout=subprocess.DEVNULL)
    run("run", "--source", source / "ndjson", "--out", work / "out", "--once", "--quiet")
    run("export", "--out", work / "out", "--to", work / "export", "--zone", "all")
    shutil.rmtree(work / "out")
    return evaluate.Gold(source / "gold", work / "export")


def rows(gold, phi_model, clinical_model):
    limits = phi_model.configuration.get("thresholds", {})
    phi = {n: phi_model.spans(t) for n, t in gold.texts.items()}
    alone = {n: phi_model.spans(t, {}) for n, t in gold.texts.items()}
    mentions = {n: clinical_model.spans(t) for n, t in gold.texts.items()}
    kind = lambda label: {"DISORDER": "D", "SIGN": "S", "DRUG": "M", "PROCEDURE": "P"}[label]
    mentions = {n: [(s, e, kind(l), p) for s, e, l, p in spans] for n, spans in mentions.items()}
    both = {n: gold.rules[n] + [s[:3] for s in evaluate.joined_phi(t, gold.rules[n], gold.found[n], phi[n], limits)] for n, t in gold.texts.items()}
    sure = dict.fromkeys("DSMP", MENTION)
    more = {n: gold.found[n] + [s[:3] for s in evaluate.joined_mentions(gold.found[n], gold.rules[n], mentions[n], sure)] for n in gold.texts}
    yield "rules", evaluate.phi(gold, lambda n: gold.rules[n]), evaluate.mentions(gold, lambda n: gold.found[n])
    yield "model", evaluate.phi(gold, lambda n: [s[:3] for s in alone[n]]), evaluate.mentions(gold, lambda n: [s[:3] for s in mentions[n]])
    yield "both", evaluate.phi(gold, lambda n: both[n]), evaluate.mentions(gold, lambda n: more[n])


def markdown(binary, models, tests, work):
    phi_model, clinical_model = ship.Runtime(models / "phi-fr"), ship.Runtime(models / "clinical-fr")
    out = ["| set | detector | " + " | ".join(c.replace("_", " ") for c in PHI_COLUMNS) + " | missed | mentions p | r | F1 |", "|" + " --- |" * (6 + len(PHI_COLUMNS))]
    for name, folder in tests:
        gold = rules(binary, Path(folder), work / "test" / name)
        for detector, phi, mentions in rows(gold, phi_model, clinical_model):
            cells = [f"{phi[c]:.4f}" for c in PHI_COLUMNS] + [str(phi["missed"])] + [f"{mentions[c]:.3f}" for c in MENTION_COLUMNS]
            out.append(f"| {name} | {detector} | " + " | ".join(cells) + " |")
    return "\n".join(out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sillage", required=True)
    parser.add_argument("--models", default=Path("models"), type=Path)
    parser.add_argument("--work", default=Path("/tmp/sillage-training"), type=Path)
    parser.add_argument("tests", nargs="+", metavar="NAME=DIR")
    a = parser.parse_args()
    print(markdown(a.sillage, a.models, [t.partition("=")[::2] for t in a.tests], a.work))
