"""The vocabulary, and documents as token numbers with labels."""

import json
import random
import re

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

KINDS = ["D", "S", "M", "P"]
MAX_LENGTH = 256


def train_tokenizer(texts, size):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    # Line ends are layout, and layout tells headers and signatures: they become a sign.
    tokenizer.normalizer = normalizers.Sequence([normalizers.Replace(Regex(r"\r?\n"), " ↵ "), normalizers.Replace("’", "'"), normalizers.Replace("\u00a0", " "), normalizers.Replace("\u202f", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("isolated"), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=size, min_frequency=3, limit_alphabet=260, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    special = [(t, tokenizer.token_to_id(t)) for t in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=special)
    return tokenizer


def label_names(labels):
    return ["O"] + [f"{p}-{label}" for label in labels for p in "BI"]


def encode(tokenizer, text, spans, names):
    """Token numbers, labels and offsets of a whole text without special tokens."""
    index = {n: i for i, n in enumerate(names)}
    at = {}
    for number, (start, end, label) in enumerate(spans):
        if "B-" + label in index:
            for i in range(start, end):
                at[i] = (number, label)
    encoding = tokenizer.encode(text, add_special_tokens=False)
    labels, previous = [], None
    for start, end in encoding.offsets:
        mark = next((at[i] for i in range(start, end) if i in at), None)
        if mark is None:
            labels.append(0)
        else:
            labels.append(index[("I-" if previous == mark else "B-") + mark[1]])
        previous = mark if mark or end > start else previous
    return encoding.ids, labels, encoding.offsets


BOUND = re.compile(r"\n|(?<=[.!?])\s+(?=[A-ZÉÈÀ-])")


def windows(text, offsets, rng=None, longest=MAX_LENGTH - 2):
    """Cuts of the token list at sentence and line bounds: `(first, last)`."""
    bounds = sorted({m.end() for m in BOUND.finditer(text)})
    starts, cut = [0], 0
    position = 0
    for bound in bounds:
        while position < len(offsets) and offsets[position][0] < bound:
            position += 1
        starts.append(position)
    starts.append(len(offsets))
    pieces, first, last = [], 0, 0
    limit = rng.choice([longest, longest, longest, longest // 2, longest // 4]) if rng else longest
    for start in starts[1:]:
        while start - first > limit:
            stop = last if last > first else first + limit
            pieces.append((first, stop))
            first = stop
            last = stop
        last = start
    if last > first:
        pieces.append((first, last))
    return pieces


def read(path, limit=None):
    with open(path, encoding="utf-8") as lines:
        for n, line in enumerate(lines):
            if limit is not None and n >= limit:
                return
            document = json.loads(line)
            yield document["text"], document["spans"]


def pieces(tokenizer, documents, names, seed=0):
    """Windows of documents as `(ids, labels)`, special tokens around."""
    rng = random.Random(seed)
    cls, sep = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    for text, spans in documents:
        ids, labels, offsets = encode(tokenizer, text, spans, names)
        for first, last in windows(text, offsets, rng):
            yield [cls] + ids[first:last] + [sep], [-100] + labels[first:last] + [-100]
