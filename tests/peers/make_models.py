#!/usr/bin/env python3
"""A full-size SD1.5 with guidance embedding (the architecture of LCM_Dreamshaper_v7) and random weights, as a folder of
diffusers. Nothing is downloaded: how long a network takes does not depend on what its weights are.

    pip install -r tests/peers/requirements.txt
    python tests/peers/make_models.py FOLDER [--dtype f32]

U-Net, text encoder, autoencoder and `taesd/` (the tiny autoencoder, which diffusers has in a repository of its own).
f16, as published models are: 2.1 GB on disk; f32: 4.3 GB. Needs 6 GB of memory.
"""
import argparse
import json
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, LCMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel

MERGES = Path(__file__).parents[2] / "assets/clip/merges.txt"
DTYPES = {"f16": torch.float16, "f32": torch.float32}

# config.json of the published models, where it differs from the defaults of the classes.
UNET = dict(cross_attention_dim=768, attention_head_dim=8, sample_size=64, time_cond_proj_dim=256)
VAE = dict(
    block_out_channels=(128, 256, 512, 512),
    down_block_types=("DownEncoderBlock2D",) * 4,
    up_block_types=("UpDecoderBlock2D",) * 4,
    layers_per_block=2,
    sample_size=512,
)
TEXT = dict(
    vocab_size=49408, hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12,
    hidden_act="quick_gelu", projection_dim=768, bos_token_id=49406, eos_token_id=49407, pad_token_id=1,
)
SCHEDULER = dict(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=True,
    steps_offset=1,
)
MILLIONS = {"unet": 859.6, "vae": 83.7, "taesd": 2.4, "text_encoder": 123.1}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--dtype", choices=DTYPES, default="f16")
    chosen = arguments.parse_args()
    dtype = DTYPES[chosen.dtype]
    torch.manual_seed(0)
    save_network(UNet2DConditionModel(**UNET), chosen.folder / "unet", dtype)
    save_network(AutoencoderKL(**VAE), chosen.folder / "vae", dtype)
    save_network(AutoencoderTiny(), chosen.folder / "taesd", dtype)
    save_network(CLIPTextModel(CLIPTextConfig(**TEXT)), chosen.folder / "text_encoder", dtype)
    save_tokenizer(chosen.folder / "tokenizer")
    LCMScheduler(**SCHEDULER).save_pretrained(chosen.folder / "scheduler")
    save_index(chosen.folder)


def save_network(network, folder, dtype):
    """`config.json` and weights, under the keys of the published files."""
    millions = sum(p.numel() for p in network.parameters()) / 1e6
    assert abs(millions - MILLIONS[folder.name]) < 0.06, (folder.name, millions)
    randomise(network)
    folder.mkdir(parents=True, exist_ok=True)
    text = isinstance(network, CLIPTextModel)
    (network.config.save_pretrained if text else network.save_config)(folder)
    # transformers ≥ 5 has no `text_model.` in front of these keys; files on the hub do.
    prefix = "text_model." if text and not hasattr(network, "text_model") else ""
    tensors = {prefix + key: value.to(dtype).contiguous() for key, value in network.state_dict().items()}
    name = "model" if text else "diffusion_pytorch_model"
    save_file(tensors, folder / f"{name}.safetensors", metadata={"format": "pt"})
    print(f"{folder}: {millions:.1f} M parameters")


@torch.no_grad()
def randomise(network):
    """Weights that keep activations near one: neither overflow nor subnormal numbers, which would be slow."""
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1:
            parameter.normal_(0, 0.02 if "embedding.weight" in name else parameter[0].numel() ** -0.5)
        else:
            parameter.fill_(1.0 if name.endswith("weight") else 0.0)


def save_tokenizer(folder):
    """CLIP's vocabulary, as `SimpleTokenizer.__init__` of OpenAI's CLIP builds it from the merges."""
    folder.mkdir(parents=True, exist_ok=True)
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    symbols = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(256 - len(printable))]
    merges = MERGES.read_text(encoding="utf-8").splitlines()
    tokens = symbols + [symbol + "</w>" for symbol in symbols] + [merge.replace(" ", "") for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    assert len(tokens) == TEXT["vocab_size"], len(tokens)
    end = "<|endoftext|>"
    special = dict(bos_token="<|startoftext|>", eos_token=end, unk_token=end, pad_token=end)
    config = special | dict(tokenizer_class="CLIPTokenizer", model_max_length=77, do_lower_case=True)
    write_json(folder / "vocab.json", {token: i for i, token in enumerate(tokens)})
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    write_json(folder / "special_tokens_map.json", special)
    write_json(folder / "tokenizer_config.json", config)


def save_index(folder):
    index = dict(
        _class_name="LatentConsistencyModelPipeline",
        _diffusers_version=diffusers.__version__,
        feature_extractor=[None, None],
        image_encoder=[None, None],
        requires_safety_checker=False,
        safety_checker=[None, None],
        scheduler=["diffusers", "LCMScheduler"],
        text_encoder=["transformers", "CLIPTextModel"],
        tokenizer=["transformers", "CLIPTokenizer"],
        unet=["diffusers", "UNet2DConditionModel"],
        vae=["diffusers", "AutoencoderKL"],
    )
    write_json(folder / "model_index.json", index)


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
