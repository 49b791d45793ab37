"""The case reports with what the rules find in them: silver labels.

The rules are the product's own (`sillage run`); their export is read here.
"""

import base64
import gzip
import json
import subprocess
from pathlib import Path

KIND = {"DISORDER": "D", "SIGN": "S", "DRUG": "M", "PROCEDURE": "P"}


def feed(texts, folder):
    """Texts as a Bulk Data feed: `(id, date, text)`."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "Patient.ndjson", "w", encoding="utf-8") as patients, open(folder / "DocumentReference.ndjson", "w", encoding="utf-8") as documents:
        for name, date, text in texts:
            patients.write(json.dumps({"resourceType": "Patient", "id": "p-" + name, "active": True}) + "\n")
            attachment = {"contentType": "text/plain; charset=utf-8", "data": base64.b64encode(text.encode()).decode()}
            reference = {
                "resourceType": "DocumentReference", "id": name, "meta": {"versionId": "1"}, "status": "current", "date": date[:10] + "T12:00:00Z",
                "type": {"coding": [{"system": "http://loinc.org", "code": "34109-9", "display": "Note"}]},
                "subject": {"reference": "Patient/p-" + name}, "content": [{"attachment": attachment}],
            }  # fmt: skip
            documents.write(json.dumps(reference) + "\n")


def case_reports(corpus):
    with gzip.open(corpus, "rt", encoding="utf-8") as lines:
        for line in lines:
            report = json.loads(line)
            yield report["id"], report.get("date") or "2020-01-01", report["text"]


def rules(binary, texts, work):
    """Runs the pipeline over texts; `(id, text, spans)` with both kinds of labels."""
    import shutil

    for part in ("out", "export"):
        shutil.rmtree(work / part, ignore_errors=True)
    feed(texts, work / "feed")
    run = lambda *arguments: subprocess.run([binary, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    run("run", "--source", work / "feed", "--out", work / "out", "--once", "--quiet")
    run("export", "--out", work / "out", "--to", work / "export", "--zone", "all")
    return read(work / "export")


def read(export):
    import pyarrow.parquet

    table = lambda name: pyarrow.parquet.read_table(next(Path(export).rglob(name + ".parquet"))).to_pylist()
    spans = {}
    for row in table("phi_spans"):
        spans.setdefault(row["document_id"], []).append((row["start"], row["end"], row["label"]))
    for row in table("entities"):
        if row["label"] in KIND:
            spans.setdefault(row["document_id"], []).append((row["source_start"], row["source_end"], KIND[row["label"]]))
    return [(r["source_document_id"], r["text"], spans.get(r["document_id"], [])) for r in table("source_documents")]
