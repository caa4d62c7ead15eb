"""CLIP's vocabulary from OpenAI's file, as merges.txt and LICENSE beside this script.

The file lists more merges than CLIP uses; those are left out, as in `simple_tokenizer.py` of OpenAI's CLIP.
Run with the wheel of clip-anytorch 2.6.0: pip download --no-deps clip-anytorch==2.6.0; python assets/clip/make.py WHEEL
"""

import gzip
import sys
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
MERGES = 49152 - 256 - 2

with zipfile.ZipFile(sys.argv[1]) as wheel:
    text = gzip.decompress(wheel.read("clip/bpe_simple_vocab_16e6.txt.gz")).decode()
    licence = wheel.read("clip_anytorch-2.6.0.dist-info/LICENSE")
lines = text.split("\n")[1 : MERGES + 1]
assert len(lines) == 48894 and all(line.count(" ") == 1 for line in lines)
(HERE / "merges.txt").write_text("\n".join(lines) + "\n")
(HERE / "LICENSE").write_bytes(licence)
