"""Random weights that need no storage: a rule gives every value from the tensor's name and the value's index.

Python paints with them through diffusers; the Rust test (app/engine/tests/support/recipe.rs) follows the same rule and
writes the same files, bit for bit. What is stored is a recipe: a line per tensor, `NAME SHAPE OFFSET SCALE`, behind a
first line with the seed. In a recipe of a single file, a line is `NAME SHAPE < [T] SOURCE…`: the sources' values one
after the other, T for transposed.
"""
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

CHUNK = 1 << 22
ONES = np.uint64(0xFFFFFFFFFFFFFFFF)


def uniform(name, count):
    """f32 in [-1, 1): the top 24 bits of SplitMix64 (Steele et al. 2014), seeded with FNV-1a of the name."""
    state = 0xCBF29CE484222325
    for byte in name.encode():
        state = (state ^ byte) * 0x100000001B3 & int(ONES)
    out = np.empty(count, np.float32)
    for start in range(0, count, CHUNK):
        z = np.arange(start, min(start + CHUNK, count), dtype=np.uint64) + np.uint64(1)
        z = z * np.uint64(0x9E3779B97F4A7C15) + np.uint64(state)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = (z ^ (z >> np.uint64(31))) >> np.uint64(40)
        out[start : start + len(z)] = (z.astype(np.int64) - (1 << 23)).astype(np.float32) / np.float32(1 << 23)
    return out


def values(seed, name, shape, offset, scale):
    """f16, as it is stored."""
    count = int(np.prod(shape, dtype=np.int64))
    flat = np.float32(offset) + np.float32(scale) * uniform(f"{seed}/{name}", count)
    return torch.from_numpy(flat.astype(np.float16)).reshape(tuple(shape))


def spread(key, shape):
    """Offset and scale that keep activations near one; the variance of a uniform number is a third."""
    if "embedding.weight" in key:
        return 0.0, 0.5
    if len(shape) > 1:
        gain = 0.35 if key == "decoder.conv_out.weight" else 1.0
        return 0.0, gain * float((3 / np.prod(shape[1:])) ** 0.5)
    return (1.0, 0.5) if key.endswith("weight") else (0.0, 0.5)


class Recipe:
    """Tensors by rule, and the file that says so."""

    def __init__(self, seed):
        self.seed, self.lines, self.tensors = seed, [], {}

    def add(self, name, shape, offset, scale):
        offset, scale = (float(np.float32(number)) for number in (offset, scale))
        self.lines.append(f"{name} {dims(shape)} {np.float32(offset)} {np.float32(scale)}")
        self.tensors[name] = values(self.seed, name, shape, offset, scale)

    def save(self, path):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([f"seed {self.seed}", *self.lines]) + "\n")


def dims(shape):
    return "x".join(map(str, shape)) or "scalar"


def fill(model, seed):
    """Gives a network its values. Returns the recipe, by the names in published files."""
    prefix = "text_model." if type(model).__name__.startswith("CLIPTextModel") else ""
    recipe, parameters = Recipe(seed), dict(model.named_parameters())
    for key in sorted(parameters):
        # transformers 5 has dropped the prefix that published files have.
        bare = key.startswith("text_model.") or key == "text_projection.weight"
        name = key if bare else prefix + key
        recipe.add(name, parameters[key].shape, *spread(key, parameters[key].shape))
        parameters[key].data.copy_(recipe.tensors[name])
    model.float().eval()
    return recipe


def write(tensors, path, metadata=None):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path, metadata=metadata or {"format": "pt"})
