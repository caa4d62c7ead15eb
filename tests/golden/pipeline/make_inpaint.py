#!/usr/bin/env python3
"""Painting a part of a picture by diffusers, for app/engine/tests/golden_inpaint.rs.

    pip install torch==2.15.* diffusers==0.42.1 transformers==5.23.0 safetensors numpy pillow
    python tests/golden/pipeline/make_inpaint.py

Reads the models of make_small.py and the embedded ones; writes inpaint.safetensors beside itself: for each case `NAME`
the final latents, f32 [1, 4, h, w]. Weights are widened from f16 to f32. Noise comes from
torch.Generator("cpu").manual_seed(seed).

After each step the pipelines do, for networks with 4 channels,

    latents = (1 - mask) * add_noise(image_latents, noise, next timestep) + mask * latents

with the mask at the size of the latents. Masks here are even over 8 x 8 pixels, so that every way of making them smaller
gives the same.
"""
import os

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, LatentConsistencyModelPipeline, LCMScheduler,
                       StableDiffusionInpaintPipeline, StableDiffusionPipeline, StableDiffusionXLInpaintPipeline,
                       StableDiffusionXLPipeline, UniPCMultistepScheduler)
from diffusers.image_processor import VaeImageProcessor
from PIL import Image
from safetensors.torch import save_file

assert torch.__version__.startswith("2.15."), torch.__version__
assert diffusers.__version__ == "0.42.1", diffusers.__version__
assert transformers.__version__ == "5.23.0", transformers.__version__
torch.set_grad_enabled(False)

HERE = os.path.dirname(os.path.abspath(__file__))
STICKER = os.path.join(HERE, "../../../assets/sticker")
PROMPT, NEGATIVE = "a blue apple on a yellow background", "a green background"
RUNS = {}


class NoisedStart(StableDiffusionInpaintPipeline):
    """Starts from the noised picture whatever the strength: LCM's strength is in its timesteps, see make_small.py."""

    def prepare_latents(self, *args, **options):
        return super().prepare_latents(*args, **{**options, "is_strength_max": False})


LCM_HALF = dict(timesteps=[499, 379, 259, 139], strength=1.0)


def inpaint_of(cls, pipe, scheduler=None, binary=True):
    parts = {**pipe.components, "scheduler": scheduler or pipe.scheduler}
    parts.pop("image_encoder", None)
    if isinstance(pipe, StableDiffusionXLPipeline):
        made = cls(**parts, add_watermarker=False)
    else:
        made = cls(**{**parts, "safety_checker": None, "feature_extractor": None}, requires_safety_checker=False)
    made.mask_processor = VaeImageProcessor(vae_scale_factor=8, do_normalize=False, do_binarize=binary,
                                            do_convert_grayscale=True)
    made.set_progress_bar_config(disable=True)
    return made


# The Rust test makes the same pictures and masks.
def gradient(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 2, y * 2, (x + y) % 256], -1).astype(np.uint8))


def half(width, height):
    """The middle half of the width is painted anew, but for the lowest 8 px."""
    y, x = np.mgrid[0:height, 0:width] // 8
    return Image.fromarray((((x >= width // 32) & (x < 3 * width // 32) & (y < height // 8 - 1)) * 255)
                           .astype(np.uint8))


def soft(width, height):
    y, x = np.mgrid[0:height, 0:width] // 8
    return Image.fromarray((x * 53 + y * 31).astype(np.uint8))


def run(name, pipe, mask=half, size=(64, 72), steps=4, guidance=1.0, seed=7, strength=0.6, **options):
    latents = pipe(PROMPT, image=gradient(*size), mask_image=mask(*size), width=size[0], height=size[1],
                   num_inference_steps=steps, guidance_scale=guidance, generator=torch.Generator("cpu").manual_seed(seed),
                   output_type="latent", **{"strength": strength, **options}).images
    assert torch.isfinite(latents).all()
    RUNS[name] = latents.float().contiguous()
    print(name, tuple(latents.shape), "std", round(latents.std().item(), 3))


sd = StableDiffusionPipeline.from_pretrained(f"{HERE}/sd", torch_dtype=torch.float32, safety_checker=None)
run("lcm_half", inpaint_of(NoisedStart, sd), **LCM_HALF)
run("lcm_half_soft", inpaint_of(NoisedStart, sd, binary=False), mask=soft, guidance=1.5, negative_prompt=NEGATIVE,
    **LCM_HALF)
run("lcm_whole", inpaint_of(StableDiffusionInpaintPipeline, sd), strength=1.0)
for name, cls, options in [
    ("ddim", DDIMScheduler, dict(clip_sample=False)), ("euler", EulerDiscreteScheduler, {}),
    ("euler-a", EulerAncestralDiscreteScheduler, {}), ("dpmpp-2m", DPMSolverMultistepScheduler, {}),
    ("dpmpp-2m-karras", DPMSolverMultistepScheduler, dict(use_karras_sigmas=True)),
    ("unipc", UniPCMultistepScheduler, {}),
]:
    scheduler = cls.from_config(sd.scheduler.config, **options)
    pipe = inpaint_of(StableDiffusionInpaintPipeline, sd, scheduler)
    run(name, pipe, steps=8, guidance=3.0)
    run(name + "_whole", pipe, steps=6, guidance=3.0, strength=1.0, seed=8)

sdxl = StableDiffusionXLPipeline.from_pretrained(f"{HERE}/sdxl", torch_dtype=torch.float32, variant="fp16",
                                                 add_watermarker=False)
euler = EulerDiscreteScheduler.from_config(sdxl.scheduler.config)
run("sdxl_euler", inpaint_of(StableDiffusionXLInpaintPipeline, sdxl, euler), steps=8, guidance=3.0,
    negative_prompt=NEGATIVE)

lcm = LatentConsistencyModelPipeline.from_pretrained(f"{STICKER}/lcm", torch_dtype=torch.float32)
run("sticker_lcm_half", inpaint_of(NoisedStart, lcm), size=(128, 128), guidance=4.0, **LCM_HALF)

save_file(RUNS, f"{HERE}/inpaint.safetensors")
