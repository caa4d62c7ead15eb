"""The judge of things: a small convolutional network trained on the sprites alone.

python classifier.py RUN [--steps 4000] writes RUN/classifier.pt with its accuracy on pictures it has not seen.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import common
from grammar import scene
from measure import SIDE, crop
from paint import paint
from sprites import things


def make() -> torch.nn.Module:
    """[n, 3, 48, 48] → logits of the things."""
    layers, width = [], 3
    for wider in (32, 64, 128, 192):
        layers += [torch.nn.Conv2d(width, wider, 3, padding=1, bias=False), torch.nn.BatchNorm2d(wider), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        width = wider
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Dropout(0.2), torch.nn.Linear(4 * width, len(things())))


def example(seed: int, vae) -> tuple[torch.Tensor, int]:
    """A thing cut out of a scene (through the autoencoder, as every judged picture has gone), its box moved a little."""
    found = scene(seed)
    item = found.items[seed % len(found.items)]
    picture = paint(found, SIDE).astype(np.float32)
    if vae is not None and seed % 2:
        batch = common.fast_tensor(torch.from_numpy(picture).permute(2, 0, 1)[None] / 127.5 - 1)
        with torch.no_grad(), common.autocast():
            picture = vae.decoder(vae.encoder(batch)).float()[0].permute(1, 2, 0).add(1).mul(127.5).clamp(0, 255).cpu().numpy()
    random = np.random.default_rng(seed)
    x, y, longest = item.boxes[seed % len(item.boxes)]
    half = longest / 2 * SIDE * random.uniform(0.85, 1.1)
    x, y = (np.array([x, y]) * SIDE + random.uniform(-3, 3, 2)).clip(half * 0.6, SIDE - half * 0.6)
    region = np.zeros((SIDE, SIDE), bool)
    region[max(0, int(y - half)) : int(y + half) + 1, max(0, int(x - half)) : int(x + half) + 1] = True
    return crop(picture, region), item.thing


def batch(first: int, count: int, vae) -> tuple[torch.Tensor, torch.Tensor]:
    pictures, labels = zip(*(example(first + n, vae) for n in range(count)))
    return common.fast_tensor(torch.stack(pictures)), torch.tensor(labels, device=common.DEVICE)


def load(run: Path) -> tuple[torch.nn.Module, float]:
    """The trained judge and its own accuracy."""
    state = common.load(run / "classifier.pt")
    network = make().to(common.DEVICE)
    network.load_state_dict(state["network"])
    return network.eval(), state["accuracy"]


def main() -> None:
    from diffusers import AutoencoderTiny

    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=48)
    options = parser.parse_args()
    torch.manual_seed(0)
    vae = common.fast(AutoencoderTiny.from_pretrained(options.run / "vae")).eval().requires_grad_(False)
    network, log = make().to(common.DEVICE), common.Log(options.run, "classifier")
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    losses = []
    for step in range(options.steps):
        common.set_rate(optimizer, common.learning_rate(step, options.steps, 2e-3, warm=50))
        pictures, labels = batch(2**43 + step * options.batch, options.batch, vae)
        with common.autocast():
            logits = network(pictures)
        loss = F.cross_entropy(logits.float(), labels, label_smoothing=0.05)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        if step % 100 == 99:
            log(step=step + 1, loss=float(np.mean(losses[-100:])))
    network.eval()
    with torch.no_grad():
        right = [(network(p).argmax(1) == y).float().mean().item() for p, y in (batch(2**44 + n * 64, 64, vae) for n in range(16))]
    log(accuracy=float(np.mean(right)))
    common.save({"network": network.state_dict(), "accuracy": float(np.mean(right))}, options.run / "classifier.pt")


if __name__ == "__main__":
    main()
