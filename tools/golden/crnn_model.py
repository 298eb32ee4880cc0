"""The thesis CRNN in PyTorch with weights from a formula, shared by the makers of the CRNN goldens.

Everything random comes from the generator of methods section 17: x <- (1103515245 x + 12345) mod 2^31, value x / 2^31 * 2 - 1,
so that a reader needs no stored weights. Layouts are the library's: convolutions [kh, kw, cin, cout], GRU weights stacked over
directions.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F

CHANNELS = [(1, 32), (32, 128), (128, 128), (128, 128), (128, 128)]
HIDDEN = 150
BANDS = 64


def lcg(seed, shape):
    """float64 values in [-1, 1), row-major."""
    count = int(np.prod(shape))
    out = np.empty(count)
    x = seed
    for i in range(count):
        x = (1103515245 * x + 12345) % 2147483648
        out[i] = x / 2147483648 * 2 - 1
    return out.reshape(shape)


def parameter_table():
    """[name, shape, seed, offset, scale]: parameter = float32(offset + scale * lcg(seed))."""
    rows = []
    for i, (cin, cout) in enumerate(CHANNELS, 1):
        rows.append([f"bn{i}.gamma", [cin], 1.0, 0.2])
        rows.append([f"bn{i}.beta", [cin], 0.5, 0.5])
        rows.append([f"conv{i}.weight", [3, 3, cin, cout], 0.0, math.sqrt(6 / (9 * cin))])
    bound = 1 / math.sqrt(HIDDEN)
    rows.append(["gru.wIh", [2, 3 * HIDDEN, 128], 0.0, bound])
    rows.append(["gru.wHh", [2, 3 * HIDDEN, HIDDEN], 0.0, bound])
    rows.append(["gru.bIh", [2, 3 * HIDDEN], 0.0, bound])
    rows.append(["gru.bHh", [2, 3 * HIDDEN], 0.0, bound])
    return [[name, shape, 101 + i, offset, scale] for i, (name, shape, offset, scale) in enumerate(rows)]


class Crnn(torch.nn.Module):
    """BN, conv, leaky ReLU(0.1); L4 pooling after blocks 1, 3 and 5; dropout; BiGRU; interpolation; L2 norm per frame."""

    def __init__(self, dropout=0.0):
        super().__init__()
        self.bn = torch.nn.ModuleList([torch.nn.BatchNorm2d(cin) for cin, _ in CHANNELS])
        self.conv = torch.nn.ModuleList([torch.nn.Conv2d(i, o, 3, padding=1, bias=False) for i, o in CHANNELS])
        self.gru = torch.nn.GRU(128, HIDDEN, bidirectional=True, batch_first=True)
        self.dropout = dropout
        self.stages = None  # a list keeps the result of every block and pooling

    def block(self, i, x):
        x = F.leaky_relu(self.conv[i](self.bn[i](x)), 0.1)
        return self.keep(f"block{i + 1}", x)

    def pool(self, x, kernel):
        return self.keep(f"pool{kernel}", F.lp_pool2d(x, 4, kernel))

    def keep(self, name, x):
        if self.stages is not None:
            self.stages.append((name, x))
        return x

    def forward(self, x):
        frames = x.shape[1]
        y = self.pool(self.block(0, x.unsqueeze(1)), (2, 4))
        y = self.pool(self.block(2, self.block(1, y)), (2, 4))
        y = self.pool(self.block(4, self.block(3, y)), (1, 4))
        y = F.dropout(y, self.dropout, self.training)
        y = y.transpose(1, 2).flatten(-2)
        y, _ = self.gru(y)
        y = self.keep("gru", y)
        y = F.interpolate(y.transpose(1, 2), frames, mode="linear", align_corners=False).transpose(1, 2)
        return F.normalize(y, dim=-1, eps=1e-12)

    def named(self):
        """The library's parameter names to (read, write) pairs in the library's layout."""
        table = {}

        def plain(parameter):
            return (lambda: parameter.detach(), lambda: parameter.grad, lambda v: parameter.data.copy_(v))

        def conv(parameter):
            order, back = (2, 3, 1, 0), (3, 2, 0, 1)
            return (
                lambda: parameter.detach().permute(order),
                lambda: parameter.grad.permute(order),
                lambda v: parameter.data.copy_(v.permute(back)),
            )

        def stacked(one, two):
            def write(v):
                one.data.copy_(v[0])
                two.data.copy_(v[1])

            return (
                lambda: torch.stack([one.detach(), two.detach()]),
                lambda: torch.stack([one.grad, two.grad]),
                write,
            )

        for i in range(len(CHANNELS)):
            table[f"bn{i + 1}.gamma"] = plain(self.bn[i].weight)
            table[f"bn{i + 1}.beta"] = plain(self.bn[i].bias)
            table[f"conv{i + 1}.weight"] = conv(self.conv[i].weight)
        g = self.gru
        table["gru.wIh"] = stacked(g.weight_ih_l0, g.weight_ih_l0_reverse)
        table["gru.wHh"] = stacked(g.weight_hh_l0, g.weight_hh_l0_reverse)
        table["gru.bIh"] = stacked(g.bias_ih_l0, g.bias_ih_l0_reverse)
        table["gru.bHh"] = stacked(g.bias_hh_l0, g.bias_hh_l0_reverse)
        return table

    def buffers_named(self):
        table = {}
        for i, bn in enumerate(self.bn):
            table[f"bn{i + 1}.runningMean"] = bn.running_mean
            table[f"bn{i + 1}.runningVar"] = bn.running_var
        return table


def build(dtype):
    """The network with the formula's weights (rounded to float32 first, whatever the dtype)."""
    model = Crnn().to(dtype)
    named = model.named()
    for name, shape, seed, offset, scale in parameter_table():
        values = (offset + scale * lcg(seed, shape)).astype(np.float32)
        named[name][2](torch.from_numpy(values).to(dtype))
    return model


PROBES = 8
SAMPLES = 1024


def sample_stride(size):
    """Distance between stored entries: 1 up to SAMPLES entries, else an odd number that leaves about SAMPLES of them."""
    return 1 if size <= SAMPLES else (size // SAMPLES) | 1


def probe_seed(k):
    return 9001 + k


_probe_cache = {}


def digest(values):
    """Norm and inner products with PROBES LCG vectors: each uniform in [-1, 1), so that E[<error, probe>^2] = |error|^2 / 3."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    probes = []
    for k in range(PROBES):
        have = _probe_cache.get(k)
        if have is None or have.size < flat.size:
            have = _probe_cache[k] = lcg(probe_seed(k), [max(flat.size, 150_000)])
        probes.append(float(flat @ have[: flat.size]))
    return {"norm": float(np.linalg.norm(flat)), "probes": probes}
