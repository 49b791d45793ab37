"""Words, numbers and lines in which nobody is: what a tagger must leave alone.

Drawn from the product's own lists of words that are no names. Half of each list is for the
held-out writers.
"""

import re

from .names import GAZETTEERS, REPOSITORY

CLINICAL = REPOSITORY / "udfs" / "clinical" / "data"
UNITS = ["mg", "g/L", "mmol/L", "µmol/L", "UI", "mL/h", "%", "G/L", "mmHg", "/min", "cm", "mm", "kg", "ml", "h", "min", "jours", "fois", "cp", "amp", "x3/j", "PA", "mg/L"]
LINKS = ["à", "de", "par", "avec", "sans", "pour", "en", "et", "sur", "ou", "chez", "devant", "selon", "puis", "au", "du", "le", "la", "un", "non", "pas de", "voir", "cf", "si"]
HEADS = ["", "", "1. ", "2. ", "3) ", "A. ", "B. ", "C. ", "I - ", "II. ", "1.2 ", "* ", "- ", "• ", "# ", "== ", "> "]


def words(name):
    return [w for line in (GAZETTEERS / name).read_text(encoding="utf-8").splitlines() if not line.startswith("#") for w in line.split()]


def sentences(name):
    for line in (CLINICAL / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield re.sub(r"[⟦⟧]", "", line.split("##")[0]).replace("\\n", "\n").strip()


class Nobody:
    def __init__(self, held_out):
        half = lambda listed: [x for n, x in enumerate(listed) if (n % 4 == 1) == held_out]
        self.words = half(words("proper_common.txt"))
        self.things = half(words("proper_things.txt"))
        self.letters = half(words("abbreviations.txt"))
        self.lines = half([*sentences("measurement_sentences.txt"), *sentences("measurement_negatives.txt")])

    def word(self, rng):
        roll = rng.random()
        word = rng.choice(self.words) if roll < 0.6 else rng.choice(self.letters).upper() if roll < 0.8 else rng.choice(self.things)
        roll = rng.random()
        return word.capitalize() if roll < 0.25 else word.upper() if roll < 0.4 else word

    def number(self, rng):
        n = rng.randrange
        return rng.choice(
            [f"{n(1, 400)}", f"{n(0, 30)},{n(10)}", f"{n(0, 9)}.{n(100):02}", f"{n(0, 6)}/5", f"{n(0, 11)}/10", f"{n(80, 230)}/{n(40, 120)}", f"{n(9, 24)}/{n(5, 13)}", f"{n(0, 16)}/15",
             f"{n(90, 400)} 000", f"{n(100, 180)}-{n(140, 200)}", f"{n(1, 5)}-{n(0, 2)}-{n(0, 2)}", f"{n(1, 80)} {rng.choice(UNITS)}", f"< {n(2, 190)}", f"> {n(2, 190)}", f"{n(1, 9)}x{n(1, 60)}",
             f"J{n(0, 20)}", f"H{n(1, 48)}", f"M{n(1, 12)}", f"{n(1, 100)} ans", f"{n(1, 4)}/{n(1, 4)}", f"n° {n(1, 9)}", f"{n(30, 110)} %"]
        )  # fmt: skip

    def phrase(self, rng):
        parts = []
        for _ in range(rng.randrange(1, 6)):
            roll = rng.random()
            parts.append(self.word(rng) if roll < 0.5 else rng.choice(LINKS) if roll < 0.72 else self.number(rng))
        return " ".join(parts)

    def line(self, rng):
        roll = rng.random()
        if roll < 0.3:
            return rng.choice(self.lines)
        if roll < 0.45:
            return rng.choice(HEADS) + self.word(rng).upper() + rng.choice([" :", "", " : " + self.phrase(rng), " " + self.word(rng).upper() + " :", " - " + self.phrase(rng)])
        if roll < 0.6:
            return rng.choice(["  ", " | ", "   ", "\t", " ; "]).join(rng.choice([self.number(rng), rng.choice(self.letters).upper(), self.number(rng)]) for _ in range(rng.randrange(3, 9)))
        if roll < 0.75:
            return rng.choice(HEADS) + ", ".join(f"{self.word(rng)} {self.number(rng)}" for _ in range(rng.randrange(1, 6)))
        return rng.choice(HEADS) + rng.choice([" ", ", ", " ; ", ". ", " -> ", " / "]).join(self.phrase(rng) for _ in range(rng.randrange(1, 4))) + rng.choice([".", "", " ?", " !"])
