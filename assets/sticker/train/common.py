"""What every stage shares: device, precision, checkpoints that survive being killed, logging, averaging of weights."""

import copy
import json
import math
import os
import signal
import sys
import time
from pathlib import Path

import torch

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
if DEVICE == "cuda":
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.benchmark = True


def autocast(on: bool = True):
    """bfloat16 where the network allows it."""
    return torch.autocast(DEVICE, dtype=torch.bfloat16, enabled=on)


def fast(module: torch.nn.Module) -> torch.nn.Module:
    """On the device, channels last (much faster convolutions on both kinds)."""
    return module.to(DEVICE, memory_format=torch.channels_last)


class Log:
    """Lines on standard output and JSON lines in RUN/NAME.jsonl."""

    def __init__(self, run: Path, name: str):
        run.mkdir(parents=True, exist_ok=True)
        self.file = open(run / f"{name}.jsonl", "a")
        self.start = time.time()

    def __call__(self, **values) -> None:
        values = {"time": round(time.time() - self.start, 1), **values}
        print(" ".join(f"{k}={v:.5g}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items()), flush=True)
        self.file.write(json.dumps(values) + "\n")
        self.file.flush()


def save(state: dict, path: Path) -> None:
    """Whole or not at all; the one before is kept as .old."""
    fresh = path.with_suffix(".new")
    torch.save(state, fresh)
    if path.exists():
        path.replace(path.with_suffix(".old"))
    fresh.replace(path)


def load(path: Path) -> dict | None:
    """The newest readable checkpoint."""
    for file in (path, path.with_suffix(".old")):
        try:
            return torch.load(file, map_location="cpu", weights_only=False)
        except (FileNotFoundError, RuntimeError, EOFError) as error:
            print(f"{file}: {error}", file=sys.stderr)
    return None


class Average:
    """Exponential moving average of modules' weights, warm at the start."""

    def __init__(self, modules: list[torch.nn.Module], decay: float):
        self.live = [p for m in modules for p in m.parameters()]
        self.modules = [copy.deepcopy(m).eval().requires_grad_(False) for m in modules]
        self.kept = [p for m in self.modules for p in m.parameters()]
        self.decay, self.steps = decay, 0

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.kept, self.live, 1 - decay)


class Stop:
    """True after the given minutes (none: never), or once SIGTERM or SIGINT came, so that a checkpoint is written first."""

    def __init__(self, minutes: float | None, finish: bool = False):
        self.start, self.end, self.finish = time.time(), time.time() + minutes * 60 if minutes else math.inf, finish
        self.asked = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask)

    def _ask(self, *_):
        self.asked = True

    def __bool__(self) -> bool:
        return self.asked or time.time() > self.end

    def fade(self) -> float:
        """A factor of the learning rate: where these minutes are the last, it falls to 0 over their last third."""
        return min(1.0, 3 * max(0.0, self.end - time.time()) / (self.end - self.start)) if self.finish else 1.0


def learning_rate(step: int, total: int, peak: float, warm: int = 300, floor: float = 0.03) -> float:
    """Linear warm-up, then a cosine down to `floor` of the peak at `total` steps."""
    if step < warm:
        return peak * (step + 1) / warm
    done = min(1.0, (step - warm) / max(1, total - warm))
    return peak * (floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done)))


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Every group's rate: `rate` times its own factor."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def fast_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """[n, c, h, w] on the device, channels last."""
    return tensor.to(DEVICE).contiguous(memory_format=torch.channels_last)
