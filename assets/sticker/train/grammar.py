"""The grammar of scenes: what is drawn where, deterministic from a seed, and which combinations training never sees."""

import random
import zlib
from dataclasses import dataclass, replace

from sprites import COLOURS, THING_COLOURS, things

PLACES = {
    "": (0, 0), "center": (0, 0), "left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1),
    "top left": (-1, -1), "top right": (1, -1), "bottom left": (-1, 1), "bottom right": (1, 1),
}
LANDSCAPES = ["grass", "beach", "snow", "sunset", "night", "sea", "desert", "sky", "forest", "mountains"]
STYLES = ["pixel art", "black and white", "line drawing"]
RELATIONS = {"left of": (-1, 0), "above": (0, -1)}
LOST = {"night": "black", "snow": "white", "sea": "blue"}  # colours that cannot be seen there
MARGIN = 0.03
SIMPLE, WHOLE, HARD = range(3)  # levels: mostly one thing on flat colours; the grammar; the grammar with more of what is hard to learn
KINDS = {SIMPLE: (1, 0.2, 0), WHOLE: (1, 0.45, 0.28), HARD: (0.55, 0.5, 0.8)}  # one thing, several equal ones, two kinds
SMALL = {SIMPLE: 0.25, WHOLE: 0.25, HARD: 0.5}  # share of small ones among single things
LOOSE = 0.45  # of the scenes whose words say no place, where it is any place


@dataclass(frozen=True)
class Item:
    """One or more equal things: `boxes` are (centre x, centre y, longer side) as fractions of the picture."""

    thing: int
    colour: str | None
    count: int
    size: str
    boxes: tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Scene:
    """Everything a picture and its caption are made from."""

    items: tuple[Item, ...]
    place: str
    relation: str
    background: tuple[str, ...]  # ("flat", colour), ("gradient", upper, lower) or ("landscape", name)
    style: str
    seed: int

    def combination(self) -> str:
        """What must not be seen twice: the held-out set is made of whole combinations of things, colours, places, background."""
        items = ";".join(f"{things()[i.thing].noun},{i.colour},{i.count},{i.size}" for i in self.items)
        return f"{items}|{self.place}|{self.relation}|{self.background}|{self.style}"

    def held_out(self) -> bool:
        """True for one combination in sixteen."""
        return zlib.crc32(self.combination().encode()) % 16 == 0


def scene(seed: int, level: int = WHOLE, held_out: bool = False) -> Scene:
    """The scene of `seed`."""
    rng = random.Random(seed)
    while True:
        candidate = _draw(rng, level, seed)
        if candidate.held_out() == held_out:
            return candidate if level == SIMPLE else _loosened(candidate, rng)


def _draw(rng: random.Random, level: int, seed: int) -> Scene:
    style = rng.choice(STYLES) if level and rng.random() < 0.06 else ""
    background = _background(rng, level, style)
    kind = rng.choices(["one", "several", "two kinds"], KINDS[level])[0]
    if kind == "one":
        place, items = _one(rng, background, style, SMALL[level])
        relation = ""
    elif kind == "several":
        place, items = _several(rng, background, style)
        relation = ""
    else:
        place, (relation, items) = "", _two_kinds(rng, background, style)
    return Scene(items, place, relation, background, style, seed)


def _background(rng: random.Random, level: int, style: str) -> tuple[str, ...]:
    if style == "line drawing":
        return ("flat", "white")
    flat, gradient, landscape = (0.6, 0.12, 0.28) if level else (0.8, 0.05, 0.15)
    kind = rng.choices(["flat", "gradient", "landscape"], [flat, 0 if style == "black and white" else gradient, landscape])[0]
    if kind == "landscape":
        return (kind, rng.choice(LANDSCAPES))
    if kind == "gradient":
        return (kind, *rng.sample(list(COLOURS), 2))
    if style == "black and white":
        return (kind, rng.choice(["white", "black", "gray"]))
    return (kind, rng.choices(list(COLOURS), [1.8 if c == "white" else 1 for c in COLOURS])[0])


def _thing(rng: random.Random, background: tuple[str, ...], style: str, besides: int | None = None) -> tuple[int, str | None]:
    table = things()
    while True:
        index = rng.choices(range(len(table)), [1.0 if t.paint == "no" else 1.6 for t in table])[0]
        colour = None
        if table[index].paint != "no" and not style.startswith(("black", "line")) and rng.random() < 0.7:
            colour = rng.choice(THING_COLOURS)
        shown = colour or table[index].natural
        if shown == LOST.get(background[1]):
            continue
        # A thing is never lost in a background of its own colour; white stays, since it is the background nobody asks for.
        if index != besides and (shown not in background[1:] or (colour is None and background[1] == "white")):
            return index, colour


def _shape(index: int) -> tuple[float, float]:
    """Width and height of the sprite, the longer one 1."""
    from sprites import picture

    width, height = picture(index).size
    return width / max(width, height), height / max(width, height)


def _at(where: tuple[int, int], shape: tuple[float, float], longest: float, rng: random.Random) -> tuple[float, float, float]:
    """A box pushed to a side or corner without touching the border."""
    out = []
    for direction, extent in zip(where, shape):
        room = 0.5 - MARGIN - extent * longest / 2
        jitter = rng.uniform(-0.02, 0.02)
        out.append(0.5 + (direction * min(room, 0.27) + jitter if room > 0.03 else 0))
    return out[0], out[1], longest


def _loosened(scene: Scene, rng: random.Random) -> Scene:
    """The scene with its things anywhere, now and then, where its words say no place.

    Were they always in the middle, the painter would put them there whatever a drawing it starts from shows. Several stay side
    by side; two kinds are placed by their relation.
    """
    if scene.place or scene.relation or rng.random() >= LOOSE:
        return scene
    (item,) = scene.items
    extents = [side * item.boxes[0][2] for side in _shape(item.thing)]
    x, y = (rng.uniform(-1, 1) * max(0.0, 0.5 - MARGIN - extent / 2) for extent in extents)
    moved = tuple((bx if item.count > 1 else 0.5 + x, 0.5 + y, side) for bx, _, side in item.boxes)
    return replace(scene, items=(replace(item, boxes=moved),))


def _one(rng: random.Random, background: tuple[str, ...], style: str, small: float) -> tuple[str, tuple[Item, ...]]:
    index, colour = _thing(rng, background, style)
    size = rng.choices(["", "small", "big"], [0.85 - small, small, 0.15])[0]
    place = rng.choice(list(PLACES)[1:]) if size != "big" and rng.random() < 0.45 else ""
    side = {"": 0.44 if PLACES[place] != (0, 0) else 0.56, "small": 0.27, "big": 0.84}[size] * rng.uniform(0.96, 1.04)
    return place, (Item(index, colour, 1, size, (_at(PLACES[place], _shape(index), side, rng),)),)


def _several(rng: random.Random, background: tuple[str, ...], style: str) -> tuple[str, tuple[Item, ...]]:
    index, colour = _thing(rng, background, style)
    count = rng.choices([2, 3], [0.55, 0.45])[0]
    size = rng.choices(["", "small", "big"], [0.75, 0.15, 0.1])[0]
    place = rng.choice(["top", "bottom"]) if size != "big" and rng.random() < 0.2 else ""
    side = {2: {"": 0.38, "small": 0.25, "big": 0.44}, 3: {"": 0.28, "small": 0.2, "big": 0.3}}[count][size]
    xs = {2: (0.27, 0.73), 3: (0.185, 0.5, 0.815)}[count]
    height = _at(PLACES[place], _shape(index), side, rng)[1]
    boxes = tuple((x + rng.uniform(-0.008, 0.008), height + rng.uniform(-0.015, 0.015), side) for x in xs)
    return place, (Item(index, colour, count, size, boxes),)


def _two_kinds(rng: random.Random, background: tuple[str, ...], style: str) -> tuple[str, tuple[Item, ...]]:
    first, colour = _thing(rng, background, style)
    second, other = _thing(rng, background, style, first)
    relation = rng.choice(list(RELATIONS))
    dx, dy = RELATIONS[relation]
    items = []
    for sign, index, paint in ((1, first, colour), (-1, second, other)):
        jitter = [rng.uniform(-0.012, 0.012) for _ in range(2)]
        box = (0.5 + sign * dx * 0.235 + jitter[0], 0.5 + sign * dy * 0.235 + jitter[1], 0.41)
        items.append(Item(index, paint, 1, "", (box,)))
    return relation, tuple(items)
