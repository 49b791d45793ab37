"""Training of a tagger on marked windows."""

import json
import math
import random
import time

import torch
from torch.nn import functional

from model import Tagger


def batches(pieces, tokens, seed):
    """Windows of like length together, batches in random order."""
    rng = random.Random(seed)
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i][0]) + rng.random() * 12)
    made, start = [], 0
    while start < len(order):
        end, longest = start, 0
        while end < len(order) and (longest := max(longest, len(pieces[order[end]][0]))) * (end - start + 1) <= tokens or end == start:
            end += 1
        made.append(order[start:end])
        start = end
    rng.shuffle(made)
    return made


def tensors(pieces, chosen):
    longest = max(len(pieces[i][0]) for i in chosen)
    ids = torch.zeros(len(chosen), longest, dtype=torch.long)
    labels = torch.full((len(chosen), longest), -100)
    for row, i in enumerate(chosen):
        ids[row, : len(pieces[i][0])] = torch.tensor(pieces[i][0])
        labels[row, : len(pieces[i][0])] = torch.tensor(pieces[i][1])
    return ids, (ids != 0).long(), labels


def train(model, pieces, seconds, log, rate=2e-3, tokens=4096, seed=5, unknown=1, blank=0.02, check=None, checkpoint=None, wall=None):
    """Trains for a budget of processor seconds (or of seconds on the wall): the learning rate follows what is spent."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.02, betas=(0.9, 0.98))
    torch.manual_seed(seed)
    begin, clock, step, epoch, total, seen = time.process_time(), time.monotonic(), 0, 0, 0.0, 0
    model.train()
    while True:
        for chosen in batches(pieces, tokens, seed + epoch):
            spent = max((time.process_time() - begin) / seconds, (time.monotonic() - clock) / (wall or 1e9))
            if spent >= 1:
                model.eval()
                return {"steps": step, "epochs": epoch, "tokens": seen, "seconds": round(time.process_time() - begin)}
            warm = min(1.0, (step + 1) / 150)
            for group in optimizer.param_groups:
                group["lr"] = rate * warm * max(0.02, 0.5 * (1 + math.cos(math.pi * spent)))
            ids, mask, labels = tensors(pieces, chosen)
            hidden = (torch.rand(ids.shape) < blank) & (ids > 4)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(ids.masked_fill(hidden, unknown), mask)
            loss = functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=-100)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            total, step, seen = total + loss.item(), step + 1, seen + int(mask.sum())
            if step % 100 == 0:
                line = {"step": step, "epoch": epoch, "spent": round(spent, 3), "loss": round(total / 100, 4), "tokens": seen}
                if check and step % 500 == 0:
                    model.eval()
                    line.update(check(model))
                    model.train()
                print(json.dumps(line), file=log, flush=True)
                total = 0.0
                if checkpoint:
                    torch.save(model.state_dict(), checkpoint)
        epoch += 1


@torch.no_grad()
def token_scores(model, pieces, names, limit=400):
    """Precision and recall over tokens, labels regardless."""
    hit = found = wanted = 0
    sample = pieces[:limit]
    for chosen in batches(sample, 8192, 0):
        ids, mask, labels = tensors(sample, chosen)
        guess = model(ids, mask).argmax(-1)
        valid = labels >= 0
        hit += int(((guess > 0) & (labels > 0) & valid).sum())
        found += int(((guess > 0) & valid).sum())
        wanted += int(((labels > 0) & valid).sum())
    return {"p": round(hit / max(1, found), 4), "r": round(hit / max(1, wanted), 4)}


def new(vocabulary, labels, **sizes):
    return Tagger(vocabulary, labels, **sizes)
