"""The networks in PyTorch, as diffusers runs them, channels-last."""
import diffusers
import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextModel

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def versions():
    return {"torch": torch.__version__, "diffusers": diffusers.__version__}


class Engine:
    """Takes and gives f32 tensors, whatever it computes in."""

    def __init__(self, folder, _size, precision, _threads):
        self.folder, self.dtype = folder, DTYPES[precision]
        self.text_encoder = CLIPTextModel.from_pretrained(folder / "text_encoder", dtype=self.dtype).eval()
        self.denoiser = self.open(UNet2DConditionModel, "unet")
        self.tiny = self.open(AutoencoderTiny, "taesd")
        self.full = None

    def open(self, cls, name):
        network = cls.from_pretrained(self.folder / name, torch_dtype=self.dtype).eval()
        return network.to(memory_format=torch.channels_last)

    def image(self, x):
        return x.to(self.dtype).to(memory_format=torch.channels_last)

    def text(self, ids):
        return self.text_encoder(ids)[0]

    def unet(self, latents, timestep, context, guidance):
        options = dict(encoder_hidden_states=context, timestep_cond=guidance.to(self.dtype), return_dict=False)
        return self.denoiser(self.image(latents), timestep, **options)[0].float()

    def decode_tiny(self, latents):
        return self.tiny.decode(self.image(latents), return_dict=False)[0].float()

    def open_full_decoder(self):
        """In place of the U-Net, which is let go."""
        self.denoiser, self.full = None, self.open(AutoencoderKL, "vae")

    def decode_full(self, latents):
        return self.full.decode(self.image(latents), return_dict=False)[0].float()
