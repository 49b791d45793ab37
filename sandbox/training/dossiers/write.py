"""Writers, their habits, and the documents they write."""

import random
import re
from pathlib import Path

from .filler import lexicon
from .names import Names
from .nobody import Nobody
from . import reports as case_reports
from .render import Marked, Scene, fill, habits

DATA = Path(__file__).resolve().parents[1] / "data"
KINDS = {
    "courrier": (["courrier", "any"], 9), "urgences": (["urgences", "any"], 13), "imagerie": (["imagerie", "any"], 8), "procedure": (["procedure", "any"], 10),
    "evolution": (["evolution", "any", "infirmier"], 12), "crh": (["crh", "any"], 13), "consultation": (["consultation", "any", "crh"], 8),
    "infirmier": (["infirmier", "evolution", "any"], 8), "ssr": (["ssr", "any", "evolution"], 8),
}  # fmt: skip


def templates():
    lists = {}
    for table in ("frames.txt", "story.txt"):
        name = None
        for line in (DATA / table).read_text(encoding="utf-8").splitlines():
            if re.fullmatch(r"\[\w+\]", line):
                name = line[1:-1]
                lists[name] = []
            elif line and not line.startswith("#"):
                lists[name].append(line)
    return lists


class Writer:
    """One invented hospital's hand: a share of the phrases and fixed habits."""

    def __init__(self, number, lists, held_out):
        rng = random.Random(f"writer {number}")
        self.number = number
        self.date = rng.randrange(21) if rng.random() < 0.7 else None
        self.upper_names = rng.choice([0.02, 0.2, 0.6, 0.95])
        self.capitals = rng.choice([0.02, 0.05, 0.3])
        self.plain = rng.choice([0.03, 0.1, 0.4])
        self.small = rng.choice([0.02, 0.1])
        self.wrapped = rng.choice([0.05, 0.2, 0.6])
        self.faults = rng.choice([0.05, 0.15, 0.4])
        self.flat = rng.choice([0.02, 0.06, 0.2])
        self.lists = {}
        for name, lines in lists.items():
            # Each eighth phrase is for the held-out writers alone.
            mine = [line for at, line in enumerate(lines) if (at % 8 == 5) == held_out or (held_out and rng.random() < 0.2)]
            self.lists[name] = [line for line in mine if rng.random() < 0.75] or mine


def document(writer, scene, kind, filler, rng, nobody=None):
    out = Marked()
    banks, size = KINDS[kind]

    def put(name, chance=1.0, end="\n"):
        if rng.random() < chance:
            fill(rng.choice(writer.lists[name]), scene, rng, out)
            if nobody and rng.random() < 0.2:
                out.add(rng.choice([" - ", " ", ", ", "\n"]) + nobody.phrase(rng))
            out.add(end)

    put("head", 0.85)
    put("head", 0.08)
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        put("ident")
    letter = kind in ("courrier", "crh", "consultation")
    put("dest", 0.75 if letter else 0.12)
    put("dest", 0.4 if letter else 0.0)
    put("ident", 0.4)
    if rng.random() < 0.5:
        out.add("\n")
    put("greet", 0.6 if letter else 0.02)
    gap = rng.choice(["\n", " ", " ", "\n", "\n- ", "\n\n", " - "])
    said = set()
    for _ in range(rng.randrange(2, size)):
        bank = banks[0] if rng.random() < 0.62 else rng.choice(banks)
        if filler and rng.random() < 0.22:
            for text, label in rng.choice(filler):
                out.add(text, label)
        else:
            line = rng.choice([l for l in writer.lists[bank] if l not in said] or writer.lists[bank])
            said.add(line)
            fill(line, scene, rng, out)
            if nobody and rng.random() < 0.3:
                out.add(" " + nobody.phrase(rng))
        while nobody and rng.random() < 0.4:
            out.add(gap + nobody.line(rng))
        out.add(gap if rng.random() < 0.8 else rng.choice(["\n", " "]))
    out.add("\n")
    if letter:
        out.add(rng.choice(["", "Bien confraternellement,\n", "Confraternellement\n", "Bien amicalement,\n", "Cordialement\n", "Sentiments les meilleurs.\n", "Bien à vous,\n"]))
    put("sign", 0.88)
    put("sign", 0.25)
    put("cc", 0.45 if letter else 0.08)
    return habits(out.cells, writer, rng)


def dossiers(count, seed, held_out=False, reports=(), writers=24, empty=False):
    """Marked documents: `(writer, text, spans)`; a seventh are pieces of case reports with people planted into them.

    `empty`: with many lines that name nobody between the others.
    """
    rng = random.Random(seed)
    lists, mentions = templates(), lexicon()
    names = Names(seed=1)
    offset = 1000 if held_out else 0
    hands = [Writer(offset + n, lists, held_out) for n in range(6 if held_out else writers)]
    nobody = Nobody(held_out) if empty else None
    filler = case_reports.sentences(reports)
    made = 0
    while made < count:
        writer = rng.choice(hands)
        scene = Scene(names, writer, mentions, rng)
        for kind in rng.sample(sorted(KINDS), rng.randrange(2, 5)):
            if reports and rng.random() < 1 / 7:
                cells = case_reports.planted(rng.choice(reports), writer, scene, rng)
            else:
                cells = document(writer, scene, kind, filler, rng, nobody)
            text, spans = Marked.read(cells)
            yield writer.number, text, spans
            made += 1
