"""CLIP's tokenizer, its vocabulary pruned to the merges that the grammar's words need: same algorithm, same files.

python tokens.py FOLDER writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json.
"""

import json
import os
import sys
from functools import lru_cache
from pathlib import Path

import torch

from captions import vocabulary, words
from models import TEXT_LENGTH

MERGES = Path(os.environ.get("CLIP_MERGES", Path(__file__).parents[2] / "clip" / "merges.txt"))
START, END = "<|startoftext|>", "<|endoftext|>"


def _bytes() -> list[str]:
    """The 256 signs that stand for bytes, in CLIP's order."""
    kept = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    return [chr(b) for b in kept] + [chr(256 + n) for n in range(256 - len(kept))]


def _split(word: str, ranks: dict[tuple[str, str], int]) -> tuple[list[str], set[int]]:
    """Byte-pair encoding of one word, and the merges it used."""
    parts, used = [*word[:-1], word[-1] + "</w>"], set()
    while len(parts) > 1:
        rank, at = min((ranks.get(pair, len(ranks)), i) for i, pair in enumerate(zip(parts, parts[1:])))
        if rank == len(ranks):
            break
        used.add(rank)
        pair, out, i = (parts[at], parts[at + 1]), [], 0
        while i < len(parts):
            joined = i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair
            out.append("".join(pair) if joined else parts[i])
            i += 2 if joined else 1
        parts = out
    return parts, used


class Tokens:
    """Captions to identifiers [n, 77]: start, words, end, padded with end."""

    def __init__(self):
        self.merges = MERGES.read_text().rstrip("\n").split("\n")
        ranks = {tuple(m.split(" ")): n for n, m in enumerate(self.merges)}
        split = {word: _split(word, ranks) for word in vocabulary()}
        self.used = [self.merges[n] for n in sorted({n for _, used in split.values() for n in used})]
        signs = _bytes()
        listed = signs + [s + "</w>" for s in signs] + [m.replace(" ", "") for m in self.used] + [START, END]
        self.identifiers = {token: n for n, token in enumerate(listed)}
        self.words = {word: [self.identifiers[p] for p in parts] for word, (parts, _) in split.items()}

    def __len__(self) -> int:
        return len(self.identifiers)

    @lru_cache(200_000)
    def row(self, caption: str) -> tuple[int, ...]:
        """One caption's identifiers, unpadded but with start and end."""
        inner = [n for w in words(caption) for n in self.words[w]][: TEXT_LENGTH - 2]
        return (len(self) - 2, *inner, len(self) - 1)

    def __call__(self, captions: list[str]) -> torch.Tensor:
        out = torch.full((len(captions), TEXT_LENGTH), len(self) - 1)
        for row, caption in zip(out, captions):
            found = self.row(caption)
            row[: len(found)] = torch.tensor(found)
        return out

    def write(self, folder: Path) -> None:
        """The files that transformers' CLIPTokenizer reads."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vocab.json").write_text(json.dumps(self.identifiers, ensure_ascii=False))
        (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(self.used) + "\n")
        special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
        (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=1))
        config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": TEXT_LENGTH, **special, "add_prefix_space": False,
                  "do_lower_case": True, "errors": "replace"}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))


if __name__ == "__main__":
    from transformers import CLIPTokenizer

    from captions import caption
    from grammar import scene

    tokens = Tokens()
    tokens.write(Path(sys.argv[1]))
    texts = [caption(scene(n)) for n in range(500)]
    reference = CLIPTokenizer.from_pretrained(sys.argv[1])(texts, padding="max_length", max_length=TEXT_LENGTH)["input_ids"]
    assert torch.equal(tokens(texts), torch.tensor(reference)), "differs from transformers"
    print(len(tokens), "tokens,", len(tokens.words), "words; longest caption", max(len(tokens.row(t)) for t in texts))
