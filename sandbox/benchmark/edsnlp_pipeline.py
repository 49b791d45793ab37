"""Times EDS-NLP on texts, one thread, and prints one line of JSON.

    python edsnlp_pipeline.py --warm-up 5 < SAMPLE.jsonl

Standard input holds one JSON string a line. The first `--warm-up` texts are read
once before the clock starts, so that matchers are built and caches filled; the
clock then runs over all texts.
"""

import argparse
import json
import os
import sys
import time

# Before anything that starts threads is imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import edsnlp  # noqa: E402

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

# In the order that EDS-NLP asks for: qualifiers after what they qualify.
PIPES = [
    "eds.normalizer",
    "eds.sentences",
    "eds.sections",
    # Disorders.
    "eds.aids",
    "eds.alcohol",
    "eds.cerebrovascular_accident",
    "eds.ckd",
    "eds.congestive_heart_failure",
    "eds.connective_tissue_disease",
    "eds.copd",
    "eds.dementia",
    "eds.diabetes",
    "eds.hemiplegia",
    "eds.leukemia",
    "eds.liver_disease",
    "eds.lymphoma",
    "eds.myocardial_infarction",
    "eds.peptic_ulcer_disease",
    "eds.peripheral_vascular_disease",
    "eds.solid_tumor",
    "eds.tobacco",
    # Terminologies.
    "eds.drugs",
    "eds.cim10",
    # Qualifiers and dates.
    "eds.negation",
    "eds.hypothesis",
    "eds.family",
    "eds.history",
    "eds.dates",
]


def build():
    """The pipeline, the pipes in it and those that could not be built, with the reason's kind."""
    nlp = edsnlp.blank("eds")
    used, left_out = [], []
    for pipe in PIPES:
        try:
            nlp.add_pipe(pipe)
            used.append(pipe)
        except Exception as error:  # a resource that has to be downloaded, a pipe of another version
            left_out.append({"pipe": pipe, "reason": f"{type(error).__name__}: {error}"[:200]})
    return nlp, used, left_out


def read(nlp, texts):
    """Runs the pipeline over every text and counts what it found, so that nothing stays lazy."""
    found = {"entities": 0, "negated": 0, "dates": 0, "sentences": 0}
    for doc in nlp.pipe(texts):
        found["sentences"] += sum(1 for _ in doc.sents)
        found["dates"] += len(doc.spans.get("dates", ()))
        seen = set()
        for group in (doc.ents, *(spans for name, spans in doc.spans.items() if name in LABELS)):
            for span in group:
                key = (span.start, span.end, span.label_)
                if key not in seen:
                    seen.add(key)
                    found["negated"] += bool(span._.negation)
        found["entities"] += len(seen)
    return found


NO_MENTIONS = {"normalizer", "sentences", "sections", "negation", "hypothesis", "family", "history", "dates"}
LABELS = {pipe.removeprefix("eds.") for pipe in PIPES} - NO_MENTIONS | {"drug"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--warm-up", type=int, default=5)
    options = arguments.parse_args()
    sys.stdin.reconfigure(encoding="utf-8")
    texts = [json.loads(line) for line in sys.stdin if line.strip()]
    started = time.perf_counter()
    nlp, used, left_out = build()
    read(nlp, texts[: options.warm_up])
    ready = time.perf_counter()
    wall, cpu = time.perf_counter(), time.process_time()
    found = read(nlp, texts)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    json.dump(
        {
            "version": edsnlp.__version__,
            "python": sys.version.split()[0],
            "torch": torch is not None,
            "pipes": used,
            "left_out": left_out,
            "start_seconds": ready - started,
            "documents": len(texts),
            "bytes": sum(len(text.encode()) for text in texts),
            "seconds": wall,
            "cpu_seconds": cpu,
            "found": found,
        },
        sys.stdout,
        ensure_ascii=False,
    )
    print()


if __name__ == "__main__":
    main()
