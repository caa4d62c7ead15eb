"""Writes runs.json and runs.f32: whole runs of diffusers' schedulers over a toy model.

The toy network answers `0.3 * input * cos(t / 300) + 0.1 * sin(7 * index)`. Initial and fresh noise come from one
`torch.Generator('cpu')` with seed 1234, initial noise first; the picture of image-to-image runs is `0.5 * cos(3 * index)`.
Schedulers are made `from_config` with CONFIG, which is what the pipelines of Stable Diffusion 1.5 pass on, changed by a
case's own "config" (null there takes a key away, so that each scheduler's own default counts).

runs.f32 holds, little-endian, for each case: the first x, then for each step the next x and the denoised sample.
"""

import json
import pathlib

import diffusers
import numpy as np
import torch

assert diffusers.__version__ == "0.42.1", diffusers.__version__
assert torch.__version__.split("+")[0] == "2.15.0", torch.__version__

SHAPE = (1, 4, 2, 2)
SEED = 1234
CONFIG = {
    "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "trained_betas": None, "clip_sample": False, "prediction_type": "epsilon", "set_alpha_to_one": False,
    "steps_offset": 1, "timestep_spacing": "leading", "rescale_betas_zero_snr": False,
}
CLASSES = {
    "lcm": (diffusers.LCMScheduler, {}),
    "ddim": (diffusers.DDIMScheduler, {}),
    "euler": (diffusers.EulerDiscreteScheduler, {}),
    "euler-a": (diffusers.EulerAncestralDiscreteScheduler, {}),
    "dpmpp-2m": (diffusers.DPMSolverMultistepScheduler, {}),
    "dpmpp-2m-karras": (diffusers.DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "unipc": (diffusers.UniPCMultistepScheduler, {}),
}
V = {"prediction_type": "v_prediction"}
ZERO_SNR = {**V, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
LINEAR = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02, "set_alpha_to_one": True, "steps_offset": 0}


def make(sampler, changes):
    cls, extra = CLASSES[sampler]
    config = {k: v for k, v in {**CONFIG, **changes}.items() if v is not None or k == "trained_betas"}
    return cls.from_config(config, **extra)


def set_timesteps(scheduler, sampler, steps, strength):
    """LCM takes the strength itself; the others are cut as in StableDiffusionImg2ImgPipeline.get_timesteps."""
    if sampler == "lcm":
        scheduler.set_timesteps(steps, strength=1.0 if strength is None else strength)
        return scheduler.timesteps
    scheduler.set_timesteps(steps)
    skipped = 0 if strength is None else steps - min(int(steps * strength), steps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    return scheduler.timesteps[skipped:]


def run(sampler, steps, strength, changes):
    scheduler = make(sampler, changes)
    timesteps = set_timesteps(scheduler, sampler, steps, strength)
    generator = torch.Generator("cpu").manual_seed(SEED)
    noise = torch.randn(SHAPE, generator=generator)
    index = np.arange(noise.numel(), dtype=np.float64)
    bias = torch.from_numpy((0.1 * np.sin(7 * index)).astype(np.float32)).reshape(SHAPE)
    if strength is None:
        x = noise * scheduler.init_noise_sigma
    else:
        picture = torch.from_numpy((0.5 * np.cos(3 * index)).astype(np.float32)).reshape(SHAPE)
        x = scheduler.add_noise(picture, noise, timesteps[:1])
    values = [x]
    for t in timesteps:
        factor = np.float32(0.3 * np.cos(float(t) / 300)).item()
        output = factor * scheduler.scale_model_input(x, t) + bias
        takes_noise = sampler in ("lcm", "euler-a")
        result = scheduler.step(output, t, x, **({"generator": generator} if takes_noise else {}))
        x = result.prev_sample
        if sampler == "lcm":
            denoised = result.denoised
        elif hasattr(result, "pred_original_sample"):
            denoised = result.pred_original_sample
        else:
            denoised = scheduler.model_outputs[-1]
        values += [x, denoised]
    assert all(v.isfinite().all() for v in values), (sampler, steps, changes)
    case = {"sampler": sampler, "steps": steps, "strength": strength, "config": changes,
            "init_noise_sigma": float(scheduler.init_noise_sigma), "timesteps": [float(t) for t in timesteps]}
    return case, torch.stack(values).numpy().astype("<f4")


def cases():
    for steps in (1, 2, 4, 8):
        yield "lcm", steps, None, {}
    for strength in (0.5, 0.7, 1.0):
        yield "lcm", 4, strength, {}
    yield "lcm", 4, None, V
    yield "lcm", 4, None, {"prediction_type": "sample", "original_inference_steps": 100, "timestep_scaling": 5.0}
    for sampler in list(CLASSES)[1:]:
        for steps in (25, 10, 2, 1):
            yield sampler, steps, None, {}
        yield sampler, 25, 0.6, {}
        yield sampler, 10, 0.15, {}
        yield sampler, 10, None, V
        yield sampler, 10, None, ZERO_SNR
        yield sampler, 10, None, LINEAR
        yield sampler, 7, None, {"timestep_spacing": None}
        yield sampler, 15, None, {"timestep_spacing": "linspace"}
        if sampler != "euler-a":  # diffusers has none of it there
            yield sampler, 10, None, {"prediction_type": "sample"}


def grids():
    """Timesteps alone, over more counts than whole runs are kept for."""
    for tenth in range(1, 11):
        for steps in range(1, min(8, 5 * tenth) + 1):
            yield "lcm", steps, tenth / 10, {}
    for sampler in list(CLASSES)[1:]:
        for spacing in ("leading", "linspace", "trailing"):
            for steps in (3, 20, 30, 100):
                yield sampler, steps, None, {"timestep_spacing": spacing}


def main():
    manifest, data = [], []
    for case in cases():
        case, values = run(*case)
        manifest.append(case)
        data.append(values.tobytes())
    listed = []
    for sampler, steps, strength, changes in grids():
        timesteps = set_timesteps(make(sampler, changes), sampler, steps, strength)
        listed.append({"sampler": sampler, "steps": steps, "strength": strength, "config": changes,
                       "timesteps": [round(float(t), 4) for t in timesteps]})
    head = {"diffusers": diffusers.__version__, "torch": torch.__version__, "seed": SEED, "config": CONFIG,
            "values": int(np.prod(SHAPE))}
    lines = [json.dumps(head)[:-1] + ', "runs": [', ",\n".join(map(json.dumps, manifest)), '], "grids": [',
             ",\n".join(map(json.dumps, listed)), "]}\n"]
    here = pathlib.Path(__file__).parent
    here.joinpath("runs.json").write_text("\n".join(lines))
    here.joinpath("runs.f32").write_bytes(b"".join(data))
    print(len(manifest), "runs,", len(listed), "grids,", sum(map(len, data)), "bytes")


main()
