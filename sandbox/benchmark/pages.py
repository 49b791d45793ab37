"""Renders a gold corpus to PDF and scans, runs Sillage on them, scores it beside the plain texts.

    python pages.py --corpus CORPUS --sillage target/release/sillage [--template letter] [--scan] [--work DIR]

CORPUS holds `ndjson/` (Patient, Encounter, DocumentReference) and `gold/`. Needs
chromium; scans need pdftoppm and Pillow, and Sillage needs pypdfium2 and tesseract.
Gold spans are carried over to the text that Sillage read, so that both are scored
by the same offsets. Prints one line a template: how equal the texts are, and the
scores of `sillage evaluate` on both.
"""

import argparse
import base64
import difflib
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HEAD = """<div style="display:flex;justify-content:space-between;border-bottom:1px solid #444;padding-bottom:6px;margin-bottom:18px">
<div style="font-size:15pt;font-weight:bold">CENTRE HOSPITALIER<br>DE VALBRUME</div>
<div style="font-size:8pt;text-align:right">14 avenue des Ormeaux<br>49777 VALBRUME CEDEX<br>Standard : 02 41 55 01 02<br>FINESS 490777012 - www.ch-valbrume.fr</div></div>"""
STAFF = """<div style="font-size:7.5pt;line-height:1.3"><b>Service de Neurologie</b><br>Chef de service<br>Pr Aldegonde VERMOULUE<br><br>
Praticiens hospitaliers<br>Dr Barnabé QUILLERON<br>Dr Ombeline TRESSAC<br>Dr Paul-Henri QUESNOY<br><br>Cadre de santé<br>Mme Odile FRAIGNEAU<br><br>
Secrétariat<br>02 41 55 01 17<br>Fax 02 41 55 01 18<br>sec.neuro@ch-valbrume.fr</div>"""
FOOT = """<div style="margin-top:20px;border-top:1px solid #999;font-size:7pt;text-align:center">CH de Valbrume - 14 avenue des Ormeaux
49777 Valbrume - Tél. 02 41 55 01 02 - SIRET 26490777200017</div>"""


def body(text):
    return f'<div style="white-space:pre-wrap">{html.escape(text)}</div>'


def paragraphs(text):
    return "".join(f'<p style="margin:0 0 3px 0">{html.escape(line)}</p>' for line in text.split("\n") if line.strip())


TEMPLATES = {
    "plain": lambda t: ("", body(t)),
    "letter": lambda t: ("", HEAD + body(t)),
    "justified": lambda t: ('body{font:11pt "Liberation Serif";text-align:justify}', HEAD + body(t)),
    "staff": lambda t: ("", HEAD + f'<div style="display:grid;grid-template-columns:38mm 1fr;gap:7mm">{STAFF}<div>{body(t)}</div></div>{FOOT}'),
    "columns": lambda t: ("", HEAD + f'<div style="column-count:2;column-gap:9mm;font-size:9pt">{body(t)}</div>'),
    "paragraphs": lambda t: ("", HEAD + paragraphs(t)),
}


def lines(path):
    return [json.loads(line) for line in open(path, encoding="utf-8")]


def render(text, template, folder, name):
    style, inner = TEMPLATES[template](text)
    page = folder / f"{name}.html"
    page.write_text(
        f'<html><head><meta charset=utf-8><style>@page{{size:A4;margin:18mm 16mm}}body{{font:10.5pt "Liberation Sans";margin:0}}{style}</style></head>'
        f"<body>{inner}</body></html>",
        encoding="utf-8",
    )
    pdf = folder / f"{name}.pdf"
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", f"--user-data-dir={folder / 'profile'}"]
    subprocess.run([*command, f"--print-to-pdf={pdf}", str(page)], check=True, capture_output=True, timeout=120)
    return pdf


def scan(pdf, folder, name):
    """The pages at 200 dots per inch, a degree askew, with noise, as the pictures of a PDF."""
    from PIL import Image, ImageChops

    subprocess.run(["pdftoppm", "-r", "200", "-gray", str(pdf), str(folder / name)], check=True)
    pages = []
    for path in sorted(folder.glob(f"{name}-*.pgm")):
        page = Image.open(path).rotate(-1.0, fillcolor=255, resample=Image.BICUBIC)
        noise = Image.effect_noise(page.size, 40)
        pages.append(ImageChops.add(page, noise, 1, -128))
        path.unlink()
    out = folder / f"{name}-scan.pdf"
    pages[0].save(out, save_all=True, append_images=pages[1:], resolution=200)
    return out


def carried(gold, read):
    """For each character of the gold text its place in the text that was read."""
    place = [0] * (len(gold) + 1)
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, gold, read, autojunk=False).get_opcodes():
        for i in range(i1, i2):
            place[i] = j1 + (i - i1) if tag == "equal" else min(j1 + (i - i1), j2)
    place[len(gold)] = len(read)
    return place


def evaluate(sillage, out, gold):
    answer = subprocess.run([sillage, "evaluate", "--out", str(out), "--gold", str(gold), "--json"], capture_output=True, text=True)
    if answer.returncode != 0:
        sys.exit(answer.stderr)
    return json.loads(answer.stdout)


def numbers(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def run(sillage, source, out):
    subprocess.run([sillage, "run", "--source", str(source), "--out", str(out), "--once", "--quiet"], check=True)


def equal(a, b):
    a, b = (re.sub(r"\s+", " ", text).strip() for text in (a, b))
    blocks = difflib.SequenceMatcher(None, a, b, autojunk=False).get_matching_blocks()
    return 2 * sum(block.size for block in blocks) / max(1, len(a) + len(b))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=pathlib.Path, required=True)
    parser.add_argument("--sillage", required=True)
    parser.add_argument("--template", action="append", choices=list(TEMPLATES))
    parser.add_argument("--scan", action="store_true")
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--show", default="phi.char.f1,phi.span_recall_all,variables.micro.f1,variables.f1")
    options = parser.parse_args()
    work = options.work or pathlib.Path(tempfile.mkdtemp())
    work.mkdir(parents=True, exist_ok=True)
    texts = {d["fhir_id"]: d["text"] for d in lines(options.corpus / "gold/documents.jsonl")}

    plain = work / "plain-text"
    if not plain.exists():
        run(options.sillage, options.corpus / "ndjson", plain)
    reference = dict(numbers(evaluate(options.sillage, plain, options.corpus / "gold")))

    for template in options.template or TEMPLATES:
        name = template + ("-scan" if options.scan else "")
        folder, source, out = work / "pdf" / template, work / f"{name}-source", work / f"{name}-tables"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(source, ignore_errors=True)
        shutil.rmtree(out, ignore_errors=True)
        shutil.copytree(options.corpus / "ndjson", source)
        references = lines(source / "DocumentReference.ndjson")
        for resource in references:
            pdf = folder / f"{resource['id']}.pdf"
            if not pdf.exists():
                render(texts[resource["id"]], template, folder, resource["id"])
            if options.scan:
                scanned = folder / f"{resource['id']}-scan.pdf"
                pdf = scanned if scanned.exists() else scan(pdf, folder, resource["id"])
            resource["content"] = [{"attachment": {"contentType": "application/pdf", "data": base64.b64encode(pdf.read_bytes()).decode()}}]
        with open(source / "DocumentReference.ndjson", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(resource, ensure_ascii=False) + "\n" for resource in references)
        run(options.sillage, source, out)
        answer = subprocess.run(
            [options.sillage, "sql", "--out", str(out), "--format", "json", "-c", "select source_document_id as id, text, margins from source_documents"],
            capture_output=True, text=True, check=True,
        ).stdout
        rows = json.loads(answer) if answer.lstrip().startswith("[") else [json.loads(line) for line in answer.splitlines()]
        read = {row["id"]: row.get("text") or "" for row in rows}
        gold = work / f"{name}-gold"
        gold.mkdir(exist_ok=True)
        places = {key: carried(text, read.get(key, "")) for key, text in texts.items()}
        for file in ("documents", "phi", "entities", "variables"):
            with open(gold / f"{file}.jsonl", "w", encoding="utf-8") as to:
                for row in lines(options.corpus / f"gold/{file}.jsonl"):
                    key = row.get("fhir_id")
                    if file == "documents":
                        row["text"] = read.get(key, "")
                    elif "start" in row and key in places:
                        row["start"], row["end"] = places[key][row["start"]], places[key][row["end"] - 1] + 1
                        row["text"] = read[key][row["start"] : row["end"]] if key in read else row["text"]
                    to.write(json.dumps(row, ensure_ascii=False) + "\n")
        scores = dict(numbers(evaluate(options.sillage, out, gold)))
        shares = [equal(text, read.get(key, "")) for key, text in texts.items()]
        shown = ", ".join(f"{key} {reference[key]:.4f} -> {scores[key]:.4f}" for key in options.show.split(",") if key in reference and key in scores)
        print(f"{name}: {len(read)} of {len(texts)} documents, characters equal {sum(shares) / len(shares):.4f} (least {min(shares):.4f}); {shown}", flush=True)
        (work / f"{name}.json").write_text(json.dumps({"plain": reference, "pages": scores}, indent=1))


if __name__ == "__main__":
    main()
