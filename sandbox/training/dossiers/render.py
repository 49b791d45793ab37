"""Templates filled and marked: a text is a list of characters, each with the mark it carries."""

import re

from . import forms

TOKEN = re.compile(r"\{([A-Za-z_]\w*)(?::([^}]*))?\}|\\n|[<>|]|[^{}<>|\\]+|.", re.S)
PHI = ["NOM", "PRENOM", "ADRESSE", "ZIP", "VILLE", "HOPITAL", "DATE", "DATE_NAISSANCE", "TEL", "MAIL", "IPP", "NDA", "SECU", "RPPS", "ID"]


class Marked:
    """Characters and their marks; `spans` of equal marks follow from the numbers of the marks."""

    def __init__(self):
        self.cells = []
        self.number = 0

    def add(self, text, label=None):
        if label:
            self.number += 1
        mark = (label, self.number) if label else None
        self.cells.extend((c, mark) for c in text)

    @staticmethod
    def read(cells):
        """The text and its spans `[start, end, label]`."""
        spans, open_span, current = [], None, None
        for at, (_, mark) in enumerate(cells):
            if mark != current:
                if open_span:
                    spans.append(open_span)
                open_span = [at, at, mark[0]] if mark else None
                current = mark
            if open_span:
                open_span[1] = at + 1
        if open_span:
            spans.append(open_span)
        text = "".join(c for c, _ in cells)
        whole = []
        for start, end, label in spans:
            while start < end and text[start].isspace():
                start += 1
            while end > start and text[end - 1].isspace():
                end -= 1
            if start < end:
                whole.append([start, end, label])
        return text, whole


def choose(template, rng):
    """Resolves `<a|b>`, inner ones too."""
    while "<" in template:
        found = re.search(r"<([^<>]*)>", template)
        if not found:
            break
        template = template[: found.start()] + rng.choice(found[1].split("|")) + template[found.end() :]
    return template


def fill(template, scene, rng, out):
    for token in TOKEN.finditer(choose(template, rng)):
        if token[1]:
            if token[2] is not None:
                out.add(token[2], token[1])
            else:
                for text, label in scene.slot(token[1], rng):
                    out.add(text, label)
        else:
            out.add("\n" if token[0] == "\\n" else token[0])


ACCENTS = str.maketrans("àâäéèêëîïôöùûüçÀÂÄÉÈÊËÎÏÔÖÙÛÜÇœŒ", "aaaeeeeiioouuucAAAEEEEIIOOUUUCoO")


def wrap(cells, width):
    out, column, last_space = [], 0, -1
    for c, mark in cells:
        out.append((c, mark))
        column = 0 if c == "\n" else column + 1
        if c == " ":
            last_space = len(out) - 1
        elif c == "\n":
            last_space = -1
        if column > width and last_space >= 0:
            out[last_space] = ("\n", out[last_space][1])
            column = len(out) - 1 - last_space
            last_space = -1
    return out


def typos(cells, rng, rate):
    out = []
    for c, mark in cells:
        roll = rng.random()
        if not c.isalpha() or roll > rate:
            out.append((c, mark))
        elif roll < rate * 0.4:
            continue
        elif roll < rate * 0.7:
            out += [(c, mark), (c, mark)]
        elif out and out[-1][0].isalpha() and out[-1][1] == mark:
            out.insert(len(out) - 1, (c, mark))
        else:
            out.append((rng.choice("aeiourstln"), mark))
    return out


def habits(cells, writer, rng):
    """The look of a document: capitals, accents, width, faults."""
    roll = rng.random()
    if roll < writer.capitals:
        cells = [(c.translate(ACCENTS).upper()[:1], m) for c, m in cells]
    elif roll < writer.capitals + writer.plain:
        cells = [(c.translate(ACCENTS), m) for c, m in cells]
    elif roll < writer.capitals + writer.plain + writer.small:
        cells = [(c.lower()[:1], m) for c, m in cells]
    if rng.random() < writer.wrapped:
        cells = wrap(cells, rng.randrange(45, 100))
    if rng.random() < writer.faults:
        cells = typos(cells, rng, rng.choice([0.004, 0.01, 0.02]))
    if rng.random() < writer.flat:
        glue = rng.choice([" ", "  ", " / ", " ; ", " - "])
        out = []
        for c, m in cells:
            if c == "\n" and m is None and rng.random() < 0.8:
                out += [(g, None) for g in glue]
            else:
                out.append((c, m))
        cells = out
    if rng.random() < 0.15:
        cells = [("’" if c == "'" else c, m) for c, m in cells]
    if rng.random() < 0.06:
        cells = [("\u00a0" if c == " " and rng.random() < 0.2 else c, m) for c, m in cells]
    return cells


class Scene:
    """The people, places and days of one dossier, and how its writer says them."""

    def __init__(self, names, writer, forms_of_mentions, rng):
        self.names, self.writer, self.mentions = names, writer, forms_of_mentions
        self.gender = rng.choice("fm")
        self.family = names.surname(rng)
        self.given = names.given_name(rng, self.gender)
        self.maiden = names.surname(rng)
        self.born = forms.day(rng, forms.datetime.date(1928, 1, 1), 27000)
        self.begin = forms.day(rng)
        self.days = [self.begin + forms.datetime.timedelta(days=rng.randrange(0, 30)) for _ in range(6)]
        self.department, self.town = names.town(rng)
        _, self.home = names.town(rng) if rng.random() < 0.6 else (0, self.town)
        self.other = [names.town(rng)[1] for _ in range(3)]
        self.staff = [(names.given_name(rng, rng.choice("fm")), names.surname(rng)) for _ in range(6)]
        self.relatives = [names.given_name(rng, rng.choice("fm")) for _ in range(4)]
        self.hospital = names.hospital(rng, self.town)
        self.hospital2 = names.hospital(rng, self.other[0])
        self.rehab = names.hospital(rng, self.other[1], "rehab")
        self.nursing_home = names.hospital(rng, self.home, "home")
        self.clinic = names.hospital(rng, self.other[0], "clinic")
        self.ipp, self.nda = forms.record(rng), forms.record(rng)
        self.secu = forms.social_security(self.born, self.gender, rng)
        self.address, self.address2 = self.street(rng), self.street(rng)
        self.phone = forms.phone(rng)
        self.zip = self.postcode(rng)
        self.serials = forms.serial(rng)

    def postcode(self, rng):
        department = self.department[:2] if self.department[:1].isdigit() else "20"
        code = department.replace("A", "").replace("B", "").ljust(2, "0") + forms.number(rng, 1) + rng.choice(["00", "10", "20", "30", "40", "50", "60", "80", "90", "00"])
        return code[:2] + " " + code[2:] if rng.random() < 0.08 else code

    def street(self, rng):
        number = str(rng.randrange(1, 240)) + rng.choice([""] * 8 + [" bis", " ter", "bis", " B"])
        kind = rng.choice(
            """rue rue rue rue avenue av. boulevard bd chemin place allée impasse route quai cours square sentier passage ruelle venelle montée
            traverse r. Rue Avenue hameau lotissement résidence""".split()
        )
        town = self.names.town(rng)[1]
        kept = rng.choice([self.names.given_name(rng, "m") + " " + self.names.surname(rng), rng.choice(["des ", "du ", "de la ", "de "]) + rng.choice(
            """Lilas Tilleuls Église Mairie Gare Paix République Victoire Liberté Verdun Moulin Pont Château Fontaine Écoles Alouettes Hirondelles
            Rossignols Peupliers Acacias Vignes Prés Champs Halles Marché Remparts Poste Résistance Libération Foirail Lavoir Carmes Capucins
            Tanneurs Forgerons Lavandières Bergers Pêcheurs Corsaires Genêts Bruyères Coquelicots Bleuets Marronniers Platanes Ormeaux""".split()),
            "de " + town, "du Général de Gaulle", "Jean Jaurès", "Victor-Hugo", "Pasteur", "du 8-Mai-1945", "du 11 novembre", "Saint-" + town.split("-")[-1],
            "de la Croix-" + rng.choice(["Blanche", "Rouge", "Verte", "Neuve"])])  # fmt: skip
        roll = rng.random()
        if roll < 0.72:
            return f"{number}{rng.choice([' ', ', ', ' '])}{kind} {kept}"
        if roll < 0.8:
            return f"{rng.choice(['lieu-dit', 'Lieu-dit', 'Ldt', 'le bourg,', 'ferme', 'hameau', 'Hameau', 'quartier', 'domaine'])} {rng.choice(['Le ', 'La ', 'Les ', ''])}{self.names.surname(rng)}"
        if roll < 0.86:
            return f"{rng.choice(['Les', 'Le', 'La'])} {rng.choice(['Grands', 'Hauts', 'Petits', 'Clos', 'Vieux', 'Bas'])} {self.names.surname(rng)}"
        if roll < 0.92:
            return f"{rng.choice(['BP', 'CS'])} {forms.number(rng, 5 if rng.random() < 0.5 else 3)}"
        return f"{rng.choice(['rés.', 'résidence', 'bât.', 'appt', 'esc.'])} {rng.choice(['A', 'B', 'C3', '12', 'Les ' + self.names.surname(rng)])}, {number} {kind} {kept}"

    def cased(self, name, rng):
        return name.upper() if rng.random() < self.writer.upper_names else name

    def said(self, given, rng):
        """A given name as it is written this time."""
        if rng.random() < 0.06:
            given = given.translate(ACCENTS)
        if "-" in given and rng.random() < 0.25:
            given = given.replace("-", " ")
        return given

    def initial(self, given, rng):
        letters = [w[0].upper() for w in re.split(r"[- ]", given) if w]
        form = rng.random()
        if form < 0.55 or len(letters) == 1:
            return rng.choice(["-", ".-"]).join(letters) + rng.choice([".", ".", "."]) if len(letters) > 1 else letters[0] + rng.choice([".", ".", ""])
        return ".-".join(letters) + "."

    def person(self, given, family, rng, initials=0.25):
        family, given = self.cased(family, rng), self.said(given, rng)
        roll = rng.random()
        if roll < initials:
            short = self.initial(given, rng)
            parts = [(short, "PRENOM"), (" ", None), (family, "NOM")] if rng.random() < 0.75 else [(family, "NOM"), (" ", None), (short, "PRENOM")]
        elif roll < 0.25 + initials * 2:
            parts = [(family, "NOM"), (" ", None), (given.upper() if family.isupper() and rng.random() < 0.2 else given, "PRENOM")]
        else:
            parts = [(given, "PRENOM"), (" ", None), (family, "NOM")]
        if rng.random() < 0.03:
            parts.insert(1, (",", None))
        return parts

    def monogram(self, rng):
        given, family = rng.choice(self.staff)
        letters = "".join(w[0] for w in re.split(r"[- ]", given) if w) + family[0]
        form = rng.random()
        if form < 0.55:
            return letters[:3].upper()
        if form < 0.8:
            return (given[0] + family[0] + family[-1]).upper() if rng.random() < 0.5 else (family[0] + rng.choice(family[1:]) + family[-1]).upper()
        return ".".join(letters.upper()) + "."

    def slot(self, name, rng):
        n = lambda k: forms.number(rng, k)
        given, family = rng.choice(self.staff) if rng.random() < 0.8 else (self.names.given_name(rng, rng.choice("fm")), self.names.surname(rng))
        one = lambda text, label: [(text, label)]
        day = rng.choice(self.days)
        w = self.writer
        title = rng.choice({"f": ["Mme", "Madame", "Mme", "Mme", "Mlle", "madame"], "m": ["M.", "Monsieur", "Mr", "M.", "monsieur", "M"]}[self.gender])
        match name:
            case "PT":
                return self.person(self.given, self.family, rng, 0.12)
            case "pt":
                roll = rng.random()
                if roll < 0.35:
                    return [(title + " ", None), (self.cased(self.family, rng), "NOM")]
                if roll < 0.4:
                    return [(title + " ", None), (self.family[0] + ".", "NOM")]
                return [(title + " " if rng.random() < 0.85 else "", None)] + self.person(self.given, self.family, rng, 0.1)
            case "n0" | "N0":
                return one(self.cased(self.family, rng), "NOM")
            case "P0":
                return one(self.said(self.given, rng), "PRENOM")
            case "njf":
                return one(self.cased(self.maiden, rng), "NOM")
            case "ddn":
                return one(forms.birth(self.born, rng), "DATE_NAISSANCE")
            case "age":
                return one(str(max(18, self.begin.year - self.born.year)), None)
            case "ipp":
                return one(self.ipp if rng.random() < 0.9 else forms.record(rng), "IPP")
            case "nda":
                return one(self.nda, "NDA")
            case "secu":
                return one(self.secu, "SECU")
            case "adr":
                return one(self.address, "ADRESSE")
            case "adr2":
                return one(self.street(rng) if rng.random() < 0.5 else self.address2, "ADRESSE")
            case "zip0" | "zip":
                return one(self.zip, "ZIP")
            case "v0" | "V0":
                return one(self.home.upper() if name == "V0" else self.home, "VILLE")
            case "v" | "V":
                return one(self.town.upper() if name == "V" else self.town, "VILLE")
            case "v2" | "V2":
                town = rng.choice(self.other) if rng.random() < 0.5 else self.names.town(rng)[1]
                if "-" in town and rng.random() < 0.15:
                    town = town.replace("-", " ")
                return one(town.upper() if name == "V2" else town, "VILLE")
            case "dep":
                return one(self.department, None)
            case "tel" | "tel2":
                return one(self.phone if name == "tel" and rng.random() < 0.5 else forms.phone(rng), "TEL")
            case "ext":
                return one(forms.extension(rng), "TEL")
            case "mail2" | "MAIL2":
                first, last = (re.sub(r"[^a-z]", "", x.translate(ACCENTS).lower()) or "x" for x in (given, family))
                box = rng.choice([f"{first}.{last}", f"{last}.{first[0]}", f"{first[0]}.{last}", "sec.neuro", "secretariat.unv", f"{first}{last}", f"{last}_{first}"])
                host = rng.choice(["ch-", "chu-", "hopital-", ""]) + re.sub(r"[^a-z]", "", self.town.translate(ACCENTS).lower())
                mail = f"{box}@{host}.{rng.choice(['fr', 'fr', 'example', 'mssante.fr', 'org'])}"
                return one(mail.upper() if name == "MAIL2" else mail, "MAIL")
            case "rpps":
                return one(rng.choice(["1" + n(10), "10" + n(9), "10" + n(1) + " " + n(4) + " " + n(4), n(9), n(2) + " " + n(1) + " " + n(5) + " " + n(1), "10" + n(9)]), "RPPS")
            case "id" | "acc":
                return one(self.serials if rng.random() < 0.2 else forms.serial(rng), "ID")
            case "plate":
                return one(forms.plate(rng), "ID")
            case "pf":
                return self.person(given, family, rng)
            case "n" | "N":
                return one(family.upper() if name == "N" else self.cased(family, rng), "NOM")
            case "drs":
                return one(self.cased(family, rng), "NOM")
            case "p" | "PN":
                return one(given.upper() if name == "PN" else self.said(given, rng), "PRENOM")
            case "ip":
                return one(self.initial(given, rng), "PRENOM")
            case "pr" | "Pr" | "PR":
                who = self.said(rng.choice(self.relatives), rng) if rng.random() < 0.7 else self.names.given_name(rng, rng.choice("fm"))
                return one(who.upper() if name == "PR" else who, "PRENOM")
            case "rn":
                return self.person(rng.choice(self.relatives), self.family if rng.random() < 0.6 else family, rng, 0.05)
            case "ini":
                return one(self.monogram(rng), "NOM")
            case "ini2":
                return one(self.monogram(rng).lower() if rng.random() < 0.5 else self.monogram(rng), "NOM")
            case "ini1":
                return one(rng.choice([family[0].upper() + ".", self.cased(family, rng), self.monogram(rng), self.monogram(rng)]), "NOM")
            case "hop" | "hopshort":
                return one(self.hospital[0 if name == "hop" and rng.random() < 0.7 else 1], "HOPITAL")
            case "HOP" | "HOPSHORT":
                return one(self.hospital[0 if name == "HOP" else 1].upper(), "HOPITAL")
            case "hopbare":
                return one(self.hospital[2] or self.hospital[1], "HOPITAL")
            case "hop2":
                return one(rng.choice(self.hospital2[:2]) if rng.random() < 0.6 else self.names.hospital(rng, self.names.town(rng)[1])[1], "HOPITAL")
            case "ssr":
                return one(rng.choice(self.rehab[:2]), "HOPITAL")
            case "ehpad":
                return one(rng.choice(self.nursing_home[:2]), "HOPITAL")
            case "clin":
                return one(rng.choice(self.clinic[:2]), "HOPITAL")
            case "date":
                return one(forms.full(day, rng, w.date), "DATE")
            case "part":
                return one(forms.partial(day, rng) if rng.random() < 0.8 else forms.full(day, rng, w.date), "DATE")
            case "old":
                return one(forms.old(forms.day(rng, forms.datetime.date(1968, 1, 1), 20600), rng), "DATE")
            case "dd":
                return one(str(day.day), "DATE")
            case "monthname":
                return one(rng.choice(forms.MONTHS), "DATE")
            case "monthyear":
                month = rng.choice(forms.MONTHS)
                return one(month if rng.random() < 0.3 else f"{month} {day.year}", "DATE")
            case "feast":
                return one(rng.choice(forms.FEASTS), "DATE")
            case "h":
                return one(forms.clock(rng), None)
            case "n1":
                return one(str(rng.randrange(100, 220)), None)
            case "n2":
                return one(str(rng.randrange(50, 110)), None)
            case "n3":
                return one(str(rng.randrange(0, 28)), None)
            case "lui":
                return one("le recevoir" if self.gender == "m" else "la recevoir", None)
            case "dept_unit" | "DEPT":
                unit = rng.choice(UNITS)
                return one(unit.upper() if name == "DEPT" or rng.random() < 0.2 else unit, None)
            case "D" | "S" | "M" | "P":
                return one(rng.choice(self.mentions[name]), name)
            case _:
                raise KeyError(name)


UNITS = """Unité neurovasculaire|Neurologie|Service de neurologie|UNV|USINV|Soins intensifs|Réanimation polyvalente|Réanimation|Urgences|SAU|SAUV|UHCD|
Imagerie médicale|Radiologie|Neuroradiologie interventionnelle|NRI|Neurochirurgie|Cardiologie|USIC|Gériatrie|Court séjour gériatrique|Médecine interne|
Médecine polyvalente|MPR|SSR neurologique|Rééducation|Unité Charcot|Unité Babinski|secteur Broca|aile B|3e Nord|Explorations fonctionnelles|Laboratoire de biologie|
Bloc opératoire|SSPI|Anesthésie|Diabétologie|Pneumologie|HDJ|Consultations externes|Hospitalisation|Équipe mobile de soins palliatifs|EMG""".replace("\n", "").split("|")
