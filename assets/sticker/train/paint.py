"""Painting a scene: sprites on a flat colour, a gradient or a landscape, then the style."""

import random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from grammar import Scene
from sprites import COLOURS, sprite


def paint(scene: Scene, side: int) -> np.ndarray:
    """The picture, 8-bit sRGB, [side, side, 3]."""
    rng = random.Random(scene.seed ^ 0x5EED)
    image = _background(scene.background, side, rng)
    for item in scene.items:
        for x, y, longest in item.boxes:
            picture = sprite(item.thing, max(8, round(longest * side)), item.colour)
            image.paste(picture, (round(x * side - picture.width / 2), round(y * side - picture.height / 2)), picture)
    return np.asarray(_style(image, scene.style))


def _style(image: Image.Image, style: str) -> Image.Image:
    side = image.width
    if style == "pixel art":
        small = image.resize((side // 4, side // 4), Image.BOX).quantize(16, dither=Image.Dither.NONE).convert("RGB")
        return small.resize((side, side), Image.NEAREST)
    if style == "black and white":
        return ImageOps.grayscale(image).convert("RGB")
    if style == "line drawing":
        gray = ImageOps.grayscale(image)
        soft = np.asarray(gray.filter(ImageFilter.GaussianBlur(side / 64)), np.float32)
        lines = np.clip(255 - 3.5 * np.abs(soft - np.asarray(gray, np.float32)), 0, 255)
        return Image.fromarray(lines.astype(np.uint8)).convert("RGB")
    return image


def _vertical(colours: list[tuple[int, int, int]], stops: list[float], side: int) -> Image.Image:
    """Colours blended from top to bottom between `stops` (0–1)."""
    y = (np.arange(side) + 0.5) / side
    rows = np.stack([np.interp(y, stops, [c[k] for c in colours]) for k in range(3)], 1)
    return Image.fromarray(np.broadcast_to(rows[:, None].round().astype(np.uint8), (side, side, 3)).copy())


# name: (colours, stops); equal neighbouring stops make a horizon.
LANDSCAPE = {
    "grass": ([(96, 178, 250), (200, 230, 255), (112, 196, 84), (54, 140, 54)], [0, 0.6, 0.61, 1]),
    "beach": ([(120, 200, 255), (210, 240, 255), (34, 146, 206), (70, 196, 218), (250, 226, 168), (226, 192, 128)], [0, 0.4, 0.41, 0.6, 0.61, 1]),
    "snow": ([(150, 186, 226), (222, 234, 246), (252, 252, 255), (214, 226, 242)], [0, 0.6, 0.61, 1]),
    "sunset": ([(92, 52, 132), (238, 96, 90), (255, 176, 72), (74, 42, 66), (32, 22, 38)], [0, 0.38, 0.62, 0.63, 1]),
    "night": ([(10, 12, 44), (46, 36, 96)], [0, 1]),
    "sea": ([(60, 190, 226), (14, 92, 168), (6, 44, 104)], [0, 0.55, 1]),
    "desert": ([(140, 208, 250), (226, 240, 250), (238, 184, 104), (206, 138, 66)], [0, 0.55, 0.56, 1]),
    "sky": ([(84, 168, 246), (196, 228, 255)], [0, 1]),
    "forest": ([(176, 220, 196), (120, 184, 140), (84, 140, 64), (52, 96, 44)], [0, 0.66, 0.67, 1]),
    "mountains": ([(130, 190, 244), (222, 236, 250), (120, 186, 96), (74, 140, 70)], [0, 0.66, 0.67, 1]),
}


def _background(background: tuple[str, ...], side: int, rng: random.Random) -> Image.Image:
    kind, *names = background
    if kind == "flat":
        return Image.new("RGB", (side, side), COLOURS[names[0]])
    if kind == "gradient":
        return _vertical([COLOURS[n] for n in names], [0.05, 0.95], side)
    image = _vertical(*LANDSCAPE[names[0]], side)
    _furnish(image, names[0], rng)
    return image


def _furnish(image: Image.Image, name: str, rng: random.Random) -> None:
    """Stars, flakes, bubbles, clouds, trunks and peaks, drawn four times as large and reduced for smooth edges."""
    side, scale = image.width, 4
    layer = Image.new("RGBA", (side * scale, side * scale))
    draw = ImageDraw.Draw(layer)
    unit = side * scale

    def dot(x: float, y: float, r: float, fill: tuple) -> None:
        draw.ellipse([(x - r) * unit, (y - r) * unit, (x + r) * unit, (y + r) * unit], fill=fill)

    if name == "night":
        for _ in range(26):
            dot(rng.random(), rng.random(), rng.choice([0.004, 0.006, 0.01]), (255, 255, 226, 255))
    elif name == "snow":
        for _ in range(26):
            dot(rng.random(), rng.random(), rng.choice([0.008, 0.012]), (255, 255, 255, 255))
    elif name == "sea":
        for _ in range(12):
            dot(rng.random(), rng.random(), rng.uniform(0.01, 0.025), (190, 232, 250, 130))
    elif name == "sky":
        for x, y in ((0.14, 0.12), (0.8, 0.2), (0.2, 0.84), (0.84, 0.8)):
            for dx, r in ((-0.08, 0.045), (0, 0.07), (0.08, 0.05)):
                dot(x + dx, y, r, (255, 255, 255, 235))
    elif name == "forest":
        for i in range(7):
            x, w = (i + 0.5) / 7, 0.022
            draw.rectangle([(x - w) * unit, 0.2 * unit, (x + w) * unit, 0.67 * unit], fill=(92, 70, 52, 255))
            dot(x, 0.16, 0.1, (54, 120, 66, 255))
    elif name == "mountains":
        for x, top, colour in ((0.2, 0.28, (112, 124, 152)), (0.78, 0.22, (98, 110, 140)), (0.5, 0.4, (128, 140, 168))):
            draw.polygon([((x - 0.34) * unit, 0.67 * unit), (x * unit, top * unit), ((x + 0.34) * unit, 0.67 * unit)], fill=(*colour, 255))
    small = layer.resize((side, side), Image.BOX)
    image.paste(small, (0, 0), small)
