#!/usr/bin/env python3
"""Whole runs of the embedded models by diffusers, for app/engine/tests/golden_pipeline.rs.

    pip install torch==2.15.* diffusers==0.42.1 transformers==5.23.0 safetensors numpy pillow
    python tests/golden/pipeline/make.py

Writes runs.safetensors beside itself: for each case `NAME` the final latents, f32 [1, 4, h, w]. Weights are widened from
f16 to f32. Noise comes from torch.Generator("cpu").manual_seed(seed).
"""
import os

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (AutoencoderTiny, DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler,
                       LatentConsistencyModelImg2ImgPipeline, LatentConsistencyModelPipeline,
                       StableDiffusionImg2ImgPipeline, StableDiffusionPipeline)
from PIL import Image
from safetensors.torch import load_file, save_file

assert torch.__version__.startswith("2.15."), torch.__version__
assert diffusers.__version__ == "0.42.1", diffusers.__version__
assert transformers.__version__ == "5.23.0", transformers.__version__
torch.set_grad_enabled(False)

HERE = os.path.dirname(os.path.abspath(__file__))
STICKER = os.path.join(HERE, "../../../assets/sticker")
PROMPT = "a blue apple on a yellow background"
RUNS = {}


def seeded(seed):
    return torch.Generator("cpu").manual_seed(seed)


def keep(name, latents):
    assert torch.isfinite(latents).all()
    RUNS[name] = latents.float().contiguous()
    print(name, tuple(latents.shape), "std", round(latents.std().item(), 4))


def merge_lcm_lora(unet):
    """kohya keys, weight 1: base + alpha / rank * up @ down."""
    lora = {k: v.float() for k, v in load_file(f"{STICKER}/lcm_lora.safetensors").items()}
    merged = 0
    for name, module in unet.named_modules():
        key = "lora_unet_" + name.replace(".", "_")
        if key + ".lora_down.weight" not in lora:
            continue
        down, up = lora[key + ".lora_down.weight"], lora[key + ".lora_up.weight"]
        scale = lora[key + ".alpha"].item() / down.shape[0]
        delta = torch.einsum("or,rikl->oikl", up[:, :, 0, 0], down) if down.ndim == 4 else up @ down
        module.weight += scale * delta
        merged += 1
    assert merged == 179, merged


def quiet(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe


lcm = quiet(LatentConsistencyModelPipeline.from_pretrained(f"{STICKER}/lcm", torch_dtype=torch.float32))
for name, size, steps, guidance, seed, prompt in [
    ("lcm_4", (128, 128), 4, 4.0, 7, PROMPT),
    ("lcm_1", (128, 128), 1, 2.0, 1, PROMPT),
    ("lcm_8_wide", (192, 64), 8, 8.0, 123456789012, "a red fox on a white background"),
    # 17 × 15 latents: not divisible by what the U-Net halves.
    ("lcm_4_odd", (136, 120), 4, 4.0, 3, ""),
]:
    keep(name, lcm(prompt, width=size[0], height=size[1], num_inference_steps=steps, guidance_scale=guidance,
                   generator=seeded(seed), output_type="latent").images)

teacher = quiet(StableDiffusionPipeline.from_pretrained(f"{STICKER}/teacher", torch_dtype=torch.float32))
keep("teacher_25_ddim", teacher(PROMPT, width=128, height=128, num_inference_steps=25, guidance_scale=2.0,
                                generator=seeded(7), output_type="latent").images)
ddim = teacher.scheduler
teacher.scheduler = DPMSolverMultistepScheduler.from_config(ddim.config, use_karras_sigmas=True)
keep("teacher_12_dpmpp_2m_karras",
     teacher(PROMPT, width=128, height=128, num_inference_steps=12, guidance_scale=3.0, generator=seeded(7),
             output_type="latent").images)

slow = StableDiffusionPipeline.from_pretrained(f"{STICKER}/teacher", torch_dtype=torch.float32)
merge_lcm_lora(teacher.unet)
teacher.scheduler = LCMScheduler.from_config(ddim.config)
for name, guidance, negative in [("lora_4_cfg1", 1.0, None), ("lora_4_cfg1.5", 1.5, None),
                                 ("lora_4_cfg2_negative", 2.0, "a green background")]:
    keep(name, teacher(PROMPT, width=128, height=128, num_inference_steps=4, guidance_scale=guidance,
                       negative_prompt=negative, generator=seeded(7), output_type="latent").images)

# The Rust test makes the same picture.
y, x = np.mgrid[0:128, 0:128]
picture = np.stack([x * 2, y * 2, (x + y) % 256], -1).astype(np.uint8)


# AutoencoderTiny has no posterior to sample: the pipelines take its latents as they are.
# With the LCM sampler strength shortens the grid of timesteps, not their number.
init = dict(image=Image.fromarray(picture), strength=0.5, generator=None, output_type="latent")
lcm_img2img = quiet(LatentConsistencyModelImg2ImgPipeline(**lcm.components))
keep("lcm_4_init_half", lcm_img2img(PROMPT, num_inference_steps=4, guidance_scale=4.0,
                                    **{**init, "generator": seeded(7)}).images)
img2img = quiet(StableDiffusionImg2ImgPipeline(**{**slow.components, "image_encoder": None}))
keep("teacher_10_ddim_init_half", img2img(PROMPT, num_inference_steps=10, guidance_scale=2.0,
                                          **{**init, "generator": seeded(7)}).images)


# A fork: the first steps of another prompt. diffusers hands the embeddings of every step to a callback.
OTHER = "a red car on a white background"


def fork_after(steps, embeds):
    def switch(pipe, step, timestep, kwargs):
        if step + 1 == steps:
            kwargs["prompt_embeds"] = embeds
        return kwargs
    return dict(callback_on_step_end=switch, callback_on_step_end_tensor_inputs=["prompt_embeds"])


embeds, _ = lcm.encode_prompt(OTHER, "cpu", 1, False)
keep("lcm_4_forked_2", lcm(PROMPT, num_inference_steps=4, guidance_scale=4.0, generator=seeded(7), width=128, height=128,
                           output_type="latent", **fork_after(2, embeds)).images)
karras = quiet(StableDiffusionPipeline(**{**slow.components, "image_encoder": None}))
karras.scheduler = DPMSolverMultistepScheduler.from_config(ddim.config, use_karras_sigmas=True)
positive, negative = karras.encode_prompt(OTHER, "cpu", 1, True)
keep("teacher_12_dpmpp_2m_karras_forked_5",
     karras(PROMPT, width=128, height=128, num_inference_steps=12, guidance_scale=3.0, generator=seeded(7),
            output_type="latent", **fork_after(5, torch.cat([negative, positive]))).images)


# A composition that is held: in the first steps the low frequencies of x0 are those of another run.
def low_frequencies(latents):
    _, channels, h, w = latents.shape
    sigma = min(h, w) / 16
    reach = int(np.ceil(3 * sigma))
    kernel = torch.exp(-torch.arange(-reach, reach + 1).float() ** 2 / (2 * sigma ** 2))
    kernel = (kernel / kernel.sum()).expand(channels, 1, -1)
    padded = torch.nn.functional.pad(latents, (reach,) * 4, mode="replicate")
    padded = torch.nn.functional.conv2d(padded, kernel[:, :, None, :], groups=channels)
    return torch.nn.functional.conv2d(padded, kernel[:, :, :, None], groups=channels)


class Held(LCMScheduler):
    """Holds x0 to `reference[i]`, as long as there is one; `seen` is what each step took x0 to be."""

    reference, seen = [], []

    # The pipeline looks for `generator` among the names of the arguments.
    def step(self, output, timestep, sample, generator=None, **kwargs):
        alpha = self.alphas_cumprod[timestep] ** 0.5
        sigma = (1 - self.alphas_cumprod[timestep]) ** 0.5
        if len(self.seen) < len(self.reference):
            x0 = (sample - sigma * output) / alpha
            x0 = x0 + low_frequencies(self.reference[len(self.seen)] - x0)
            output = (sample - alpha * x0) / sigma
        result = super().step(output, timestep, sample, generator=generator, **kwargs)
        self.seen.append(result[1])
        return result


def held(prompt, reference):
    lcm.scheduler = Held.from_config(lcm.scheduler.config)
    lcm.scheduler.reference, lcm.scheduler.seen = reference, []
    latents = lcm(prompt, num_inference_steps=4, guidance_scale=4.0, generator=seeded(7), width=128, height=128,
                  output_type="latent").images
    return latents, lcm.scheduler.seen


_, way = held(PROMPT, [])
keep("lcm_4_held_2", held(OTHER, way[:2])[0])

save_file(RUNS, f"{HERE}/runs.safetensors")
reference = os.environ.get("FOURSTEP_REFERENCE")
if reference:
    for name, file in [("lcm_4", "lcm_4"), ("teacher_25_ddim", "teacher_25_ddim"),
                       ("lora_4_cfg1", "teacher_lcm_lora_4_cfg1.0"), ("lora_4_cfg1.5", "teacher_lcm_lora_4_cfg1.5")]:
        other = load_file(f"{reference}/{file}.safetensors")["latents"]
        print(name, "against the reference:", ((RUNS[name] - other).norm() / other.norm()).item())
