"""Random-weight models of four kinds with what transformers makes of nasty French texts.

    python sandbox/inference/parity.py OUT [TEXTS]

needs torch (CPU), transformers, tokenizers, onnx. Writes OUT/NAME/{model.toml, model.onnx,
tokenizer.json, config.json} and OUT/NAME/expected.jsonl: for each text ids, offsets,
labels, logits (first and last token, and a checksum of all), and the spans of
pipeline("token-classification", aggregation_strategy="simple"). Nothing is downloaded:
configurations are small, weights random, tokenizers trained on the texts.

The test `parity` of udfs/inference runs this script when SILLAGE_TORCH_PYTHON names a
Python that has these packages.
"""

import json
import random
import sys
from pathlib import Path

import torch
from tokenizers import SentencePieceUnigramTokenizer, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForTokenClassification,
    CamembertConfig,
    CamembertForTokenClassification,
    DebertaV2Config,
    DebertaV2ForTokenClassification,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForTokenClassification,
    pipeline,
)

LABELS = ["O", "B-DISORDER", "I-DISORDER", "B-DRUG", "I-DRUG", "B-NOM", "I-NOM"]
PIECES = [
    "Patient de 74 ans", "AVC ischémique sylvien G", "œdème", "Œdème pulmonaire", "l’hémicorps", "l'hémicorps", "NIHSS=11", "c\u0327a", "e\u0301piphyse",
    "É", "E\u0301", "ﬁbrillation", "ﬂutter", "25\u00a0mg", "75\u202f%", "Dr\u00a0LE GOUËZ-ANSQUER", "M.", "Mme", "?!", "…", "«\u00a0RAS\u00a0»", "--",
    "—", "\r\n", "\n\n", "\t", "  ", "😀", "👩‍⚕️", "≥", "µg/L", "10⁹/L", "½ cp", "°C", "n°12", "J+3", "1,5", "1.5", "12/03/2024", "HTA/DT2", "/", "\\", "<NOM>",
    "<s>", "[SEP]", "[MASK]", "</s>", "<pad>", "http://exemple.fr/?a=1&b=2", "a@exemple.fr", "\u200b", "\u00ad", "\ufeff", "\u2028", "ǅ", "ß", "İ", "ŒUVRE", "CŒUR",
    "dyslipidémie", "thrombolyse", "apixaban", "Kardégic", "rtPA", "TDM", "IRM", "ETT", "pas de", "sans", "bilan", "sortie", "depuis", "ce jour", "!" * 7, "x" * 40,
    "日本", "المريض", "Ж", "\u0000", "\u0007", "ÿ", "·", "•", "☐", "☒", "1ᵉʳ", "2ème", "XIIᵉ", "A1c", "%", "(", ")", "[", "]", "{", "}", "_", "#", "@",
]


def nasty(count):
    draw = random.Random(6)
    texts = ["", " ", "a", "\n", "😀", "é", "e\u0301", "AVC", "’", "\u00a0"]
    while len(texts) < count:
        parts = []
        for _ in range(draw.choice([1, 2, 3, 5, 8, 13, 21, 34, 55])):
            parts.append(draw.choice(PIECES))
            parts.append(draw.choice([" ", " ", " ", " ", "", ", ", ". ", "\n"]))
        texts.append("".join(parts))
    return texts[:count]


def wordpiece(texts):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=800, special_tokens=special))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", mask_token="[MASK]")


def byte_pairs(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=900, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    )
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>", cls_token="<s>", sep_token="</s>", mask_token="<mask>", bos_token="<s>", eos_token="</s>")


def sentence_piece(texts, special, template, names):
    trained = SentencePieceUnigramTokenizer()
    trained.train_from_iterator(texts, vocab_size=900, special_tokens=special, unk_token="<unk>" if "<unk>" in special else "[UNK]")
    tokenizer = trained._tokenizer
    tokens = [(token, tokenizer.token_to_id(token)) for token in template.split() if token != "$A"]
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=tokens)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def kinds(texts):
    small = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128, "num_labels": len(LABELS)}
    named = {"id2label": dict(enumerate(LABELS)), "label2id": {label: index for index, label in enumerate(LABELS)}}

    tokenizer = wordpiece(texts)
    yield "bert", tokenizer, BertForTokenClassification(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=512, **small, **named)), 512

    tokenizer = byte_pairs(texts)
    config = RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2, **small, **named)
    yield "roberta", tokenizer, RobertaForTokenClassification(config), 512

    names = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>", "mask_token": "<mask>", "bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = sentence_piece(texts, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"], "<s> $A </s>", names)
    config = CamembertConfig(vocab_size=len(tokenizer), max_position_embeddings=514, type_vocab_size=1, pad_token_id=1, bos_token_id=0, eos_token_id=2, **small, **named)
    yield "camembert", tokenizer, CamembertForTokenClassification(config), 512

    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]"}
    tokenizer = sentence_piece(texts, ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[CLS] $A [SEP]", names)
    config = DebertaV2Config(
        vocab_size=len(tokenizer), max_position_embeddings=512, type_vocab_size=0, relative_attention=True, position_buckets=64,
        norm_rel_ebd="layer_norm", share_att_key=True, pos_att_type=["p2c", "c2p"], position_biased_input=False, **small, **named,
    )
    yield "deberta", tokenizer, DebertaV2ForTokenClassification(config), 512


class Graph(torch.nn.Module):
    def __init__(self, model, names):
        super().__init__()
        self.model, self.names = model, names

    def forward(self, *values):
        return self.model(**dict(zip(self.names, values))).logits


def export(model, names, path):
    # A mask of ones alone would be traced as no mask: something must be padded, and attention be spelled out.
    model.set_attn_implementation("eager")
    mask = torch.tensor([[1] * 9, [1] * 5 + [0] * 4])
    batch = tuple(mask if name == "attention_mask" else torch.ones((2, 9), dtype=torch.int64) for name in names)
    dynamic = {name: {0: "batch", 1: "sequence"} for name in [*names, "logits"]}
    # In eval() itself: the export puts back what it finds, and dropout must stay off.
    torch.onnx.export(Graph(model, names).eval(), batch, str(path), input_names=list(names), output_names=["logits"], dynamic_axes=dynamic, opset_version=17, dynamo=False)


def manifest(name, length):
    labels = ", ".join(f'"{label}"' for label in LABELS)
    return (
        f'version = "1"\ntask = "token-classification"\nlicence = "Apache-2.0"\nsource = "sandbox/inference/parity.py, random weights"\n'
        f"[input]\nmax_length = {length}\n[labels]\nscheme = \"BIO\"\nnames = [{labels}]\n"
    )


def main():
    out, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    texts = nasty(count)
    # The networks are small: more threads wait for each other.
    torch.set_num_threads(1)
    torch.manual_seed(6)
    for name, tokenizer, model, length in kinds(texts):
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        # Weights far from nothing: else every label is as probable as any other.
        for parameter in model.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.2)
        model.eval()
        tokenizer.model_input_names = ["input_ids", "attention_mask"] + (["token_type_ids"] if name == "bert" else [])
        tokenizer.backend_tokenizer.save(str(folder / "tokenizer.json"))
        model.config.to_json_file(str(folder / "config.json"))
        (folder / "model.toml").write_text(manifest(name, length))
        export(model, tokenizer.model_input_names, folder / "model.onnx")
        tagger = pipeline("token-classification", model=model, tokenizer=tokenizer, aggregation_strategy="simple", device="cpu")
        with (folder / "expected.jsonl").open("w") as lines, torch.no_grad():
            for text in texts:
                encoded = tokenizer(text, return_tensors="pt", return_offsets_mapping=True, return_special_tokens_mask=True)
                if encoded["input_ids"].shape[1] > length:
                    continue
                logits = model(**{key: encoded[key] for key in tokenizer.model_input_names}).logits[0]
                inner = slice(1, -1)
                spans = tagger(text) if encoded["input_ids"].shape[1] > 2 else []
                line = {
                    "text": text,
                    "ids": encoded["input_ids"][0][inner].tolist(),
                    "offsets": encoded["offset_mapping"][0][inner].tolist(),
                    # A literal "<s>" in a text is a special token to transformers' span finder.
                    "special": encoded["special_tokens_mask"][0][inner].tolist(),
                    "labels": logits[inner].argmax(-1).tolist(),
                    "logits": [round(value, 6) for value in logits[inner].flatten().tolist()],
                    "spans": [[s["start"], s["end"], s["entity_group"], round(float(s["score"]), 5)] for s in spans],
                }
                lines.write(json.dumps(line, ensure_ascii=False) + "\n")
        print(name, "written", flush=True)


if __name__ == "__main__":
    main()
