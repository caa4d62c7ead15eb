"""The forms of the models people have, with their own depths, in few channels.

Group norms have 32 groups and heads are as single-file checkpoints imply: 8 heads (SD1.5), 64 channels a head (others).
"""
import torch
from diffusers import (AutoencoderKL, DDIMScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler,
                       LCMScheduler, PNDMScheduler, UNet2DConditionModel)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from weights import fill

DOWN, UP, CROSS_DOWN, CROSS_UP = "DownBlock2D", "UpBlock2D", "CrossAttnDownBlock2D", "CrossAttnUpBlock2D"

FOUR = dict(down_block_types=(CROSS_DOWN,) * 3 + (DOWN,), up_block_types=(UP,) + (CROSS_UP,) * 3, sample_size=8)
SD15 = dict(**FOUR, block_out_channels=(32, 32, 64, 64), attention_head_dim=8, cross_attention_dim=64)
SD2 = dict(**FOUR, block_out_channels=(64,) * 4, attention_head_dim=(1,) * 4, cross_attention_dim=128,
           use_linear_projection=True)
SDXL = dict(down_block_types=(DOWN, CROSS_DOWN, CROSS_DOWN), up_block_types=(CROSS_UP, CROSS_UP, UP), sample_size=8,
            block_out_channels=(32, 64, 64), attention_head_dim=(1, 1, 1), cross_attention_dim=192,
            use_linear_projection=True, transformer_layers_per_block=(1, 2, 10), addition_embed_type="text_time",
            addition_time_embed_dim=256, projection_class_embeddings_input_dim=64 + 6 * 256)
# unet/config.json of segmind/SSD-1B.
SSD1B = SDXL | dict(mid_block_type="UNetMidBlock2D", transformer_layers_per_block=[1, [2, 2], [4, 4]],
                    reverse_transformer_layers_per_block=[[4, 4, 10], [2, 1, 1], 1])

BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", num_train_timesteps=1000)
SCHEDULERS = {
    "classic": lambda: PNDMScheduler(**BETAS, skip_prk_steps=True, steps_offset=1),
    "v": lambda: DDIMScheduler(**BETAS, prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False,
                               steps_offset=1),
    "xl": lambda: EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1),
    "lcm": lambda: LCMScheduler(**BETAS),
    "turbo": lambda: EulerAncestralDiscreteScheduler(**BETAS, timestep_spacing="trailing", steps_offset=1),
}


def unet(seed, **options):
    model = UNet2DConditionModel(**options)
    return model, fill(model, seed)


def vae(seed, scaling_factor):
    model = AutoencoderKL(
        block_out_channels=(32, 32, 64, 64), layers_per_block=2, norm_num_groups=32, scaling_factor=scaling_factor,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4, sample_size=64)
    return model, fill(model, seed)


TEXT = {
    "l": (CLIPTextModel, dict(hidden_size=64, num_attention_heads=1, hidden_act="quick_gelu", projection_dim=64)),
    "h": (CLIPTextModel, dict(hidden_size=128, num_attention_heads=2, hidden_act="gelu", projection_dim=64)),
    "g": (CLIPTextModelWithProjection,
          dict(hidden_size=128, num_attention_heads=2, hidden_act="gelu", projection_dim=64)),
}


def text_encoder(seed, kind):
    """Two layers of CLIP's ViT-L or OpenCLIP's ViT-H or ViT-bigG, with CLIP's own number of tokens."""
    cls, options = TEXT[kind]
    config = CLIPTextConfig(vocab_size=49408, num_hidden_layers=2, intermediate_size=4 * options["hidden_size"],
                            bos_token_id=49406, eos_token_id=49407, pad_token_id=1, **options)
    model = cls(config)
    return model, fill(model, seed)


torch.set_grad_enabled(False)
