"""The training set: shards of scenes, painted and encoded once, kept on disk as 16-bit latents.

Shard n holds the scenes of the seeds n·SHARD … n·SHARD + SHARD − 1, so a shard that is lost is made again the same. The first
shards hold simple scenes only. Captions are not kept: every use of a scene gets a new wording.
"""

import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

import common
from captions import caption
from grammar import LANDSCAPES, PLACES, RELATIONS, STYLES, Scene, scene
from models import SIDE
from paint import paint
from sprites import COLOURS, things

SHARD = 2048
SIMPLE_SHARDS = 12  # the curriculum's first lesson
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


def scene_of(index: int) -> Scene:
    """Scene `index` of the training set."""
    return scene(index, level=0 if index // SHARD < SIMPLE_SHARDS else 1)


class Latents:
    """All shards made so far; `grow` makes the next one."""

    def __init__(self, folder: Path, vae: AutoencoderTiny, seed: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.vae, self.random = folder, vae, random.Random(seed)
        self.shards: list[np.ndarray] = []
        while self._file(len(self.shards)).exists():
            self.shards.append(np.load(self._file(len(self.shards)), mmap_mode="r"))

    def _file(self, number: int) -> Path:
        return self.folder / f"{number:05}.npy"

    def __len__(self) -> int:
        return len(self.shards) * SHARD

    @torch.no_grad()
    def grow(self) -> None:
        """Paints and encodes one more shard."""
        number, out = len(self.shards), []
        for at in range(0, SHARD, 64):
            first = number * SHARD + at
            pictures = np.stack([paint(scene_of(n), SIDE) for n in range(first, first + 64)])
            batch = common.fast_tensor(torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1)
            with common.autocast():
                latent = self.vae.encoder(batch)
            out.append((latent.float() * self.vae.config.scaling_factor).half().cpu().numpy())
        fresh = self._file(number).with_suffix(".new.npy")
        np.save(fresh, np.concatenate(out))
        fresh.replace(self._file(number))
        self.shards.append(np.load(self._file(number), mmap_mode="r"))

    def batch(self, count: int) -> tuple[torch.Tensor, list[str], torch.Tensor]:
        """Random scenes: latents [count, 4, 16, 16], captions, facts [count, len(FACTS)]."""
        latents, captions, said = [], [], []
        for _ in range(count):
            index = self.random.randrange(len(self))
            latents.append(self.shards[index // SHARD][index % SHARD])
            found = scene_of(index)
            captions.append(caption(found, self.random.getrandbits(30)))
            said.append(facts(found))
        return common.fast_tensor(torch.from_numpy(np.stack(latents)).float()), captions, torch.tensor(said, device=common.DEVICE)
