"""Generated documents of held-out writers as a gold folder, with the rules run over them."""

import json
from pathlib import Path

import silver
import tokens

LABELS = {v: k for k, v in silver.KIND.items()}


def gold(path, folder: Path):
    folder.mkdir(parents=True, exist_ok=True)
    texts = []
    with open(folder / "documents.jsonl", "w", encoding="utf-8") as documents, open(folder / "phi.jsonl", "w", encoding="utf-8") as phi, open(folder / "entities.jsonl", "w", encoding="utf-8") as entities:
        for n, (text, spans) in enumerate(tokens.read(path)):
            name = f"held-{n:05}"
            texts.append((name, "2024-06-01", text))
            documents.write(json.dumps({"fhir_id": name, "document": name, "text": text}, ensure_ascii=False) + "\n")
            for start, end, label in spans:
                row = {"fhir_id": name, "label": LABELS.get(label, label), "start": start, "end": end, "text": text[start:end]}
                (entities if label in LABELS else phi).write(json.dumps(row, ensure_ascii=False) + "\n")
    return texts


def run(binary, path, work: Path):
    """The gold folder and the rules' export for `held.jsonl`."""
    texts = gold(path, work / "gold")
    silver.rules(binary, texts, work)
    return work / "gold", work / "export"
