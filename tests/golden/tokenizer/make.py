"""Token ids by transformers' CLIPTokenizer, as files beside this script: golden.json on the vocabulary of the embedded
models, clip.json on CLIP's own.

Run with transformers 5.23.0, tokenizers as it requires: python tests/golden/tokenizer/make.py
"""

import json
from pathlib import Path

import transformers
from transformers import CLIPTokenizer

assert transformers.__version__ == "5.23.0", transformers.__version__

HERE = Path(__file__).parent
VOCABULARY = HERE.parents[2] / "assets/sticker/teacher/tokenizer"
MERGES = HERE.parents[2] / "assets/clip/merges.txt"

PROMPTS = [
    "",
    " ",
    "a",
    "a blue apple on a yellow background",
    "A BIG Red ROCKET on a Green Background",
    "  two   spaces\tand\ttabs\nand\r\nnew lines  ",
    "a cat, a dog; a (small) bird: [frog] {fox} <penguin>!",
    "it's the dog's house, they're we've I'm you'll he'd don't",
    "don’t use “curly quotes” — or dashes…",
    "hello!!! what??? no... yes,,,",
    "masterpiece, best quality, (blue eyes:1.3), [blurry:0.5] <lora:style:0.8>",
    "12 apples, 3.14159, 2026-11-22, 1e10, 4k 8K 1/2",
    "½ ¾ ² ³ ٣ ४ 五 Ⅷ",
    "café crème brûlée, naïve façade, Ångström, Ñandú",
    "cafe\u0301 cre\u0300me",
    "ﬁ ligature, ǆ, ß, ẞ, İstanbul, ΣΊΣΥΦΟΣ",
    "红色的苹果",
    "赤いリンゴ、黄色い背景",
    "파란 사과",
    "синее яблоко на жёлтом фоне",
    "تفاحة زرقاء",
    "תפוח כחול",
    "नीला सेब",
    "🍎🚀",
    "a 🐈‍⬛ cat 👩‍👩‍👧‍👦 and 🇩🇪 flag 👍🏽",
    "zero\u200bwidth\u200djoiner\ufeffbom",
    "no\u00a0break\u2003em\u3000ideographic space",
    "nul\x00bell\x07escape\x1b",
    "under_score-hyphen+plus=equals/slash\\backslash|pipe",
    "C++ & C# @user #tag $100 50% ^caret ~tilde `tick`",
    "https://example.com/a?b=c&d=e#f",
    "<|startoftext|>a cat<|endoftext|>",
    "a cat <|endoftext|> a dog",
    "<|EndOfText|> <|end|>",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "xyzzyplughqwertyuiopantidisestablishmentarianism",
    "a cat " * 37,
    "a cat " * 37 + "a",
    "a cat " * 38,
    "a big blue house and a small red car on a white background, " * 12,
    "🍎" * 40,
    "!",
    "wow ! really!! yes!",
    "\U0001d4d0 \U0010ffff \ue000",
]


def encode(tokenizer):
    cases = []
    for prompt in PROMPTS:
        text = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        ids = tokenizer(prompt, padding="max_length", truncation=True, max_length=77)["input_ids"]
        assert len(ids) == 77
        end = len(ids)
        while end > 1 and ids[end - 1] == ids[-1]:
            end -= 1
        cases.append({"prompt": prompt, "used": len(text), "head": ids[:end], "fill": ids[-1]})
    return cases


def clip_vocabulary():
    """`bytes_to_unicode` and `SimpleTokenizer.__init__` of OpenAI's CLIP."""
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    symbols = [chr(byte) for byte in printable] + [chr(256 + n) for n in range(len(others))]
    merges = [tuple(line.split()) for line in MERGES.read_text().splitlines()]
    tokens = symbols + [symbol + "</w>" for symbol in symbols] + ["".join(merge) for merge in merges]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    assert len(tokens) == len(set(tokens)) == 49408
    return {"vocab": {token: i for i, token in enumerate(tokens)}, "merges": merges}


def write(name, tokenizers):
    golden = {pad: encode(tokenizer) for pad, tokenizer in tokenizers.items()}
    body = ",\n".join(
        f'"{pad}": [\n' + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]"
        for pad, cases in golden.items()
    )
    (HERE / name).write_text("{\n" + body + "\n}\n")


plain = CLIPTokenizer.from_pretrained(VOCABULARY)
assert plain.model_max_length == 77
write("golden.json", {"endoftext": plain, "!": CLIPTokenizer.from_pretrained(VOCABULARY, pad_token="!")})
clip = clip_vocabulary()
write("clip.json", {"endoftext": CLIPTokenizer(**clip), "!": CLIPTokenizer(**clip, pad_token="!")})
