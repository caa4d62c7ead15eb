"""Small random networks and what diffusers and transformers compute with them.

One folder per case: `config.json` and `model.safetensors` (f16) as those libraries save them, and `golden.safetensors`
with inputs and outputs in f32. Every weight is random, also those of norms and biases, so that no mistake hides behind
a one or a zero. Run it anywhere: `python make.py` rewrites the folders beside it.
"""

import json
import pathlib
import shutil
import zlib

import diffusers
import torch
import transformers
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from diffusers.pipelines.latent_consistency_models.pipeline_latent_consistency_text2img import (
    LatentConsistencyModelPipeline,
)
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

VERSIONS = {"diffusers": "0.42.1", "transformers": "5.23.0", "torch": "2.15"}
for library in (diffusers, transformers, torch):
    assert library.__version__.startswith(VERSIONS[library.__name__]), (library.__name__, library.__version__)

HERE = pathlib.Path(__file__).resolve().parent
STICKER = HERE.parents[2] / "assets" / "sticker"


def seeded(name):
    """The generator of a case: the same whichever cases run, and in which order."""
    return torch.Generator("cpu").manual_seed(zlib.crc32(name.encode()))


def randn(g, *shape, scale=1.0):
    return torch.randn(*shape, generator=g) * scale


def randomise(model, g):
    """Random values that keep activations near one, rounded to f16 so that what is saved is what is computed with."""
    with torch.no_grad():
        for name, p in sorted(model.named_parameters()):
            if p.ndim > 1 and "embedding.weight" not in name:
                value = randn(g, *p.shape) / p[0].numel() ** 0.5
            elif name.endswith("weight") and p.ndim == 1:
                value = 1 + randn(g, *p.shape, scale=0.3)
            else:
                value = randn(g, *p.shape, scale=0.3)
            p.copy_(value.half())
    return model.float().eval()


def save(name, model, tensors, rename=lambda key: key):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else dict(model.config)
    config = {k: v for k, v in config.items() if k == "_class_name" or not k.startswith("_")}
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True, default=list) + "\n")
    weights = {rename(k): v.half().contiguous() for k, v in model.state_dict().items() if v.is_floating_point()}
    save_file(weights, folder / "model.safetensors")
    save_file({k: v.contiguous() for k, v in tensors.items()}, folder / "golden.safetensors")
    print(f"{name}: {sum(v.numel() for v in weights.values())} parameters")


# ---- text encoders ---------------------------------------------------------------------------------------------------


def clip(name, prefix, ids, **options):
    g = seeded(name)
    projected = options.pop("projected", False)
    config = CLIPTextConfig(vocab_size=60, max_position_embeddings=12, bos_token_id=0, pad_token_id=0, **options)
    model = (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
    ids = torch.tensor(ids)
    out = randomise(model, g)(ids, output_hidden_states=True)
    tensors = {"ids": ids.float(), "last_hidden": out.last_hidden_state, "penultimate": out.hidden_states[-2]}
    if projected:
        tensors["pooled"] = out.text_embeds
    bare = lambda key: key.removeprefix("text_model.")
    save(name, model, tensors, lambda key: key if "text_projection" in key else prefix + bare(key))


def clips():
    base = dict(hidden_size=16, intermediate_size=64, num_hidden_layers=3, num_attention_heads=4)
    prompts = [[50, 4, 9, 30, 51, 51, 51, 51, 51, 51, 51, 51], [50, 4, 51, 51, 51, 51, 51, 51, 51, 51, 51, 51]]
    clip("clip_l", "text_model.", prompts, hidden_act="quick_gelu", eos_token_id=51, **base)
    clip("clip_bare_keys", "", prompts[:1], hidden_act="gelu", eos_token_id=51, **base)
    # The end of text is its first occurrence, also where padding has a higher id, and where the prompt has one.
    padded = [[50, 4, 9, 30, 51, 0, 0, 0, 0, 0, 0, 0], [50, 59, 7, 51, 59, 59, 59, 59, 59, 59, 59, 59]]
    big = dict(hidden_act="gelu", projection_dim=24, projected=True)
    clip("clip_bigg", "text_model.", padded, eos_token_id=51, **base, **big)
    clip("clip_legacy_eos", "text_model.", [[50, 2, 9, 30, 59, 0, 0]], eos_token_id=2, **base, **big)


# ---- U-Nets ----------------------------------------------------------------------------------------------------------

CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"
THREE = dict(
    block_out_channels=[8, 16, 24],
    down_block_types=[DOWN, CROSS_DOWN, CROSS_DOWN],
    up_block_types=[CROSS_UP, CROSS_UP, UP],
    layers_per_block=1,
    norm_num_groups=4,
)


def run_unet(model, g, n, size, timestep, guidance=None, sizes=None):
    config = model.config
    latents = randn(g, n, config.in_channels, *size)
    width = config.cross_attention_dim
    context = randn(g, n, 5, width if isinstance(width, int) else width[0])
    tensors = {"latents": latents, "context": context, "timestep": torch.tensor([float(timestep)])}
    options = {}
    if guidance is not None:
        embed = LatentConsistencyModelPipeline.get_guidance_scale_embedding
        w = embed(None, torch.tensor([guidance - 1.0]).repeat(n), embedding_dim=config.time_cond_proj_dim)
        options["timestep_cond"] = w
        tensors["guidance_scale"] = torch.tensor([guidance])
    if sizes is not None:
        pooled = randn(g, n, config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim)
        ids = torch.tensor([sizes] * n, dtype=torch.float32)
        options["added_cond_kwargs"] = {"text_embeds": pooled, "time_ids": ids}
        tensors |= {"pooled": pooled, "sizes": torch.tensor(sizes, dtype=torch.float32)}
    tensors["out"] = model(latents, timestep, context, **options).sample
    return tensors


def unet(name, n=1, size=(8, 8), timestep=759, guidance=None, sizes=None, **options):
    g = seeded(name)
    model = randomise(UNet2DConditionModel(**options), g)
    save(name, model, run_unet(model, g, n, size, timestep, guidance, sizes))


def unets():
    sd15 = dict(
        block_out_channels=[8, 16, 16, 24],
        norm_num_groups=4,
        attention_head_dim=4,
        cross_attention_dim=12,
        down_block_types=[CROSS_DOWN, CROSS_DOWN, CROSS_DOWN, DOWN],
        up_block_types=[UP, CROSS_UP, CROSS_UP, CROSS_UP],
    )
    unet("unet_sd15", n=2, size=(16, 8), **sd15)
    unet("unet_odd", size=(17, 11), timestep=999, **sd15 | dict(layers_per_block=1))
    unet("unet_lcm", n=2, timestep=259, guidance=8.0, time_cond_proj_dim=26, **sd15 | dict(layers_per_block=1))
    linear = dict(use_linear_projection=True, attention_head_dim=[2, 4, 3], cross_attention_dim=20)
    unet("unet_sd2", timestep=499, **THREE | linear | dict(down_block_types=[CROSS_DOWN, CROSS_DOWN, DOWN]))
    sdxl = dict(
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=10 + 6 * 8,
        **linear,
    )
    sizes = [1024, 768, 0, 64, 1024, 1024]
    unet("unet_sdxl", n=2, sizes=sizes, transformer_layers_per_block=[1, 2, 3], **THREE | sdxl)
    nested = dict(
        mid_block_type="UNetMidBlock2D",
        layers_per_block=2,
        transformer_layers_per_block=[1, [1, 2], [2, 1]],
        reverse_transformer_layers_per_block=[[1, 3, 2], [2, 1, 1], 1],
    )
    unet("unet_ssd1b", sizes=sizes, **THREE | sdxl | nested)
    unet("unet_nested_mid", **THREE | linear | nested | dict(mid_block_type="UNetMidBlock2DCrossAttn"))
    unet(
        "unet_rare",
        size=(9, 9),
        mid_block_type=None,
        layers_per_block=[1, 2, 1],
        cross_attention_dim=[12, 12, 12],
        attention_head_dim=4,
        downsample_padding=0,
        conv_in_kernel=1,
        conv_out_kernel=5,
        act_fn="gelu",
        norm_eps=1e-3,
        flip_sin_to_cos=False,
        freq_shift=1,
        time_embedding_dim=36,
        in_channels=5,
        out_channels=3,
        **{k: v for k, v in THREE.items() if k != "layers_per_block"},
    )


def sticker():
    """The embedded models: their weights are not copied, so a case is inputs and outputs only."""
    for name, guidance in (("teacher", None), ("lcm", 8.0)):
        source = STICKER / name / "unet"
        model = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(source))
        model.load_state_dict(load_file(source / "diffusion_pytorch_model.safetensors"))
        tensors = run_unet(model.float().eval(), seeded(name), 1, (16, 16), 499, guidance)
        save_file({k: v.contiguous() for k, v in tensors.items()}, HERE / f"sticker_{name}.safetensors")


# ---- autoencoders ----------------------------------------------------------------------------------------------------


def kl(name, size=(16, 24), rename=lambda key: key, **options):
    g = seeded(name)
    stages = len(options["block_out_channels"])
    model = AutoencoderKL(
        down_block_types=["DownEncoderBlock2D"] * stages, up_block_types=["UpDecoderBlock2D"] * stages, **options
    )
    model = randomise(model, g)
    scale, shift = model.config.scaling_factor, model.config.shift_factor or 0.0
    image = randn(g, 2, 3, *size).clamp(-1, 1)
    latents = randn(g, 2, model.config.latent_channels, size[0] // 4, size[1] // 4)
    posterior = model.encode(image).latent_dist
    tensors = {
        "image": image,
        "mean": (posterior.mean - shift) * scale,
        "std": posterior.std * scale,
        "latents": latents,
        "decoded": model.decode(latents / scale + shift).sample,
    }
    save(name, model, tensors, rename)


def old_attention(key):
    if ".attentions." in key:
        for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            key = key.replace(new, old)
    return key


def autoencoders():
    base = dict(block_out_channels=[8, 16, 16], layers_per_block=1, norm_num_groups=4)
    kl("kl_sd15", rename=old_attention, scaling_factor=0.18215, **base | dict(layers_per_block=2))
    kl(
        "kl_rare",
        size=(13, 22),
        latent_channels=6,
        scaling_factor=0.36,
        shift_factor=0.11,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=False,
        act_fn="gelu",
        **base,
    )


def tiny(name, size=(32, 24), **options):
    g = seeded(name)
    model = randomise(AutoencoderTiny(**options), g)
    image = randn(g, 2, 3, *size).clamp(-1, 1)
    latents = randn(g, 2, model.config.latent_channels, 4, 3, scale=3.0)
    # `encode` and `decode` leave the sampler's scale to the pipelines, as those of AutoencoderKL.
    scale, shift = model.config.scaling_factor, model.config.shift_factor
    tensors = {
        "image": image,
        "encoded": (model.encode(image).latents - shift) * scale,
        "latents": latents,
        "decoded": model.decode(latents / scale + shift).sample,
    }
    save(name, model, tensors)


def tinies():
    widths = lambda c, n=4: dict(encoder_block_out_channels=(c,) * n, decoder_block_out_channels=(c,) * n)
    tiny("tiny_taesd", **widths(12))
    tiny(
        "tiny_rare",
        size=(27, 18),
        act_fn="silu",
        latent_channels=6,
        scaling_factor=0.6,
        shift_factor=0.25,
        upsampling_scaling_factor=3,
        num_encoder_blocks=(2, 1),
        num_decoder_blocks=(1, 2),
        **widths(10, 2),
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        clips()
        unets()
        sticker()
        autoencoders()
        tinies()
