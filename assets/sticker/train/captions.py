"""Captions: many wordings of one scene, and the list of words that the model knows."""

import random
import re

from grammar import Scene, scene
from sprites import COLOURS, Thing, things

SIZES = {"": [""], "small": ["small", "small", "tiny", "little"], "big": ["big", "big", "large", "huge", "giant"]}
NUMBERS = {2: ["two", "two", "2", "a pair of"], 3: ["three", "three", "3"]}
PLACES = {
    "center": ["in the middle", "in the center", "in the centre"],
    "left": ["on the left", "on the left side", "at the left"],
    "right": ["on the right", "on the right side", "at the right"],
    "top": ["at the top", "at the top", "near the top"],
    "bottom": ["at the bottom", "at the bottom", "near the bottom"],
}
CORNERS = ["in the {}", "in the {}", "at the {}", "in the {} corner"]
RELATIONS = {
    "left of": ["{a} left of {b}", "{a} to the left of {b}", "{a} on the left of {b}", "{b} right of {a}", "{b} to the right of {a}",
                "{a} and {b}", "{a} and {b}", "{a} next to {b}", "{a} beside {b}", "{a} on the left and {b} on the right"],
    "above": ["{a} above {b}", "{a} above {b}", "{a} over {b}", "{a} on top of {b}", "{b} below {a}", "{b} under {a}", "{b} beneath {a}"],
}
LANDSCAPES = {
    "grass": ["on green grass", "on the grass", "in a meadow", "on a lawn under a blue sky", "in a field"],
    "beach": ["on a beach", "on a sandy beach", "at the beach", "by the sea"],
    "snow": ["in the snow", "in a snowy landscape", "in winter", "on snow"],
    "sunset": ["at sunset", "in front of a sunset", "in the evening", "at dusk"],
    "night": ["in a starry night sky", "at night", "under the stars", "in space", "in a starry night"],
    "sea": ["under water", "in the sea", "in the ocean", "underwater"],
    "desert": ["in the desert", "in a desert", "on sand dunes"],
    "sky": ["in the sky", "in a blue sky", "in a cloudy sky", "among the clouds"],
    "forest": ["in a forest", "in the forest", "in the woods", "among trees"],
    "mountains": ["in the mountains", "in front of mountains", "with mountains behind"],
}
FLAT = ["on a {} background"] * 6 + ["on {}", "with a {} background", "in front of a {} background", "on a plain {} background",
                                    "and a {} background", "against a {} wall"]
GRADIENT = ["on a {} to {} gradient", "on a {} to {} gradient", "on a gradient from {} to {}", "on a {} and {} gradient background",
            "with a background fading from {} to {}"]
STYLES = {
    "pixel art": ["pixel art of {}", "{}, pixel art", "{} in pixel art style", "a pixel art picture of {}", "8-bit {}"],
    "black and white": ["a black and white picture of {}", "{}, black and white", "black and white photo of {}", "{} in black and white", "monochrome {}"],
    "line drawing": ["a line drawing of {}", "{}, line drawing", "a pencil sketch of {}", "a drawing of {}", "line art of {}"],
}
OPENINGS = [""] * 14 + ["a picture of ", "a sticker of ", "an emoji of ", "a 3d render of ", "an image of ", "there is ", "draw "]


def caption(scene: Scene, wording: int = 0) -> str:
    """One wording of the scene, chosen by the scene's seed and `wording`."""
    rng = random.Random(f"{scene.seed} {wording}")
    background = "" if scene.style == "line drawing" or (scene.background == ("flat", "white") and rng.random() < 0.45) else _behind(scene.background, rng)
    place = _place(scene.place, rng) if scene.place else ""
    if len(scene.items) == 2:
        names = [_noun(i, rng) for i in scene.items]
        subject, after = rng.choice(RELATIONS[scene.relation]).format(a=names[0], b=names[1]), ""
    else:
        subject, after = _subject(scene.items[0], rng)
    text = _join(subject, after, place, background, rng)
    if scene.style:
        text = rng.choice(STYLES[scene.style]).format(text)
    else:
        text = rng.choice(OPENINGS) + text
    return _tidy(text, rng)


def _join(subject: str, after: str, place: str, background: str, rng: random.Random) -> str:
    if background.startswith("on a ") and rng.random() < 0.12:
        return f"{background[3:]} with {subject} {place}{', ' + after if after else ''}"
    if background and not after and rng.random() < 0.1:
        return f"{subject} {place}, {re.sub(r'^(on|with|in front of|and|against) (a )?', '', background)}"
    order = rng.random()
    if place and order < 0.1:
        return f"{place} {subject}{', ' + after + ',' if after else ''} {background}"
    tail = f"{background} {place}" if order > 0.85 else f"{place} {background}"
    return f"{subject}{', ' + after + ',' if after else ''} {tail}"


def _subject(item, rng: random.Random) -> tuple[str, str]:
    """The noun phrase, and now and then its colour as a sentence of its own ("the car is red")."""
    if item.colour and item.count == 1 and rng.random() < 0.1:
        noun = _word(things()[item.thing], False, rng)
        size = rng.choice(SIZES[item.size])
        if rng.random() < 0.5 and not size:
            return f"the {noun} is {item.colour}", ""
        return f"a {size} {noun}", f"the {noun} is {item.colour}"
    return _noun(item, rng), ""


def _noun(item, rng: random.Random) -> str:
    thing = things()[item.thing]
    colour = item.colour or (thing.natural if thing.natural and rng.random() < 0.18 else "")
    words = f"{rng.choice(SIZES[item.size])} {colour} {_word(thing, item.count > 1, rng)}"
    if item.count > 1:
        return f"{rng.choice(NUMBERS[item.count])} {words}"
    return words if rng.random() < 0.12 else f"a {words}"


def _word(thing: Thing, plural: bool, rng: random.Random) -> str:
    if not thing.also or rng.random() < 0.7:
        return thing.plural if plural else thing.noun
    word = rng.choice(thing.also)
    return _plural(word) if plural else word


def _plural(word: str) -> str:
    """The plural of a synonym; "bunch of flowers" and what is plural already stay readable."""
    head, of, rest = word.partition(" of ")
    if head.endswith(("ss", "sh", "ch", "x")):
        head += "es"
    elif head.endswith("y") and head[-2:-1] not in "aeiou":
        head = head[:-1] + "ies"
    elif not head.endswith("s"):
        head += "s"
    return head + of + rest


def _place(place: str, rng: random.Random) -> str:
    if place in PLACES:
        return rng.choice(PLACES[place])
    words = rng.choice([place, place, place.replace("top", "upper").replace("bottom", "lower")])
    return rng.choice(CORNERS).format(words)


def _behind(background: tuple[str, ...], rng: random.Random) -> str:
    kind, *names = background
    if kind == "landscape":
        return rng.choice(LANDSCAPES[names[0]])
    return rng.choice(FLAT if kind == "flat" else GRADIENT).format(*names)


def _tidy(text: str, rng: random.Random) -> str:
    text = re.sub(r"\s+", " ", text).replace(" ,", ",").strip(" ,")
    text = re.sub(r"\ba (?=[aeiou8])(?!u[fn]|one|eu)", "an ", text)
    return re.sub(r"\bgray\b", "grey", text) if rng.random() < 0.2 else text


def vocabulary() -> list[str]:
    """Every word and sign that a caption can have."""
    texts = [w for group in (SIZES, NUMBERS, PLACES, RELATIONS, LANDSCAPES, STYLES) for values in group.values() for w in values]
    texts += CORNERS + FLAT + GRADIENT + OPENINGS + list(COLOURS) + ["a an the is grey upper lower top bottom left right corner"]
    for thing in things():
        texts += [thing.noun, thing.plural, *thing.also, *map(_plural, thing.also)]
    return sorted({w for t in texts for w in words(t.replace("{a}", "").replace("{b}", "").replace("{}", ""))})


def words(text: str) -> list[str]:
    """CLIP's splitting into words, for text of lower-case letters, digits and signs."""
    return re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower())


if __name__ == "__main__":
    for number in range(40):
        print(caption(scene(number)))
    known = set(vocabulary())
    assert all(w in known for n in range(20000) for w in words(caption(scene(n))))
    print(len(known), "words")
