"""Makes the fonts of the window: Inter in three weights and the icons it uses from Phosphor.

    pip install fonttools==4.68.0
    npm pack @expo-google-fonts/inter@0.4.2 @phosphor-icons/web@2.1.2     # unpack both
    python assets/fonts/make.py INTER_PACKAGE PHOSPHOR_PACKAGE

Figures are tabular, so that a number that changes never moves what stands beside it. `calt` is left out: it would
draw `->` in a prompt as an arrow.
"""

import re
import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
WEIGHTS = {"400Regular": "Regular", "500Medium": "Medium", "600SemiBold": "SemiBold"}
RANGES = [
    (0x20, 0x24F), (0x2BB, 0x2DD), (0x300, 0x336), (0x370, 0x3FF), (0x400, 0x45F), (0x490, 0x4E9), (0x1EA0, 0x1EFF), (0x2000, 0x206F),
    (0x2070, 0x209F), (0x20A0, 0x20BF), (0x2100, 0x214F), (0x2190, 0x2199),
]
SINGLES = [0x2212, 0x2248, 0x2260, 0x2264, 0x2265, 0x21B5, 0x21E7, 0x21A9, 0x2318, 0x2325, 0x23CE, 0x25CF, 0x25CB, 0xFFFD]
ICONS = [
    "arrow-clockwise", "arrow-counter-clockwise", "arrow-down", "arrow-left", "arrow-right", "arrow-u-up-left",
    "arrow-u-up-right", "arrow-up", "arrows-clockwise", "arrows-in", "arrows-left-right", "arrows-merge",
    "arrows-out", "arrows-out-cardinal", "arrows-split", "article", "bookmark-simple", "bounding-box", "bug",
    "calendar-blank", "caret-down", "caret-left", "caret-right", "caret-up", "check", "check-circle", "circle",
    "circle-dashed", "circle-half", "clipboard-text", "clock-counter-clockwise", "columns", "copy", "corners-in",
    "corners-out", "cpu", "crop", "crosshair", "cube", "dice-five", "dots-six-vertical", "dots-three",
    "dots-three-vertical", "download-simple", "drop", "drop-half", "eraser", "exclude", "eye", "eye-slash",
    "eyedropper", "fast-forward", "file", "film-strip", "flag", "flip-horizontal", "flip-vertical", "floppy-disk",
    "folder", "folder-open", "frame-corners", "funnel", "gauge", "gear-six", "git-branch", "git-fork", "globe",
    "grid-four", "grid-nine", "hand", "heart", "highlighter", "hourglass", "house", "image", "images", "info",
    "intersect", "keyboard", "lightbulb", "lightning", "line-segment", "link", "link-break", "list", "list-bullets",
    "lock", "lock-open", "magic-wand", "magnifying-glass", "magnifying-glass-minus", "magnifying-glass-plus",
    "microphone", "minus", "moon", "notebook", "paint-brush", "paint-brush-broad", "paint-bucket", "palette", "path",
    "pause", "pen", "pencil-simple", "play", "plus", "polygon", "prohibit", "push-pin", "push-pin-slash", "question",
    "record", "rectangle", "resize", "rows", "scissors", "scroll", "selection", "selection-inverse", "selection-plus",
    "share-network", "shuffle", "sidebar-simple", "sliders-horizontal", "sort-ascending", "sparkle", "square",
    "square-half", "square-split-horizontal", "squares-four", "stack", "star", "star-four", "stop", "subtract", "sun",
    "swap", "table", "tag", "target", "terminal-window", "text-aa", "text-t", "timer", "translate", "trash",
    "tree-structure", "unite", "upload-simple", "user", "warning", "waveform", "x", "x-circle",
]


def tabular_figures(font):
    """Maps the digits to their tabular forms, and drops the feature that would map them again."""
    gsub = font["GSUB"].table
    lookups = {i for r in gsub.FeatureList.FeatureRecord if r.FeatureTag == "tnum" for i in r.Feature.LookupListIndex}
    swap = {}
    for i in lookups:
        for sub in gsub.LookupList.Lookup[i].SubTable:
            swap.update(getattr(getattr(sub, "ExtSubTable", sub), "mapping", {}))
    for table in font["cmap"].tables:
        for code, glyph in table.cmap.items():
            if 0x30 <= code <= 0x39 and glyph in swap:
                table.cmap[code] = swap[glyph]
    widths = {font["hmtx"][font.getBestCmap()[c]][0] for c in range(0x30, 0x3A)}
    assert len(widths) == 1, widths


def subset(source, target, unicodes, features):
    font = TTFont(source)
    if features:
        tabular_figures(font)
    options = Options()
    options.layout_features = features
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.notdef_outline = True
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=unicodes)
    subsetter.subset(font)
    font.save(target)
    print(target.name, target.stat().st_size)


def main(inter, phosphor):
    unicodes = [c for a, b in RANGES for c in range(a, b + 1)] + SINGLES
    for folder, weight in WEIGHTS.items():
        source = inter / folder / f"Inter_{folder}.ttf"
        subset(source, HERE / f"Inter-{weight}.ttf", unicodes, ["kern", "ccmp", "locl", "mark", "mkmk"])
    css = (phosphor / "src/regular/style.css").read_text()
    rule = r"\.ph\.ph-([a-z0-9-]+):before\s*{\s*content:\s*\"\\([0-9a-f]+)\""
    codes = {name: int(code, 16) for name, code in re.findall(rule, css)}
    icons = HERE.parent / "icons"
    subset(phosphor / "src/regular/Phosphor.ttf", icons / "Phosphor.ttf", [codes[i] for i in ICONS], [])
    for name in sorted(ICONS):
        print(f"    {name:28} \\u{{{codes[name]:x}}}")


main(Path(sys.argv[1]), Path(sys.argv[2]))
