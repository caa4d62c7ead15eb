"""Single-file checkpoints: what the tensors of diffusers folders are called by Stability's `ldm` and `sgm`.

After diffusers' scripts/convert_diffusers_to_original_stable_diffusion.py and ..._sdxl.py, for two layers a block.
"""
import re

import torch

UNET = {"conv_in": "input_blocks.0.0", "time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "add_embedding.linear_1": "label_emb.0.0", "add_embedding.linear_2": "label_emb.0.2", "conv_norm_out": "out.0",
        "conv_out": "out.2"}
RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
LAYER = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc",
         "mlp.fc2": "mlp.c_proj"}


def unet_module(name, attends_up):
    """`attends_up`: the up blocks with transformers, whose upsampler comes one place later."""
    if name in UNET:
        return UNET[name]
    if match := re.fullmatch(r"(down|up)_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.(.+)", name):
        side, block, kind, layer, inner = match[1], int(match[2]), match[3], int(match[4]), match[5]
        place = f"input_blocks.{3 * block + layer + 1}" if side == "down" else f"output_blocks.{3 * block + layer}"
        return f"{place}.0.{RESNET[inner]}" if kind == "resnets" else f"{place}.1.{inner}"
    if match := re.fullmatch(r"mid_block\.resnets\.([01])\.(.+)", name):
        return f"middle_block.{2 * int(match[1])}.{RESNET[match[2]]}"
    if match := re.fullmatch(r"mid_block\.attentions\.0\.(.+)", name):
        return f"middle_block.1.{match[1]}"
    if match := re.fullmatch(r"down_blocks\.(\d+)\.downsamplers\.0\.conv", name):
        return f"input_blocks.{3 * int(match[1]) + 3}.0.op"
    match = re.fullmatch(r"up_blocks\.(\d+)\.upsamplers\.0\.conv", name)
    block = int(match[1])
    return f"output_blocks.{3 * block + 2}.{2 if block in attends_up else 1}.conv"


def vae_module(name, levels=4):
    if match := re.fullmatch(r"(encoder|decoder)\.mid_block\.(resnets|attentions)\.(\d)\.(.+)", name):
        inner = ATTENTION.get(match[4], match[4])
        return f"{match[1]}.mid.{'block' if match[2] == 'resnets' else 'attn'}_{int(match[3]) + 1}.{inner}"
    if match := re.fullmatch(r"(encoder|decoder)\.(?:down|up)_blocks\.(\d)\.(.+)", name):
        level = int(match[2]) if match[1] == "encoder" else levels - 1 - int(match[2])
        inner = match[3].replace("resnets.", "block.").replace("conv_shortcut", "nin_shortcut")
        inner = inner.replace("downsamplers.0", "downsample").replace("upsamplers.0", "upsample")
        return f"{match[1]}.{'down' if match[1] == 'encoder' else 'up'}.{level}.{inner}"
    return name.replace("conv_norm_out", "norm_out")


def split(key):
    module, _, leaf = key.rpartition(".")
    return module, leaf


def lines_of_unet(recipe):
    attends_up = {int(m[1]) for key in recipe.tensors if (m := re.match(r"up_blocks\.(\d+)\.attentions", key))}
    for key, tensor in recipe.tensors.items():
        module, leaf = split(key)
        yield f"model.diffusion_model.{unet_module(module, attends_up)}.{leaf}", tensor.shape, [f"unet:{key}"]


def lines_of_vae(recipe):
    for key, tensor in recipe.tensors.items():
        module, leaf = split(key)
        matrix = leaf == "weight" and "attentions" in key and "group_norm" not in key
        shape = (*tensor.shape, 1, 1) if matrix else tensor.shape
        yield f"first_stage_model.{vae_module(module)}.{leaf}", shape, [f"vae:{key}"]


def lines_of_clip(recipe, prefix, source):
    for key, tensor in recipe.tensors.items():
        yield f"{prefix}{key}", tensor.shape, [f"{source}:{key}"]


def lines_of_openclip(recipe, prefix, source, unused_layer=False):
    """`unused_layer`: SD2 reads what comes before the last layer and the projection, which diffusers leaves out."""
    text = "text_model."
    names = {f"{text}embeddings.token_embedding.weight": "token_embedding.weight",
             f"{text}embeddings.position_embedding.weight": "positional_embedding",
             f"{text}final_layer_norm.weight": "ln_final.weight", f"{text}final_layer_norm.bias": "ln_final.bias"}
    last = max(int(m[1]) for key in recipe.tensors if (m := re.search(r"layers\.(\d+)", key)))
    if unused_layer:
        key = f"{text}encoder.layers.0.self_attn.q_proj.weight"
        yield f"{prefix}text_projection", recipe.tensors[key].shape, [f"{source}:{key}"]
    for key, tensor in recipe.tensors.items():
        if key in names:
            yield prefix + names[key], tensor.shape, [f"{source}:{key}"]
        elif key == "text_projection.weight":
            yield f"{prefix}text_projection", tensor.shape[::-1], ["T", f"{source}:{key}"]
        elif match := re.fullmatch(r"text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)", key):
            layers = [int(match[1])] + ([last + 1] if unused_layer and int(match[1]) == last else [])
            for layer in layers:
                root = f"{prefix}transformer.resblocks.{layer}."
                if match[2] == "self_attn.q_proj":
                    sources = [f"{source}:{key.replace('q_proj', f'{part}_proj')}" for part in "qkv"]
                    yield f"{root}attn.in_proj_{match[3]}", (3 * tensor.shape[0], *tensor.shape[1:]), sources
                elif match[2] in LAYER:
                    yield f"{root}{LAYER[match[2]]}.{match[3]}", tensor.shape, [f"{source}:{key}"]


def gather(recipes, sources, shape):
    """The tensor of a line."""
    turned = sources[0] == "T"
    parts = [recipes[part].tensors[key] for part, key in (source.split(":") for source in sources[turned:])]
    return torch.cat([part.T if turned else part for part in parts]).reshape(tuple(shape))
