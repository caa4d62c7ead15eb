"""The figures of the model card: held-out prompts, painted and measured.

python evaluate.py RUN [--prompts 512] [--ways teacher25 lcm4 …] [--sheet 64]

Prompts are combinations that training never saw (grammar.py). `truth` measures the scenes themselves, sent through the
autoencoder: what the measures would give a perfect painter. Writes RUN/evaluation.json and RUN/sheet-WAY.png.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import classifier
import common
from captions import caption
from grammar import Scene, scene
from measure import Measures
from models import SIDE
from paint import paint
from sampling import decode, lcm_scheduler, paint_latents, sheet, teacher_scheduler
from train_lcm import Student
from train_teacher import HELD_OUT, Teacher

WAYS = ["truth", "teacher25", "lcm1", "lcm2", "lcm4", "lcm8", "lora4"]
TEACHER_GUIDANCE, LCM_GUIDANCE, LORA_GUIDANCE = 2.0, 2.0, 1.0
NAMES = ["background", "count", "place", "colour", "thing"]


def pictures(way: str, scenes: list[Scene], teacher: Teacher, run: Path) -> torch.Tensor:
    """8-bit pictures of all scenes, in groups so that memory stays small."""
    name, steps = way.rstrip("0123456789"), int("0" + way.lstrip("abcdefghijklmnopqrstuvwxyz"))
    network = teacher.average.modules[0] if name in ("truth", "teacher") else Student(teacher, run, name == "lora", 0.0).average.modules[0]
    guidance = {"truth": 1.0, "teacher": TEACHER_GUIDANCE, "lcm": LCM_GUIDANCE, "lora": LORA_GUIDANCE}[name]
    out = []
    for at in range(0, len(scenes), 64):
        part = scenes[at : at + 64]
        if name == "truth":
            real = torch.from_numpy(np.stack([paint(s, SIDE) for s in part])).permute(0, 3, 1, 2)
            with torch.no_grad():
                latents = teacher.vae.encoder(common.fast_tensor(real.float() / 127.5 - 1)) * teacher.vae.config.scaling_factor
        else:
            context, empty = teacher.contexts([caption(s) for s in part])
            scheduler = teacher_scheduler() if name == "teacher" else lcm_scheduler()
            latents = paint_latents(network, context, empty, scheduler, steps, guidance, 1000 + at, name == "lcm")
        out.append(decode(teacher.vae, latents))
    return torch.cat(out)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path)
    parser.add_argument("--prompts", type=int, default=512)
    parser.add_argument("--ways", nargs="+", default=WAYS)
    parser.add_argument("--sheet", type=int, default=64)
    options = parser.parse_args()
    scenes = [scene(HELD_OUT + 10_000 + n, held_out=True) for n in range(options.prompts)]
    teacher, judge, accuracy = Teacher(options.run), None, None
    if (options.run / "classifier.pt").exists():
        judge, accuracy = classifier.load(options.run)
    measures = Measures(judge)
    file = options.run / "evaluation.json"
    report = json.loads(file.read_text()) if file.exists() else {}
    report.update(prompts=options.prompts, teacher_steps=teacher.step, classifier_accuracy=accuracy)
    for way in options.ways:
        got = pictures(way, scenes, teacher, options.run)
        found = [measures(p.numpy(), s) for p, s in zip(got, scenes)]
        report[way] = {n: round(100 * float(np.mean([f[n] for f in found if n in f])), 1) for n in NAMES if any(n in f for f in found)}
        print(way, report[way], flush=True)
        sheet(got[: options.sheet], 8).save(options.run / f"sheet-{way}.png")
    file.write_text(json.dumps(report, indent=1))
    (options.run / "sheet.txt").write_text("\n".join(caption(s) for s in scenes[: options.sheet]) + "\n")


if __name__ == "__main__":
    main()
