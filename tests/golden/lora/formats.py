"""LoRAs of every format over one small random SDXL, and the weights after they are merged by diffusers, PEFT or LyCORIS.

`base/` has the networks (f16); per format `NAME.safetensors` as its trainer writes it, and `NAME.merged.safetensors`
with every weight that it changes (f32), the network's name before its key. A file's weight is 0.7, but 1 for LyCORIS'
DoRA, whose other weights mean something else in every program.

Run with the versions below and peft 0.21.2, lycoris-lora 4.1.3: python tests/golden/lora/formats.py
"""

import copy
import re
import shutil
from pathlib import Path

import diffusers
import peft
import torch
from diffusers import StableDiffusionXLPipeline, UNet2DConditionModel
from lycoris.modules.full import FullModule
from lycoris.modules.locon import LoConModule
from lycoris.modules.loha import LohaModule
from lycoris.modules.lokr import LokrModule
from lycoris.modules.norms import NormModule
from peft import LoHaConfig, LoKrConfig, LoraConfig
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

for library, version in ((torch, "2.15"), (diffusers, "0.42.1"), (peft, "0.21.2")):
    assert library.__version__.startswith(version), (library.__name__, library.__version__)

HERE = Path(__file__).resolve().parent
OUT = HERE / "formats"
WEIGHT = 0.7
PARTS = ("unet", "text_encoder", "text_encoder_2")
KOHYA = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}

# What is trained, by part: one of every kind of layer.
TARGETS = {
    "unet": """conv_in conv_out time_embedding.linear_1 add_embedding.linear_2
        down_blocks.0.resnets.1.conv1 down_blocks.0.downsamplers.0.conv down_blocks.1.resnets.0.time_emb_proj
        down_blocks.1.attentions.0.proj_in down_blocks.1.attentions.1.transformer_blocks.0.attn1.to_q
        down_blocks.2.attentions.0.transformer_blocks.1.attn2.to_k down_blocks.2.resnets.0.conv_shortcut
        mid_block.resnets.1.conv2 mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj
        up_blocks.0.resnets.2.conv1 up_blocks.0.attentions.2.transformer_blocks.1.attn2.to_out.0
        up_blocks.0.upsamplers.0.conv up_blocks.1.attentions.0.proj_out up_blocks.2.resnets.0.conv_shortcut
        up_blocks.1.attentions.1.transformer_blocks.0.ff.net.2""".split(),
    "text_encoder": ["text_model.encoder.layers.0.self_attn.q_proj", "text_model.encoder.layers.0.mlp.fc1"],
    "text_encoder_2": ["text_model.encoder.layers.1.self_attn.out_proj", "text_model.encoder.layers.0.mlp.fc2"],
}


def networks():
    torch.manual_seed(7)
    unet = UNet2DConditionModel(
        block_out_channels=[4, 4, 8],
        down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        transformer_layers_per_block=[1, 1, 2],
        layers_per_block=2,
        norm_num_groups=2,
        attention_head_dim=2,
        cross_attention_dim=12,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=2,
        projection_class_embeddings_input_dim=18,
    )
    options = dict(vocab_size=12, max_position_embeddings=8, hidden_size=6, intermediate_size=10, num_attention_heads=2)
    config = CLIPTextConfig(num_hidden_layers=2, projection_dim=6, **options)
    all = {"unet": unet, "text_encoder": CLIPTextModel(config), "text_encoder_2": CLIPTextModelWithProjection(config)}
    with torch.no_grad():
        for network in all.values():
            for p in network.parameters():
                p.copy_(torch.randn(p.shape).half().float())
    return all


BASE = networks()


def module_name(part, target):
    """transformers 5 has no `text_model` in its modules' names; every file has it."""
    names = dict(BASE[part].named_modules())
    return target if target in names else target.removeprefix("text_model.")


def module(part, target):
    return BASE[part].get_submodule(module_name(part, target))


def pipeline():
    fresh = {part: copy.deepcopy(network) for part, network in BASE.items()}
    return StableDiffusionXLPipeline(vae=None, tokenizer=None, tokenizer_2=None, scheduler=None, **fresh)


def plain_key(key):
    return re.sub(r"\.base_layer(?=\.)", "", key).removeprefix("base_model.model.")


def file_key(part, key):
    """As the checkpoint's file names it."""
    return f"{part}.{key if part == 'unet' or key.startswith(('text_model.', 'text_projection')) else 'text_model.' + key}"


def changed(part, network):
    """The weights of a network that are not those of the base."""
    base = BASE[part].state_dict()
    now = {plain_key(key): value for key, value in network.state_dict().items() if "lora_" not in key}
    differs = lambda key, value: key in base and not torch.equal(base[key], value)
    return {file_key(part, key): value.float().contiguous() for key, value in now.items() if differs(key, value)}


def save(name, tensors, merged, metadata=None):
    # Each on its own: safetensors refuses views of one tensor.
    save_file({key: value.detach().clone().contiguous() for key, value in tensors.items()}, OUT / f"{name}.safetensors", metadata)
    save_file({key: value.detach().clone().contiguous() for key, value in merged.items()}, OUT / f"{name}.merged.safetensors")
    print(f"{name}: {len(tensors)} tensors, {len(merged)} weights changed")


def by_diffusers(name, tensors, metadata=None, expect=None, plain=None):
    """Saves the file, and what diffusers makes of it; `plain` is what takes the place of what it does not read."""
    save(name, tensors, {}, metadata)
    pipe = pipeline()
    pipe.load_lora_weights(OUT, weight_name=f"{name}.safetensors")
    pipe.fuse_lora(components=list(PARTS), lora_scale=WEIGHT)
    merged = {key: value for part in PARTS for key, value in changed(part, getattr(pipe, part)).items()}
    for key in set(plain or {}) - set(merged):
        print(f"{name}: diffusers does not read {key}; merged by torch")
        merged[key] = plain[key]
    assert len(merged) == (expect or len(tensors) // 3), (name, sorted(merged))
    save(name, tensors, merged, metadata)


def factors(weight, rank, dtype):
    """down and up of a weight."""
    out, inputs, *kernel = weight.shape
    down, up = torch.randn(rank, inputs, *kernel) / 4, torch.randn(out, rank, *[1] * len(kernel)) / 4
    return down.to(dtype), up.to(dtype)


def every_target():
    return [(part, target) for part in PARTS for target in TARGETS[part]]


# ---- plain LoRA under every naming -----------------------------------------------------------------------------------


def by_torch(part, target, down, up, scale):
    """What a plain LoRA comes to, for the few modules that diffusers 0.42 drops (it says which)."""
    weight = module(part, target).weight.detach()
    delta = (up.float().flatten(1) @ down.float().flatten(1)).reshape(weight.shape)
    return {f"{part}.{target}.weight": weight + WEIGHT * scale * delta}


def kohya(name, dtype, path):
    # One alpha for all: diffusers 0.42 mistakes those of attention that differ.
    alpha, tensors, plain = 1.5, {}, {}
    for i, (part, target) in enumerate(every_target()):
        stem = f"{KOHYA[part]}_{path(part, target).replace('.', '_')}"
        down, up = factors(module(part, target).weight, 2 + i % 2, dtype)
        tensors[f"{stem}.lora_down.weight"], tensors[f"{stem}.lora_up.weight"] = down, up
        tensors[f"{stem}.alpha"] = torch.tensor(alpha).to(dtype)
        plain |= by_torch(part, target, down, up, alpha / down.shape[0])
    by_diffusers(name, tensors, plain=plain)


def sgm(part, target):
    """sgm's path of a diffusers path, for two residual blocks a level and three levels."""
    if part != "unet":
        return target
    single = {
        "conv_in": "input_blocks.0.0", "conv_out": "out.2", "time_embedding.linear_1": "time_embed.0",
        "add_embedding.linear_2": "label_emb.0.2", "down_blocks.0.downsamplers.0.conv": "input_blocks.3.0.op",
        "up_blocks.0.upsamplers.0.conv": "output_blocks.2.2.conv",
    }
    if target in single:
        return single[target]
    inner = {"conv1": "in_layers.2", "conv2": "out_layers.3", "time_emb_proj": "emb_layers.1", "conv_shortcut": "skip_connection"}
    if found := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", target):
        kind, index, rest = found.groups()
        return f"middle_block.{2 * int(index) + (kind == 'attentions')}.{inner.get(rest, rest)}"
    side, level, kind, index, rest = re.match(r"(down|up)_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.*)", target).groups()
    block = 3 * int(level) + int(index) + (side == "down")
    return f"{'input' if side == 'down' else 'output'}_blocks.{block}.{int(kind == 'attentions')}.{inner.get(rest, rest)}"


def peft_plain(name, use_dora, parts):
    """What diffusers' training scripts save: PEFT's names and the configuration in the metadata."""
    pipe, state, configs = pipeline(), dict.fromkeys(PARTS), dict.fromkeys(PARTS)
    for part in parts:
        targets = [module_name(part, target) for target in TARGETS[part]]
        config = LoraConfig(
            r=2, lora_alpha=3, use_dora=use_dora, target_modules=targets, init_lora_weights=False,
            rank_pattern={targets[0]: 3}, alpha_pattern={targets[1]: 5, targets[-1]: 2},
        )
        network = getattr(pipe, part)
        network.add_adapter(config)
        with torch.no_grad():
            for key, p in network.named_parameters():
                if "magnitude" in key:
                    p.mul_(1 + 0.3 * torch.rand(p.shape))
        state[part] = peft.utils.get_peft_model_state_dict(network)
        configs[part] = network.peft_config["default"].to_dict()
    StableDiffusionXLPipeline.save_lora_weights(
        OUT, state["unet"], state["text_encoder"], state["text_encoder_2"], weight_name=f"{name}.safetensors",
        unet_lora_adapter_metadata=configs["unet"], text_encoder_lora_adapter_metadata=configs["text_encoder"],
        text_encoder_2_lora_adapter_metadata=configs["text_encoder_2"],
    )
    saved = load_file(OUT / f"{name}.safetensors")
    with safe_open(OUT / f"{name}.safetensors", "pt") as file:
        metadata = file.metadata()
    by_diffusers(name, saved, metadata, expect=sum(len(TARGETS[part]) for part in parts))


def old_diffusers(name):
    """Attention processors, as diffusers saved them before PEFT."""
    tensors, plain = {}, {}
    attention = [t for t in every_target() if re.search(r"attn\d\.|self_attn|mlp", t[1])]
    for part, target in attention:
        down, up = factors(module(part, target).weight, 2, torch.float32)
        if part == "unet":
            parent, layer = re.match(r"(.*attn\d)\.(to_\w+?)(?:\.0)?$", target).groups()
            stem = f"unet.{parent}.processor.{layer}_lora"
        elif "self_attn" in target:
            parent, layer = re.match(r"(.*self_attn)\.(q|out)_proj$", target).groups()
            stem = f"{part}.{parent}.to_{layer}_lora"
        else:
            stem = f"{part}.{target}.lora_linear_layer"
        tensors[f"{stem}.down.weight"], tensors[f"{stem}.up.weight"] = down, up
        plain |= by_torch(part, target, down, up, 1)
    by_diffusers(name, tensors, expect=len(attention), plain=plain)


# ---- PEFT's own LoHa and LoKr ----------------------------------------------------------------------------------------


def peft_folder(name, config):
    """`adapter_model.safetensors` and `adapter_config.json`, as PEFT saves an adapter."""
    network = peft.get_peft_model(copy.deepcopy(BASE["unet"]), config)
    folder = OUT / name
    network.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    for layer in network.modules():
        if hasattr(layer, "set_scale"):
            layer.set_scale("default", WEIGHT)
    merged = changed("unet", network.merge_and_unload())
    assert len(merged) == len(config.target_modules), (name, len(merged))
    save_file(merged, folder / "merged.safetensors")
    print(f"{name}: {len(merged)} weights changed")


# ---- LyCORIS ---------------------------------------------------------------------------------------------------------


def lycoris_file(name, make, targets, weight=WEIGHT, prefix="lora_unet", dtype=torch.float32):
    tensors, merged = {}, {}
    for target in targets:
        layer = module("unet", target)
        change = make("x", layer)
        with torch.no_grad():
            for key, p in change.named_parameters():
                if "dora_scale" in key:
                    p.mul_(1 + 0.3 * torch.rand(p.shape))
                elif not key.startswith("org"):
                    p.copy_((torch.randn(p.shape) / 2).to(dtype).float())
            # Norms have no dictionary of their own: their parameters are what is saved.
            state = change.custom_state_dict() or dict(change.named_parameters())
            state = {key: value.detach().to(dtype) for key, value in state.items()}
            tensors |= {f"{prefix}_{target.replace('.', '_')}.{key}": value for key, value in state.items()}
            now = merged_weight(change, layer, weight)
            merged |= {f"unet.{target}.{key}": value for key, value in now.items()}
    save(name, tensors, merged)


def merged_weight(change, layer, weight):
    base = layer.weight.detach()
    if isinstance(change, NormModule):
        w, b = change.get_merged_weight(weight)
        return {"weight": w, "bias": b}
    if isinstance(change, FullModule):
        # Its parameters are whole weights; what it saves is their difference.
        bias = layer.bias.detach()
        return {"weight": base + weight * (change.weight - base), "bias": bias + weight * (change.bias - bias)}
    if isinstance(change, LoConModule):
        delta = change.make_weight() * change.scale
    else:
        # Not get_diff_weight, which applies the scale of LoHa and LoKr twice; this is what forward() adds.
        delta = change.get_weight(change.shape) * change.scalar
    if change.wd:
        assert weight == 1
        return {"weight": change.apply_weight_decompose(base + delta)}
    return {"weight": base + weight * delta}


CONVOLUTIONS = ["down_blocks.0.resnets.1.conv1", "up_blocks.2.resnets.0.conv_shortcut", "mid_block.resnets.1.conv2"]
LINEAR = ["down_blocks.1.attentions.0.proj_in", "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj"]
NORMS = ["mid_block.resnets.1.norm2", "mid_block.attentions.0.transformer_blocks.0.norm1"]


def maker(kind, rank, **options):
    # The rank counts as small only below half of a factor's side, and these layers are small.
    return lambda name, layer: kind(name, layer, 1.0, rank, rank * 0.75, **options)


shutil.rmtree(OUT, ignore_errors=True)
OUT.mkdir()
for part, network in BASE.items():
    (OUT / "base" / part).mkdir(parents=True)
    stem = "diffusion_pytorch_model" if part == "unet" else "model"
    tensors = {file_key(part, key).removeprefix(f"{part}."): value.half().contiguous() for key, value in network.state_dict().items() if value.is_floating_point()}
    save_file(tensors, OUT / "base" / part / f"{stem}.safetensors")

torch.manual_seed(8)
kohya("kohya", torch.bfloat16, lambda part, target: target)
kohya("kohya_sgm", torch.float16, sgm)
peft_plain("peft", use_dora=False, parts=PARTS)
# Of text encoders diffusers 0.42 with transformers 5 does not read the lengths.
peft_plain("peft_dora", use_dora=True, parts=["unet"])
old_diffusers("old_diffusers")
both = LINEAR + CONVOLUTIONS
options = dict(r=2, alpha=3, init_weights=False, target_modules=both)
peft_folder("peft_loha", LoHaConfig(use_effective_conv2d=True, **options))
peft_folder("peft_lokr", LoKrConfig(decompose_both=True, decompose_factor=2, **options))
lycoris_file("locon", maker(LoConModule, 2, use_tucker=True), both, dtype=torch.float16)
lycoris_file("loha", maker(LohaModule, 2), both)
lycoris_file("loha_tucker", maker(LohaModule, 2, use_tucker=True), both)
lycoris_file("lokr", maker(LokrModule, 1, factor=2), both)
lycoris_file("lokr_tucker", maker(LokrModule, 1, factor=2, use_tucker=True), both, prefix="lycoris")
lycoris_file("lokr_full", maker(LokrModule, 100000, factor=2), both)
lycoris_file("full", maker(FullModule, 2), both)
lycoris_file("norms", lambda name, layer: NormModule(name, layer), NORMS)
lycoris_file("dora", maker(LoConModule, 2, weight_decompose=True), both, weight=1)
lycoris_file("dora_inputs", maker(LohaModule, 2, weight_decompose=True, wd_on_out=False), both, weight=1)
