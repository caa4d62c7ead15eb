"""Stages 4 and 5: distilling the teacher into an LCM-LoRA, and into a full LCM (guidance embedded).

python train_lcm.py RUN --lora     writes RUN/lora.pt
python train_lcm.py RUN            writes RUN/lcm.pt; begins with the LoRA merged into the teacher, where there is one

Latent consistency distillation (arXiv 2310.04378): skipping 20 training steps, guidance 2 to 8, pseudo-Huber loss of 0.001.
Both resume from their checkpoints. The LCM-LoRA (arXiv 2311.05556) has one guidance distilled in.
"""

import argparse
import copy
from pathlib import Path

import torch

import common
import lora
from captions import caption
from grammar import scene
from latents import Latents
from models import ALPHAS, add_noise, make_unet, spread
from sampling import decode, guidance_embedding, lcm_scheduler, paint_latents, sheet
from train_teacher import HELD_OUT, Teacher

SKIP, GRID, HUBER = 20, 50, 1e-3
LORA_RANK, LORA_GUIDANCE = 12, 1.5
EVERY = 250


def boundary(t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """c_skip and c_out of LCM (σ_data 0.5, times scaled by 10)."""
    scaled = t.float() * 10
    return spread(0.25 / (scaled**2 + 0.25)), spread(scaled / (scaled**2 + 0.25).sqrt())


def clean(noise: torch.Tensor, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """The clean latents that go with a prediction of noise."""
    alpha = spread(ALPHAS.to(x.device)[t])
    return (x - (1 - alpha).sqrt() * noise) / alpha.sqrt()


class Student:
    """The network that learns, its averages for the target (fast) and for use (slow), and its checkpoint."""

    def __init__(self, teacher: Teacher, run: Path, with_lora: bool, rate: float):
        painter = teacher.average.modules[0]
        self.file = run / ("lora.pt" if with_lora else "lcm.pt")
        if with_lora:
            self.unet = copy.deepcopy(painter)
            added = lora.add(self.unet, LORA_RANK)
            self.trained = [p for layer in added.values() for part in (layer.down, layer.up) for p in part.parameters()]
        else:
            self.unet = make_unet(guidance=True)
            missing = self.unet.load_state_dict(_start(teacher, run), strict=False).missing_keys
            assert missing == ["time_embedding.cond_proj.weight"], missing
            torch.nn.init.zeros_(self.unet.time_embedding.cond_proj.weight)
            self.trained = list(self.unet.parameters())
        self.unet = common.fast(self.unet)
        for p in self.trained:
            p.requires_grad_(True)
        self.optimizer = torch.optim.AdamW(self.trained, lr=rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
        self.target, self.average = (common.Average([self.unet], d) for d in (0.95, 0.998))
        self.step = 0
        if state := common.load(self.file):
            self.unet.load_state_dict(state["unet"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.target.modules[0].load_state_dict(state["target"])
            self.average.modules[0].load_state_dict(state["average"])
            self.step = self.target.steps = self.average.steps = state["step"]

    def store(self) -> None:
        common.save({"unet": self.unet.state_dict(), "optimizer": self.optimizer.state_dict(), "step": self.step,
                     "target": self.target.modules[0].state_dict(), "average": self.average.modules[0].state_dict()}, self.file)


def _start(teacher: Teacher, run: Path) -> dict[str, torch.Tensor]:
    """Weights that a full LCM begins with: what the LoRA has learnt need not be learnt again."""
    if (run / "lora.pt").exists():
        return lora.merged(Student(teacher, run, True, 0.0).average.modules[0])
    return teacher.average.modules[0].state_dict()


def distillation_loss(teacher: Teacher, student: Student, latents: torch.Tensor, identifiers: torch.Tensor, with_lora: bool) -> torch.Tensor:
    """Student at t against its own average one solver step of the guided teacher further."""
    count, device = len(latents), latents.device
    t = torch.randint(1, GRID + 1, (count,), device=device) * SKIP - 1
    before = (t - SKIP).clamp(min=0)
    # Strong guidance makes the teacher's small errors large ones; the weak that is used most is learnt most.
    guidance = torch.full((count,), LORA_GUIDANCE, device=device) if with_lora else 2 + 6 * torch.rand(count, device=device) ** 2
    condition = None if with_lora else guidance_embedding(guidance)
    noise = torch.randn_like(latents) + 0.1 * torch.randn(count, 4, 1, 1, device=device)
    x = add_noise(latents, noise, t)
    with torch.no_grad(), common.autocast():
        context, empty = (teacher.average.modules[1](i).last_hidden_state for i in (identifiers, teacher.empty))
        both = torch.cat([empty.expand(count, -1, -1), context])
        without, along = teacher.average.modules[0](torch.cat([x, x]), torch.cat([t, t]), both).sample.float().chunk(2)
        guided = without + spread(guidance) * (along - without)
        alpha = spread(ALPHAS.to(device)[before])
        further = common.fast_tensor(alpha.sqrt() * clean(guided, t, x) + (1 - alpha).sqrt() * guided)
        there = student.target.modules[0](further, before, context, timestep_cond=condition).sample.float()
        skip, out = boundary(before)
        wanted = skip * further + out * clean(there, before, further)
    with common.autocast():
        here = student.unet(x, t, context, timestep_cond=condition).sample.float()
    skip, out = boundary(t)
    error = skip * x + out * clean(here, t, x) - wanted
    return ((error**2 + HUBER**2).sqrt() - HUBER).mean()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--lora", action="store_true")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--finish", action="store_true", help="let the learning rate fall to 0 within these minutes")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--rate", type=float)
    options = parser.parse_args()
    rate = options.rate or (1e-3 if options.lora else 3e-4)
    log, stop = common.Log(options.run, "lora" if options.lora else "lcm"), common.Stop(options.minutes, options.finish)
    teacher = Teacher(options.run)
    student = Student(teacher, options.run, options.lora, rate)
    torch.manual_seed(student.step + 2)
    latents = Latents(options.cache or options.run / "latents", teacher.vae, student.step + 2)
    total = 0.0
    while not stop and student.step < options.steps:
        common.set_rate(student.optimizer, common.learning_rate(student.step, options.steps, rate, warm=100) * stop.fade())
        clean_latents, identifiers, _ = latents.batch(options.batch)
        loss = distillation_loss(teacher, student, clean_latents, identifiers, options.lora)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.trained, 1.0)
        student.optimizer.step()
        student.optimizer.zero_grad(set_to_none=True)
        student.target.update()
        student.average.update()
        student.step, total = student.step + 1, total + loss.item()
        if student.step % 50 == 0:
            log(step=student.step, huber=total / 50)
            total = 0.0
        if student.step % EVERY == 0:
            student.store()
    student.store()
    context, empty = teacher.contexts([caption(scene(HELD_OUT + n, held_out=True)) for n in range(24)])
    guidance = 1.0 if options.lora else 2.0
    pictures = decode(teacher.vae, paint_latents(student.average.modules[0], context, empty, lcm_scheduler(), 4, guidance, 0, not options.lora))
    sheet(pictures, 8).save(student.file.with_suffix(".png"))


if __name__ == "__main__":
    main()
