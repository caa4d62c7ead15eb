"""A small random base, two kohya LoRAs over it, and the merged weights by torch, as files beside this script.

Run with torch 2.15 and safetensors: python tests/golden/lora/make.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

assert torch.__version__.startswith("2.15"), torch.__version__

HERE = Path(__file__).parent
torch.manual_seed(4)

# Key of the base: its shape, the kernel of its LoRA's down matrix (None: none is there), whether alpha is given.
WEIGHTS = {
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight": ((12, 10), (), True),
    "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0.weight": ((10, 12), (), False),
    "down_blocks.0.attentions.0.proj_in.weight": ((8, 6, 1, 1), (1, 1), True),
    "down_blocks.0.attentions.0.proj_out.weight": ((6, 8, 1, 1), (), True),
    "down_blocks.0.resnets.0.conv1.weight": ((9, 5, 3, 3), (3, 3), True),
    "down_blocks.0.resnets.0.conv2.weight": ((4, 9, 3, 3), (3, 3), False),
    "conv_in.weight": ((5, 4, 3, 3), None, False),
    "conv_in.bias": ((5,), None, False),
}


def lora(rank, dtype, names):
    tensors = {}
    for key in names:
        shape, kernel, alpha = WEIGHTS[key]
        name = "lora_unet_" + key.removesuffix(".weight").replace(".", "_")
        up_kernel = (1, 1) if kernel else ()
        tensors[f"{name}.lora_down.weight"] = torch.randn(rank, shape[1], *kernel).to(dtype)
        tensors[f"{name}.lora_up.weight"] = torch.randn(shape[0], rank, *up_kernel).to(dtype)
        if alpha:
            tensors[f"{name}.alpha"] = torch.tensor(rank * 0.75).to(dtype)
    return tensors


def add(weights, tensors, weight):
    for key, base in weights.items():
        name = "lora_unet_" + key.removesuffix(".weight").replace(".", "_")
        if f"{name}.lora_down.weight" not in tensors:
            continue
        down, up = (tensors[f"{name}.lora_{side}.weight"].float() for side in ("down", "up"))
        alpha = tensors.get(f"{name}.alpha")
        scale = weight * (alpha.item() / down.shape[0] if alpha is not None else 1.0)
        if down.ndim == 4:
            delta = torch.einsum("or,rikl->oikl", up[:, :, 0, 0], down)
        else:
            delta = up @ down
        weights[key] = base + scale * delta.reshape(base.shape)


base = {key: torch.randn(shape).half() for key, (shape, *_) in WEIGHTS.items()}
touched = [key for key, (_, kernel, _) in WEIGHTS.items() if kernel is not None]
first, second = lora(4, torch.float16, touched), lora(3, torch.bfloat16, touched[::2])
merged = {key: tensor.float() for key, tensor in base.items()}
add(merged, first, 0.8)
add(merged, second, -1.5)

(HERE / "unet").mkdir(exist_ok=True)
save_file(base, HERE / "unet/diffusion_pytorch_model.safetensors")
save_file(first, HERE / "first.safetensors")
save_file(second, HERE / "second.safetensors")
save_file({key: merged[key] for key in touched}, HERE / "merged.safetensors")
