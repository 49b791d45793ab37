"""Writes the training corpus: `train.jsonl`, `second.jsonl` with many lines that name nobody, and
`held.jsonl` of writers with phrases of their own."""

import json
from pathlib import Path

import silver
from dossiers.write import dossiers


def write(path, documents):
    with open(path, "w", encoding="utf-8") as out:
        for writer, text, spans in documents:
            out.write(json.dumps({"writer": writer, "text": text, "spans": spans}, ensure_ascii=False) + "\n")


def make(export, folder: Path, count, held=400, seed=11):
    reports = sorted(silver.read(export))
    # Case reports go whole to one side as well.
    known = [(text, spans) for n, (_, text, spans) in enumerate(reports) if n % 10 != 3]
    other = [(text, spans) for n, (_, text, spans) in enumerate(reports) if n % 10 == 3]
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "held.jsonl", dossiers(held, seed + 1, held_out=True, reports=other, empty=True))
    write(folder / "train.jsonl", dossiers(count, seed, reports=known))
    write(folder / "second.jsonl", dossiers(count // 4, seed + 10, reports=known, empty=True))


if __name__ == "__main__":
    import sys

    make(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
