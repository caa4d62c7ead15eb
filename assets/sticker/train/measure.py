"""What a picture shows, measured: background, count, place, colour and thing against what its scene asked for."""

import numpy as np
import torch
from PIL import Image

import common
from grammar import LANDSCAPES, Item, Scene
from latents import DRAWN
from models import SIDE
from paint import paint
from sprites import COLOURS, THING_COLOURS, sprite

FAR = 48.0  # RGB distance from the background that makes a pixel foreground
EDGE = SIDE // 25  # columns at both sides that show the background


def _plain(background: tuple[str, ...], style: str) -> np.ndarray:
    """The background alone, [side, side, 3] float."""
    return paint(Scene((), "", "", background, "" if style == "line drawing" else style, 0), SIDE).astype(np.float32)


def _profile(picture: np.ndarray) -> np.ndarray:
    """Median colour of each row at the sides, [side, 3]."""
    return np.median(np.concatenate([picture[:, :EDGE], picture[:, -EDGE:]], 1), 1)


BACKGROUNDS = [("flat", c) for c in COLOURS] + [("landscape", n) for n in LANDSCAPES] + [
    ("gradient", a, b) for a in DRAWN for b in DRAWN if a != b]


class Measures:
    """Measures pictures; `classifier` maps [n, 3, 48, 48] in −1…1 to logits of things (or None: things are not measured)."""

    def __init__(self, classifier=None):
        self.classifier = classifier
        self.profiles = {style: np.stack([_profile(_plain(b, style)) for b in BACKGROUNDS]) for style in ("", "black and white")}

    def __call__(self, picture: np.ndarray, scene: Scene) -> dict[str, float]:
        """Name → 1 (right), 0 (wrong) or a share; names that the scene does not ask for are missing."""
        picture = picture.astype(np.float32)
        found = {}
        profile = _profile(picture)
        if scene.style != "line drawing":
            profiles = self.profiles["black and white" if scene.style == "black and white" else ""]
            nearest = ((profiles - profile) ** 2).mean((1, 2)).argmin()
            found["background"] = float(BACKGROUNDS[nearest] == scene.background)
        regions = self._regions(picture, scene)
        boxes = [b for item in scene.items for b in item.boxes]
        found["count"] = float(len(regions) == len(boxes))
        placed = bool(scene.place or scene.relation)
        if placed:
            found["place"] = self._place(regions, scene)
        # Where no place was asked for, any is right, and the largest thing is looked at.
        rights = [self._item(picture, item, self._nearest(regions, item) if placed else next(iter(regions), None)) for item in scene.items]
        for name in ("colour", "thing"):
            values = [r[name] for r in rights if name in r]
            if values and not (name == "colour" and scene.style in ("black and white", "line drawing")):
                found[name] = sum(values) / len(values)
        return found

    def _regions(self, picture: np.ndarray, scene: Scene) -> list[np.ndarray]:
        """Masks of the connected things, the largest first; nothing smaller than a fifth of it."""
        if scene.background[0] == "landscape":
            back = _plain(scene.background, scene.style)
        else:
            back = np.broadcast_to(_profile(picture)[:, None], picture.shape)
        mask = np.sqrt(((picture - back) ** 2).sum(2)) > FAR
        mask = _shift(_shift(mask, np.min), np.max)  # stars and flakes go
        # No thing touches the border; where much of it is no background, nothing can be told apart (noise is not one big thing).
        if np.concatenate([mask[:EDGE].ravel(), mask[-EDGE:].ravel(), mask[:, :EDGE].ravel(), mask[:, -EDGE:].ravel()]).mean() > 0.15:
            return []
        parts = _connected(_shift(mask, np.max))
        parts = [p & mask for p in parts]
        if not parts:
            return []
        largest = max(p.sum() for p in parts)
        return sorted((p for p in parts if p.sum() > max(SIDE**2 / 550, largest / 5)), key=lambda p: -p.sum())

    def _place(self, regions: list[np.ndarray], scene: Scene) -> float:
        """The centre of all that is drawn, and for two kinds each of them, within an eighth of the picture."""
        if not regions:
            return 0.0
        if scene.relation:
            centres = [_centre(r) for r in regions]
            near = [min(np.hypot(x - b[0], y - b[1]) for x, y in centres) < 0.125 for i in scene.items for b in i.boxes]
            return float(all(near))
        x, y = _centre(np.any(regions, 0))
        boxes = np.array(scene.items[0].boxes)
        return float(np.hypot(x - boxes[:, 0].mean(), y - boxes[:, 1].mean()) < 0.125)

    def _nearest(self, regions: list[np.ndarray], item: Item) -> np.ndarray | None:
        """The region nearest to where the item's first thing should be."""
        x, y, _ = item.boxes[0]
        return min(regions, key=lambda r: np.hypot(*(np.array(_centre(r)) - (x, y))), default=None)

    def _item(self, picture: np.ndarray, item: Item, region: np.ndarray | None) -> dict[str, float]:
        found = {}
        if item.colour:
            found["colour"] = float(region is not None and _colour(picture[region].mean(0), item.thing) == item.colour)
        if self.classifier:
            found["thing"] = float(region is not None and self.classify(picture, region) == item.thing)
        return found

    @torch.no_grad()
    def classify(self, picture: np.ndarray, region: np.ndarray) -> int:
        """The thing in a region."""
        return int(self.classifier(common.fast_tensor(crop(picture, region)[None])).argmax())


def crop(picture: np.ndarray, region: np.ndarray) -> torch.Tensor:
    """The square around a region, a tenth larger, [3, 48, 48] in −1…1."""
    ys, xs = np.where(region)
    half = max(np.ptp(xs), np.ptp(ys)) * 0.55 + 1
    x, y = (xs.min() + xs.max()) / 2, (ys.min() + ys.max()) / 2
    image = Image.fromarray(picture.round().astype(np.uint8))
    image = image.transform((48, 48), Image.EXTENT, (x - half, y - half, x + half, y + half), Image.BILINEAR)
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float() / 127.5 - 1


def _colour(mean: np.ndarray, thing: int) -> str:
    """The paint whose sprite has the nearest mean colour."""
    def of(colour: str) -> np.ndarray:
        rgba = np.asarray(sprite(thing, 48, colour)).astype(np.float32)
        return rgba[rgba[..., 3] > 128][:, :3].mean(0)
    return min(THING_COLOURS, key=lambda c: ((of(c) - mean) ** 2).sum())


def _centre(region: np.ndarray) -> tuple[float, float]:
    """The middle of the region's box, as fractions."""
    ys, xs = np.where(region)
    return (xs.min() + xs.max() + 1) / 2 / SIDE, (ys.min() + ys.max() + 1) / 2 / SIDE


def _shift(mask: np.ndarray, reduce) -> np.ndarray:
    """Erosion (np.min) or dilation (np.max) by one pixel in the 8 directions."""
    padded = np.pad(mask, 1, mode="edge")
    return reduce([padded[y : y + SIDE, x : x + SIDE] for y in range(3) for x in range(3)], axis=0)


def _connected(mask: np.ndarray) -> list[np.ndarray]:
    """Connected regions: every pixel takes the largest number around it until nothing changes."""
    labels = np.where(mask, np.arange(1, mask.size + 1).reshape(mask.shape), 0)
    while True:
        grown = labels
        for _ in range(8):
            grown = np.where(mask, _shift(grown, np.max), 0)
        if (grown == labels).all():
            return [labels == n for n in np.unique(labels) if n]
        labels = grown
