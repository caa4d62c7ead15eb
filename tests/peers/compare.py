#!/usr/bin/env python3
"""Fourstep's CPU backend beside its rivals: same weights, same machine, alternately; prints the table of ratios.

    python tests/peers/compare.py --fourstep target/release/fourstep --model FOLDER --json out.json > table.md

README.md beside it says what is compared with what.
"""
import argparse
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

import table

HERE = Path(__file__).parent
PROMPT = "a red apple on a blue background"
# The goal for the full autoencoder is one figure; it is large enough to be measured where that is and nowhere else.
KL_CASE = ("bf16", 512)
ATTEMPTS = 3


def main():
    args = arguments()
    for precision in args.precisions:
        run([sys.executable, HERE / "peers.py", "--model", args.model, "--engine", rival(args, precision), "--prepare"])
    results = []
    for round_number in range(1, args.rounds + 1):
        for precision in args.precisions:
            for size in args.sizes:
                print(f"round {round_number} of {args.rounds}: {precision} at {size}", file=sys.stderr, flush=True)
                for who, measure in (("rival", measure_rival), ("ours", measure_ours)):
                    samples = measure(args, precision, size)
                    results.append(samples | dict(who=who, precision=precision, size=size, round=round_number))
                save(args, results)
    print(table.markdown(results, machine(args)))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fourstep", type=Path, required=True, help="the program, built with --release")
    parser.add_argument("--model", type=Path, required=True, help="a folder of make_models.py")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 256])
    parser.add_argument("--precisions", nargs="+", default=["bf16", "int8", "f32"], choices=["bf16", "int8", "f32"])
    parser.add_argument("--rounds", type=int, default=3, help="how often one follows the other")
    parser.add_argument("--runs", type=int, default=2, help="pictures measured a round")
    parser.add_argument("--backend", default="cpu", help="of fourstep")
    parser.add_argument("--library", default="openvino", choices=["openvino", "torch"], help="the rival")
    parser.add_argument("--threads", type=int, default=psutil.cpu_count(logical=False))
    parser.add_argument("--under", default="", help="a command that every measurement runs under: 'taskset -c 0,1'")
    parser.add_argument("--disturbed", type=float, default=0.15, help="measure again where others used more cores")
    parser.add_argument("--json", type=Path, help="write every figure here, after each pair")
    return parser.parse_args()


def rival(args, precision):
    return f"{args.library}-{precision}"


def measure_rival(args, precision, size):
    command = [sys.executable, HERE / "peers.py", "--model", args.model, "--engine", rival(args, precision)]
    command += ["--size", size, "--runs", args.runs, "--threads", args.threads]
    return alone(args, command + ["--kl"] * ((precision, size) == KL_CASE))


def measure_ours(args, precision, size):
    """In the words of peers.py: `bench` calls the autoencoder of the model, which here is the tiny one, `full`."""
    tiny = ["--vae", args.model / "taesd"]
    report = bench(args, precision, size, args.runs, tiny)
    samples = {key: report[key] for key in ("load_secs", "text_secs", "step_secs", "run_secs", "peak_memory_bytes")}
    samples |= dict(tiny_decode_secs=report["full_decode_secs"], other_cores=report["other_cores"])
    if (precision, size) == KL_CASE:
        samples["full_decode_secs"] = bench(args, precision, size, 1, [])["full_decode_secs"]
    if size == args.sizes[0]:
        samples["ready_secs"] = ready_secs(args, precision, tiny)
    return samples | dict(device=report["device"])


def bench(args, precision, size, runs, options):
    command = fourstep(args, "bench", precision, size, [*options, "--runs", runs])
    report = alone(args, command)
    threads = report["device"]["threads"]
    if threads != args.threads:
        sys.exit(f"fourstep computes with {threads} threads, the rival with {args.threads}: give --threads {threads}")
    return report


def ready_secs(args, precision, options):
    """From the start of the process until it can paint: a small picture, less the time it took to paint.

    The second of two: the first finds the files in the cache, but not yet memory that a virtual machine may have given
    back to its host.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = [*options, "--prompt", PROMPT, "--steps", 1, "--out", Path(folder) / "picture.png"]
        command = fourstep(args, "generate", precision, 256, options)
        report = [alone(args, command) for _ in range(2)][-1]
    return report["wall_secs"] - report["timings"]["total_secs"]


def fourstep(args, task, precision, size, options):
    fixed = ["--model", args.model, "--size", f"{size}x{size}", "--backend", args.backend, "--precision", precision]
    return [args.fourstep, task, *fixed, *options, "--json"]


def alone(args, command):
    """The JSON object that a command prints, from the attempt that other processes disturbed least."""
    attempts = []
    for _ in range(ATTEMPTS):
        attempts.append(attempt(args, command))
        others = attempts[-1]["other_cores"]
        if others <= args.disturbed:
            break
        print(f"disturbed: other processes used {others:.2f} cores", file=sys.stderr, flush=True)
    return min(attempts, key=lambda report: report["other_cores"])


def attempt(args, command):
    with tempfile.TemporaryDirectory() as folder:
        watched = Path(folder) / "alone.json"
        prefix = [*shlex.split(args.under), sys.executable, HERE / "alone.py", watched]
        printed = run([*prefix, *command], stdout=subprocess.PIPE).stdout
        return json.loads(printed) | json.loads(watched.read_text())


def run(command, **options):
    command = [str(part) for part in command]
    done = subprocess.run(command, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"this failed with status {done.returncode}: {shlex.join(command)}")
    return done


def machine(args):
    """What the figures belong to."""
    version = run([args.fourstep, "--version"], stdout=subprocess.PIPE).stdout.strip()
    return dict(
        processor=processor(), threads=args.threads, date=time.strftime("%Y-%m-%d"), fourstep=version,
        backend=args.backend, library=args.library, rounds=args.rounds, runs=args.runs,
    )


def processor():
    """The name of the processor and what of its instruction sets matters here."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return "processor unknown"
    fields = dict(line.split(":", 1) for line in cpuinfo.read_text().split("\n\n")[0].splitlines() if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    known = ("avx2", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "asimddp", "bf16")
    flags = fields.get("flags", fields.get("Features", "")).split()
    sets = ", ".join(name for name in known if name in flags)
    family = "/".join(fields[name] for name in ("cpu family", "model") if name in fields)
    return f"{fields.get('model name', 'ARM')} ({family}; {sets})"


def save(args, results):
    if args.json:
        args.json.write_text(json.dumps(dict(machine=machine(args), results=results), indent=1) + "\n")


if __name__ == "__main__":
    main()
