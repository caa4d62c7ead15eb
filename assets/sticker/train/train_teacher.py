"""Stage 3: the teacher, text encoder and painter together, from scratch.

python train_teacher.py RUN [--minutes M]

Resumes from RUN/teacher.pt; stop it with SIGTERM at any time. The training set grows while it trains (latents.py).
"""

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderTiny

import common
from captions import caption
from grammar import scene
from latents import SHARD, Latents, tokens
from models import ALPHAS, add_noise, make_text_encoder, make_unet, spread
from sampling import decode, paint_latents, sheet, teacher_scheduler
from sprites import COLOURS
from train_text import Reader, ends

EVERY = 500  # steps between checkpoints and cheap evaluations
HELD_OUT = 2**42  # first seed of the evaluation's prompts


def weights(t: torch.Tensor) -> torch.Tensor:
    """min-SNR 5 for epsilon, times up to 25 where noise is strong.

    Count, place and background are decided there, and an error of epsilon at t = 999 is 14 times as large in the picture; plain
    weights (SNR, in terms of the picture) would hardly train them.
    """
    alpha = ALPHAS.to(t.device)[t]
    ratio = alpha / (1 - alpha)
    return ratio.clamp(max=5) / ratio * (1 + 1 / ratio).clamp(max=25)


def times(count: int, device: str) -> torch.Tensor:
    """Training steps of a batch, [count]: three in ten anywhere, the rest mostly in the middle, where shapes are decided.

    Each share is spread evenly over its distribution, which makes the loss of a batch much less noisy.
    """
    even = round(0.3 * count)
    spread_evenly = lambda n: (torch.arange(n, device=device) + torch.rand(n, device=device)) / n
    middle = torch.sigmoid(0.2 + 0.9 * torch.special.ndtri(spread_evenly(count - even).clamp(1e-4, 1 - 1e-4)))
    at = torch.cat([spread_evenly(even), middle])
    return (at * 1000).long().clamp(max=999)[torch.randperm(count, device=device)]


class Teacher:
    """The networks in training, their averages, and everything a checkpoint holds."""

    def __init__(self, run: Path, decay: float = 0.9995):
        self.run, self.tokens = run, tokens()
        self.vae = common.fast(AutoencoderTiny.from_pretrained(run / "vae")).eval().requires_grad_(False)
        self.unet, self.text = common.fast(make_unet()), make_text_encoder(len(self.tokens)).to(common.DEVICE)
        self.reader = Reader().to(common.DEVICE)
        self.empty = self.tokens([""]).to(common.DEVICE)
        if start := common.load(run / "text.pt"):
            self.text.load_state_dict(start["text"])
            self.reader.load_state_dict(start["reader"])
        self.trained = [*self.unet.parameters(), *self.text.parameters(), *self.reader.parameters()]
        self.optimizer = torch.optim.AdamW(
            [{"params": self.unet.parameters()}, {"params": [*self.text.parameters(), *self.reader.parameters()], "factor": 0.5}],
            betas=(0.9, 0.99), weight_decay=0.01, fused=True)
        self.average, self.step = common.Average([self.unet, self.text], decay), 0
        if state := common.load(run / "teacher.pt"):
            for name in ("unet", "text", "reader", "optimizer"):
                getattr(self, name).load_state_dict(state[name])
            for module, kept in zip(self.average.modules, state["average"]):
                module.load_state_dict(kept)
            self.step = self.average.steps = state["step"]

    def store(self) -> None:
        state = {name: getattr(self, name).state_dict() for name in ("unet", "text", "reader", "optimizer")}
        common.save({**state, "average": [m.state_dict() for m in self.average.modules], "step": self.step}, self.run / "teacher.pt")

    def loss(self, latents: torch.Tensor, identifiers: torch.Tensor, said: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The weighted loss of one batch, and the painter's and the reader's parts of it [2]."""
        count, device = len(latents), latents.device
        # One caption in ten is empty, for guidance.
        dropped = torch.rand(count, device=device) < 0.1
        identifiers = torch.where(dropped[:, None], self.empty, identifiers)
        t = times(count, device)
        # A little common offset, so that the painter cannot read the background from what shines through at t = 999.
        noise = torch.randn_like(latents) + 0.1 * torch.randn(count, 4, 1, 1, device=device)
        with common.autocast():
            hidden = self.text(identifiers).last_hidden_state
            found = self.unet(add_noise(latents, noise, t), t, hidden).sample
        painter = (((found.float() - noise) ** 2).mean((1, 2, 3)) * weights(t)).mean()
        reader, _ = self.reader.loss(hidden, ends(identifiers), said, ~dropped)
        return painter + 0.05 * reader, torch.stack([painter.detach(), reader.detach()])

    @torch.no_grad()
    def contexts(self, captions: list[str], averaged: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
        """Contexts of captions, and of the empty one."""
        text = self.average.modules[1] if averaged else self.text
        hidden = text(self.tokens([*captions, ""]).to(common.DEVICE)).last_hidden_state
        return hidden[:-1], hidden[-1:]


@torch.no_grad()
def backgrounds(teacher: Teacher, count: int = 64) -> float:
    """The share of held-out prompts on flat colours whose border has that colour after one step from pure noise."""
    scenes, seed = [], HELD_OUT
    while len(scenes) < count:
        found = scene(seed, held_out=True)
        seed += 1
        if found.background[0] == "flat" and not found.style and len(found.items) == 1:
            scenes.append(found)
    # Many wordings leave the white background out; that is asked for as well.
    context, empty = teacher.contexts([caption(s) for s in scenes])
    clean = paint_latents(teacher.average.modules[0], context, empty, teacher_scheduler(), 1, 1.0, 0)
    pictures = decode(teacher.vae, clean).float()
    border = torch.cat([pictures[:, :6].flatten(1, 2), pictures[:, -6:].flatten(1, 2)], 1).median(1).values
    palette = torch.tensor(list(COLOURS.values())).float()
    nearest = torch.cdist(border, palette).argmin(1)
    return sum(list(COLOURS)[n] == s.background[1] for n, s in zip(nearest.tolist(), scenes)) / count


def show(teacher: Teacher, file: Path, count: int = 24) -> None:
    """A contact sheet of held-out prompts, by the averaged weights."""
    context, empty = teacher.contexts([caption(scene(HELD_OUT + n, held_out=True)) for n in range(count)])
    latents = paint_latents(teacher.average.modules[0], context, empty, teacher_scheduler(), 16, 2.0, 0)
    sheet(decode(teacher.vae, latents), 8).save(file)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--finish", action="store_true", help="let the learning rate fall to 0 within these minutes")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=60_000, help="length of the learning-rate schedule")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--shards", type=int, default=80, help="largest training set, in shards of 2048 scenes")
    parser.add_argument("--first", type=int, default=2, help="shards made before the first step")
    parser.add_argument("--reuse", type=float, default=8, help="times each scene is used before the set grows")
    parser.add_argument("--pictures", type=int, default=4, help="checkpoints between contact sheets")
    options = parser.parse_args()
    log, stop = common.Log(options.run, "teacher"), common.Stop(options.minutes, options.finish)
    teacher = Teacher(options.run)
    torch.manual_seed(teacher.step + 1)
    latents = Latents(options.cache or options.run / "latents", teacher.vae, teacher.step + 1)
    sums = torch.zeros(2, device=common.DEVICE)
    missing = min(options.first, options.shards) - len(latents) // SHARD
    if missing > 0:
        latents.grow(missing)
        log(scenes=len(latents))
    while not stop and teacher.step < options.steps:
        if len(latents) < min(options.shards * SHARD, teacher.step * options.batch / options.reuse):
            latents.grow()
            continue
        common.set_rate(teacher.optimizer, common.learning_rate(teacher.step, options.steps, options.rate) * stop.fade())
        loss, parts = teacher.loss(*latents.batch(options.batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(teacher.trained, 1.0)
        teacher.optimizer.step()
        teacher.optimizer.zero_grad(set_to_none=True)
        teacher.average.update()
        teacher.step += 1
        sums += parts
        if teacher.step % 50 == 0:
            painter, reader = (sums / 50).tolist()
            log(step=teacher.step, painter=painter, reader=reader, scenes=len(latents))
            sums.zero_()
        if teacher.step % EVERY == 0:
            teacher.store()
            log(step=teacher.step, backgrounds=backgrounds(teacher))
        if teacher.step % (EVERY * options.pictures) == 0:
            show(teacher, options.run / f"teacher-{teacher.step:06}.png")
    teacher.store()


if __name__ == "__main__":
    main()
