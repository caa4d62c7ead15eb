"""Goals, and the table that shows how far each is reached."""
import statistics
from dataclasses import dataclass

NAMES = {"bf16": "bf16-class", "int8": "int8-class", "f32": "f32"}


@dataclass
class Goal:
    """A figure to be reached: how many times better than the rival, or at most so much. `size` is None where it does
    not matter."""

    what: str
    key: str
    precision: str
    size: int | None
    ratio: float | None = None
    limit: float | None = None

    def name(self):
        size = f" at {self.size}" if self.size else ""
        return f"{self.what}{size}, {NAMES[self.precision]}"

    def text(self):
        return f"≥ {self.ratio}×" if self.ratio else f"≤ {amount(self.key, self.limit)}"

    def is_met(self, rival, ours):
        return rival / ours >= self.ratio if self.ratio else ours <= self.limit


GOALS = [
    *(Goal("U-Net step", "step_secs", p, size, ratio=1.2) for p in ("bf16", "int8", "f32") for size in (512, 256)),
    Goal("TAESD decode", "tiny_decode_secs", "bf16", 512, ratio=1.2),
    Goal("KL decode", "full_decode_secs", "bf16", 512, ratio=1.2),
    Goal("text encoder", "text_secs", "bf16", None, ratio=1.0),
    *(Goal("whole 4-step run", "run_secs", p, size, ratio=1.3) for p in ("bf16", "int8") for size in (512, 256)),
    Goal("peak memory", "peak_memory_bytes", "bf16", 512, limit=2.6e9),
    Goal("peak memory", "peak_memory_bytes", "int8", 512, limit=1.8e9),
    *(Goal("process start to ready", "ready_secs", p, None, limit=3.0) for p in ("bf16", "int8")),
]


def markdown(results, machine):
    """Rows of what was measured: medians of the rounds' medians."""
    lines = [
        f"{machine['fourstep']} ({machine['backend']}) beside {machine['library']}, {machine['threads']} threads, "
        f"batch 1, {machine['date']}; {machine['processor']}. Medians of {machine['rounds']} alternating rounds of "
        f"{machine['runs']} runs; goals that are met are bold.",
        "",
        "| what | goal | rival | ours | ratio |",
        "| --- | --- | --- | --- | --- |",
    ]
    for goal in GOALS:
        rival, ours = (middle(results, who, goal) for who in ("rival", "ours"))
        if rival is not None and ours is not None:
            mark = "**" if goal.is_met(rival, ours) else ""
            shown = [goal.name(), goal.text(), amount(goal.key, rival), amount(goal.key, ours)]
            lines.append("| " + " | ".join([*shown, f"{mark}{rival / ours:.2f}×{mark}"]) + " |")
    return "\n".join(lines)


def middle(results, who, goal):
    of_size = [r for r in results if goal.size in (None, r["size"])]
    found = [r.get(goal.key) for r in of_size if (r["who"], r["precision"]) == (who, goal.precision)]
    found = [value for value in found if value is not None]
    return statistics.median(found) if found else None


def amount(key, value):
    if key.endswith("_bytes"):
        return f"{value / 1e9:.2f} GB"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"
