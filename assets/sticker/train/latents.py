"""The training set: shards of scenes, painted and encoded once, kept on disk with their captions.

Shard n holds the scenes of the seeds n·SHARD … n·SHARD + SHARD − 1, so a shard that is lost is made again the same. The first
shards hold simple scenes, the others more of the hard ones than prompts have. Every scene has several wordings, and each use takes one of them.
"""

import functools
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

import common
from captions import caption
from grammar import HARD, LANDSCAPES, PLACES, RELATIONS, SIMPLE, STYLES, Scene, scene
from models import SIDE, TEXT_LENGTH
from paint import paint
from sprites import COLOURS, things
from tokens import Tokens
from workers import every

SHARD = 2048
SIMPLE_SHARDS = 12  # the curriculum's first lesson
HARD_SHARE = 0.8  # of the batches, once there are shards of hard scenes
WORDINGS = 4
STORED = 32  # tokens; no caption is longer, and the rest of the window is padding
PIECE = 64  # scenes painted at a time
DRAWN = list(COLOURS)

# What a scene's caption says, as classes: name → number of classes (0 means "none" where there can be none).
FACTS = {
    "thing": len(things()), "colour": 1 + len(DRAWN), "other": 1 + len(things()), "other colour": 1 + len(DRAWN), "count": 3,
    "size": 3, "place": 10, "relation": 1 + len(RELATIONS), "background": 2 * len(DRAWN) + len(LANDSCAPES),
    "lower": 1 + len(DRAWN), "style": 1 + len(STYLES),
}


def facts(s: Scene) -> list[int]:
    """The classes of `FACTS` for one scene."""
    shade = lambda item: 1 + DRAWN.index(item.colour) if item.colour else 0
    kind, *names = s.background
    first, second = s.items[0], s.items[1] if len(s.items) > 1 else None
    back = {"flat": lambda: DRAWN.index(names[0]), "gradient": lambda: len(DRAWN) + DRAWN.index(names[0]),
            "landscape": lambda: 2 * len(DRAWN) + LANDSCAPES.index(names[0])}[kind]()
    return [
        first.thing, shade(first), 1 + second.thing if second else 0, shade(second) if second else 0, first.count - 1,
        ["", "small", "big"].index(first.size), list(PLACES).index(s.place), 1 + list(RELATIONS).index(s.relation) if s.relation else 0,
        back, 1 + DRAWN.index(names[1]) if kind == "gradient" else 0, 1 + STYLES.index(s.style) if s.style else 0,
    ]


@functools.lru_cache(None)
def tokens() -> Tokens:
    """One tokenizer for the process."""
    return Tokens()


def described(scenes: list[Scene]) -> tuple[np.ndarray, np.ndarray]:
    """Identifiers of all wordings [n, WORDINGS, STORED] and facts [n, len(FACTS)]."""
    texts = [caption(s, wording) for s in scenes for wording in range(WORDINGS)]
    rows = tokens()(texts)[:, :STORED].numpy().astype(np.int16).reshape(len(scenes), WORDINGS, STORED)
    return rows, np.array([facts(s) for s in scenes], np.int16)


def piece(first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """PIECE scenes from `first` on: pictures, identifiers, facts."""
    scenes = [scene(n, level=SIMPLE if n // SHARD < SIMPLE_SHARDS else HARD) for n in range(first, first + PIECE)]
    return np.stack([paint(s, SIDE) for s in scenes]), *described(scenes)


class Latents:
    """All shards made so far; `grow` makes the next ones. On a GPU they live there."""

    def __init__(self, folder: Path, vae: AutoencoderTiny, seed: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.vae = folder, vae
        self.generator = torch.Generator().manual_seed(seed)
        self.parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        while self._file(len(self.parts)).exists():
            self._append(np.load(self._file(len(self.parts))))

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:05}.npz"

    def _append(self, stored) -> None:
        self.parts.append(tuple(torch.from_numpy(stored[k]).to(common.DEVICE) for k in ("latents", "words", "facts")))

    def __len__(self) -> int:
        return len(self.parts) * SHARD

    def grow(self, shards: int = 1) -> None:
        """Paints and encodes more shards."""
        self._encode(every(piece, range(len(self), len(self) + shards * SHARD, PIECE)))

    @torch.no_grad()
    def _encode(self, pieces) -> None:
        waiting = []
        for pictures, words, said in pieces:
            batch = common.fast_tensor(torch.from_numpy(pictures).permute(0, 3, 1, 2)).float() / 127.5 - 1
            with common.autocast():
                latent = self.vae.encoder(batch).float() * self.vae.config.scaling_factor
            waiting.append((latent.half().cpu().numpy(), words, said))
            if len(waiting) * PIECE == SHARD:
                stored = dict(zip(("latents", "words", "facts"), map(np.concatenate, zip(*waiting))))
                fresh = self.folder / "new.npz"
                np.savez(fresh, **stored)
                fresh.replace(self._file(len(self.parts)))
                self._append(stored)
                waiting = []

    def _drawn_shard(self) -> int:
        """A random shard; the simple ones less often once there are others."""
        simple = min(SIMPLE_SHARDS, len(self.parts))
        hard = len(self.parts) > simple and float(torch.rand((), generator=self.generator)) < HARD_SHARE
        first, end = (simple, len(self.parts)) if hard else (0, simple)
        return int(torch.randint(first, end, (), generator=self.generator))

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Random scenes of eight random shards: latents [count, 4, side/8, side/8], identifiers [count, 77], facts [count, len(FACTS)]."""
        drawn = []
        for share in torch.arange(count).tensor_split(min(8, count)):
            latents, words, said = self.parts[self._drawn_shard()]
            at = torch.randint(SHARD, (len(share),), generator=self.generator).to(latents.device)
            wording = torch.randint(WORDINGS, (len(share),), generator=self.generator).to(latents.device)
            drawn.append((latents[at], words[at, wording], said[at]))
        latents, words, said = map(torch.cat, zip(*drawn))
        return common.fast_tensor(latents.float()), whole(words), said.long()


def whole(stored: torch.Tensor) -> torch.Tensor:
    """Stored identifiers [n, 32] padded to the encoder's window [n, 77]."""
    padding = len(tokens()) - 1
    return torch.nn.functional.pad(stored.long(), (0, TEXT_LENGTH - STORED), value=padding)
