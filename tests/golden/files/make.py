"""Single files of every family, and what diffusers makes of them.

One JSON file per case: `single` is the single file's tensors with their shapes, `networks` what diffusers' own conversion
(`diffusers.loaders.single_file_utils`) turns them into, with the CRC-32 of every tensor's bytes. Values are not kept:
they follow from the number of the tensor in the single file's sorted keys and of the value in it, by `fill` here and in
`app/weights/tests/files/golden.rs`. That the conversion is right is checked here: diffusers' networks take its result
with no tensor missing or left over.

`full.txt` has the shapes of the U-Nets in their real sizes, in the names of single files, biases left out.

Run it anywhere: `python make.py` rewrites the files beside it.
"""

import json
import pathlib
import re
import zlib

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from diffusers.loaders import single_file_utils as convert
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

VERSIONS = {"diffusers": "0.42.1", "transformers": "5.23.0", "torch": "2.15"}
for library in (diffusers, transformers, torch):
    assert library.__version__.startswith(VERSIONS[library.__name__]), (library.__name__, library.__version__)

HERE = pathlib.Path(__file__).resolve().parent

# ---- values ----------------------------------------------------------------------------------------------------------

FORMATS = {
    # torch's type, numpy's, bits that vary, bits that are set: numbers from 0.5 to 1 of either sign
    "F16": (torch.float16, np.uint16, 0x83FF, 0x3800),
    "BF16": (torch.bfloat16, np.uint16, 0x807F, 0x3F00),
    "F32": (torch.float32, np.uint32, 0x807FFFFF, 0x3F000000),
}


def fill(shapes, dtype):
    """Tensors of these shapes with the values that follow from where they stand."""
    torch_type, numpy_type, vary, fixed = FORMATS[dtype]
    tensors = {}
    for number, key in enumerate(sorted(shapes)):
        count = int(np.prod(shapes[key], dtype=np.int64))
        hashed = (np.arange(count, dtype=np.uint64) * 2654435761 + number * 40503) & 0xFFFFFFFF
        if numpy_type is np.uint16:
            hashed >>= 16
        bits = ((hashed & vary) | fixed).astype(numpy_type)
        tensors[key] = torch.from_numpy(bits).view(torch_type).reshape(shapes[key])
    return tensors


def crc(tensor):
    return zlib.crc32(tensor.contiguous().view(torch.uint8).numpy().tobytes())


# ---- names: diffusers' in terms of single files' ---------------------------------------------------------------------

RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}


def unet_names(model):
    """ldm's name of every tensor of a U-Net."""
    layers = model.config.layers_per_block
    outer = {
        "conv_in": "input_blocks.0.0",
        "conv_norm_out": "out.0",
        "conv_out": "out.2",
        "time_embedding.linear_1": "time_embed.0",
        "time_embedding.linear_2": "time_embed.2",
        "time_embedding.cond_proj": "time_embed.cond_proj",
        "add_embedding.linear_1": "label_emb.0.0",
        "add_embedding.linear_2": "label_emb.0.2",
        "mid_block.resnets.0": "middle_block.0",
        "mid_block.attentions.0": "middle_block.1",
        "mid_block.resnets.1": "middle_block.2",
    }
    for i, block in enumerate(model.down_blocks):
        for j in range(layers):
            outer[f"down_blocks.{i}.resnets.{j}"] = f"input_blocks.{i * (layers + 1) + j + 1}.0"
            outer[f"down_blocks.{i}.attentions.{j}"] = f"input_blocks.{i * (layers + 1) + j + 1}.1"
        outer[f"down_blocks.{i}.downsamplers.0.conv"] = f"input_blocks.{(i + 1) * (layers + 1)}.0.op"
    for i, block in enumerate(model.up_blocks):
        attends = hasattr(block, "attentions")
        for j in range(layers + 1):
            outer[f"up_blocks.{i}.resnets.{j}"] = f"output_blocks.{i * (layers + 1) + j}.0"
            outer[f"up_blocks.{i}.attentions.{j}"] = f"output_blocks.{i * (layers + 1) + j}.1"
        upsampler = f"output_blocks.{i * (layers + 1) + layers}.{2 if attends else 1}.conv"
        outer[f"up_blocks.{i}.upsamplers.0.conv"] = upsampler

    def name(key):
        start = next(start for start in sorted(outer, key=len, reverse=True) if key.startswith(start + "."))
        rest = key[len(start) :]
        if "resnets." in start:
            module, parameter = rest[1:].rsplit(".", 1)
            rest = f".{RESNET[module]}.{parameter}"
        return outer[start] + rest

    return {key: name(key) for key in model.state_dict()}


def vae_names(model):
    levels = len(model.config.block_out_channels)

    def name(key):
        key = key.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        key = key.replace("mid_block.resnets.0", "mid.block_1").replace("mid_block.resnets.1", "mid.block_2")
        key = re.sub(r"up_blocks\.(\d)", lambda m: f"up.{levels - 1 - int(m[1])}", key)
        key = re.sub(r"down_blocks\.(\d)", r"down.\1", key).replace("resnets", "block")
        key = re.sub(r"(down|up)samplers\.0", r"\1sample", key)
        for new, old in {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}.items():
            key = key.replace(f"mid_block.attentions.0.{new}.", f"mid.attn_1.{old}.")
        return key

    return {key: name(key) for key in model.state_dict()}


def vae_shape(name, shape):
    """Matrices of ldm's attention are convolutions."""
    return [*shape, 1, 1] if "mid.attn_1" in name and len(shape) == 2 else list(shape)


# ---- networks --------------------------------------------------------------------------------------------------------


def described(model, tensors, rename=lambda key: key):
    """A network's configuration and tensors, after the network itself took all of them."""
    model.load_state_dict({key: value.float() for key, value in tensors.items()}, strict=True)
    config = model.config.to_dict() if hasattr(model.config, "to_dict") else dict(model.config)
    config = {k: v for k, v in config.items() if k == "_class_name" or not k.startswith("_")}
    listed = {rename(key): [*value.shape, crc(value)] for key, value in sorted(tensors.items())}
    return {"config": config, "tensors": listed}


def with_prefix(key):
    return key if key.startswith("text_projection") else "text_model." + key.removeprefix("text_model.")


def clip(width, layers, projected=False, gelu=False, vocabulary=90):
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        intermediate_size=width * 2,
        projection_dim=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        max_position_embeddings=12,
        hidden_act="gelu" if gelu else "quick_gelu",
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=0,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def open_clip_shapes(prefix, width, layers, vocabulary=90):
    shapes = {
        "positional_embedding": [12, width],
        "token_embedding.weight": [vocabulary, width],
        "ln_final.weight": [width],
        "ln_final.bias": [width],
        "text_projection": [width, width],
        "logit_scale": [],
    }
    for layer in range(layers):
        block = f"transformer.resblocks.{layer}"
        for norm in ("ln_1", "ln_2"):
            shapes |= {f"{block}.{norm}.weight": [width], f"{block}.{norm}.bias": [width]}
        shapes |= {f"{block}.attn.in_proj_weight": [3 * width, width], f"{block}.attn.in_proj_bias": [3 * width]}
        shapes |= {f"{block}.attn.out_proj.weight": [width, width], f"{block}.attn.out_proj.bias": [width]}
        shapes |= {f"{block}.mlp.c_fc.weight": [2 * width, width], f"{block}.mlp.c_fc.bias": [2 * width]}
        shapes |= {f"{block}.mlp.c_proj.weight": [width, 2 * width], f"{block}.mlp.c_proj.bias": [width]}
    return {prefix + key: shape for key, shape in shapes.items()}


def clip_shapes(prefix, model):
    shapes = {prefix + with_prefix(key): list(value.shape) for key, value in model.state_dict().items()}
    # Old files hold the numbers of positions too, and merged ones hold them as floats.
    return shapes | {prefix + "text_model.embeddings.position_ids": [1, 12]}


def make(name, dtype, unet, vae=None, clip_model=None, open_clip=None, xl=False, metadata=None, marks=()):
    """`open_clip` is the model that transformers makes of the OpenCLIP encoder, and the layers of the file."""
    torch.manual_seed(0)
    shapes = {"model.diffusion_model." + new: list(unet.state_dict()[old].shape) for old, new in unet_names(unet).items()}
    if vae:
        for old, new in vae_names(vae).items():
            shapes["first_stage_model." + new] = vae_shape(new, vae.state_dict()[old].shape)
    clip_prefix = "conditioner.embedders.0.transformer." if xl else "cond_stage_model.transformer."
    open_prefix = "conditioner.embedders.1.model." if xl else "cond_stage_model.model."
    if clip_model:
        shapes |= clip_shapes(clip_prefix, clip_model)
    if open_clip:
        model, layers = open_clip
        shapes |= open_clip_shapes(open_prefix, model.config.hidden_size, layers)
    shapes |= {mark: [0] for mark in marks}
    single = fill(shapes, dtype)

    networks = {"unet": described(unet, convert.convert_ldm_unet_checkpoint(dict(single), dict(unet.config) ) | cond_proj(single))}
    if vae:
        networks["vae"] = described(vae, convert.convert_ldm_vae_checkpoint(dict(single), dict(vae.config)))
    encoders = []
    if clip_model:
        tensors = convert.convert_ldm_clip_checkpoint(dict(single))
        encoders.append((clip_model, {k: v for k, v in tensors.items() if not k.endswith("position_ids")}))
    if open_clip:
        tensors = convert.convert_open_clip_checkpoint(open_clip[0], dict(single), prefix=open_prefix)
        wanted = {with_prefix(key) for key in open_clip[0].state_dict()}
        encoders.append((open_clip[0], {k: v for k, v in tensors.items() if k in wanted}))
    for number, (model, tensors) in enumerate(encoders):
        own = {with_prefix(key): key for key in model.state_dict()}
        tensors = {own[key]: value for key, value in tensors.items()}
        networks["text_encoder" + ["", "_2"][number]] = described(model, tensors, with_prefix)
    write(name, dtype, shapes, networks, metadata or {})


def cond_proj(single):
    """diffusers' conversion does not know the guidance embedding; its name in single files differs by this only."""
    key = "model.diffusion_model.time_embed.cond_proj.weight"
    return {"time_embedding.cond_proj.weight": single[key]} if key in single else {}


def write(name, dtype, shapes, networks, metadata):
    case = {"dtype": dtype, "metadata": metadata, "single": shapes, "networks": networks}
    text = json.dumps(case, sort_keys=True, default=list)
    # One tensor a line.
    text = re.sub(r'(?<=[\]}]), (?=")', ",\n", text)
    (HERE / f"{name}.json").write_text(text + "\n")
    print(f"{name}: {len(shapes)} tensors, {len(text) // 1000} KB")


CROSS_DOWN, DOWN = "CrossAttnDownBlock2D", "DownBlock2D"
CROSS_UP, UP = "CrossAttnUpBlock2D", "UpBlock2D"


def small_vae(scaling_factor):
    return AutoencoderKL(
        block_out_channels=[32, 32, 64, 64],
        down_block_types=["DownEncoderBlock2D"] * 4,
        up_block_types=["UpDecoderBlock2D"] * 4,
        layers_per_block=1,
        scaling_factor=scaling_factor,
    )


def sd_form(**options):
    base = dict(
        block_out_channels=[64, 128, 128],
        down_block_types=[CROSS_DOWN, CROSS_DOWN, DOWN],
        up_block_types=[UP, CROSS_UP, CROSS_UP],
        layers_per_block=1,
        attention_head_dim=8,
        cross_attention_dim=64,
    )
    return UNet2DConditionModel(**base | options)


def xl_form(**options):
    base = dict(
        block_out_channels=[64, 128, 192],
        down_block_types=[DOWN, CROSS_DOWN, CROSS_DOWN],
        up_block_types=[CROSS_UP, CROSS_UP, UP],
        layers_per_block=1,
        attention_head_dim=[1, 2, 3],
        cross_attention_dim=192,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=128 + 6 * 8,
    )
    return UNet2DConditionModel(**base | options)


def cases():
    make("sd15", "F16", sd_form(layers_per_block=2), small_vae(0.18215), clip_model=clip(64, 2))
    make("lcm", "F32", sd_form(time_cond_proj_dim=26))
    linear = dict(use_linear_projection=True, attention_head_dim=[1, 2, 2])
    penultimate = (clip(64, 2, gelu=True), 3)
    metadata = {"modelspec.prediction_type": "v", "modelspec.resolution": "768x512", "modelspec.title": "Small"}
    make("sd2", "F32", sd_form(**linear), small_vae(0.18215), open_clip=penultimate, metadata=metadata)
    texts = dict(clip_model=clip(64, 2), open_clip=(clip(128, 2, projected=True, gelu=True), 2), xl=True)
    depths = dict(transformer_layers_per_block=[1, 2, 3])
    make("sdxl", "BF16", xl_form(**depths), small_vae(0.13025), marks=["v_pred", "ztsnr"], **texts)
    nested = dict(
        layers_per_block=2,
        mid_block_type="UNetMidBlock2D",
        transformer_layers_per_block=[1, [2, 2], [3, 3]],
        reverse_transformer_layers_per_block=[[3, 3, 4], [2, 1, 1], 1],
    )
    make("ssd1b", "F16", xl_form(**nested), **texts)


# ---- the tiny autoencoder under its author's names -------------------------------------------------------------------


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


class Block(nn.Module):
    """github.com/madebyollin/taesd, taesd.py"""

    def __init__(self, width):
        super().__init__()
        conv = lambda: nn.Conv2d(width, width, 3, padding=1)
        self.conv = nn.Sequential(conv(), nn.ReLU(), conv(), nn.ReLU(), conv())

    def forward(self, x):
        return torch.relu(self.conv(x) + x)


def taesd(width):
    conv = lambda i, o, **options: nn.Conv2d(i, o, 3, padding=1, **options)
    stage = lambda blocks: [Block(width) for _ in range(blocks)]
    up = lambda: [nn.Upsample(scale_factor=2), conv(width, width, bias=False)]
    down = lambda: [conv(width, width, stride=2, bias=False)]
    decoder = [Clamp(), conv(4, width), nn.ReLU(), *stage(3), *up(), *stage(3), *up(), *stage(3), *up(), *stage(1)]
    encoder = [conv(3, width), *stage(1), *down(), *stage(3), *down(), *stage(3), *down(), *stage(3)]
    return nn.Sequential(*encoder, conv(width, 4)), nn.Sequential(*decoder, conv(width, 3))


def tinies():
    width = 8
    model = AutoencoderTiny(encoder_block_out_channels=(width,) * 4, decoder_block_out_channels=(width,) * 4)
    encoder, decoder = taesd(width)
    parts = {"encoder.": encoder, "decoder.": decoder}
    shapes = {p + k: list(v.shape) for p, part in parts.items() for k, v in part.state_dict().items()}
    single = fill(shapes, "F32")
    for prefix, part in parts.items():
        own = {key.removeprefix(prefix): value for key, value in single.items() if key.startswith(prefix)}
        part.load_state_dict(own, strict=True)
        part.double()

    def name(key):
        prefix, layer, rest = key.split(".", 2)
        return f"{prefix}.layers.{int(layer) - (prefix == 'decoder')}.{rest}"

    tensors = {name(key): value for key, value in single.items()}
    network = described(model, tensors)
    # Values this large overflow any decoder, so the two are compared with smaller ones.
    with torch.no_grad():
        for parameter in [*model.parameters(), *encoder.parameters(), *decoder.parameters()]:
            parameter.mul_(0.05)
        latents, image = torch.randn(1, 4, 4, 3, dtype=torch.float64), torch.rand(1, 3, 32, 24, dtype=torch.float64)
        model = model.double()
        assert torch.allclose(model.decode(latents).sample, decoder(latents) * 2 - 1)
        assert torch.allclose(model.encode(image * 2 - 1).latents, encoder(image))
    write("taesd", "F32", shapes, {"vae": network}, {})


# ---- real sizes ------------------------------------------------------------------------------------------------------


def full():
    sd = dict(attention_head_dim=8, cross_attention_dim=768)
    sd2 = dict(attention_head_dim=[5, 10, 20, 20], cross_attention_dim=1024, use_linear_projection=True)
    xl = dict(
        block_out_channels=[320, 640, 1280],
        down_block_types=[DOWN, CROSS_DOWN, CROSS_DOWN],
        up_block_types=[CROSS_UP, CROSS_UP, UP],
        attention_head_dim=[5, 10, 20],
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
    )
    sdxl = dict(transformer_layers_per_block=[1, 2, 10], **xl)
    ssd1b = dict(
        mid_block_type="UNetMidBlock2D",
        transformer_layers_per_block=[1, [2, 2], [4, 4]],
        reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1],
        **xl,
    )
    lines = []
    for name, options in (("sd15", sd), ("sd2", sd2), ("sdxl", sdxl), ("ssd-1b", ssd1b)):
        with torch.device("meta"):
            model = UNet2DConditionModel(**options)
        config = {k: v for k, v in model.config.items() if not k.startswith("_")}
        lines.append(f"= {name} {json.dumps(config, default=list)}")
        for old, new in unet_names(model).items():
            if old.endswith(".weight"):
                lines.append(f"{new.removesuffix('.weight')} {' '.join(map(str, model.state_dict()[old].shape))}")
    (HERE / "full.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    cases()
    tinies()
    full()
