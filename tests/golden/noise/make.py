"""Writes noise.json: what PyTorch's CPU generator draws, and Philox as a numpy port of the CUDA generator.

Run on an x86-64 machine with AVX2 and the versions below; elsewhere PyTorch takes other code, with other last bits.
Values are the bits of f32 as eight hex digits; a hash is FNV-1a (64 bits) over the little-endian bytes.
"""

import json
import pathlib

import numpy as np
import torch

assert torch.__version__.split("+")[0] == "2.15.0", torch.__version__
assert np.__version__ == "2.4.6", np.__version__
assert torch.backends.cpu.get_cpu_capability() in ("AVX2", "AVX512")

SEEDS = [0, 1, 7, 42, 0x7FFF_FFFF, 0xFFFF_FFFF, 0x1_0000_0000, 0x1_0000_002A, 0x8000_0000_0000_000B, 2**64 - 1]


def fnv1a(data: bytes) -> str:
    value = 0xCBF29CE484222325
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) % 2**64
    return f"{value:016x}"


def bits(values: np.ndarray) -> str:
    return "".join(f"{word:08x}" for word in np.ascontiguousarray(values, "<f4").view("<u4"))


def torch_stream(seed):
    generator = torch.Generator("cpu").manual_seed(seed)
    return lambda length: torch.randn(length, generator=generator).numpy()


def philox_stream(seed):
    """Counter (call, 0, element, 0), key = seed, ten rounds, first number of the Box-Muller pair."""
    call = 0

    def draw(length):
        nonlocal call
        word = 2**32 - 1
        index = np.arange(length, dtype=np.uint64)
        c = [np.full(length, call, np.uint64), np.zeros(length, np.uint64), index, np.zeros(length, np.uint64)]
        k0, k1 = seed & word, seed >> 32
        for _ in range(10):
            a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
            high, low = np.uint64(32), np.uint64(word)
            c = [(b >> high) ^ c[1] ^ np.uint64(k0), b & low, (a >> high) ^ c[3] ^ np.uint64(k1), a & low]
            k0, k1 = (k0 + 0x9E3779B9) & word, (k1 + 0xBB67AE85) & word
        call += 1
        unit, turn = np.float32(2.3283064e-10), np.float32(2.3283064e-10 * 6.2831855)
        u = c[0].astype(np.float64) * np.float64(unit) + np.float64(unit / np.float32(2))
        v = c[1].astype(np.float64) * np.float64(turn) + np.float64(turn / np.float32(2))
        return (np.sqrt(-2.0 * np.log(u)) * np.sin(v)).astype(np.float32)

    return draw


def main():
    # The example in AUTOMATIC1111's modules/rng_philox.py, which stems from before its 2 pi was rounded to f32.
    published = [-0.92466259, -0.42534415, -2.6438457, 0.14518388, -0.12086647, -0.57972564, -0.62285122, -0.32838709,
                 -1.07454231, -0.36314407, -1.67105067, 2.26550497]
    assert np.allclose(philox_stream(0)(12), published, rtol=5e-7, atol=0)

    streams = {"torch": torch_stream, "philox": philox_stream}
    sequences = []
    for kind, stream in streams.items():
        for seed in SEEDS:
            # Small calls keep half a pair for the next small call, across large ones.
            draw, calls = stream(seed), [3, 16, 1, 20, 5, 7, 33, 2, 15, 64, 1]
            sequences.append({"noise": kind, "seed": seed, "calls": calls, "bits": [bits(draw(n)) for n in calls]})
    hashes = []
    for kind, stream in streams.items():
        every_size = b"".join(stream(5)(n).tobytes() for n in range(300))
        hashes.append({"noise": kind, "seed": 5, "sizes": list(range(300)), "fnv1a": fnv1a(every_size)})
        for seed in [0, 2**33 + 9]:
            hashes.append({"noise": kind, "seed": seed, "sizes": [2**18], "fnv1a": fnv1a(stream(seed)(2**18).tobytes())})
    out = {"torch": torch.__version__, "numpy": np.__version__, "sequences": sequences, "hashes": hashes}
    pathlib.Path(__file__).with_name("noise.json").write_text(json.dumps(out, indent=1) + "\n")


main()
