"""Stage 1: the tiny autoencoder.

python train_vae.py RUN --minutes 15 [--start VAE_FOLDER]

Trained on crops of scenes and of crowded collages: L1 and squared error, differences of neighbours at three scales, and a
penalty that keeps every latent channel near mean 0 and variance 1. A linear probe from latents to mean colours is trained along,
so that colours stay easy to read for the painter. The decoder alone is improved later (train_decoder.py).
"""

import argparse
import random
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderTiny
from PIL import Image

import common
from grammar import scene
from models import SIDE, make_vae
from paint import paint
from sprites import THING_COLOURS, sprite, things
from workers import every

CROP = 64


def picture(seed: int) -> np.ndarray:
    """A scene, or in one of two cases a scene with many sprites over each other: much detail for one crop."""
    rng = random.Random(seed)
    image = Image.fromarray(paint(scene(rng.getrandbits(40)), SIDE).copy())
    for _ in range(8 if rng.random() < 0.5 else 0):
        index = rng.randrange(len(things()))
        colour = rng.choice(THING_COLOURS) if things()[index].paint != "no" and rng.random() < 0.5 else None
        found = sprite(index, rng.choice([24, 32, 40, 52, 66, 84]) * SIDE // 128, colour)
        image.paste(found, (rng.randrange(-SIDE // 6, SIDE * 5 // 6), rng.randrange(-SIDE // 6, SIDE * 5 // 6)), found)
    return np.asarray(image)


class Pool:
    """Pictures in memory; with few cores it is small, and `refresh` replaces one."""

    def __init__(self, size: int, seed: int):
        self.seed = seed * 10**6
        self.pictures = torch.from_numpy(np.stack(list(every(picture, range(self.seed, self.seed + size))))).permute(0, 3, 1, 2).to(common.DEVICE)
        self.seed += size

    def refresh(self) -> None:
        self.seed += 1
        at = self.seed % len(self.pictures)
        self.pictures[at] = torch.from_numpy(picture(self.seed).copy()).permute(2, 0, 1).to(common.DEVICE)

    def crops(self, count: int) -> torch.Tensor:
        """[count, 3, CROP, CROP] in 0–1; crops start on multiples of 4, so the grid of latents is met in all phases."""
        device = self.pictures.device
        x, y = (torch.randint((SIDE - CROP) // 4 + 1, (count, 1), device=device) * 4 + torch.arange(CROP, device=device) for _ in range(2))
        which = torch.randint(len(self.pictures), (count, 1, 1), device=device)
        # Indexing around the slice puts the channels last; the permuted view has just the layout that is wanted.
        return common.fast_tensor(self.pictures[which, :, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)).float() / 255


def reconstruction(got: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 and squared error, and L1 of neighbours' differences at three scales."""
    loss = F.l1_loss(got, wanted) + 2 * F.mse_loss(got, wanted)
    for _ in range(3):
        for axis in (2, 3):
            loss = loss + 0.5 * F.l1_loss(got.diff(dim=axis), wanted.diff(dim=axis))
        got, wanted = F.avg_pool2d(got, 2), F.avg_pool2d(wanted, 2)
        loss = loss + 0.5 * F.l1_loss(got, wanted)
    return loss


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--finish", action="store_true", help="let the learning rate fall to 0 within these minutes")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=4000, help="length of the learning-rate schedule")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--pool", type=int, default=400)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--width", type=int, default=32)
    options = parser.parse_args()
    torch.manual_seed(0)
    vae = common.fast(AutoencoderTiny.from_pretrained(options.start) if options.start else make_vae(options.width))
    probe = torch.nn.Conv2d(4, 3, 1).to(common.DEVICE)
    trained = [*vae.parameters(), *probe.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=options.rate, betas=(0.9, 0.99), weight_decay=0, fused=True)
    average, step = common.Average([vae], 0.998), 0
    checkpoint = options.run / "vae.pt"
    if state := common.load(checkpoint):
        vae.load_state_dict(state["vae"])
        probe.load_state_dict(state["probe"])
        optimizer.load_state_dict(state["optimizer"])
        average.modules[0].load_state_dict(state["average"])
        average.steps = step = state["step"]

    def store() -> None:
        common.save({"vae": vae.state_dict(), "probe": probe.state_dict(), "optimizer": optimizer.state_dict(), "step": step,
                     "average": average.modules[0].state_dict()}, checkpoint)

    log, stop, pool = common.Log(options.run, "vae"), common.Stop(options.minutes, options.finish), Pool(options.pool, step + 1)
    errors = torch.zeros(3, device=common.DEVICE)
    while not stop and step < options.steps:
        common.set_rate(optimizer, common.learning_rate(step, options.steps, options.rate, warm=50) * stop.fade())
        if common.DEVICE == "cpu":
            pool.refresh()
        wanted = pool.crops(options.batch)
        with common.autocast():
            latent = vae.encoder(wanted * 2 - 1).float()
            got = vae.decoder(latent + 0.05 * torch.randn_like(latent)).float().add(1).div(2)
        moments = (latent.mean((0, 2, 3)) ** 2).mean() + ((latent.var((0, 2, 3)) - 1) ** 2).mean()
        colours = F.mse_loss(probe(latent), F.avg_pool2d(wanted, 8))
        (reconstruction(got, wanted) + 0.02 * moments + 0.3 * colours).backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        average.update()
        step += 1
        errors += torch.stack([F.mse_loss(got, wanted), colours, moments]).detach()
        if step % 100 == 0:
            error, colour, moment = (errors / 100).tolist()
            log(step=step, psnr=float(-10 * np.log10(error)), colours=colour, moments=moment)
            errors.zero_()
            store()
    store()
    export(average.modules[0], options.run, log)


@torch.no_grad()
def export(vae: AutoencoderTiny, run: Path, log: common.Log) -> None:
    """Measures whole scenes, sets `scaling_factor` so that latents have the standard deviation 0.6, and writes RUN/vae."""
    pictures = torch.stack([torch.from_numpy(paint(scene(10**9 + n), SIDE).copy()).permute(2, 0, 1) for n in range(128)])
    latents, errors = [], []
    for part in pictures.split(32):
        wanted = common.fast_tensor(part.float() / 255)
        latent = vae.encoder(wanted * 2 - 1)
        errors.append(((vae.decoder(latent).add(1).div(2).clamp(0, 1) - wanted) ** 2).mean((1, 2, 3)))
        latents.append(latent)
    latent = torch.cat(latents)
    vae.register_to_config(scaling_factor=round(0.6 / latent.std().item(), 4))
    vae.cpu().save_pretrained(run / "vae")
    log(scenes_psnr=float(-10 * torch.cat(errors).log10().mean()), scaling_factor=vae.config.scaling_factor,
        means=str(latent.mean((0, 2, 3)).tolist()), deviations=str(latent.std((0, 2, 3)).tolist()))


if __name__ == "__main__":
    main()
