"""LoRA on the painter's linear layers and convolutions, written with kohya's keys over diffusers' names."""

import re
from pathlib import Path

import torch
from safetensors.torch import save_file

TARGETS = re.compile(
    r"(to_q|to_k|to_v|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2|conv1|conv2|conv_shortcut|(down|up)samplers\.0\.conv|time_emb_proj)$"
)


class Lora(torch.nn.Module):
    """A frozen layer plus a low-rank one; alpha equals the rank, so the scale is 1."""

    def __init__(self, layer: torch.nn.Module, rank: int):
        super().__init__()
        self.layer = layer
        if isinstance(layer, torch.nn.Conv2d):
            self.down = torch.nn.Conv2d(layer.in_channels, rank, layer.kernel_size, layer.stride, layer.padding, bias=False)
            self.up = torch.nn.Conv2d(rank, layer.out_channels, 1, bias=False)
        else:
            self.down = torch.nn.Linear(layer.in_features, rank, bias=False)
            self.up = torch.nn.Linear(rank, layer.out_features, bias=False)
        torch.nn.init.kaiming_uniform_(self.down.weight, a=5**0.5)
        torch.nn.init.zeros_(self.up.weight)

    def forward(self, x: torch.Tensor, *rest) -> torch.Tensor:
        return self.layer(x) + self.up(self.down(x))

    def added(self) -> torch.Tensor:
        """What it adds to the layer's weight."""
        up, down = self.up.weight, self.down.weight
        return (up.flatten(1) @ down.flatten(1)).view_as(self.layer.weight)


def add(unet: torch.nn.Module, rank: int) -> dict[str, Lora]:
    """Puts a LoRA on every target, freezes the rest; name → LoRA."""
    unet.requires_grad_(False)
    added = {}
    for name, layer in list(unet.named_modules()):
        if TARGETS.search(name) and isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):
            parent, _, leaf = name.rpartition(".")
            added[name] = Lora(layer, rank)
            # Lists of modules take their children by number, and setattr does that as well.
            setattr(unet.get_submodule(parent), leaf, added[name])
    return added


def merged(unet: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The state of the plain network, with every LoRA added to its layer."""
    state = {n: v for n, v in unet.state_dict().items() if not n.endswith((".up.weight", ".down.weight"))}
    for name, layer in unet.named_modules():
        if isinstance(layer, Lora):
            state[f"{name}.layer.weight"] = layer.layer.weight + layer.added()
    return {n.replace(".layer.", "."): v.detach() for n, v in state.items()}


def write(unet: torch.nn.Module, file: Path, rank: int, about: dict[str, str]) -> None:
    """All LoRAs of `unet` in 16-bit floats."""
    out = {}
    for name, layer in unet.named_modules():
        if isinstance(layer, Lora):
            key = "lora_unet_" + name.replace(".", "_")
            out[f"{key}.lora_down.weight"] = layer.down.weight.detach().half().cpu().contiguous()
            out[f"{key}.lora_up.weight"] = layer.up.weight.detach().half().cpu().contiguous()
            out[f"{key}.alpha"] = torch.tensor(float(rank)).half()
    save_file(out, file, metadata={"format": "pt", **about})
