"""Faster group norm and attention on CPUs (quick.c), compiled when first used; without a C compiler PyTorch's own are used."""

import ctypes
import functools
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("quick.c")
MOST_CHANNELS = 512  # CHANNELS of quick.c


@functools.cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; they share PyTorch's OpenMP threads, since it is loaded first."""
    name = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"sticker-quick-{name}.so"
    if not built.exists():
        fresh = built.with_suffix(".new")
        flags = ["-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-fPIC", "-shared"]
        try:
            subprocess.run(["cc", *flags, str(SOURCE), "-o", str(fresh), "-lm"], check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{SOURCE.name} could not be compiled ({error}): training takes 1.5 times as long", file=sys.stderr)
            return None
        fresh.replace(built)
    return ctypes.CDLL(str(built))


def _at(tensor: torch.Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


class Norm(torch.autograd.Function):
    """Group norm of bfloat16 [n, c, h, w], channels last."""

    @staticmethod
    def forward(ctx, x, gamma, beta, groups, eps):
        (n, c, h, w), y = x.shape, torch.empty_like(x)
        mean, rstd = torch.empty(2, n, groups)
        library().norm_forward(*map(_at, (x, gamma, beta, y, mean, rstd)), n, h * w, c, groups, ctypes.c_float(eps))
        ctx.save_for_backward(x, gamma, mean, rstd)
        ctx.groups = groups
        return y

    @staticmethod
    def backward(ctx, slope):
        x, gamma, mean, rstd = ctx.saved_tensors
        (n, c, h, w), dx = x.shape, torch.empty_like(x)
        slope = slope.contiguous(memory_format=torch.channels_last)
        dgamma, dbeta = torch.empty(2, n, c)
        library().norm_backward(*map(_at, (slope, x, gamma, mean, rstd, dx, dgamma, dbeta)), n, h * w, c, ctx.groups)
        return dx, dgamma.sum(0), dbeta.sum(0), None, None


class Attention(torch.autograd.Function):
    """softmax(q·kᵀ/√d)·v of bfloat16 q [b, n, heads·d], k and v [b, m, heads·d] → [b, n, heads·d]."""

    @staticmethod
    def forward(ctx, q, k, v, heads):
        b, n, width = q.shape
        out, sums = torch.empty_like(q), torch.empty(b, heads, n)
        ctx.sizes = (b, heads, n, k.shape[1], width // heads, ctypes.c_float((width // heads) ** -0.5))
        library().attention_forward(*map(_at, (q, k, v, out, sums)), *ctx.sizes)
        ctx.save_for_backward(q, k, v, out, sums)
        return out

    @staticmethod
    def backward(ctx, slope):
        q, k, v, out, sums = ctx.saved_tensors
        dq, dk, dv = map(torch.empty_like, (q, k, v))
        library().attention_backward(*map(_at, (slope.contiguous(), q, k, v, out, sums, dq, dk, dv)), *ctx.sizes)
        return dq, dk, dv, None


def attends(q: torch.Tensor, k: torch.Tensor, heads: int) -> bool:
    """Whether `Attention` can do it."""
    fits = q.shape[1] % 4 == 0 and k.shape[1] <= 256 and q.shape[2] // heads <= 32
    return q.dtype == torch.bfloat16 and fits and library() is not None


def use_norm() -> None:
    """From now on every group norm of [n, c, h, w] under autocast is this one, where it can be compiled."""
    plain = torch.nn.GroupNorm.forward

    def forward(self, x):
        if x.dim() != 4 or self.num_channels > MOST_CHANNELS or not torch.is_autocast_enabled("cpu") or library() is None:
            return plain(self, x)
        x = x.bfloat16().contiguous(memory_format=torch.channels_last)
        return Norm.apply(x, self.weight, self.bias, self.num_groups, self.eps)

    torch.nn.GroupNorm.forward = forward


def main() -> None:
    """Both against PyTorch's in f32: relative errors, about 2e-3 of bfloat16."""
    torch.manual_seed(0)
    error = lambda wanted, found: ((wanted - found.float()).norm() / wanted.norm()).item()
    x = torch.randn(3, 96, 16, 16).bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
    gamma, beta = torch.randn(2, 96).unbind()
    wide = x.detach().float().requires_grad_()
    found, wanted = Norm.apply(x, gamma, beta, 16, 1e-5), torch.nn.functional.group_norm(wide, 16, gamma, beta)
    found.backward(x.detach().flip(0)), wanted.backward(x.detach().flip(0).float())
    print("norm", error(wanted, found), error(wide.grad, x.grad))
    for n, m, d in ((256, 256, 16), (64, 77, 24), (16, 16, 28)):
        narrow = [torch.randn(2, size, 4 * d).bfloat16().requires_grad_() for size in (n, m, m)]
        wide = [t.detach().float().requires_grad_() for t in narrow]
        found = Attention.apply(*narrow, 4)
        heads = [t.unflatten(2, (4, d)).transpose(1, 2) for t in wide]
        wanted = torch.nn.functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        found.backward(narrow[0].detach()), wanted.backward(narrow[0].detach().float())
        print("attention", (n, m, d), error(wanted, found), *(error(w.grad, f.grad) for w, f in zip(wide, narrow)))


if __name__ == "__main__":
    main()
