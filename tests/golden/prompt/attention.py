"""Weights of prompts as AUTOMATIC1111 reads them: attention.json.

    python tests/golden/prompt/attention.py

The rule, after the documentation of `prompt_parser.parse_prompt_attention`, written anew:

- `(x)` multiplies the weight of what is in it by 1.1, `(x:w)` by w, `[x]` divides it by 1.1. Brackets nest; those that
  are not closed reach to the end; those that were not opened are text.
- A backslash before a bracket or a backslash makes it text; before anything else it goes.
- `BREAK`, as a word outside of brackets, is a piece of its own with weight -1, and takes the space around it along.
- Neighbours of the same weight are one piece. An empty prompt is one empty piece.

Weights are written as text, which loses nothing. The examples of its documentation are checked before anything is written. Python's standard library only.
"""

import json
import re
from pathlib import Path

TOKEN = re.compile(
    r"(?P<escape>\\[()\[\]\\]|\\)|(?P<open>[(\[])|:\s*(?P<weight>[+-]?[.\d]+)\s*\)|(?P<close>[)\]])|[^\\()\[\]:]+|:")
BREAK = re.compile(r"\s*\bBREAK\b\s*")
FACTOR = {"(": 1.1, "[": 1 / 1.1}
OPENER = {")": "(", "]": "["}


def weigh(prompt):
    pieces = []
    opened = {"(": [], "[": []}

    def close(bracket, factor):
        for piece in pieces[opened[bracket].pop():]:
            piece[1] *= factor

    for token in TOKEN.finditer(prompt):
        text, weight, closing = token[0], token["weight"], OPENER.get(token["close"])
        if token["escape"]:
            pieces.append([text[1:], 1.0])
        elif token["open"]:
            opened[text].append(len(pieces))
        elif weight and opened["("]:
            close("(", float(weight))
        elif closing and opened[closing]:
            close(closing, FACTOR[closing])
        else:
            first, *others = BREAK.split(text)
            pieces.append([first, 1.0])
            for part in others:
                pieces += [["BREAK", -1], [part, 1.0]]
    for bracket in "([":
        while opened[bracket]:
            start = opened[bracket].pop(0)
            for piece in pieces[start:]:
                piece[1] *= FACTOR[bracket]
    merged = []
    for text, weight in pieces or [["", 1.0]]:
        if merged and merged[-1][1] == weight:
            merged[-1][0] += text
        else:
            merged.append([text, weight])
    return merged


DOCUMENTED = {
    "normal text": [["normal text", 1.0]],
    "an (important) word": [["an ", 1.0], ["important", 1.1], [" word", 1.0]],
    "(unbalanced": [["unbalanced", 1.1]],
    r"\(literal\]": [["(literal]", 1.0]],
    "(unnecessary)(parens)": [["unnecessaryparens", 1.1]],
    "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).": [
        ["a ", 1.0], ["house", 1.5730000000000004], [" ", 1.1], ["on", 1.0], [" a ", 1.1], ["hill", 0.55],
        [", sun, ", 1.1], ["sky", 1.4641000000000006], [".", 1.1]],
}

CASES = [
    *DOCUMENTED, "", " ", "a", "(", ")", "()", "[]", "((", "))", "[[x", "x]]", "(a)(b)", "((a))", "([a])", "[(a)]", "(a]", "[a)",
    "(a[b)c]", "(a:1.2)", "(a:0)", "(a:-0.5)", "(a:+2)", "(a:.5)", "(a:2.)", "(a: 1.3 )", "(a :1.3)", "(a:1.3 b)", "(a:b)",
    "a:1.2)", "a: b", "(a:1.2:1.3)", "((a:1.2):1.5)", "(a (b:2) c:0.5)", "[a:1.2]", "[a (b:2)]", "[[a] b]", "a\\(b\\)",
    "a\\[b\\]", "a\\\\b", "a\\b", "\\", "a\\", "(a\\)", "\\(a:1.2\\)", "(a\\:1.2)", "a BREAK b", "BREAK", "BREAK BREAK",
    "a BREAK", "BREAK a", "a  BREAK\nb", "aBREAK", "BREAKa", "BREAK_", "a,BREAK,b", "a break b", "(a BREAK b)", "(a BREAK b:1.2)",
    "[BREAK]", "(a) BREAK (b)", "(BREAK:-1)", "(a:-1) BREAK b", "a BREAK (b:-1)", "a:BREAK:b", "é (ü:1.2) 漢字 [語]",
    "(漢字BREAK語)", "漢字 BREAK 語", "a, (b:1.1), [c], ((d)), (((e:0.9)))", "(a, (b, (c, (d:2", "x (y] z [w) v",
    "masterpiece, (best quality:1.4), a (red:1.3) fox, [blurry], \\(artist\\)",
]


def main():
    for prompt, expected in DOCUMENTED.items():
        found = weigh(prompt)
        assert [p[0] for p in found] == [p[0] for p in expected], (prompt, found)
        assert all(abs(a[1] - b[1]) < 1e-12 for a, b in zip(found, expected)), (prompt, found)
    cases = [{"prompt": prompt, "pieces": [[text, repr(float(weight))] for text, weight in weigh(prompt)]} for prompt in dict.fromkeys(CASES)]
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    Path(__file__).with_name("attention.json").write_text(f"[\n{lines}\n]\n")
    print(len(cases), "prompts")


if __name__ == "__main__":
    main()
