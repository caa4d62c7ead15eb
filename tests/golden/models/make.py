#!/usr/bin/env python3
"""Models of every family, LoRAs of every format, and what diffusers paints with them, for
app/engine/tests/golden_models.rs.

    pip install torch==2.15.* diffusers==0.42.1 transformers==5.23.0 peft==0.21.2 safetensors numpy
    python tests/golden/models/make.py                        # recipes of the weights, beside this script
    python tests/golden/models/make.py --seed 5 --out FOLDER  # other weights, prompts and seeds; as real files

Writes folders of diffusers, single-file checkpoints (`NAME.safetensors`), `loras/`, runs.json (a list of cases: model,
and a request of the program) and runs.safetensors (final latents by case, f32 [1, 4, h, w]). Weights are random and
stored in f16 (weights.py says how); runs are f32 with noise from torch.Generator("cpu").manual_seed(seed).
"""
import argparse
import copy
import json
import shutil
import sys
import warnings
from pathlib import Path

import diffusers
import peft
import torch
import transformers
from diffusers import (DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler,
                       EulerDiscreteScheduler, LatentConsistencyModelPipeline, LCMScheduler, StableDiffusionPipeline,
                       StableDiffusionXLPipeline)
from transformers import CLIPTokenizer

import architectures as forms
import checkpoint
import loras
from weights import Recipe, dims, write

assert torch.__version__.startswith("2.15."), torch.__version__
assert diffusers.__version__ == "0.42.1", diffusers.__version__
assert transformers.__version__ == "5.23.0", transformers.__version__
assert peft.__version__ == "0.21.2", peft.__version__
warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
diffusers.logging.set_verbosity_error()

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
STICKER = ROOT / "assets/sticker/teacher/tokenizer"
MERGES = ROOT / "assets/clip/merges.txt"
PROMPT, NEGATIVE = "a blue apple on a yellow background", "a green background"

SAMPLERS = {
    "lcm": (LCMScheduler, {}),
    "ddim": (DDIMScheduler, dict(clip_sample=False)),
    "euler": (EulerDiscreteScheduler, {}),
    "euler-a": (EulerAncestralDiscreteScheduler, {}),
    "dpmpp-2m-karras": (DPMSolverMultistepScheduler, dict(use_karras_sigmas=True)),
}


def clip_vocabulary():
    """`bytes_to_unicode` and `SimpleTokenizer.__init__` of OpenAI's CLIP."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    symbols = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(256 - len(printable))]
    merges = [tuple(line.split()) for line in MERGES.read_text().splitlines()]
    tokens = symbols + [symbol + "</w>" for symbol in symbols] + ["".join(merge) for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    return {"vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}


class Model:
    """A pipeline in memory and on disk. Folders have the embedded models' vocabulary, single files CLIP's."""

    def __init__(self, maker, name, cls, unet, texts, scheduler, vae_scale=None, base=None, **options):
        """`base`: a model to take networks from, the U-Net too where `unet` is None."""
        self.maker, self.name, self.cls, self.options = maker, name, cls, options
        seed = f"{maker.seed}/{name}"
        self.texts = [f"text_encoder{ending}" for ending in ("", "_2")[: len(texts)]]
        if base:
            self.parts, self.like = dict(base.parts), {part: base.name for part in base.parts}
        else:
            self.parts, self.like = {"unet": None, "vae": forms.vae(f"{seed}/vae", vae_scale)}, {}
            for part, kind in zip(self.texts, texts):
                self.parts[part] = forms.text_encoder(f"{seed}/{part}", kind)
        if unet:
            self.parts["unet"] = forms.unet(f"{seed}/unet", **unet)
            self.like.pop("unet", None)
        self.scheduler = forms.SCHEDULERS[scheduler]()
        self.kinds = texts

    def pad(self, i):
        return "<|endoftext|>" if self.kinds[i] == "l" else "!"

    def save(self):
        """As a folder, without the weights, which the recipe or the file replaces."""
        folder = self.maker.out / self.name
        shutil.rmtree(folder, ignore_errors=True)
        pipe = self.pipeline(self.scheduler, clip=False, weights=False)
        pipe.save_config(folder)
        pipe.scheduler.save_pretrained(folder / "scheduler")
        for part, (network, recipe) in self.parts.items():
            config = network.config if part.startswith("text") else network
            (config.save_pretrained if part.startswith("text") else config.save_config)(folder / part)
            stem = "model" if part.startswith("text") else "diffusion_pytorch_model"
            if self.name == "ssd-1b" and part == "unet":
                self.save_shards(folder / part, stem, recipe)
            else:
                self.maker.save(recipe, folder / part / f"{stem}.safetensors", self.like.get(part))
        for i, part in enumerate(self.texts):
            self.save_tokenizer(folder / part.replace("text_encoder", "tokenizer"), self.pad(i))
        # from_config forgets values that were defaults of another class, unless a file names them.
        self.scheduler = type(self.scheduler).from_pretrained(folder / "scheduler")

    def save_shards(self, folder, stem, recipe):
        half, shards, weight_map = len(recipe.lines) // 2, [], {}
        for i, part in enumerate((slice(0, half), slice(half, None))):
            shard = Recipe(recipe.seed)
            shard.lines = recipe.lines[part]
            shard.tensors = dict(list(recipe.tensors.items())[part])
            name = f"{stem}-{i + 1:05}-of-00002.safetensors"
            self.maker.save(shard, folder / name)
            weight_map |= dict.fromkeys(shard.tensors, name)
        size = sum(2 * tensor.numel() for tensor in recipe.tensors.values())
        index = {"metadata": {"total_size": size}, "weight_map": weight_map}
        (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index, separators=(",", ":")))

    def save_tokenizer(self, folder, pad):
        folder.mkdir()
        for file in ("vocab.json", "merges.txt", "special_tokens_map.json", "tokenizer_config.json"):
            text = (STICKER / file).read_text()
            if pad == "!":
                text = text.replace('"pad_token": "<|endoftext|>"', '"pad_token": "!"')
            (folder / file).write_text(text)

    def save_file(self, metadata=None):
        """As a single-file checkpoint."""
        xl = len(self.texts) == 2
        recipes = {part: recipe for part, (_, recipe) in self.parts.items()}
        lines = [*checkpoint.lines_of_unet(recipes["unet"]), *checkpoint.lines_of_vae(recipes["vae"])]
        if xl:
            lines += checkpoint.lines_of_clip(recipes["text_encoder"], "conditioner.embedders.0.transformer.",
                                              "text_encoder")
            lines += checkpoint.lines_of_openclip(recipes["text_encoder_2"], "conditioner.embedders.1.model.",
                                                  "text_encoder_2")
        elif self.kinds == ["h"]:
            lines += checkpoint.lines_of_openclip(recipes["text_encoder"], "cond_stage_model.model.", "text_encoder",
                                                  unused_layer=True)
        else:
            lines += checkpoint.lines_of_clip(recipes["text_encoder"], "cond_stage_model.transformer.", "text_encoder")
        self.maker.save_file(self.name, lines, recipes, metadata or {})

    def pipeline(self, scheduler, clip, weights=True):
        networks = {part: network for part, (network, _) in self.parts.items()}
        if weights:
            networks = copy.deepcopy(networks)
        tokenizers = {}
        for i, part in enumerate(self.texts):
            kind = part.replace("text_encoder", "tokenizer")
            source = CLIPTokenizer(**clip_vocabulary(), pad_token=self.pad(i), model_max_length=77) if clip else \
                CLIPTokenizer.from_pretrained(STICKER, pad_token=self.pad(i))
            tokenizers[kind] = source
        options = dict(self.options)
        if self.cls is not StableDiffusionXLPipeline:
            options |= dict(safety_checker=None, feature_extractor=None, requires_safety_checker=False)
        pipe = self.cls(**networks, **tokenizers, scheduler=scheduler, **options)
        pipe.set_progress_bar_config(disable=True)
        return pipe


class Maker:
    def __init__(self, out, seed, real):
        self.out, self.seed, self.real = out, seed, real
        self.runs, self.latents, self.loras = [], {}, {}

    def save(self, recipe, path, like=None):
        """`like`: a model that has the same."""
        if self.real:
            write(recipe.tensors, path)
        elif like:
            Path(f"{path}.recipe").write_text(f"like {like}/{path.parent.name}/{path.name}\n")
        else:
            recipe.save(f"{path}.recipe")

    def save_file(self, name, lines, recipes, metadata):
        path = self.out / f"{name}.safetensors"
        if not self.real:
            text = [f"of {name}", *(f"metadata {key} {value}" for key, value in metadata.items())]
            text += [f"{key} {dims(shape)} < {' '.join(sources)}" for key, shape, sources in lines]
            Path(f"{path}.recipe").write_text("\n".join(text) + "\n")
            return
        tensors = {key: checkpoint.gather(recipes, sources, shape) for key, shape, sources in lines}
        write(tensors, path, metadata | {"format": "pt"})

    def lora(self, name, recipe):
        self.save(recipe, self.out / "loras" / f"{name}.safetensors")
        self.loras[name] = recipe

    def run(self, model, case, prompt=PROMPT, negative="", sampler="lcm", steps=4, guidance=1.0, seed=7, size=(64, 64),
            loras=(), file=False):
        """`guidance` as diffusers has it. `file`: through the single file, so with CLIP's vocabulary."""
        cls, options = SAMPLERS[sampler]
        scheduler = cls.from_config(model.scheduler.config, **options)
        pipe = model.pipeline(scheduler, clip=file)
        for name, _ in loras:
            tensors = {key: tensor.clone() for key, tensor in self.loras[name].tensors.items()}
            pipe.load_lora_weights(tensors, adapter_name=name)
        if loras:
            pipe.set_adapters([name for name, _ in loras], [weight for _, weight in loras])
            parts = ["unet", *model.texts]
            loaded = sum("lora_A" in key for part in parts for key, _ in getattr(pipe, part).named_parameters())
            there = sum(len(tensor.shape) > 1 for name, _ in loras for tensor in self.loras[name].tensors.values())
            assert 2 * loaded == there, (case, loaded, there)
            pipe.fuse_lora(components=parts, adapter_names=[name for name, _ in loras])
            pipe.unload_lora_weights()
        options = {} if model.cls is LatentConsistencyModelPipeline else dict(negative_prompt=negative or None)
        prompt, seed = prompt + self.variation(" under a red sky"), seed + self.seed
        latents = pipe(prompt, width=size[0], height=size[1], num_inference_steps=steps, guidance_scale=guidance,
                       generator=torch.Generator("cpu").manual_seed(seed), output_type="latent", **options).images
        name = f"{model.name}_{case}"
        assert torch.isfinite(latents).all() and name not in self.latents, name
        self.latents[name] = latents.float().contiguous()
        request = dict(loras=[dict(source=f"loras/{name}.safetensors", weight=weight) for name, weight in loras],
                       prompt=prompt, negative_prompt=negative, seed=seed,
                       size=dict(width=size[0], height=size[1]), sampler=sampler, steps=steps,
                       guidance_scale=max(guidance, 1.0))
        self.runs.append(dict(name=name, model=model.name + (".safetensors" if file else ""), request=request))
        print(name, "std", round(latents.std().item(), 3), flush=True)

    def variation(self, text):
        return text if self.seed else ""

    def finish(self):
        lines = ",\n".join(json.dumps(run, separators=(",", ":")) for run in self.runs)
        (self.out / "runs.json").write_text(f"[\n{lines}\n]\n")
        write(self.latents, self.out / "runs.safetensors")
        check_distances(self)


def check_distances(maker):
    """What a LoRA, its weight or a prompt changes is far enough from what is without."""
    by_settings = {}
    for run in maker.runs:
        request = run["request"]
        key = json.dumps([run["model"], request["seed"], request["size"], request["sampler"], request["steps"]])
        for other in by_settings.setdefault(key, []):
            a, b = maker.latents[run["name"]], maker.latents[other]
            distance = ((a - b).norm() / a.norm()).item()
            assert distance > 0.02, (run["name"], other, distance)
        by_settings[key].append(run["name"])


def classic(maker, model, **options):
    for sampler in ("dpmpp-2m-karras", "euler", "ddim"):
        maker.run(model, sampler, sampler=sampler, steps=25, guidance=7.0, **options)


def sd15(maker):
    model = Model(maker, "sd15", StableDiffusionPipeline, forms.SD15, ["l"], "classic", 0.18215)
    model.save()
    model.save_file()
    unet, text = (model.parts[part][0] for part in ("unet", "text_encoder"))
    seed = f"{maker.seed}/loras"
    maker.lora("sd15_lcm", loras.kohya(f"{seed}/lcm", [("lora_unet", unet, loras.LCM)], 4, 4))
    maker.lora("sd15_kohya", loras.kohya(f"{seed}/kohya", [("lora_unet", unet, loras.LCM),
                                                           ("lora_te", text, loras.TEXT)], 3, 2))
    parts = [("unet", unet, loras.TRANSFORMER), ("text_encoder", text, loras.TEXT)]
    maker.lora("sd15_peft", loras.peft(f"{seed}/peft", parts, 2))
    parts = [("unet", unet, loras.ATTENTION), ("text_encoder", text, r"(q_proj|k_proj|v_proj|out_proj)$")]
    maker.lora("sd15_old", loras.old_diffusers(f"{seed}/old", parts, 2))

    lcm = ("sd15_lcm", 1.0)
    maker.run(model, "lcm_lora", loras=[lcm])
    maker.run(model, "lcm_lora_8_wide", loras=[lcm], steps=8, size=(104, 72))
    maker.run(model, "lcm_lora_guided", loras=[lcm], guidance=1.5, negative=NEGATIVE)
    for name, weight in (("kohya", 1.0), ("peft", 0.7), ("old", -0.5)):
        maker.run(model, name, loras=[(f"sd15_{name}", weight)])
    maker.run(model, "stacked", loras=[lcm, ("sd15_kohya", 0.7)], guidance=1.5)
    maker.run(model, "stacked_three", loras=[lcm, ("sd15_peft", 0.7), ("sd15_old", 1.3)])
    classic(maker, model)
    maker.run(model, "file_lcm_lora_guided", loras=[lcm], guidance=1.5, negative=NEGATIVE, file=True)
    maker.run(model, "file_stacked", loras=[lcm, ("sd15_kohya", 0.7)], file=True)
    maker.run(model, "file_ddim", sampler="ddim", steps=25, guidance=7.0, file=True)
    return model


def full_lcm(maker, base):
    model = Model(maker, "lcm", LatentConsistencyModelPipeline, forms.SD15 | dict(time_cond_proj_dim=256), ["l"], "lcm",
                  base=base)
    model.save()
    maker.run(model, "8", guidance=8.0)
    maker.run(model, "3_1_step", guidance=3.0, steps=1)
    maker.run(model, "kohya", guidance=8.0, loras=[("sd15_kohya", 0.7)])


def sd2(maker):
    model = Model(maker, "sd2", StableDiffusionPipeline, forms.SD2, ["h"], "v", 0.18215)
    model.save()
    model.save_file({"modelspec.prediction_type": "v"})
    classic(maker, model)
    maker.run(model, "file_ddim", sampler="ddim", steps=25, guidance=7.0, file=True)
    turbo = Model(maker, "sd-turbo", StableDiffusionPipeline, None, ["h"], "turbo", base=model)
    turbo.save()
    for steps in (1, 4):
        maker.run(turbo, steps, sampler="euler-a", steps=steps, guidance=0.0)


def sdxl(maker):
    texts = ["l", "g"]
    options = dict(force_zeros_for_empty_prompt=True, add_watermarker=False)
    model = Model(maker, "sdxl", StableDiffusionXLPipeline, forms.SDXL, texts, "xl", 0.13025, **options)
    model.save()
    model.save_file()
    unet = model.parts["unet"][0]
    one, two = (model.parts[part][0] for part in model.texts)
    seed = f"{maker.seed}/loras"
    maker.lora("sdxl_lcm", loras.kohya(f"{seed}/xl_lcm", [("lora_unet", unet, loras.LCM)], 4, 4))
    parts = [("lora_unet", unet, loras.TRANSFORMER), ("lora_te1", one, loras.TEXT), ("lora_te2", two, loras.TEXT)]
    maker.lora("sdxl_sgm", loras.kohya(f"{seed}/xl_sgm", parts, 2, 1, sgm=True))
    parts = [("unet", unet, loras.ATTENTION), ("text_encoder", one, loras.TEXT), ("text_encoder_2", two, loras.TEXT)]
    maker.lora("sdxl_peft", loras.peft(f"{seed}/xl_peft", parts, 2))

    lcm = ("sdxl_lcm", 1.0)
    maker.run(model, "lcm_lora", loras=[lcm])
    maker.run(model, "lcm_lora_guided", loras=[lcm], guidance=1.5, negative=NEGATIVE, size=(72, 104))
    maker.run(model, "lcm_lora_zeros", loras=[lcm], guidance=1.5)
    maker.run(model, "sgm", loras=[("sdxl_sgm", 1.0)])
    maker.run(model, "stacked", loras=[lcm, ("sdxl_peft", 0.7)])
    classic(maker, model)
    maker.run(model, "file_lcm_lora_guided", loras=[lcm], guidance=1.5, negative=NEGATIVE, file=True)
    maker.run(model, "file_stacked", loras=[lcm, ("sdxl_sgm", 0.7)], file=True)
    maker.run(model, "file_euler", sampler="euler", steps=25, guidance=7.0, file=True)

    lcm_unet = forms.SDXL | dict(time_cond_proj_dim=256)
    full = Model(maker, "lcm-sdxl", StableDiffusionXLPipeline, lcm_unet, texts, "lcm", base=model, **options)
    full.save()
    maker.run(full, "8", guidance=8.0)
    turbo = Model(maker, "sdxl-turbo", StableDiffusionXLPipeline, None, texts, "turbo", base=model, **options)
    turbo.save()
    for steps in (1, 4):
        maker.run(turbo, steps, sampler="euler-a", steps=steps, guidance=0.0)
    return model


def ssd1b(maker, base):
    model = Model(maker, "ssd-1b", StableDiffusionXLPipeline, forms.SSD1B, ["l", "g"], "xl", base=base, **base.options)
    model.save()
    model.save_file()
    unet = model.parts["unet"][0]
    seed = f"{maker.seed}/loras"
    maker.lora("ssd-1b_lcm", loras.kohya(f"{seed}/ssd_lcm", [("lora_unet", unet, loras.LCM)], 4, 4))
    lcm = ("ssd-1b_lcm", 1.0)
    maker.run(model, "lcm_lora", loras=[lcm])
    maker.run(model, "lcm_lora_guided", loras=[lcm], guidance=1.5, negative=NEGATIVE)
    maker.run(model, "dpmpp-2m-karras", sampler="dpmpp-2m-karras", steps=25, guidance=7.0)
    maker.run(model, "file_lcm_lora", loras=[lcm], file=True)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--out", type=Path)
    chosen = arguments.parse_args()
    maker = Maker(chosen.out or HERE, chosen.seed, real=chosen.out is not None)
    full_lcm(maker, sd15(maker))
    sd2(maker)
    ssd1b(maker, sdxl(maker))
    maker.finish()


if __name__ == "__main__":
    sys.exit(main())
