#!/usr/bin/env python3
"""SD1.5, SSD-1B and SDXL in full size with random weights, LCM-LoRAs for them, and what diffusers paints, for the ignored
test `full_size_models` of app/engine/tests/golden_models.rs.

    pip install torch==2.15.* diffusers==0.42.1 transformers==5.23.0 peft==0.21.2 safetensors numpy
    python tests/golden/full_size/make.py FOLDER [sd15|ssd-1b|sdxl …]

Writes, in f16: folders of diffusers, single-file checkpoints, `loras/`, runs.json and runs.safetensors (f32). A model
whose single file is there is kept. Needs the memory of the largest U-Net in f32 and half as much again (sd15 6 GB,
ssd-1b 8 GB, sdxl 14 GB), and 30 GB of disk for all. On a busy machine set OMP_NUM_THREADS=1.
"""
import argparse
import gc
import json
import shutil
import sys
import time
import zlib
from pathlib import Path

import diffusers
import torch
import transformers
from diffusers import (AutoencoderKL, EulerDiscreteScheduler, LCMScheduler, PNDMScheduler, StableDiffusionPipeline,
                       StableDiffusionXLPipeline, UNet2DConditionModel)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

sys.path.insert(0, str(Path(__file__).parents[1] / "models"))
import architectures as forms  # noqa: E402
import checkpoint  # noqa: E402
import loras  # noqa: E402
from weights import spread  # noqa: E402
from make import NEGATIVE, PROMPT, clip_vocabulary  # noqa: E402

# config.json of the published models, where it differs from UNet2DConditionModel's defaults.
UNETS = {
    "sd15": dict(cross_attention_dim=768, attention_head_dim=8, sample_size=64),
    "sdxl": forms.SDXL | dict(block_out_channels=(320, 640, 1280), attention_head_dim=(5, 10, 20), sample_size=128,
                              cross_attention_dim=2048, projection_class_embeddings_input_dim=2816),
}
UNETS["ssd-1b"] = UNETS["sdxl"] | {key: forms.SSD1B[key] for key in (
    "mid_block_type", "transformer_layers_per_block", "reverse_transformer_layers_per_block")}
BILLIONS = {"sd15": 0.860, "sdxl": 2.567, "ssd-1b": 1.3}
TEXT_L = (CLIPTextModel, dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
                              hidden_act="quick_gelu", projection_dim=768))
TEXT_G = (CLIPTextModelWithProjection, dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32,
                                            num_attention_heads=20, hidden_act="gelu", projection_dim=1280))
SIZE = (256, 256)


class Tensors:
    """What `loras` writes recipes for: the same calls, with numbers from torch's generator."""

    def __init__(self, seed):
        self.seed, self.tensors = seed, {}

    def add(self, name, shape, offset, scale):
        g = torch.Generator("cpu").manual_seed(zlib.crc32(f"{self.seed}/{name}".encode()))
        uniform = torch.rand(tuple(shape), generator=g).mul_(2 * scale).add_(offset - scale)
        self.tensors[name] = uniform.half()


loras.Recipe = Tensors


def random_weights(network, seed):
    """Residual branches are weaker than in the small models, as there are more of them."""
    text = type(network).__name__.startswith("CLIPTextModel")
    made = Tensors(seed)
    for key, parameter in network.named_parameters():
        prefixed = not text or key.startswith("text_")
        offset, scale = spread(key, parameter.shape)
        scale *= 0.1 if parameter.ndim < 2 else 0.7
        made.add(key if prefixed else f"text_model.{key}", parameter.shape, offset, scale)
    return made


def on_meta(cls, config):
    with torch.device("meta"):
        return cls(config) if isinstance(config, CLIPTextConfig) else cls.from_config(config)


def make_model(out, name):
    """The folder and the single file. Nothing of it is in memory afterwards."""
    folder, xl = out / name, name != "sd15"
    shutil.rmtree(folder, ignore_errors=True)
    texts = [TEXT_L, TEXT_G] if xl else [TEXT_L]
    parts = {"unet": (UNet2DConditionModel, UNETS[name])}
    parts["vae"] = (AutoencoderKL, dict(
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, scaling_factor=0.13025 if xl else 0.18215,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=1024 if xl else 512))
    for ending, (cls, options) in zip(("", "_2"), texts):
        parts[f"text_encoder{ending}"] = (cls, CLIPTextConfig(
            vocab_size=49408, bos_token_id=49406, eos_token_id=49407, pad_token_id=1, **options))
        pad = "!" if ending else "<|endoftext|>"
        tokenizer = CLIPTokenizer(**clip_vocabulary(), pad_token=pad, model_max_length=77)
        save_tokenizer(tokenizer, folder / f"tokenizer{ending}", pad)
    index = {"_class_name": "StableDiffusionXLPipeline" if xl else "StableDiffusionPipeline",
             "_diffusers_version": diffusers.__version__}
    if xl:
        index["force_zeros_for_empty_prompt"] = True
    made = {}
    for part, (cls, config) in parts.items():
        network = on_meta(cls, config)
        made[part] = random_weights(network, f"{name}/{part}")
        if part == "unet":
            count = sum(p.numel() for p in network.parameters()) / 1e9
            assert abs(count - BILLIONS[name]) < 0.05, count
            lora = loras.kohya(f"{name}/lcm", [("lora_unet", network, loras.LCM)], 64, 8)
            save(lora.tensors, out / "loras" / f"{name}_lcm.safetensors")
        text = part.startswith("text")
        (network.config.save_pretrained if text else network.save_config)(folder / part)
        stem = "model" if text else "diffusion_pytorch_model"
        save(made[part].tensors, folder / part / f"{stem}.safetensors")
        index[part] = ["transformers" if text else "diffusers", cls.__name__]
        if text:
            index[part.replace("text_encoder", "tokenizer")] = ["transformers", "CLIPTokenizer"]
    scheduler = forms.SCHEDULERS["xl" if xl else "classic"]()
    scheduler.save_pretrained(folder / "scheduler")
    index["scheduler"] = ["diffusers", type(scheduler).__name__]
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))
    save_checkpoint(made, out / f"{name}.safetensors")


def save_checkpoint(made, path):
    lines = [*checkpoint.lines_of_unet(made["unet"]), *checkpoint.lines_of_vae(made["vae"])]
    if "text_encoder_2" in made:
        lines += checkpoint.lines_of_clip(made["text_encoder"], "conditioner.embedders.0.transformer.", "text_encoder")
        lines += checkpoint.lines_of_openclip(made["text_encoder_2"], "conditioner.embedders.1.model.", "text_encoder_2")
    else:
        lines += checkpoint.lines_of_clip(made["text_encoder"], "cond_stage_model.transformer.", "text_encoder")
    save({key: checkpoint.gather(made, sources, shape) for key, shape, sources in lines}, path)


def save_tokenizer(tokenizer, folder, pad):
    folder.mkdir(parents=True)
    vocabulary = clip_vocabulary()
    (folder / "vocab.json").write_text(json.dumps(vocabulary["vocab"], ensure_ascii=False))
    merges = "\n".join(" ".join(merge) for merge in vocabulary["merges"])
    (folder / "merges.txt").write_text(f"#version: 0.2\n{merges}\n")
    special = dict(bos_token="<|startoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>", pad_token=pad)
    (folder / "special_tokens_map.json").write_text(json.dumps(special))
    config = special | dict(tokenizer_class="CLIPTokenizer", model_max_length=77, do_lower_case=True)
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    again = CLIPTokenizer.from_pretrained(folder)
    assert again(PROMPT, padding="max_length").input_ids == tokenizer(PROMPT, padding="max_length").input_ids


def save(tensors, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, path, metadata={"format": "pt"})


def embeddings(pipeline, folder):
    """Of prompt and negative prompt, by the text encoders alone."""
    options = dict(unet=None, vae=None, torch_dtype=torch.float32)
    if pipeline is StableDiffusionPipeline:
        options |= dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
    pipe = pipeline.from_pretrained(folder, **options)
    options = dict(device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=True, negative_prompt=NEGATIVE)
    made = pipe.encode_prompt(PROMPT, **options)
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds", "negative_pooled_prompt_embeds")
    return dict(zip(names, made))


def paint(out, name):
    """Final latents by case: with the LCM-LoRA, and with guidance and a negative prompt."""
    folder = out / name
    pipeline = StableDiffusionPipeline if name == "sd15" else StableDiffusionXLPipeline
    texts = embeddings(pipeline, folder)
    gc.collect()
    unet = UNet2DConditionModel.from_pretrained(folder / "unet", torch_dtype=torch.float32)
    scheduler = PNDMScheduler if name == "sd15" else EulerDiscreteScheduler
    scheduler = LCMScheduler.from_config(scheduler.from_pretrained(folder / "scheduler").config)
    none = dict(vae=None, text_encoder=None, tokenizer=None)
    if name == "sd15":
        pipe = pipeline(unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None,
                        requires_safety_checker=False, **none)
    else:
        pipe = pipeline(unet=unet, scheduler=scheduler, text_encoder_2=None, tokenizer_2=None, add_watermarker=False,
                        **none)
    pipe.load_lora_weights(load_file(out / "loras" / f"{name}_lcm.safetensors"), adapter_name="lcm")
    pipe.fuse_lora(components=["unet"])
    pipe.unload_lora_weights()
    for case, guidance in (("lcm_lora", 1.0), ("lcm_lora_guided", 1.5)):
        start = time.time()
        latents = pipe(**texts, width=SIZE[0], height=SIZE[1], num_inference_steps=4, guidance_scale=guidance,
                       generator=torch.Generator("cpu").manual_seed(7), output_type="latent").images
        assert torch.isfinite(latents).all()
        passes = 4 if guidance == 1.0 else 8
        print(f"{name}_{case}: std {latents.std().item():.3f}, {(time.time() - start) / passes:.2f} s a pass", flush=True)
        yield f"{name}_{case}", guidance, latents.float().contiguous()


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("models", nargs="*", default=list(UNETS))
    chosen = arguments.parse_args()
    out = chosen.folder
    out.mkdir(parents=True, exist_ok=True)
    runs = json.loads((out / "runs.json").read_text()) if (out / "runs.json").exists() else []
    latents = load_file(out / "runs.safetensors") if runs else {}
    for name in chosen.models:
        if not (out / f"{name}.safetensors").exists():
            make_model(out, name)
            gc.collect()
        for case, guidance, result in paint(out, name):
            request = dict(loras=[dict(source=f"loras/{name}_lcm.safetensors", weight=1.0)], prompt=PROMPT,
                           negative_prompt=NEGATIVE, seed=7, size=dict(width=SIZE[0], height=SIZE[1]), sampler="lcm",
                           steps=4, guidance_scale=guidance)
            models = {case: name, f"{case}_file": f"{name}.safetensors"} if guidance > 1 else {case: name}
            for run, model in models.items():
                runs = [other for other in runs if other["name"] != run]
                runs.append(dict(name=run, model=model, request=request))
                latents[run] = result.clone()
        (out / "runs.json").write_text(json.dumps(runs, indent=1))
        save(latents, out / "runs.safetensors")
        gc.collect()


if __name__ == "__main__":
    main()
