#!/usr/bin/env python3
"""Measures another engine on a folder of make_models.py: one JSON object, in the words of `fourstep bench --json`.

    python tests/peers/peers.py --model FOLDER --engine openvino-bf16 --prepare    # once: converts the networks
    python tests/peers/peers.py --model FOLDER --engine openvino-bf16 --size 512

Engines: openvino-{f32,bf16,int8} and torch-{f32,bf16}. A run is what LatentConsistencyModelPipeline of diffusers does
with batch 1: tokenise, encode the prompt, 4 passes of the U-Net with the guidance embedded, LCM's sampler; then the
tiny autoencoder and an 8-bit picture. Seconds are medians.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time
import warnings
from pathlib import Path

PROMPT = "a red apple on a blue background"
STEPS = 4
GUIDANCE_SCALE = 8.0
ENGINES = ("openvino-f32", "openvino-bf16", "openvino-int8", "torch-f32", "torch-bf16")


def main():
    args = arguments()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    warnings.filterwarnings("ignore")
    if args.prepare:
        if args.engine.startswith("openvino"):
            import with_openvino

            with_openvino.prepare(args.model, args.engine.split("-")[1])
        return
    print(json.dumps(measure(args)))


def arguments():
    import psutil

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a folder of make_models.py")
    parser.add_argument("--engine", choices=ENGINES, required=True)
    parser.add_argument("--size", type=int, default=512, help="of the square picture, in pixels")
    parser.add_argument("--runs", type=int, default=3, help="how often each thing is measured")
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(logical=False))
    parser.add_argument("--kl", action="store_true", help="measure the full autoencoder too, after everything else")
    parser.add_argument("--prepare", action="store_true", help="only convert what this engine wants converted")
    return parser.parse_args()


def measure(args):
    """Everything that is measured, in one process: load, warm up, paint `runs` pictures."""
    import torch

    torch.set_grad_enabled(False)
    torch.set_num_threads(args.threads)
    library, precision = args.engine.split("-")
    if library == "openvino":
        from with_openvino import Engine, versions
    else:
        from with_torch import Engine, versions
    pipeline = Pipeline(args.model, args.size)
    libraries_bytes, started = peak_memory_bytes(), time.perf_counter()
    engine = Engine(args.model, args.size, precision, args.threads)
    load_secs, ready_secs = time.perf_counter() - started, since_process_start()
    clock = Clock(engine)
    pipeline.paint(clock, PROMPT, seed=0, steps=1)
    clock.samples.clear()
    for seed in range(1, args.runs + 1):
        clock.time("run", pipeline.paint, clock, f"{PROMPT} {seed}", seed, STEPS)
    report = dict(
        engine=args.engine, versions=versions(), model=str(args.model), size=args.size, steps=STEPS, runs=args.runs,
        threads=args.threads, load_secs=load_secs, ready_secs=ready_secs,
        **{f"{name}_secs": statistics.median(samples) for name, samples in clock.samples.items()},
        libraries_memory_bytes=libraries_bytes, peak_memory_bytes=peak_memory_bytes(),
    )
    if args.kl:
        report["full_decode_secs"] = kl_decode_secs(engine, args)
    return report


class Clock:
    """The networks of an engine, timed: seconds by name."""

    def __init__(self, engine):
        self.engine, self.samples = engine, {}

    def time(self, name, work, *args):
        started = time.perf_counter()
        result = work(*args)
        self.samples.setdefault(name, []).append(time.perf_counter() - started)
        return result


class Pipeline:
    """What is not a network: the same for each engine."""

    def __init__(self, folder, size):
        from diffusers import LCMScheduler
        from transformers import CLIPTokenizer

        self.tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
        self.scheduler = LCMScheduler.from_pretrained(folder / "scheduler")
        self.shape = (1, 4, size // 8, size // 8)
        width = json.loads((folder / "unet/config.json").read_text())["time_cond_proj_dim"]
        self.guidance = guidance_embedding(GUIDANCE_SCALE, width)

    def paint(self, clock, prompt, seed, steps):
        """A picture `[h, w, 3]`, 8 bits."""
        import torch

        networks = clock.engine
        context = clock.time("text", self.encode, networks, prompt)
        self.scheduler.set_timesteps(steps)
        latents = torch.randn(self.shape, generator=torch.Generator().manual_seed(seed))
        denoised = None
        for timestep in self.scheduler.timesteps:
            noise = clock.time("step", networks.unet, latents, timestep, context, self.guidance)
            latents, denoised = self.scheduler.step(noise, timestep, latents, return_dict=False)
        image = clock.time("tiny_decode", networks.decode_tiny, denoised)
        return (image / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)[0].permute(1, 2, 0).numpy()

    def encode(self, networks, prompt):
        options = dict(padding="max_length", max_length=77, truncation=True, return_tensors="pt")
        return networks.text(self.tokenizer(prompt, **options).input_ids)


def guidance_embedding(scale, width):
    """`get_guidance_scale_embedding` of LatentConsistencyModelPipeline, `[1, width]`."""
    import math

    import torch

    frequencies = torch.exp(torch.arange(width // 2) * (-math.log(10000.0) / (width // 2 - 1)))
    angles = frequencies * (scale - 1) * 1000.0
    return torch.cat([angles.sin(), angles.cos()])[None]


def kl_decode_secs(engine, args):
    """The full autoencoder on other latents each time."""
    import torch

    engine.open_full_decoder()
    clock = Clock(engine)
    for _ in range(args.runs + 1):
        clock.time("full", engine.decode_full, torch.randn(1, 4, args.size // 8, args.size // 8))
    return statistics.median(clock.samples["full"][1:])


def peak_memory_bytes():
    """The most memory this process ever had resident."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def since_process_start():
    import psutil

    return time.time() - psutil.Process().create_time()


if __name__ == "__main__":
    main()
