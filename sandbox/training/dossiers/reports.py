"""Open case reports with people planted into them.

The reports have nobody in them; what the rules found there (towns, hospitals, dates) stays
marked. Sentences about "the patient" get a name, hospital stays a date and a place.
"""

import re

from .render import Marked, Scene, fill, habits

SENTENCE = re.compile(r"(?<=[a-zéèà0-9)][.!?;])\s+(?=[A-ZÉÈÀ])")
RELATIVES = r"[Ss]a mère|[Ss]on père|[Ss]a s(?:œ|oe)ur|[Ss]on frère|[Ss]a femme|[Ss]on mari|[Ss]on épouse|[Ss]a fille|[Ss]on fils|ses parents|ses enfants"
PLANTS = [
    (re.compile(r"(?:^|(?<=[.] ))(?:[Ll]e patient|[Ll]a patiente|[Nn]otre patiente?|Il|Elle)(?= (?:a|est|était|avait|présent|rapport|se|n'))"), "{pt}", 0.35, "over"),
    (re.compile(RELATIVES), " {pr}", 0.6, "behind"),
    (re.compile(r"il y a \d+ (?:ans|mois|années)|depuis \d+ ans"), "en {old}", 0.5, "over"),
    (re.compile(r"dans notre (?:formation|service|structure|hôpital|département)|aux urgences"), "<au {hop2}|à {hop}|à {v2}|dans le service du Dr {n}>", 0.5, "over"),
    (re.compile(r"\b(?:hospitalisé|admis|transféré|adressé|opéré|consulté|vu|suivi|traité|reçu)e?\b(?= )"), " <le {date}|le {part}|à {v2}|par le Dr {n}|par {pf}|au {hop2}|en {old}|du {part} au {part}>", 0.35, "behind"),
    (re.compile(r"\b(?:scanner|TDM|IRM|échographie|radiographie|biopsie|bilan|ETT|ECG|EEG|tomodensitométrie)\b(?= )"), " <du {date}|du {part}|({part})|fait à {v2}|(n° {id})|du {part} (Dr {n})>", 0.3, "behind"),
    (re.compile(r"(?:[Ll]'évolution|[Ll]es suites)(?= (?:a|ont|était|étaient))"), " <au {part}|jusqu'au {date}>", 0.2, "behind"),
]  # fmt: skip


def cells(text, spans):
    """A report as marked characters; overlapping spans keep the first."""
    out = [[c, None] for c in text]
    for number, (start, end, label) in enumerate(sorted(spans)):
        if start < len(out) and all(out[i][1] is None for i in range(start, min(end, len(out)))):
            for i in range(start, min(end, len(out))):
                out[i][1] = (label, -1 - number)
    return [tuple(c) for c in out]


def sentences(reports, shortest=20, longest=260):
    """Sentences of the reports as segments, to fill invented documents with."""
    kept = []
    for text, spans in reports:
        marked, start = cells(text, spans), 0
        for end in [m.start() for m in SENTENCE.finditer(text)] + [len(text)]:
            piece = marked[start:end]
            while piece and piece[0][0].isspace():
                piece.pop(0)
            start = end
            if shortest <= len(piece) <= longest:
                segments = []
                for c, mark in piece:
                    label = mark[0] if mark else None
                    if segments and segments[-1][1] == label:
                        segments[-1][0] += c
                    else:
                        segments.append([c, label])
                kept.append([tuple(s) for s in segments])
    return kept


def planted(report, writer, scene, rng):
    """A piece of a report with surrogates."""
    text, spans = report
    marked = cells(text, spans)
    cut = [0] + [m.end() for m in SENTENCE.finditer(text)] + [len(text)]
    first = rng.randrange(max(1, len(cut) - 1))
    last = min(len(cut) - 1, first + rng.randrange(3, 12))
    start, end = cut[first], cut[last]
    at_places = {}
    for pattern, template, chance, how in PLANTS:
        for m in pattern.finditer(text, start, end):
            if rng.random() < chance and all(marked[i][1] is None for i in range(m.start(), m.end())) or how == "behind" and rng.random() < chance:
                place = m.end() if how == "behind" else m.start()
                until = m.end()
                if all(not (place < u and p < until) for p, (u, _) in at_places.items()) and (place >= len(marked) or marked[place][1] is None or place == 0 or marked[place][1] != marked[place - 1][1]):
                    at_places[place] = (until, template)
    out, at = Marked(), start
    out.number = 0
    for place in sorted(at_places):
        until, template = at_places[place]
        if place < at:
            continue
        out.cells += marked[at:place]
        fill(template, scene, rng, out)
        at = max(place, until)
    out.cells += marked[at:end]
    if rng.random() < 0.5:
        out.add("\n")
        fill(rng.choice(writer.lists["sign"]), scene, rng, out)
    head = Marked()
    head.number = 100000
    if rng.random() < 0.4:
        fill(rng.choice(writer.lists["head"] + writer.lists["ident"]), scene, rng, head)
        head.add("\n")
    return habits(head.cells + out.cells, writer, rng)
