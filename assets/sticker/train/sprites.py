"""The sprites: reading them, and painting them in another colour.

`things.csv` is the curated table: one row a thing, with the name of its emoji in `unicode-emoji-json`, its noun, plural, other
words for it, the colour it has by nature, and which part of it may be painted in another colour:
`part` = the pixels of its commonest hue (the body of a car, an apple without its leaf), `all` = the whole of it, `no` = none.
"""

import csv
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
DATA = Path(os.environ.get("STICKER_DATA", HERE / "data"))

# The colours of things and of backgrounds, 8-bit sRGB.
COLOURS = {
    "red": (222, 38, 44),
    "orange": (247, 138, 28),
    "yellow": (252, 212, 48),
    "green": (56, 168, 66),
    "blue": (46, 104, 228),
    "purple": (136, 66, 204),
    "pink": (250, 128, 180),
    "brown": (126, 80, 44),
    "black": (26, 26, 30),
    "white": (246, 246, 246),
    "gray": (136, 136, 140),
    "teal": (24, 160, 158),
}
THING_COLOURS = [c for c in COLOURS if c != "teal"]


@dataclass(frozen=True)
class Thing:
    """One row of `things.csv`."""

    sprite: str
    noun: str
    plural: str
    also: tuple[str, ...]
    natural: str
    paint: str


@lru_cache(None)
def things() -> tuple[Thing, ...]:
    """All things, in the order of the table (the order is the class index everywhere)."""
    with open(HERE / "things.csv", newline="") as f:
        return tuple(
            Thing(r["sprite"], r["noun"], r["plural"], tuple(filter(None, r["also"].split(";"))), r["natural"], r["paint"])
            for r in csv.DictReader(f)
        )


@lru_cache(None)
def _files() -> dict[str, Path]:
    """Emoji name → picture, without skin tones."""
    plain = lambda e: e.replace("\ufe0f", "")
    with open(DATA / "emoji" / "data-by-emoji.json") as f:
        names = {plain(e): v["name"] for e, v in json.load(f).items()}
    out = {}
    for path in sorted((DATA / "fluent" / "assets").glob("*.webp")):
        try:
            emoji = plain("".join(chr(int(c, 16)) for c in path.stem.split("-")))
        except (ValueError, OverflowError):
            continue
        if emoji in names:
            out.setdefault(names[emoji], path)
    return out


@lru_cache(None)
def picture(index: int) -> Image.Image:
    """The sprite of thing `index`, RGBA, cut to its visible part."""
    image = Image.open(_files()[things()[index].sprite]).convert("RGBA")
    ys, xs = np.where(np.asarray(image)[..., 3] > 16)
    return image.crop((int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1))


@lru_cache(4096)
def sprite(index: int, longest: int, colour: str | None) -> Image.Image:
    """Thing `index`, its longer side `longest` pixels, painted in `colour` unless that is None."""
    image = _painted(index, colour)
    width, height = image.size
    scale = longest / max(width, height)
    return image.resize((max(1, round(width * scale)), max(1, round(height * scale))), Image.LANCZOS)


@lru_cache(512)
def _painted(index: int, colour: str | None) -> Image.Image:
    image = picture(index)
    if colour is None:
        return image
    rgba = np.asarray(image).astype(np.float32) / 255
    out = _repaint(rgba[..., :3], rgba[..., 3], np.array(COLOURS[colour], np.float32) / 255, things()[index].paint)
    return Image.fromarray(np.dstack([(out * 255).round().astype(np.uint8), np.asarray(image)[..., 3]]), "RGBA")


def _repaint(rgb: np.ndarray, alpha: np.ndarray, target: np.ndarray, paint: str) -> np.ndarray:
    """Keeps the shading and changes the paint: shades are multiples of `target`, lights go towards white."""
    mask = (alpha > 0.5) * (_commonest_hue(rgb, alpha) if paint == "part" else 1.0)
    luma = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    middle = float(np.median(luma[mask > 0.5])) if (mask > 0.5).any() else 0.5
    ratio = luma / max(middle, 1e-3)
    shade = target * np.clip(ratio, 0.0, 1.0)[..., None] ** 1.2
    # Black and brown would lose their form if lights were as strong on them as on the rest.
    strength = 0.45 + 0.4 * float(target.mean())
    light = np.clip((luma - middle) / max(1 - middle, 1e-3), 0, 1)[..., None] * strength
    new = shade * (1 - light) + light
    weight = np.maximum(mask, (alpha <= 0.5) * (1.0 if paint == "all" else 0.0))[..., None]
    return np.clip(rgb * (1 - weight) + new * weight, 0, 1)


def _commonest_hue(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """A soft mask (0–1) of the pixels whose hue is the commonest of the sprite's vivid ones."""
    hsv = np.asarray(Image.fromarray((rgb * 255).astype(np.uint8)).convert("HSV")).astype(np.float32) / 255
    hue, saturation, value = hsv[..., 0], hsv[..., 1], hsv[..., 2]
    weight = saturation * value * (alpha > 0.5) * (saturation > 0.3)
    histogram = np.bincount((hue * 64).astype(int).ravel() % 64, weight.ravel(), 64)
    smooth = sum(np.roll(histogram, s) for s in range(-3, 4))
    distance = np.abs((hue - (smooth.argmax() + 0.5) / 64 + 0.5) % 1 - 0.5)
    return np.clip((0.13 - distance) / 0.03, 0, 1) * np.clip((saturation - 0.15) / 0.1, 0, 1)
