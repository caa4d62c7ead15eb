"""Makes pictures as other programs leave them: AUTOMATIC1111's PNG, JPEG and WebP, ComfyUI's PNG.

    pip install pillow==13.0.0
    python tests/golden/pictures/make.py

The texts are those of `modules/images.py` (save_image_with_geninfo: infotext in the PNG chunk `parameters`, in EXIF as
`UserComment` in UTF-16 as piexif writes it) and of ComfyUI's `nodes.py` (SaveImage: the chunks `prompt` and `workflow`).
"""

import json
from pathlib import Path

from PIL import Image, PngImagePlugin

HERE = Path(__file__).resolve().parent
EXIF_IFD, USER_COMMENT = 0x8769, 0x9286

INFOTEXT = """masterpiece, (portrait:1.2) of a red fox <lora:ink:0.6> <lora:lcm-lora-sdv1-5:1>
Negative prompt: lowres, blurry
Steps: 6, Sampler: LCM, Schedule type: Automatic, CFG scale: 1.5, Seed: 1234567890, Size: 64x96, Model hash: 879db523c3, \
Model: dreamshaper_8, Clip skip: 2, Lora hashes: "ink: 0123456789ab, lcm-lora-sdv1-5: 8f90d840e075", Version: v1.10.1"""

CHINESE = """一隻紅色的狐狸
Negative prompt: 模糊
Steps: 30, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 42, Size: 64x64, Model: sticker, Version: v1.10.1"""

COMFY = {
    "3": {
        "class_type": "KSampler",
        "inputs": {
            "seed": 156680208700286, "steps": 25, "cfg": 8.0, "sampler_name": "dpmpp_2m", "scheduler": "karras", "denoise": 1.0,
            "model": ["10", 0], "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0],
        },
        "_meta": {"title": "KSampler"},
    },
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "SD1.5/dreamshaper_8.safetensors"}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 64, "height": 96, "batch_size": 1}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a glass bottle with a galaxy in it", "clip": ["10", 1]}},
    "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "text, watermark", "clip": ["10", 1]}},
    "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
    "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ComfyUI", "images": ["8", 0]}},
    "10": {
        "class_type": "LoraLoader",
        "inputs": {"lora_name": "ink.safetensors", "strength_model": 0.7, "strength_clip": 1.0, "model": ["4", 0], "clip": ["4", 1]},
        "is_changed": [float("nan")],
    },
}
WORKFLOW = {
    "nodes": [
        {"id": 3, "type": "KSampler", "widgets_values": [9, "fixed", 4, 1.5, "lcm", "sgm_uniform", 1.0], "inputs": [
            {"name": "model", "link": 1}, {"name": "positive", "link": 4}, {"name": "negative", "link": 6},
            {"name": "latent_image", "link": 2}]},
        {"id": 4, "type": "CheckpointLoaderSimple", "widgets_values": ["sticker.safetensors"]},
        {"id": 5, "type": "EmptyLatentImage", "widgets_values": [128, 64, 1]},
        {"id": 6, "type": "CLIPTextEncode", "widgets_values": ["a boat"]},
        {"id": 7, "type": "CLIPTextEncode", "widgets_values": [""]},
    ],
    "links": [[1, 4, 0, 3, 0, "MODEL"], [2, 5, 0, 3, 3, "LATENT"], [4, 6, 0, 3, 1, "CONDITIONING"],
              [6, 7, 0, 3, 2, "CONDITIONING"]],
}


def picture():
    image = Image.new("RGB", (64, 96), (40, 90, 160))
    image.paste((210, 80, 40), (16, 32, 48, 64))
    return image


def png(name, **texts):
    info = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        info.add_text(key, text)
    picture().save(HERE / name, pnginfo=info)


def with_comment(name, text):
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = b"UNICODE\0" + text.encode("utf-16-be")
    picture().save(HERE / name, exif=exif, quality=80)


png("a1111.png", parameters=INFOTEXT)
with_comment("a1111.jpg", INFOTEXT)
with_comment("a1111.webp", CHINESE)
png("comfyui.png", prompt=json.dumps(COMFY), workflow=json.dumps(WORKFLOW))
png("comfyui_drawn.png", workflow=json.dumps(WORKFLOW))
