"""Stage 2: a head start for the text encoder, and the loss that goes on beside the painter's.

python train_text.py RUN --minutes 5

The encoder learns to say from its last token what the caption asked for (thing, colour, count, place, background …). It costs
next to nothing beside the painter, and spares the painter thousands of steps in which words mean nothing yet.
"""

import argparse
from pathlib import Path

import torch
import torch.nn.functional as F

import common
from grammar import scene
from latents import FACTS, described, tokens
from models import TEXT_WIDTH, make_text_encoder


class Reader(torch.nn.Module):
    """Linear classifiers of a caption's facts, on the encoder's output at the end token and at the last padding."""

    def __init__(self):
        super().__init__()
        self.heads = torch.nn.ModuleList(torch.nn.Linear(TEXT_WIDTH, classes) for classes in FACTS.values())

    def loss(self, hidden: torch.Tensor, end: torch.Tensor, said: torch.Tensor, counted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean cross-entropy over the `counted` captions, and the share of facts read rightly at the end token."""
        total, right = 0.0, 0.0
        # Captions that do not count get the class that cross-entropy leaves out.
        said = torch.where(counted[:, None], said, -100)
        for place in (end, torch.full_like(end, hidden.shape[1] - 1)):
            token = hidden[torch.arange(len(end), device=hidden.device), place].float()
            outputs = [head(token) for head in self.heads]
            total = total + sum(F.cross_entropy(o, said[:, n]) for n, o in enumerate(outputs)) / (2 * len(outputs))
            if place is end:
                right = sum((o.argmax(1) == said[:, n]).float().mean() for n, o in enumerate(outputs)) / len(outputs)
        return total, right


def ends(identifiers: torch.Tensor) -> torch.Tensor:
    """Where each caption's end token is: the first of the highest identifiers."""
    return identifiers.argmax(1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=1200)
    options = parser.parse_args()
    torch.manual_seed(0)
    text, reader = make_text_encoder(len(tokens())).to(common.DEVICE), Reader().to(common.DEVICE)
    trained = [*text.parameters(), *reader.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=2e-3, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    log, stop, step, rights = common.Log(options.run, "text"), common.Stop(options.minutes), 0, []
    checkpoint = options.run / "text.pt"
    if state := common.load(checkpoint):
        text.load_state_dict(state["text"])
        reader.load_state_dict(state["reader"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
    while not stop and step < options.steps:
        common.set_rate(optimizer, common.learning_rate(step, options.steps, 2e-3, warm=100))
        # Seeds from 2^41 on: neither shards nor evaluation use them. The window's padding is learnt beside the painter.
        words, said = described([scene(2**41 + step * options.batch + n) for n in range(options.batch)])
        identifiers, said = (torch.from_numpy(a).long().to(common.DEVICE) for a in (words[:, 0], said))
        with common.autocast():
            hidden = text(identifiers).last_hidden_state
        loss, right = reader.loss(hidden, ends(identifiers), said, torch.ones(len(said), dtype=torch.bool, device=common.DEVICE))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step, _ = step + 1, rights.append(right.item())
        if step % 50 == 0:
            log(step=step, loss=loss.item(), right=sum(rights[-50:]) / 50)
    common.save({"text": text.state_dict(), "reader": reader.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, checkpoint)


if __name__ == "__main__":
    main()
