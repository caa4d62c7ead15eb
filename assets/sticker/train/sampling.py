"""Painting with the networks: the teacher by DDIM, the students by LCM steps, both with diffusers' own schedulers."""

import torch
from diffusers import DDIMScheduler, LCMScheduler
from PIL import Image

import common
from models import GUIDANCE_WIDTH, LATENT

SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False, "steps_offset": 1}


def teacher_scheduler() -> DDIMScheduler:
    """As Stable Diffusion 1.5's, but from the last training step on: the background's colour is decided there."""
    return DDIMScheduler(**SCHEDULE, set_alpha_to_one=False, timestep_spacing="trailing")


def lcm_scheduler() -> LCMScheduler:
    """50 original steps of 20."""
    return LCMScheduler(**SCHEDULE, original_inference_steps=50)


def guidance_embedding(guidance: torch.Tensor) -> torch.Tensor:
    """As `get_guidance_scale_embedding` in diffusers: [n] → [n, 256] of (guidance − 1)·1000."""
    half = GUIDANCE_WIDTH // 2
    frequencies = torch.exp(torch.arange(half, device=guidance.device) * -(torch.log(torch.tensor(10000.0)) / (half - 1)))
    angles = (guidance - 1)[:, None] * 1000 * frequencies[None]
    return torch.cat([angles.sin(), angles.cos()], 1)


@torch.no_grad()
def paint_latents(unet, context, empty, scheduler, steps: int, guidance: float, seed: int, embedded: bool = False) -> torch.Tensor:
    """Latents [n, 4, side/8, side/8] for contexts [n, 77, width].

    `guidance` above 1 is classifier-free guidance against `empty` [1, 77, width], or, where `embedded`, the full LCM's embedding.
    """
    generator = torch.Generator("cpu").manual_seed(seed)
    x = torch.randn(len(context), 4, LATENT, LATENT, generator=generator).to(context.device)
    scheduler.set_timesteps(steps)
    condition = guidance_embedding(torch.full((len(context),), guidance, device=context.device)) if embedded else None
    doubled = guidance > 1 and not embedded
    both = torch.cat([empty.expand(len(context), -1, -1), context]) if doubled else context
    for t in scheduler.timesteps:
        with common.autocast():
            noise = unet(common.fast_tensor(torch.cat([x, x]) if doubled else x), t, both, timestep_cond=condition).sample.float()
        if doubled:
            without, along = noise.chunk(2)
            noise = without + guidance * (along - without)
        extra = {"generator": generator} if isinstance(scheduler, LCMScheduler) else {}
        x = scheduler.step(noise, t, x, **extra).prev_sample
    return x


@torch.no_grad()
def decode(vae, latents: torch.Tensor) -> torch.Tensor:
    """8-bit pictures [n, side, side, 3]."""
    out = []
    for part in latents.split(32):
        out.append(vae.decoder(common.fast_tensor(part / vae.config.scaling_factor)).float().add(1).mul(127.5).round().clamp(0, 255).byte())
    return torch.cat(out).permute(0, 2, 3, 1).cpu()


def sheet(pictures: torch.Tensor, columns: int) -> Image.Image:
    """A contact sheet."""
    count, side = len(pictures), pictures.shape[1]
    image = Image.new("RGB", (columns * (side + 4), -(-count // columns) * (side + 4)), "white")
    for n, picture in enumerate(pictures):
        image.paste(Image.fromarray(picture.numpy()), (n % columns * (side + 4) + 2, n // columns * (side + 4) + 2))
    return image
