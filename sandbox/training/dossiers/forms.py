"""Dates, phones and numbers in the forms that people write."""

import datetime

MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
SHORT = ["janv.", "fév.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."]
SHORTER = "janv févr mars avr mai juin juil août sept oct nov déc".split()
CAPS = "JAN FEV MAR AVR MAI JUIN JUIL AOUT SEP OCT NOV DEC".split()
DAYS = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
NUMBERS = """un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf vingt
vingt-et-un vingt-deux vingt-trois vingt-quatre vingt-cinq vingt-six vingt-sept vingt-huit vingt-neuf trente trente-et-un""".split()
YEARS = {2019: "deux mille dix-neuf", 2020: "deux mille vingt", 2021: "deux mille vingt et un", 2022: "deux mille vingt-deux",
         2023: "deux mille vingt-trois", 2024: "deux mille vingt-quatre", 2025: "deux mille vingt-cinq"}  # fmt: skip
FEASTS = ["Noël", "Pâques", "la Toussaint", "la Pentecôte", "l'Ascension", "14 juillet", "15 août", "11 novembre", "1er mai", "jour de l'An"]


def full(date, rng, style=None):
    """A whole date. `style` keeps a writer to a few habits."""
    d, m, y = date.day, date.month, date.year
    forms = [
        f"{d:02}/{m:02}/{y}", f"{d:02}/{m:02}/{y % 100:02}", f"{d:02}.{m:02}.{y}", f"{d:02}.{m:02}.{y % 100:02}", f"{d:02}-{m:02}-{y}",
        f"{d} {MONTHS[m - 1]} {y}", f"{'1er' if d == 1 else d} {MONTHS[m - 1]} {y}", f"{d:02} {MONTHS[m - 1]} {y}",
        f"{DAYS[date.weekday()]} {d} {MONTHS[m - 1]} {y}", f"{d} {SHORT[m - 1]} {y}", f"{d:02} {CAPS[m - 1]} {y}", f"{d} {SHORTER[m - 1]} {y % 100:02}",
        f"{y}-{m:02}-{d:02}", f"{d}/{m}/{y}", f"{d}/{m}/{y % 100:02}", f"{d:02} {m:02} {y}", f"{d:02}/{m:02} {y}", f"{d:02}{m:02}{y}",
        f"{DAYS[date.weekday()]} {d:02}/{m:02}/{y}", f"{DAYS[date.weekday()][:3]} {d:02}/{m:02}/{y % 100:02}", f"{d:02}-{m:02}-{y % 100:02}",
    ]  # fmt: skip
    if y in YEARS and rng.random() < 0.03:
        return f"{'premier' if d == 1 else NUMBERS[d - 1]} {MONTHS[m - 1]} {YEARS[y]}"
    if style is not None and rng.random() < 0.7:
        return forms[style % len(forms)]
    return rng.choice(forms)


def partial(date, rng):
    """A date without its year, as notes write it."""
    d, m = date.day, date.month
    return rng.choice(
        [
            f"{d:02}/{m:02}", f"{d}/{m}", f"{d:02}.{m:02}", f"{d} {MONTHS[m - 1]}", f"{'1er' if d == 1 else d} {MONTHS[m - 1]}", f"{d} {SHORT[m - 1]}",
            f"{DAYS[date.weekday()]} {d}", f"{DAYS[date.weekday()]} {d} {MONTHS[m - 1]}", f"{DAYS[date.weekday()][:3]} {d:02}/{m:02}",
            f"{d:02}/{m:02}", f"{d:02}/{m:02}", f"{d} {MONTHS[m - 1]}", f"{DAYS[date.weekday()]} {d}/{m:02}", f"{d:02}-{m:02}",
        ]
    )  # fmt: skip


def old(date, rng):
    """A date of the history: a year, a month."""
    m, y = date.month, date.year
    return rng.choice(
        [f"{y}", f"{y}", f"{y}", f"{y}", f"{MONTHS[m - 1]} {y}", f"{SHORT[m - 1]} {y}", f"{m:02}/{y}", f"{m:02}/{y % 100:02}",
         f"{SHORTER[m - 1]} {y % 100:02}"]
    )  # fmt: skip


def birth(date, rng):
    d, m, y = date.day, date.month, date.year
    return rng.choice(
        [f"{d:02}/{m:02}/{y}", f"{d:02}/{m:02}/{y}", f"{d:02}/{m:02}/{y % 100:02}", f"{d} {MONTHS[m - 1]} {y}", f"{d:02}.{m:02}.{y}", f"{d:02}.{m:02}.{y % 100:02}",
         f"{d:02}-{m:02}-{y}", f"{d:02}{m:02}{y}", f"{d} {SHORT[m - 1]} {y}", f"{y}-{m:02}-{d:02}", f"{d:02} {m:02} {y}", f"{d} {MONTHS[m - 1]} {y % 100:02}",
         f"{d}/{m}/{y}", f"{'1er' if d == 1 else d} {MONTHS[m - 1]} {y}", f"{d:02} {CAPS[m - 1]} {y}"]
    )  # fmt: skip


def phone(rng, mobile=None):
    mobile = rng.random() < 0.4 if mobile is None else mobile
    head = rng.choice(["06", "07"]) if mobile else rng.choice(["01", "02", "03", "04", "05", "09"])
    pairs = [head] + [f"{rng.randrange(100):02}" for _ in range(4)]
    form = rng.random()
    if form < 0.5:
        return " ".join(pairs)
    if form < 0.68:
        return ".".join(pairs)
    if form < 0.82:
        return "".join(pairs)
    if form < 0.87:
        return "-".join(pairs)
    if form < 0.92:
        return "+33 " + pairs[0][1] + " " + " ".join(pairs[1:])
    if form < 0.95:
        return "+33" + pairs[0][1] + "".join(pairs[1:])
    return pairs[0] + " " + "".join(pairs[1:3]) + " " + "".join(pairs[3:])


def extension(rng):
    digits = str(rng.randrange(10 ** rng.choice([3, 4, 4, 4]), 10 ** 5 if rng.random() < 0.5 else 10 ** 4 + 9))
    form = rng.random()
    if form < 0.7 or len(digits) < 4:
        return digits
    if form < 0.85:
        return digits[:-2] + " " + digits[-2:]
    return digits[0] + " " + digits[1:3] + " " + digits[3:] if len(digits) == 5 else digits[:2] + "." + digits[2:]


def social_security(birth_date, gender, rng):
    body = f"{1 if gender == 'm' else 2}{birth_date.year % 100:02}{birth_date.month:02}{rng.randrange(1, 96):02}{rng.randrange(1, 700):03}{rng.randrange(1, 500):03}"
    key = f"{97 - int(body) % 97:02}"
    form = rng.random()
    if form < 0.35:
        return body + key
    if form < 0.5:
        return body + " " + key
    parts = [body[0], body[1:3], body[3:5], body[5:7], body[7:10], body[10:13], key]
    return " ".join(parts) if form < 0.9 else body[0] + " " + body[1:7] + " " + body[7:13] + " " + key


def number(rng, digits):
    return "".join(rng.choice("0123456789") for _ in range(digits))


def letters(rng, count):
    return "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(count))


def record(rng):
    """A hospital's number of a patient or of a stay."""
    n = lambda k: number(rng, k)
    year = str(rng.choice([2022, 2023, 2024, 2025]))
    return rng.choice(
        [n(7), n(8), n(8), n(9), n(10), "0" + n(8), "00" + n(7), year[2:] + "-" + n(6), year[2:] + n(7), year + n(6), letters(rng, 1) + n(7), letters(rng, 2) + n(6),
         year + "-" + n(5), n(3) + " " + n(3) + " " + n(3), year[2:] + "/" + n(5), letters(rng, 3) + "-" + n(6), n(6), "P" + n(6), n(2) + "." + n(6), n(4) + "-" + n(5),
         n(6) + "-" + n(4), letters(rng, 1) + year[2:] + n(6), year[2:] + "-" + n(4) + "-" + n(4)]
    )  # fmt: skip


def serial(rng):
    """A number of an examination, a batch, a device."""
    n = lambda k: number(rng, k)
    a = lambda k: letters(rng, k)
    year = str(rng.choice([2022, 2023, 2024, 2025]))
    return rng.choice(
        [a(2) + "-" + n(6), a(1) + n(7), a(3) + year[2:] + n(5), n(2) + a(1) + n(4), a(2) + n(2) + "-" + n(4), year + "-" + n(5), a(2) + "/" + year[2:] + "/" + n(4),
         n(8), n(6), a(1) + year[2:] + "-" + n(5), a(3) + "-" + a(2) + "-" + n(6), n(4) + "-" + a(2), a(2) + n(8), a(1) + "-" + n(4), a(2) + year + "-" + n(5),
         "CT-" + n(6), "IRM" + year[2:] + "-" + n(5), "TDM-" + n(7), "R" + year + "-" + n(5), "A" + n(9), year[2:] + a(1) + n(5)]
    )  # fmt: skip


def plate(rng):
    return f"{letters(rng, 2)}{rng.choice('- ')}{number(rng, 3)}{rng.choice('- ')}{letters(rng, 2)}"


def day(rng, start=datetime.date(2021, 1, 1), days=1800):
    return start + datetime.timedelta(days=rng.randrange(days))


def clock(rng):
    hour, minute = rng.randrange(24), rng.randrange(60)
    return rng.choice([f"{hour:02}h{minute:02}", f"{hour} h {minute:02}", f"{hour}h{minute:02}", f"{hour:02}:{minute:02}", f"{hour}h", f"{hour} heures", f"{hour:02}H{minute:02}"])
