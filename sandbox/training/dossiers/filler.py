"""Clinical words and sentences without anybody in them."""

import csv
import re

from .names import REPOSITORY

LEXICON = REPOSITORY / "schemas" / "terminology" / "lexicon"
KINDS = {"DISORDER": "D", "SIGN": "S", "DRUG": "M", "PROCEDURE": "P"}


def lexicon():
    """Plain forms of each kind of mention, from the product's lexicon."""
    forms = {k: set() for k in KINDS.values()}
    for table in sorted(LEXICON.glob("*.csv")):
        with open(table, encoding="utf-8") as lines:
            for row in csv.reader((l for l in lines if not l.startswith("#")), delimiter=";"):
                if len(row) < 4 or row[1] not in KINDS:
                    continue
                for form in [row[2]] + row[3].split("|"):
                    form = form.strip()
                    choice = re.search(r"\[([^\]]*)\]", form)
                    if choice:
                        for part in choice[1].split("/")[:4]:
                            forms[KINDS[row[1]]].add((form[: choice.start()] + part + form[choice.end() :]).strip())
                    elif form and not form.startswith(("?", "=", "!")):
                        forms[KINDS[row[1]]].add(form.replace("(e)", ""))
    plain = re.compile(r"[^\[\]|?=:!()]{2,40}$")
    return {k: sorted(f for f in v if plain.match(f)) for k, v in forms.items()}
