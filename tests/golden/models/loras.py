"""LoRAs in the formats people have, over a pipeline's networks."""
import re

import torch

from checkpoint import unet_module
from weights import Recipe

# What the LCM-LoRAs of latent-consistency train.
LCM = r"(to_q|to_k|to_v|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2|conv1|conv2|conv_shortcut|(down|up)samplers\.0\.conv|time_emb_proj)$"
ATTENTION = r"attn[12]\.(to_q|to_k|to_v|to_out\.0)$"
TRANSFORMER = r"(proj_in|proj_out|attn[12]\.(to_q|to_k|to_v|to_out\.0)|ff\.net\.0\.proj|ff\.net\.2)$"
TEXT = r"(q_proj|k_proj|v_proj|out_proj|fc1|fc2)$"


def modules(model, pattern):
    found = {name: m.weight for name, m in model.named_modules() if re.search(pattern, name) and hasattr(m, "weight")}
    assert found, pattern
    return found


def pair(recipe, down, up, weight, rank, gain=0.3):
    """A convolution's kernel is in `down`."""
    kernel = tuple(weight.shape[2:])
    fan_in = weight[0].numel()
    recipe.add(down, (rank, weight.shape[1], *kernel), 0, (3 / fan_in) ** 0.5)
    recipe.add(up, (weight.shape[0], rank, *(1 for _ in kernel)), 0, gain * (3 / rank) ** 0.5)


def kohya(seed, parts, rank, alpha, sgm=False):
    """`parts`: prefix (`lora_unet`, `lora_te`, `lora_te1`, …), network, pattern. `sgm`: SDXL's names in its single file."""
    recipe = Recipe(seed)
    for prefix, model, pattern in parts:
        attends_up = {i for i, block in enumerate(getattr(model, "up_blocks", ())) if hasattr(block, "attentions")}
        for name, weight in modules(model, pattern).items():
            if sgm and prefix == "lora_unet":
                name = unet_module(name, attends_up)
            if prefix != "lora_unet" and not name.startswith("text_model."):
                name = f"text_model.{name}"
            key = f"{prefix}_{name.replace('.', '_')}"
            pair(recipe, f"{key}.lora_down.weight", f"{key}.lora_up.weight", weight, rank)
            if alpha is not None:
                recipe.add(f"{key}.alpha", (), alpha, 0)
    return recipe


def peft(seed, parts, rank):
    """`parts`: prefix (`unet`, `text_encoder`, `text_encoder_2`), network, pattern."""
    recipe = Recipe(seed)
    for prefix, model, pattern in parts:
        for name, weight in modules(model, pattern).items():
            key = f"{prefix}.{with_text_model(prefix, name)}"
            pair(recipe, f"{key}.lora_A.weight", f"{key}.lora_B.weight", weight, rank)
    return recipe


def old_diffusers(seed, parts, rank):
    """What `save_attn_procs` wrote, and what followed for text encoders."""
    recipe = Recipe(seed)
    for prefix, model, pattern in parts:
        for name, weight in modules(model, pattern).items():
            if prefix == "unet":
                module, projection = name.removesuffix(".0").rsplit(".", 1)
                key = f"unet.{module}.processor.{projection}_lora"
            else:
                key = f"{prefix}.{with_text_model(prefix, name)}.lora_linear_layer"
            pair(recipe, f"{key}.down.weight", f"{key}.up.weight", weight, rank)
    return recipe


def with_text_model(prefix, name):
    return name if prefix == "unet" or name.startswith("text_model.") else f"text_model.{name}"


torch.set_grad_enabled(False)
