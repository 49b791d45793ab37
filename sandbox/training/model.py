"""A small tagger: windows of words mixed by gated layers, with two attention layers between.

Trained from nothing on a few million tokens, local mixing learns forms and contexts faster than
attention alone; the attention layers carry a name from the letterhead to the signature. Every
product is a matrix product, so that dynamic int8 quantisation covers all of it.
"""

import torch
from torch import nn
from torch.nn import functional


class Mix(nn.Module):
    """Each position from itself and its neighbours at a distance."""

    def __init__(self, width, reach, dropout):
        super().__init__()
        self.reach = reach
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(3 * width, 2 * width)
        self.outer = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        y = self.norm(x) * mask
        left = functional.pad(y, (0, 0, self.reach, 0))[:, : y.shape[1]]
        right = functional.pad(y, (0, 0, 0, self.reach))[:, self.reach :]
        value, gate = self.inner(torch.cat([left, y, right], -1)).chunk(2, -1)
        return x + self.dropout(self.outer(value * torch.sigmoid(gate)))


class Attend(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.norm = nn.LayerNorm(width)
        self.into = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, bias):
        batch, length, width = x.shape
        q, k, v = self.into(self.norm(x)).view(batch, length, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-1, -2) * self.size**-0.5 + bias, -1)
        return x + self.dropout(self.out((weights @ v).transpose(1, 2).reshape(batch, length, width)))


class Tagger(nn.Module):
    def __init__(self, vocabulary, labels, width=192, heads=6, dropout=0.1):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.5)
        self.drop = nn.Dropout(dropout)
        self.layers = nn.ModuleList(
            [Mix(width, 1, dropout), Mix(width, 1, dropout), Mix(width, 2, dropout), Attend(width, heads, dropout), Mix(width, 1, dropout),
             Mix(width, 4, dropout), Attend(width, heads, dropout), Mix(width, 1, dropout)]
        )  # fmt: skip
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, labels)

    def encode(self, input_ids, attention_mask):
        mask = attention_mask.unsqueeze(-1).to(self.embedding.weight.dtype)
        bias = (1.0 - attention_mask.to(self.embedding.weight.dtype))[:, None, None, :] * -1e4
        x = self.drop(self.embedding(input_ids))
        for layer in self.layers:
            x = layer(x, mask) if isinstance(layer, Mix) else layer(x, bias)
        return self.norm(x)

    def forward(self, input_ids, attention_mask):
        return self.head(self.encode(input_ids, attention_mask))
