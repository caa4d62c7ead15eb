"""Writes the trained set in the layout of diffusers: teacher/, lcm/ and lcm_lora.safetensors, 16-bit floats.

python export.py RUN FOLDER
"""

import copy
import json
import shutil
import sys
from pathlib import Path

import torch
from PIL import Image

import common
import lora
from evaluate import NAMES, WAYS
from models import SIDE
from sampling import lcm_scheduler, teacher_scheduler
from sprites import things
from train_lcm import LORA_GUIDANCE, LORA_RANK, Student
from train_teacher import Teacher


def pipeline(folder: Path, kind: str, parts: dict[str, tuple[str, str]], modules: dict[str, torch.nn.Module]) -> None:
    """model_index.json and the modules, halved."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {"_class_name": kind, "_diffusers_version": "0.42.1", **{n: list(p) for n, p in parts.items()},
             "feature_extractor": [None, None], "safety_checker": [None, None], "image_encoder": [None, None], "requires_safety_checker": False}
    (folder / "model_index.json").write_text(json.dumps(index, indent=2))
    for name, module in modules.items():
        copy.deepcopy(module).half().cpu().save_pretrained(folder / name)


def card(run: Path, out: Path) -> None:
    """README.md, sheets of pictures and their prompts, from the evaluation."""
    report = json.loads((run / "evaluation.json").read_text())
    ways = [w for w in WAYS if w in report]
    lines = ["| | " + " | ".join(NAMES) + " |", "|---" * (len(NAMES) + 1) + "|"]
    lines += [f"| {w} | " + " | ".join(str(report[w].get(n, "–")) for n in NAMES) + " |" for w in ways]
    steps = {f"{n}_steps": (common.load(run / f"{n}.pt") or {}).get("step", "?") for n in ("vae", "text", "teacher", "lcm", "lora", "decoder")}
    judge = f"{100 * report['classifier_accuracy']:.1f} %" if report["classifier_accuracy"] else "?"
    text = (Path(__file__).parent / "card.md").read_text().format(
        side=SIDE, lora_guidance=LORA_GUIDANCE, lora_rank=LORA_RANK, things=len(things()), prompts=report["prompts"], judge=judge, table="\n".join(lines), **steps)
    (out / "README.md").write_text(text)
    for way, name in (("lora4", "sheet.png"), ("lcm4", "sheet-lcm.png")):
        with Image.open(run / f"sheet-{way}.png") as picture:
            picture.reduce(2).save(out / name, optimize=True)
    shutil.copy(run / "sheet.txt", out / "sheet.txt")


def main() -> None:
    run, out = Path(sys.argv[1]), Path(sys.argv[2])
    teacher = Teacher(run)
    painter, text = teacher.average.modules
    shared = {"text_encoder": text, "vae": teacher.vae}
    parts = {"vae": ("diffusers", "AutoencoderTiny"), "text_encoder": ("transformers", "CLIPTextModel"),
             "tokenizer": ("transformers", "CLIPTokenizer"), "unet": ("diffusers", "UNet2DConditionModel")}
    for name, kind, unet, scheduler in (
        ("teacher", "StableDiffusionPipeline", painter, teacher_scheduler()),
        ("lcm", "LatentConsistencyModelPipeline", Student(teacher, run, False, 0.0).average.modules[0], lcm_scheduler()),
    ):
        every = {**parts, "scheduler": ("diffusers", type(scheduler).__name__)}
        pipeline(out / name, kind, every, {**shared, "unet": unet})
        scheduler.save_pretrained(out / name / "scheduler")
        teacher.tokens.write(out / name / "tokenizer")
    (out / "words.txt").write_text("\n".join(w for w in teacher.tokens.words if w.isalnum()) + "\n")
    student = Student(teacher, run, True, 0.0)
    about = {"guidance": str(LORA_GUIDANCE), "teacher_steps": str(teacher.step), "steps": str(student.step)}
    lora.write(student.average.modules[0], out / "lcm_lora.safetensors", LORA_RANK, about)
    if (run / "evaluation.json").exists():
        card(run, out)
    for file in sorted(out.rglob("*.safetensors")):
        print(f"{file.stat().st_size / 1e6:.2f} MB", file)


if __name__ == "__main__":
    main()
