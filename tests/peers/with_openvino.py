"""The networks in OpenVINO, compiled for one picture size.

They are converted from diffusers' once, weights in f16, into `FOLDER.openvino/`. The int8 U-Net is quantized after
training (weights and activations, NNCF) on one random sample: as fast as one quantized with care, but not as good.
"""
import json
import time
from pathlib import Path

import numpy as np
import openvino
import torch

CLASSES = {"unet": "UNet2DConditionModel", "taesd": "AutoencoderTiny", "vae": "AutoencoderKL"}
# int8 is a property of the U-Net; around it OpenVINO takes what it thinks is fastest, bf16 where the processor has it.
HINTS = {"f32": "f32", "bf16": "bf16", "int8": None}


def versions():
    return {"openvino": openvino.__version__}


class Engine:
    """Takes and gives f32 tensors, whatever it computes in."""

    def __init__(self, folder, size, precision, threads):
        self.folder, self.size, self.core = folder, size, openvino.Core()
        self.options = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
        if HINTS[precision]:
            self.options["INFERENCE_PRECISION_HINT"] = HINTS[precision]
        self.denoiser = self.open("unet", "unet-int8" if precision == "int8" else "unet")
        self.text_encoder, self.tiny, self.full = self.open("text_encoder"), self.open("taesd"), None

    def open(self, name, file=None):
        """Compiles a network and makes it callable."""
        model = self.core.read_model(converted(self.folder, file or name))
        model.reshape(dict(enumerate(input_shapes(self.folder, name, self.size // 8))))
        request = self.core.compile_model(model, "CPU", self.options).create_infer_request()

        def call(*inputs):
            request.infer(dict(enumerate(inputs)), share_inputs=True)
            return torch.from_numpy(request.get_output_tensor(0).data.copy())

        return call

    def text(self, ids):
        return self.text_encoder(ids.numpy())

    def unet(self, latents, timestep, context, guidance):
        return self.denoiser(latents.numpy(), np.array(int(timestep)), context.numpy(), guidance.numpy())

    def decode_tiny(self, latents):
        return self.tiny(latents.numpy())

    def open_full_decoder(self):
        """In place of the U-Net, which is let go."""
        self.denoiser, self.full = None, self.open("vae")

    def decode_full(self, latents):
        return self.full(latents.numpy())


def converted(folder, file):
    folder = Path(folder)
    return folder.with_name(f"{folder.name}.openvino") / f"{file}.xml"


def input_shapes(folder, name, side):
    """The inputs of a network for latents `[1, 4, side, side]`."""
    latents = [1, 4, side, side]
    if name == "text_encoder":
        return [[1, 77]]
    if name != "unet":
        return [latents]
    config = json.loads((folder / "unet/config.json").read_text())
    return [latents, [], [1, 77, config["cross_attention_dim"]], [1, config["time_cond_proj_dim"]]]


def prepare(folder, precision):
    """Converts what this precision needs and is not there: minutes the first time."""
    torch.set_grad_enabled(False)
    for name in ("text_encoder", "taesd", "vae", "unet"):
        write(folder, name, lambda: convert(folder, name))
    if precision == "int8":
        write(folder, "unet-int8", lambda: quantize(folder))


def write(folder, file, make):
    path = converted(folder, file)
    if path.exists():
        return
    started = time.perf_counter()
    # Under another name first: a file that is there is complete.
    unfinished = path.with_name(f"unfinished-{path.name}")
    openvino.save_model(make(), unfinished, compress_to_fp16=True)
    unfinished.with_suffix(".bin").rename(path.with_suffix(".bin"))
    unfinished.rename(path)
    print(f"{path}: {time.perf_counter() - started:.0f} s", flush=True)


def convert(folder, name):
    class Wrapped(torch.nn.Module):
        """One output, inputs by position."""

        def __init__(self, network):
            super().__init__()
            self.network = network

        def forward(self, x, timestep=None, context=None, guidance=None):
            if name == "text_encoder":
                return self.network(x)[0]
            if name != "unet":
                return self.network.decode(x, return_dict=False)[0]
            options = dict(encoder_hidden_states=context, timestep_cond=guidance, return_dict=False)
            return self.network(x, timestep, **options)[0]

    example = tuple(torch.from_numpy(x) for x in example_inputs(folder, name))
    return openvino.convert_model(Wrapped(load_network(folder, name)), example_input=example)


def load_network(folder, name):
    import diffusers
    import transformers

    if name == "text_encoder":
        return transformers.CLIPTextModel.from_pretrained(folder / name, dtype=torch.float32).eval()
    return getattr(diffusers, CLASSES[name]).from_pretrained(folder / name, torch_dtype=torch.float32).eval()


def example_inputs(folder, name, side=32):
    random = np.random.default_rng(0)
    inputs = [random.standard_normal(shape, dtype=np.float32) for shape in input_shapes(folder, name, side)]
    if name == "text_encoder":
        return [np.ones((1, 77), np.int64)]
    return [inputs[0], np.array(999), *inputs[2:]] if name == "unet" else inputs


def quantize(folder):
    """Weights and activations of the U-Net in int8, its inputs again of any size."""
    import nncf

    model = openvino.Core().read_model(converted(folder, "unet"))
    model.reshape(dict(enumerate(input_shapes(folder, "unet", 32))))
    sample = dict(enumerate(example_inputs(folder, "unet")))
    no_smoothing = nncf.AdvancedSmoothQuantParameters(matmul=-1, convolution=-1)
    quantized = nncf.quantize(
        model,
        nncf.Dataset([sample]),
        subset_size=1,
        model_type=nncf.ModelType.TRANSFORMER,
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            disable_bias_correction=True, smooth_quant_alphas=no_smoothing
        ),
    )
    quantized.reshape(dict(enumerate(input_shapes(folder, "unet", -1))))
    return quantized
