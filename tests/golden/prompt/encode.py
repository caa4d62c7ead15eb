#!/usr/bin/env python3
"""Weighted, long and mixed prompts through transformers' CLIP, and what diffusers paints with them: encoding.json and
encoding.safetensors.

    pip install torch==2.15.* diffusers==0.42.1 transformers==5.23.0 safetensors
    python tests/golden/prompt/encode.py

For the random models `sd` and `sdxl` of tests/golden/pipeline. The rule is AUTOMATIC1111's, written anew: each piece of
one weight is tokenised by itself; 75 tokens are a chunk; `BREAK` ends one, and where a chunk is full the text after a
comma among its last 20 tokens goes to the next; chunks are encoded by themselves, each token's vector is multiplied by
its weight, and the mean of the chunk's numbers is brought back; the pooled vector is the first chunk's, as it is. Prompts
of a run have as many chunks as the longest, filled with empty ones. A mix is the weighted mean of hidden states and of
pooled vectors.

For each case: `NAME.context`, f32 [tokens, c], `NAME.pooled` for sdxl, `NAME.negative` where guidance is above 1, and
`NAME.latents`, f32 [1, 4, h, w].
"""
import json
from pathlib import Path

import diffusers
import torch
import transformers
from attention import weigh
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from safetensors.torch import save_file

assert torch.__version__.startswith("2.15."), torch.__version__
assert diffusers.__version__ == "0.42.1", diffusers.__version__
assert transformers.__version__ == "5.23.0", transformers.__version__
torch.set_grad_enabled(False)

HERE = Path(__file__).parent
MODELS = HERE.parent / "pipeline"
PLACES, NEAR = 75, 20
LONG = "a small red house under a big yellow moon and a blue bird in a green tree on the left, "
CASES = {
    "plain": dict(prompts=[["a red apple on a yellow background", 1]]),
    "weights": dict(prompts=[["a (red:1.3) apple on a [yellow] background", 1]], guidance=1.5),
    "nested": dict(prompts=[["((blue) apple:1.4), \\(star\\) (cat:0) [[dog]]", 1]], negative="(green:1.5) background",
                   guidance=1.5),
    "break": dict(prompts=[["a red apple BREAK a (yellow:0.8) background", 1]], negative="a house", guidance=1.5),
    "near_comma": dict(prompts=[[LONG * 4 + "a (red:1.2) apple", 1]]),
    "no_comma": dict(prompts=[["(red:1.1) apple " * 50, 1]]),
    "three_chunks": dict(prompts=[[LONG * 8, 1]]),
    "long_negative": dict(prompts=[["a blue (house:1.2)", 1]], negative=LONG * 5, guidance=1.5),
    "mix": dict(prompts=[["a red apple", 0.25], ["a blue (house:1.2)", 0.75]], guidance=1.5),
    "mix_of_lengths": dict(prompts=[["a red apple", 0.5], ["a blue house BREAK a tree", 0.2], [LONG * 4, 0.3]],
                           negative="a cat", guidance=1.5),
}


def chunks(tokenizer, prompt):
    comma = tokenizer.convert_tokens_to_ids(",</w>")
    done, chunk, last_comma = [], [], None
    for text, weight in weigh(prompt):
        if (text, weight) == ("BREAK", -1):
            done.append(chunk)
            chunk, last_comma = [], None
            continue
        for token in tokenizer(text, add_special_tokens=False).input_ids:
            if token == comma:
                last_comma = len(chunk)
            elif len(chunk) == PLACES and last_comma is not None and PLACES - last_comma <= NEAR:
                done.append(chunk[:last_comma + 1])
                chunk, last_comma = chunk[last_comma + 1:], None
            if len(chunk) == PLACES:
                done.append(chunk)
                chunk, last_comma = [], None
            chunk.append((token, weight))
    return done + [chunk] if chunk or not done else done


def encode_chunk(tokenizer, encoder, chunk, xl):
    tokens = [tokenizer.bos_token_id, *(token for token, _ in chunk), tokenizer.eos_token_id]
    tokens += [tokenizer.pad_token_id] * (PLACES + 2 - len(tokens))
    weights = torch.ones(PLACES + 2)
    weights[1:len(chunk) + 1] = torch.tensor([weight for _, weight in chunk])
    output = encoder(torch.tensor([tokens]), output_hidden_states=True)
    hidden = output.hidden_states[-2] if xl else output.last_hidden_state
    weighted = hidden * weights[None, :, None]
    return weighted * (hidden.mean() / weighted.mean()), getattr(output, "text_embeds", None)


def encode(pipe, prompt, count):
    xl = hasattr(pipe, "tokenizer_2")
    encoders = [(pipe.tokenizer, pipe.text_encoder)] + ([(pipe.tokenizer_2, pipe.text_encoder_2)] if xl else [])
    hidden, pooled = [], None
    for tokenizer, encoder in encoders:
        cut = chunks(tokenizer, prompt)
        encoded = [encode_chunk(tokenizer, encoder, chunk, xl) for chunk in cut + [[]] * (count - len(cut))]
        hidden.append(torch.cat([hidden for hidden, _ in encoded], 1))
        pooled = encoded[0][1]
    return torch.cat(hidden, -1), pooled


def run(name, pipe, prompts, negative="", guidance=1.0, seed=7):
    texts = [text for text, _ in prompts] + ([negative] if guidance > 1 else [])
    count = max(len(chunks(pipe.tokenizer, text)) for text in texts)
    parts = [(*encode(pipe, text, count), part) for text, part in prompts]
    context = sum(hidden * part for hidden, _, part in parts)
    found = {"context": context[0]}
    options = dict(prompt_embeds=context)
    if xl := hasattr(pipe, "tokenizer_2"):
        options["pooled_prompt_embeds"] = sum(pooled * part for _, pooled, part in parts)
        found["pooled"] = options["pooled_prompt_embeds"][0]
    if guidance > 1:
        hidden, pooled = encode(pipe, negative, count)
        if xl and not negative:
            hidden, pooled = torch.zeros_like(hidden), torch.zeros_like(pooled)
        options["negative_prompt_embeds"] = hidden
        found["negative"] = hidden[0]
        if xl:
            options["negative_pooled_prompt_embeds"] = pooled
    latents = pipe(**options, width=64, height=64, num_inference_steps=4, guidance_scale=guidance,
                   generator=torch.Generator("cpu").manual_seed(seed), output_type="latent").images
    assert torch.isfinite(latents).all() and torch.isfinite(context).all()
    found["latents"] = latents.float()
    print(name, "chunks", count, "context", round(context.std().item(), 3), "latents", round(latents.std().item(), 3))
    return {f"{name}.{key}": value.contiguous() for key, value in found.items()}, count


def main():
    tensors, described = {}, []
    for model, cls, options in [("sd", StableDiffusionPipeline, {}),
                                ("sdxl", StableDiffusionXLPipeline, dict(variant="fp16", add_watermarker=False))]:
        pipe = cls.from_pretrained(MODELS / model, torch_dtype=torch.float32, **options)
        pipe.set_progress_bar_config(disable=True)
        for case, settings in CASES.items():
            found, count = run(f"{model}_{case}", pipe, **settings)
            tensors |= found
            described.append(dict(name=f"{model}_{case}", model=model, negative="", guidance=1.0, chunks=count)
                             | settings)
    save_file(tensors, HERE / "encoding.safetensors")
    lines = ",\n".join(json.dumps(case) for case in described)
    (HERE / "encoding.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
