"""Stage 6: the decoder learns from what the painters give it.

python train_decoder.py RUN [--minutes M --finish]

A painter's latents are never quite clean: a flat background comes out as a fine texture, an edge as a fringe. So the decoder is
shown latents that the LCM-LoRA or the teacher has cleaned in one step, and learns to give the picture they were made from; some are
the encoder's own. The encoder, and with it every latent, stays. Writes the decoder into RUN/vae.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import common
from captions import caption
from grammar import scene
from models import SIDE, add_noise
from paint import paint
from train_lcm import Student, boundary, clean
from train_teacher import HELD_OUT, Teacher
from train_vae import reconstruction

CLEAN = 0.3  # share of the encoder's own latents
NOISIEST = 450  # training step; what the last step of a run begins with, and somewhat more
FIRST = 2**45  # first seed


class Pairs:
    """Pictures with their latents and contexts; the oldest are replaced as training goes on."""

    def __init__(self, teacher: Teacher, size: int, first: int):
        self.teacher, self.seed = teacher, first
        self.kept: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
        while len(self.kept) < size:
            self.refresh(32)

    @torch.no_grad()
    def refresh(self, count: int, keep: int | None = None) -> None:
        """`count` new ones; where `keep` is given, only so many stay."""
        scenes = [scene(self.seed + n) for n in range(count)]
        self.seed += count
        pictures = torch.from_numpy(np.stack([paint(s, SIDE) for s in scenes])).permute(0, 3, 1, 2)
        vae = self.teacher.vae
        with common.autocast():
            latents = vae.encoder(common.fast_tensor(pictures.float() / 127.5 - 1)).float() * vae.config.scaling_factor
        contexts, _ = self.teacher.contexts([caption(s) for s in scenes])
        self.kept = [*self.kept, *zip(pictures, latents, contexts)][-(keep or 10**9):]

    def batch(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Pictures [n, 3, side, side] in 0–1, latents, contexts."""
        pictures, latents, contexts = map(torch.stack, zip(*(self.kept[n] for n in torch.randint(len(self.kept), (count,)).tolist())))
        return common.fast_tensor(pictures.float() / 255), latents, contexts


@torch.no_grad()
def cleaned(painter, latents: torch.Tensor, contexts: torch.Tensor, t: torch.Tensor, student: bool) -> torch.Tensor:
    """What the painter takes for the clean latents, seeing them with the noise of t."""
    x = add_noise(latents, torch.randn_like(latents), t)
    with common.autocast():
        found = clean(painter(x, t, contexts).sample.float(), t, x)
    skip, out = boundary(t)
    return skip * x + out * found if student else found


def decoded(vae, latents: torch.Tensor) -> torch.Tensor:
    """Pictures in 0–1."""
    with common.autocast():
        return vae.decoder(common.fast_tensor(latents) / vae.config.scaling_factor).float().add(1).div(2)


@torch.no_grad()
def report(vae, pairs: Pairs, painter) -> dict[str, float]:
    """PSNR in dB of scenes that were not trained on: of their own latents, and of those the LoRA cleaned at two noises."""
    torch.manual_seed(0)
    pictures, latents, contexts = pairs.batch(32)
    found = {}
    for at in (0, 99, 259):
        given = cleaned(painter, latents, contexts, torch.full((32,), at, device=latents.device), True) if at else latents
        error = (decoded(vae, given).clamp(0, 1) - pictures) ** 2
        found[f"psnr{at}"] = float(-10 * torch.log10(error.mean((1, 2, 3))).mean())
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--finish", action="store_true", help="let the learning rate fall to 0 within these minutes")
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--pool", type=int, default=256)
    options = parser.parse_args()
    log, stop = common.Log(options.run, "decoder"), common.Stop(options.minutes, options.finish)
    teacher = Teacher(options.run)
    painters = [teacher.average.modules[0], Student(teacher, options.run, True, 0.0).average.modules[0]]
    vae, step = teacher.vae, 0
    vae.decoder.requires_grad_(True)
    trained = list(vae.decoder.parameters())
    optimizer = torch.optim.AdamW(trained, lr=options.rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
    average = common.Average([vae], 0.998)
    if state := common.load(options.run / "decoder.pt"):
        vae.load_state_dict(state["vae"])
        optimizer.load_state_dict(state["optimizer"])
        average.modules[0].load_state_dict(state["average"])
        average.steps = step = state["step"]
    unseen = Pairs(teacher, 32, HELD_OUT)
    log(step=step, **report(average.modules[0], unseen, painters[1]))
    torch.manual_seed(step + 3)
    pairs, total = Pairs(teacher, options.pool, FIRST + step), 0.0
    while not stop and step < options.steps:
        common.set_rate(optimizer, common.learning_rate(step, options.steps, options.rate, warm=50) * stop.fade())
        if step % 16 == 0:
            pairs.refresh(16, options.pool)
        pictures, latents, contexts = pairs.batch(options.batch)
        if torch.rand(()) >= CLEAN:
            student = bool(torch.rand(()) < 0.7)
            t = torch.randint(20, NOISIEST, (len(latents),), device=latents.device)
            latents = cleaned(painters[student], latents, contexts, t, student)
        loss = reconstruction(decoded(vae, latents), pictures)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update()
        step, total = step + 1, total + loss.item()
        if step % 100 == 0:
            log(step=step, loss=total / 100)
            total = 0.0
    common.save({"vae": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                 "average": average.modules[0].state_dict()}, options.run / "decoder.pt")
    log(step=step, **report(average.modules[0], unseen, painters[1]))
    average.modules[0].cpu().save_pretrained(options.run / "vae")


if __name__ == "__main__":
    main()
