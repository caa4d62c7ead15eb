"""The networks, in the layout of diffusers and transformers, and the noise schedule they share."""

import os

import torch
from diffusers import AutoencoderTiny, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import quick

SIDE = int(os.environ.get("STICKER_SIDE", "256"))  # pixels
LATENT = SIDE // 8
CHANNELS = (32, 64, 96, 112)  # two painters, a LoRA, text encoder and autoencoder in f16 stay below 25 MB
TEXT_WIDTH, TEXT_LAYERS, TEXT_HEADS, TEXT_LENGTH = 128, 3, 4, 77
GUIDANCE_WIDTH = 256


def make_vae(width: int = 32) -> AutoencoderTiny:
    """Eight times smaller, four channels. `scaling_factor` is measured after training."""
    return AutoencoderTiny(
        encoder_block_out_channels=(width,) * 4, decoder_block_out_channels=(width,) * 4,
        num_encoder_blocks=(1, 2, 2, 2), num_decoder_blocks=(2, 2, 2, 1), latent_channels=4,
    )


def make_unet(guidance: bool = False) -> UNet2DConditionModel:
    """The painter. `guidance`: with the guidance embedding of a full LCM."""
    unet = UNet2DConditionModel(
        sample_size=LATENT, in_channels=4, out_channels=4, block_out_channels=CHANNELS, layers_per_block=1,
        # No attention at the finest level, and few channels there: so 32×32 latents cost little more than 16×16 would.
        norm_num_groups=16, down_block_types=("DownBlock2D", *["CrossAttnDownBlock2D"] * 3),
        up_block_types=(*["CrossAttnUpBlock2D"] * 3, "UpBlock2D"),
        # diffusers reads `attention_head_dim` as the number of heads, as in Stable Diffusion 1.5's own configuration.
        attention_head_dim=4, cross_attention_dim=TEXT_WIDTH, time_cond_proj_dim=GUIDANCE_WIDTH if guidance else None,
    )
    if not torch.cuda.is_available():
        unet.set_attn_processor(QuickAttention())
        quick.use_norm()
    return unet


def make_text_encoder(vocabulary: int) -> CLIPTextModel:
    """CLIP's text encoder, small. The last two tokens of the vocabulary are start and end; end also pads."""
    config = CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=TEXT_WIDTH, intermediate_size=4 * TEXT_WIDTH, num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=TEXT_HEADS, max_position_embeddings=TEXT_LENGTH, hidden_act="quick_gelu", projection_dim=TEXT_WIDTH,
        bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1, pad_token_id=vocabulary - 1,
    )
    return CLIPTextModel._from_config(config, attn_implementation="sdpa" if torch.cuda.is_available() else "eager")


class QuickAttention:
    """Attention by quick.c; else as two plain products, which with short sequences on CPUs are much faster than torch's fused one."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q, k, v = attn.to_q(hidden_states), attn.to_k(context), attn.to_v(context)
        if quick.attends(q, k, attn.heads):
            found = quick.Attention.apply(q, k, v, attn.heads)
        else:
            q, k, v = (x.unflatten(2, (attn.heads, -1)).transpose(1, 2) for x in (q, k, v))
            shares = torch.matmul(q * attn.scale, k.transpose(-1, -2)).softmax(-1)
            found = torch.matmul(shares, v).transpose(1, 2).flatten(2)
        return attn.to_out[1](attn.to_out[0](found))


# Stable Diffusion's "scaled_linear" schedule: ᾱ for t = 0…999.
ALPHAS = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)


def spread(values: torch.Tensor) -> torch.Tensor:
    """[n] → [n, 1, 1, 1]."""
    return values.view(-1, 1, 1, 1)


def add_noise(clean: torch.Tensor, noise: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """√ᾱ·x + √(1−ᾱ)·ε."""
    alpha = spread(ALPHAS.to(clean.device)[t])
    return (alpha.sqrt() * clean + (1 - alpha).sqrt() * noise).contiguous(memory_format=torch.channels_last)
