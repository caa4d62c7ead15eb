#!/usr/bin/env python3
"""Small random models in diffusers' layout and what diffusers paints with them, for app/engine/tests/golden_small.rs.

    pip install torch==2.15.* diffusers==0.42.1 transformers==5.23.0 safetensors numpy pillow
    python tests/golden/pipeline/make_small.py

Writes beside itself the folders `sd` (SD1.5's form) and `sdxl` (two text encoders, text_time; an fp16 variant, its U-Net
in shards), f16, and small.safetensors: for each case `NAME` the final latents, f32 [1, 4, h, w], and for some
`NAME.rgb`, u8 [h, w, 3]. Every weight is random, also those of norms and biases. Runs are f32; noise comes from
torch.Generator("cpu").manual_seed(seed).
"""
import os
import shutil
import zlib

import diffusers
import numpy as np
import torch
import transformers
from diffusers import (AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, LCMScheduler,
                       StableDiffusionImg2ImgPipeline, StableDiffusionPipeline, StableDiffusionXLImg2ImgPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

assert torch.__version__.startswith("2.15."), torch.__version__
assert diffusers.__version__ == "0.42.1", diffusers.__version__
assert transformers.__version__ == "5.23.0", transformers.__version__
torch.set_grad_enabled(False)

HERE = os.path.dirname(os.path.abspath(__file__))
TOKENIZER = os.path.join(HERE, "../../../assets/sticker/teacher/tokenizer")
PROMPT, NEGATIVE = "a blue apple on a yellow background", "a green background"
# What LCM makes of 4 steps at strength 0.5 (LCMScheduler.set_timesteps). The pipelines of classifier-free models do not
# hand strength to the scheduler, so they are given the timesteps, and strength 1, which leaves these as they are.
LCM_HALF = dict(timesteps=[499, 379, 259, 139], strength=1.0)
RUNS = {}


def seeded(seed):
    return torch.Generator("cpu").manual_seed(seed)


def randomise(model, name):
    """Values that keep activations near one, rounded to f16 so that what is saved is what is computed with."""
    g = seeded(zlib.crc32(name.encode()))
    for key, p in sorted(model.named_parameters()):
        noise = torch.randn(*p.shape, generator=g)
        if p.ndim > 1 and "embedding.weight" not in key:
            value = noise / p[0].numel() ** 0.5
        else:
            value = 0.3 * noise + (1 if key.endswith("weight") and p.ndim == 1 else 0)
        if key == "decoder.conv_out.weight":
            value *= 0.35
        p.copy_(value.half())
    return model.float().eval()


def text_encoder(name, cls, width, **options):
    config = CLIPTextConfig(vocab_size=796, hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2,
                            num_attention_heads=4, bos_token_id=794, eos_token_id=795, pad_token_id=795, **options)
    return randomise(cls(config), name)


def vae(name, scaling_factor):
    return randomise(AutoencoderKL(
        block_out_channels=(8, 16, 16, 16), layers_per_block=1, norm_num_groups=4, scaling_factor=scaling_factor,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, sample_size=64), name)


def unet(name, **options):
    return randomise(UNet2DConditionModel(
        block_out_channels=(16, 32), norm_num_groups=8, layers_per_block=1, sample_size=8,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"), up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        **options), name)


def scheduler():
    """Less noise than Stable Diffusion's, so that random networks end in latents of a size that trained ones have."""
    return LCMScheduler(beta_start=0.00085, beta_end=0.004, beta_schedule="scaled_linear", steps_offset=1,
                        set_alpha_to_one=False)


def save(pipe, name, **options):
    folder = f"{HERE}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    pipe.to(torch.float16).save_pretrained(folder, **options)
    # from_config forgets values that were defaults of another class, unless a file names them.
    pipe.scheduler = LCMScheduler.from_pretrained(folder, subfolder="scheduler")
    return pipe.to(torch.float32)


def make_sd():
    pipe = StableDiffusionPipeline(
        vae=vae("sd vae", 0.18215), text_encoder=text_encoder("sd text", CLIPTextModel, 24),
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        unet=unet("sd unet", attention_head_dim=4, cross_attention_dim=24), scheduler=scheduler(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    return quiet(save(pipe, "sd"))


def make_sdxl():
    pipe = StableDiffusionXLPipeline(
        vae=vae("sdxl vae", 0.13025), text_encoder=text_encoder("sdxl text 1", CLIPTextModel, 16),
        text_encoder_2=text_encoder("sdxl text 2", CLIPTextModelWithProjection, 32, projection_dim=24,
                                    hidden_act="gelu"),
        tokenizer=CLIPTokenizer.from_pretrained(TOKENIZER),
        tokenizer_2=CLIPTokenizer.from_pretrained(TOKENIZER, pad_token="!"),
        unet=unet("sdxl unet", attention_head_dim=(2, 4), cross_attention_dim=48, use_linear_projection=True,
                  transformer_layers_per_block=(1, 2), addition_embed_type="text_time", addition_time_embed_dim=8,
                  projection_class_embeddings_input_dim=24 + 6 * 8),
        scheduler=scheduler(), force_zeros_for_empty_prompt=True, add_watermarker=False)
    save(pipe, "sdxl", variant="fp16")
    shutil.rmtree(f"{HERE}/sdxl/unet")
    pipe.unet.half().save_pretrained(f"{HERE}/sdxl/unet", variant="fp16", max_shard_size="250KB")
    pipe.unet.float()
    # Published models have the older two files, which transformers 5 no longer writes.
    for folder in ("tokenizer", "tokenizer_2"):
        os.remove(f"{HERE}/sdxl/{folder}/tokenizer.json")
        for file in ("vocab.json", "merges.txt"):
            shutil.copy(f"{TOKENIZER}/{file}", f"{HERE}/sdxl/{folder}/{file}")
    return quiet(pipe)


def run(name, pipe, prompt=PROMPT, size=(64, 64), steps=4, guidance=1.0, seed=7, rgb=False, **options):
    if "image" not in options:
        options |= dict(width=size[0], height=size[1])
    latents = pipe(prompt, num_inference_steps=steps, guidance_scale=guidance, generator=seeded(seed),
                   output_type="latent", **options).images
    assert torch.isfinite(latents).all()
    RUNS[name] = latents.float().contiguous()
    print(name, tuple(latents.shape), "std", round(latents.std().item(), 3), end=" ")
    if rgb:
        image = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
        picture = pipe.image_processor.postprocess(image, output_type="pil")[0]
        RUNS[name + ".rgb"] = torch.from_numpy(np.asarray(picture).copy())
        print("rgb", [round(v, 2) for v in (image.min().item(), image.max().item())], end=" ")
    print()


def with_scheduler(pipe, cls, **options):
    scheduler = cls.from_config(pipe.scheduler.config, **options)
    return quiet(type(pipe)(**{**pipe.components, "scheduler": scheduler}, **extra(pipe)))


def extra(pipe):
    return dict(requires_safety_checker=False) if "safety_checker" in pipe.components else dict(add_watermarker=False)


def img2img_of(cls, pipe):
    return quiet(cls(**pipe.components, **extra(pipe)))


def quiet(pipe):
    pipe.set_progress_bar_config(disable=True)
    return pipe


# The Rust test makes the same pictures.
def gradient(width, height):
    y, x = np.mgrid[0:height, 0:width]
    return Image.fromarray(np.stack([x * 3, y * 3, (x + y) % 256], -1).astype(np.uint8))


sd = make_sd()
run("sd_lcm_4", sd, rgb=True)
run("sd_lcm_4_cfg", sd, guidance=1.5, seed=8)
run("sd_lcm_4_cfg_negative_odd", sd, size=(72, 104), guidance=1.5, negative_prompt=NEGATIVE, rgb=True)
run("sd_lcm_1", sd, prompt="", steps=1)
sd_ddim = with_scheduler(sd, DDIMScheduler, clip_sample=False)
run("sd_ddim_6_negative", sd_ddim, steps=6, guidance=5.0, negative_prompt=NEGATIVE)
img2img = img2img_of(StableDiffusionImg2ImgPipeline, sd)
run("sd_lcm_4_init", img2img, image=gradient(64, 72), rgb=True, **LCM_HALF)
run("sd_lcm_4_init_cfg", img2img, image=gradient(64, 72), guidance=1.5, negative_prompt=NEGATIVE, **LCM_HALF)
img2img = img2img_of(StableDiffusionImg2ImgPipeline, sd_ddim)
run("sd_ddim_8_init", img2img, image=gradient(72, 64), steps=8, guidance=3.0, strength=0.6)
# Resized by the caller, as this pipeline takes a picture's own size.
resized = gradient(50, 80).resize((64, 64), Image.Resampling.LANCZOS)
run("sd_ddim_8_init_resized", img2img, image=resized, steps=8, guidance=3.0, strength=0.6)

v = with_scheduler(sd, LCMScheduler, prediction_type="v_prediction")
run("v_lcm_4_cfg", v, guidance=1.5)
v = with_scheduler(v, DDIMScheduler, clip_sample=False)
run("v_ddim_6", v, steps=6, guidance=5.0)

sdxl = make_sdxl()
run("sdxl_lcm_4", sdxl, rgb=True)
run("sdxl_lcm_4_cfg_zeros", sdxl, guidance=1.5, seed=8)
run("sdxl_lcm_4_cfg_negative_odd", sdxl, size=(72, 104), guidance=1.5, negative_prompt=NEGATIVE, rgb=True)
# An empty string is encoded where None is not: what a model without force_zeros_for_empty_prompt does.
run("sdxl_lcm_4_cfg_encoded", sdxl, guidance=1.5, seed=8, negative_prompt="")
sdxl_euler = with_scheduler(sdxl, EulerDiscreteScheduler)
run("sdxl_euler_6", sdxl_euler, steps=6, guidance=5.0)
img2img = img2img_of(StableDiffusionXLImg2ImgPipeline, sdxl)
run("sdxl_lcm_4_init", img2img, image=gradient(64, 72), rgb=True, **LCM_HALF)
img2img = img2img_of(StableDiffusionXLImg2ImgPipeline, sdxl_euler)
run("sdxl_euler_8_init_negative", img2img, image=gradient(72, 64), steps=8, guidance=3.0, strength=0.6,
    negative_prompt=NEGATIVE)

# What only conditioning tells apart is far enough apart to be told apart.
for one, other in [("sdxl_lcm_4_cfg_zeros", "sdxl_lcm_4_cfg_encoded"), ("sd_lcm_4_init", "sd_lcm_4_init_cfg")]:
    distance = ((RUNS[one] - RUNS[other]).norm() / RUNS[one].norm()).item()
    print(one, other, "distance", round(distance, 3))
    assert distance > 0.02, distance

save_file(RUNS, f"{HERE}/small.safetensors")
