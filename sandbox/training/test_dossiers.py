"""`python3 -m unittest discover -s sandbox/training`: what the generator promises. Needs nothing installed."""

import random
import unittest

from dossiers.names import Names
from dossiers.render import PHI, Marked, Scene, fill, habits
from dossiers.reports import planted, sentences
from dossiers.write import Writer, dossiers, lexicon, templates

REPORT = (
    "Le patient était connu pour une HTA. Sa mère est hypertendue. Il a été hospitalisé en cardiologie à Rabat. Le scanner était normal.",
    [(32, 35, "D"), (100, 105, "VILLE")],
)


NAMES, MENTIONS, TEMPLATES = Names(), lexicon(), templates()


class Documents(unittest.TestCase):
    def test_the_same_seed_writes_the_same_documents(self):
        first, again, other = (list(dossiers(25, seed)) for seed in (4, 4, 5))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_marks_lie_on_text_and_every_label_occurs(self):
        seen = set()
        for _, text, spans in dossiers(250, 7):
            for (start, end, label), following in zip(spans, spans[1:] + [[len(text), 0, ""]]):
                self.assertTrue(0 <= start < end <= following[0])
                self.assertEqual(text[start:end], text[start:end].strip())
                seen.add(label)
        self.assertEqual(seen, set(PHI) | set("DSMP"))

    def test_no_template_leaves_its_signs_in_a_text(self):
        rng, lists = random.Random(1), TEMPLATES
        scene = Scene(NAMES, Writer(1, lists, False), MENTIONS, rng)
        for name, lines in lists.items():
            for line in lines:
                out = Marked()
                fill(line, scene, rng, out)
                self.assertNotRegex("".join(c for c, _ in out.cells), r"[{}]|\\n", f"{name}: {line}")

    def test_held_out_writers_have_phrases_of_their_own(self):
        lists = TEMPLATES
        trained = {l for n in range(24) for lines in Writer(n, lists, False).lists.values() for l in lines}
        held = {l for n in range(1000, 1006) for lines in Writer(n, lists, True).lists.values() for l in lines}
        self.assertGreater(len(held - trained), 30)

    def test_marks_follow_their_characters_through_the_habits(self):
        rng, lists = random.Random(3), TEMPLATES
        names, mentions = NAMES, MENTIONS
        for n in range(30):
            writer = Writer(n, lists, False)
            writer.faults = 0
            out = Marked()
            scene = Scene(names, writer, mentions, rng)
            for part in ("vu par ", ("Maëlle", "PRENOM"), " ", ("LE GOFF", "NOM"), "\nle ", ("12 mai 2024", "DATE"), " à l'accueil"):
                out.add(*part) if isinstance(part, tuple) else out.add(part)
            text, spans = Marked.read(habits(out.cells, writer, rng))
            self.assertEqual([s[2] for s in spans], ["PRENOM", "NOM", "DATE"])
            self.assertIn(text[spans[2][0] : spans[2][1]].replace("\n", " ").replace("\u00a0", " ").lower(), ("12 mai 2024",))

    def test_reports_keep_their_marks_and_get_people(self):
        self.assertEqual([REPORT[0][s:e] for s, e, _ in REPORT[1]], ["HTA", "Rabat"])
        rng, lists = random.Random(2), TEMPLATES
        labels = set()
        for n in range(60):
            writer = Writer(n, lists, False)
            cells = planted(REPORT, writer, Scene(NAMES, writer, MENTIONS, rng), rng)
            labels |= {label for _, _, label in Marked.read(cells)[1]}
        self.assertLessEqual({"NOM", "PRENOM", "DATE", "VILLE", "D"}, labels)
        self.assertIn(("HTA", "D"), [s for sentence in sentences([REPORT]) for s in sentence])


if __name__ == "__main__":
    unittest.main()
