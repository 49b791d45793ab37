"""Rules alone, model alone and both together, on gold files.

The measures are those of the contract's scorer: a gold span counts as found when every letter and
digit of it is covered; precision is by character; mentions match by overlap and kind.
"""

import json
from collections import defaultdict
from pathlib import Path

import silver
from dossiers.render import PHI

# A date leaves nobody named; a hospital is no direct identifier either.
INDIRECT = {"DATE", "HOPITAL"}
# The threshold of a label whose additions are not right often enough.
NEVER = 0.999


def lines(path):
    with open(path, encoding="utf-8") as read:
        return [json.loads(line) for line in read]


class Gold:
    """Documents of a gold folder with what the rules found in them."""

    def __init__(self, gold: Path, export: Path):
        self.texts = {d["fhir_id"]: d["text"] for d in lines(gold / "documents.jsonl")}
        self.phi, self.mentions = defaultdict(list), defaultdict(list)
        for g in lines(gold / "phi.jsonl"):
            self.phi[g["fhir_id"]].append((g["start"], g["end"], g["label"]))
        for g in lines(gold / "entities.jsonl"):
            self.mentions[g["fhir_id"]].append((g["start"], g["end"], silver.KIND.get(g["label"])))
        self.rules, self.found = {}, {}
        for name, text, spans in silver.read(export):
            if name not in self.texts:
                continue
            # Line ends may have been made one: offsets are those of the text that was read.
            self.texts[name] = text if len(text) != len(self.texts[name]) else self.texts[name]
            self.rules[name] = [s for s in spans if s[2] not in "DSMP"]
            self.found[name] = [s for s in spans if s[2] in "DSMP"]


def phi(gold: Gold, spans_of):
    """Measures of de-identification for `spans_of(document)`."""
    per, tp, fp, fn, leaks, direct, kept, terms = defaultdict(lambda: [0, 0]), 0, 0, 0, 0, 0, 0, 0
    for name, text in gold.texts.items():
        masked, wanted = set(), set()
        for start, end, _ in spans_of(name):
            masked.update(range(start, min(end, len(text))))
        leak = leak_direct = False
        for start, end, label in gold.phi[name]:
            letters = {i for i in range(start, end) if text[i].isalnum()}
            wanted |= letters
            per[label][1] += 1
            if letters <= masked:
                per[label][0] += 1
            else:
                leak, leak_direct = True, leak_direct or label not in INDIRECT
        leaks, direct = leaks + leak, direct + leak_direct
        covered = {i for i in masked if text[i].isalnum()}
        tp, fp, fn = tp + len(covered & wanted), fp + len(covered - wanted), fn + len(wanted - covered)
        for start, end, _ in gold.mentions[name]:
            terms += 1
            kept += masked.isdisjoint(range(start, end))
    found = lambda labels: sum(per[l][0] for l in labels) / max(1, sum(per[l][1] for l in labels))
    return {
        "direct_recall": round(found([l for l in per if l not in INDIRECT]), 4), "all_recall": round(found(list(per)), 4),
        "documents_without_direct_leak": round(1 - direct / len(gold.texts), 4), "documents_without_leak": round(1 - leaks / len(gold.texts), 4),
        "character_precision": round(tp / max(1, tp + fp), 4), "terms_kept": round(kept / max(1, terms), 4),
        "missed": sum(n - k for k, n in per.values()), "per_label": {l: f"{k}/{n}" for l, (k, n) in sorted(per.items())},
    }  # fmt: skip


def mentions(gold: Gold, spans_of):
    """Overlap matching, each found span once; disorders and signs may stand for each other."""
    same = lambda a, b: a == b or {a, b} <= {"D", "S"}
    tp = fp = fn = exact = 0
    for name in gold.texts:
        spans, used = spans_of(name), set()
        for start, end, kind in gold.mentions[name]:
            best = max(
                ((min(e, end) - max(s, start), -j) for j, (s, e, k) in enumerate(spans) if j not in used and same(k, kind)), default=(0, 0)
            )
            if best[0] <= 0:
                fn += 1
                continue
            used.add(-best[1])
            tp += 1
            exact += spans[-best[1]][:2] == (start, end)
        fp += len(spans) - len(used)
    p, r = tp / max(1, tp + fp), tp / max(1, tp + fn)
    return {"p": round(p, 4), "r": round(r, 4), "f1": round(2 * p * r / max(1e-9, p + r), 4), "exact_r": round(exact / max(1, tp + fn), 4)}


def meets(a, b):
    return a[0] < b[1] and b[0] < a[1]


NAMES = {"NOM", "PRENOM", "VILLE", "HOPITAL", "ADRESSE"}


def plausible(text, start, end, label):
    """Whether a model's name can be one: it has a capital, unless the text has hardly any."""
    few = sum(c.isupper() for c in text) < 0.01 * sum(c.isalpha() for c in text)
    return label not in NAMES or few or any(c.isupper() for c in text[start:end])


def joined_phi(text, rules, found, model, thresholds):
    """Rules, and what the model adds: sure enough, new, and no clinical mention."""
    added = []
    for start, end, label, score in model:
        span = (start, end)
        if score < thresholds.get(label, 2.0) or any(meets(span, f) for f in found):
            continue
        if not plausible(text, start, end, label):
            continue
        covered = {i for r in rules for i in range(r[0], r[1])}
        if any(text[i].isalnum() and i not in covered for i in range(start, end)):
            added.append((start, end, label, score))
    return added


def joined_mentions(rules, phi_spans, model, thresholds):
    added = []
    for start, end, kind, score in model:
        if score >= thresholds.get(kind, 2.0) and not any(meets((start, end), r) for r in rules) and not any(meets((start, end), p) for p in phi_spans):
            added.append((start, end, kind, score))
    return added


def choose(candidates, precision, fewest=12):
    """The lowest threshold whose spans are right often enough: `candidates` are `(score, right)`."""
    ordered = sorted(candidates, reverse=True)
    right, best = 0, None
    for n, (score, good) in enumerate(ordered, 1):
        right += good
        if n >= fewest and right / n >= precision:
            best = score
    return best


def phi_thresholds(gold: Gold, spans, precision):
    """Per label, on data of writers that the model has not read: how sure an addition must be."""
    candidates = {label: [] for label in PHI}
    everything = dict.fromkeys(PHI, 0.0)
    for name, text in gold.texts.items():
        wanted = {i for s, e, _ in gold.phi[name] for i in range(s, e)}
        for start, end, label, score in joined_phi(text, gold.rules[name], gold.found[name], spans[name], everything):
            letters = [i for i in range(start, end) if text[i].isalnum()]
            candidates[label].append((score, sum(i in wanted for i in letters) > 0.7 * len(letters)))
    chosen = {label: choose(found, precision) for label, found in candidates.items()}
    return {label: NEVER if t is None else round(min(NEVER, max(0.5, t)), 3) for label, t in chosen.items()}, candidates
