"""Names of people and places: the gazetteers of the product, and names that no list has.

A tagger that learns lists learns what the rules already know; half of the names here are
therefore made by a letter model of the lists or put together from parts.
"""

import csv
import random
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
GAZETTEERS = REPOSITORY / "udfs" / "deidentification" / "data"


def _parts():
    lists, name = {}, ""
    for line in (REPOSITORY / "sandbox" / "training" / "data" / "names.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line[1:-1]
            lists[name] = []
        elif not line.startswith("#"):
            lists.setdefault(name, []).extend(line.split())
    return lists


# `words`: surnames that are words, where the context alone tells.
WORDS, STEMS, ENDINGS, SAINTS, SAINTES, RIVERS, PLACES, LAND = (_parts()[n] for n in "words stems endings saints saintes rivers places land".split())


def _read(name):
    with open(GAZETTEERS / name, encoding="utf-8") as lines:
        return [row for row in csv.reader((l for l in lines if not l.startswith("#")), delimiter=";") if row]


class Letters:
    """A letter model of third order: words that sound like those of a list."""

    def __init__(self, words):
        self.known = set(words)
        self.after = {}
        for word in words:
            padded = "^^^" + word + "$"
            for at in range(3, len(padded)):
                self.after.setdefault(padded[at - 3 : at], []).append(padded[at])

    def word(self, rng):
        for _ in range(50):
            made = "^^^"
            while made[-1] != "$" and len(made) < 16:
                made += rng.choice(self.after[made[-3:]])
            word = made[3:-1]
            if made[-1] == "$" and 4 <= len(word) <= 12 and word not in self.known:
                return word
        return rng.choice(sorted(self.known))


class Names:
    """All lists, read once; `part` takes a share of them, so that writers share few names."""

    def __init__(self, seed=0):
        shuffled = random.Random(seed)
        self.family = [r[0] for r in _read("family_names.csv")]
        given = [(r[0], r[1]) for r in _read("given_names.csv")]
        self.given = {g: [n for n, s in given if s in (g, "x")] for g in "fm"}
        towns = []
        for table in ("towns.csv", "villages.csv"):
            for row in _read(table):
                towns += [(row[0], t.strip().rstrip("*")) for t in ";".join(row[1:]).split(",") if t.strip()]
        self.towns = [t for t in towns if t[1]]
        self.hospitals = [h.strip().rstrip("?") for r in _read("hospitals.csv") for h in ";".join(r).split(",") if h.strip()]
        for listed in (self.family, self.given["f"], self.given["m"], self.towns, self.hospitals):
            shuffled.shuffle(listed)
        self.letters = {"family": Letters(self.family), "f": Letters(self.given["f"]), "m": Letters(self.given["m"])}

    def surname(self, rng):
        roll = rng.random()
        if roll < 0.34:
            name = rng.choice(self.family)
        elif roll < 0.64:
            name = self.letters["family"].word(rng)
        elif roll < 0.82:
            name = rng.choice(WORDS)
        elif roll < 0.90:
            name = rng.choice(["Le ", "De ", "Da ", "El ", "Van ", "de ", "du ", "La ", "Di ", "Ben ", "d'", "O'", "Ait ", "Van den ", "de la "])
            name += rng.choice(self.family) if rng.random() < 0.5 else self.letters["family"].word(rng)
        else:
            name = rng.choice(self.family) + rng.choice("--- ") + rng.choice(self.family + WORDS)
        return name[0].upper() + name[1:] if rng.random() < 0.9 else name

    def given_name(self, rng, gender):
        roll = rng.random()
        if roll < 0.62:
            return rng.choice(self.given[gender])
        if roll < 0.82:
            return self.letters[gender].word(rng)
        first = rng.choice(["Jean", "Marie", "Anne", "Pierre", "Marie", "Jean"]) if rng.random() < 0.8 else rng.choice(self.given[gender])
        return first + rng.choice("--- ") + rng.choice(self.given[gender])

    def town(self, rng):
        """A town and its department."""
        roll = rng.random()
        department, listed = rng.choice(self.towns)
        if roll < 0.5:
            return department, listed
        if roll < 0.62:
            stem = rng.choice(["Saint-" + rng.choice(SAINTS), "Sainte-" + rng.choice(SAINTES)])
        elif roll < 0.66:
            stem = rng.choice(["La ", "Le ", "Les "]) + rng.choice(STEMS) + rng.choice(ENDINGS)
        else:
            stem = rng.choice(STEMS) + rng.choice(ENDINGS)
        if rng.random() < 0.35:
            stem += rng.choice(
                [
                    "-sur-" + rng.choice(RIVERS),
                    "-lès-" + rng.choice(self.towns)[1].split("-")[0],
                    "-en-" + rng.choice(STEMS) + rng.choice(ENDINGS),
                    "-les-" + rng.choice(PLACES).capitalize(),
                    "-le-" + rng.choice(["Vieux", "Haut", "Bas", "Grand", "Petit", "Comte", "Château", "Duc"]),
                    "-" + rng.choice(["du", "de", "sous"]) + "-" + rng.choice(LAND),
                ]
            )
        return department, stem

    def hospital(self, rng, town, kind=None):
        """An establishment as a letterhead names it, and how people call it for short."""
        kind = kind or rng.choice("university centre centre centre clinic site".split())
        proper = rng.choice(
            [
                rng.choice(self.hospitals),
                "Saint-" + rng.choice(SAINTS),
                "Sainte-" + rng.choice(SAINTES),
                self.given_name(rng, rng.choice("fm")) + "-" + self.surname(rng),
                self.given_name(rng, rng.choice("fm")) + " " + self.surname(rng),
                "les " + rng.choice(PLACES).capitalize(),
                "des " + rng.choice(PLACES).capitalize(),
                "du " + rng.choice(["Parc", "Lac", "Golfe", "Littoral", "Val", "Mont-" + rng.choice(STEMS), "Pays de " + rng.choice(RIVERS)]),
                "de la " + rng.choice(["Baie", "Côte", "Roseraie", "Fontaine", "Vallée", "Providence", "Miséricorde", "Porte Verte"]),
            ]
        )
        elided = "d'" if town[0] in "AEIOUYÉÈÎaeiouyhH" and rng.random() < 0.9 else "de "
        if town.startswith("Le "):
            of = "du " + town[3:]
        elif town.startswith("Les "):
            of = "des " + town[4:]
        else:
            of = elided + town
        if kind == "university":
            long = rng.choice(["CHU", "CHU", "CHRU", "Centre hospitalier universitaire", "Centre Hospitalier Universitaire", "Hôpitaux universitaires", "CHR"])
            names = [f"{long} {of}", f"CHU {town}", f"CHU {of}", f"CHU {proper}", f"hôpital {proper}", f"CHU {of} - site {proper}", f"CHU {of}, hôpital {proper}"]
        elif kind == "centre":
            long = rng.choice(["CH", "CH", "Centre hospitalier", "Centre Hospitalier", "Hôpital", "hôpital", "CHI", "GHT", "Groupe hospitalier", "Centre hospitalier intercommunal", "C.H."])
            names = [f"{long} {of}", f"CH {town}", f"{long} {proper}", f"CH {of}", f"hôpital {of}", f"{long} {proper} {of}", f"CH {proper}", f"Hôpital {proper} - {town}"]
        elif kind == "clinic":
            long = rng.choice(["Clinique", "clinique", "Polyclinique", "polyclinique", "Hôpital privé", "hôpital privé", "Clin.", "clin."])
            names = [f"{long} {proper}", f"{long} {proper}", f"{long} {of}", f"{long} {proper} {of}"]
        elif kind == "rehab":
            long = rng.choice(
                ["SSR", "SMR", "centre de rééducation", "Centre de rééducation fonctionnelle", "CRF", "CRRF", "Centre de réadaptation", "Fondation",
                 "clinique de réadaptation", "Hôpital de convalescence", "MPR", "soins de suite", "maison de convalescence"]
            )
            names = [f"{long} {proper}", f"{long} {proper}", f"{long} {of}", f"{long} {proper} {of}", f"{long} {rng.choice(['Les', 'Le', 'La', 'Ker'])} {rng.choice(PLACES).capitalize()}"]
        elif kind == "home":
            long = rng.choice(["EHPAD", "Ehpad", "EHPAD", "maison de retraite", "résidence", "Résidence", "MAPA", "foyer-logement", "RPA", "USLD", "foyer"])
            names = [f"{long} {proper}", f"{long} {rng.choice(['Les', 'Le', 'La', 'Ker', 'Le clos des', 'Les jardins de', 'Bel'])} {rng.choice(PLACES).capitalize()}", f"{long} {of}"]
        else:
            long = rng.choice(["site", "Site", "hôpital", "pavillon", "bâtiment", "Pôle"])
            long = long if long not in ("pavillon", "bâtiment", "Pôle") else "site"
            names = [f"{long} {proper}", f"Hôpital {proper}", f"{long} {of}"]
        letterhead = rng.choice(names)
        short = rng.choice(names)
        bare = proper if not proper.split()[0].islower() else None
        return letterhead, short, bare
