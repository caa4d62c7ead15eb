"""The judge of things: a small convolutional network trained on the sprites alone.

python classifier.py RUN [--steps 900] writes RUN/classifier.pt with its accuracy on pictures it has not seen.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import common
from grammar import scene
from measure import crop
from models import SIDE
from paint import paint
from sprites import things
from workers import every


def make() -> torch.nn.Module:
    """[n, 3, 48, 48] → logits of the things."""
    layers, width = [], 3
    for wider in (32, 64, 128, 192):
        layers += [torch.nn.Conv2d(width, wider, 3, padding=1, bias=False), torch.nn.BatchNorm2d(wider), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
        width = wider
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(2), torch.nn.Flatten(), torch.nn.Dropout(0.2), torch.nn.Linear(4 * width, len(things())))


def example(seed: int) -> tuple[np.ndarray, tuple[int, int, int, int], int]:
    """A scene, the box of one of its things, moved a little (left, top, right, bottom), and that thing."""
    found = scene(seed)
    item = found.items[seed % len(found.items)]
    random = np.random.default_rng(seed)
    x, y, longest = item.boxes[seed % len(item.boxes)]
    half = longest / 2 * SIDE * random.uniform(0.85, 1.1)
    x, y = (np.array([x, y]) * SIDE + random.uniform(-0.025, 0.025, 2) * SIDE).clip(half * 0.6, SIDE - half * 0.6)
    return paint(found, SIDE), (max(0, int(x - half)), max(0, int(y - half)), int(x + half) + 1, int(y + half) + 1), item.thing


def batches(first: int, count: int, size: int, vae):
    """`count` batches of crops and labels; every fourth picture has gone through the autoencoder, as judged ones have."""
    examples = every(example, range(first, first + count * size))
    for _ in range(count):
        pictures, boxes, labels = zip(*itertools.islice(examples, size))
        pictures = torch.from_numpy(np.stack(pictures)).float()
        with torch.no_grad(), common.autocast():
            quarter = common.fast_tensor(pictures[::4].permute(0, 3, 1, 2) / 127.5 - 1)
            pictures[::4] = vae.decoder(vae.encoder(quarter)).float().add(1).mul(127.5).clamp(0, 255).permute(0, 2, 3, 1).cpu()
        regions = np.zeros((size, SIDE, SIDE), bool)
        for region, (left, top, right, bottom) in zip(regions, boxes):
            region[top:bottom, left:right] = True
        crops = torch.stack([crop(p, r) for p, r in zip(pictures.numpy(), regions)])
        yield common.fast_tensor(crops), torch.tensor(labels, device=common.DEVICE)


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
    parser.add_argument("--steps", type=int, default=900)
    parser.add_argument("--batch", type=int, default=48)
    options = parser.parse_args()
    torch.manual_seed(0)
    vae = common.fast(AutoencoderTiny.from_pretrained(options.run / "vae")).eval().requires_grad_(False)
    network, log = make().to(common.DEVICE), common.Log(options.run, "classifier")
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.01)
    losses = []
    for step, (pictures, labels) in enumerate(batches(2**43, options.steps, options.batch, vae)):
        common.set_rate(optimizer, common.learning_rate(step, options.steps, 2e-3, warm=50))
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
        right = [(network(p).argmax(1) == y).float().mean().item() for p, y in batches(2**44, 16, 64, vae)]
    log(accuracy=float(np.mean(right)))
    common.save({"network": network.state_dict(), "accuracy": float(np.mean(right))}, options.run / "classifier.pt")


if __name__ == "__main__":
    main()
