"""Goldens of every op, computed in float64 by PyTorch, NumPy and scikit-learn from the op's definition.

    python tools/golden/ops.py     (needs torch, numpy, scikit-learn)

writes packages/core-ts/test-data/ops/ops.json: a list of {op, name, args, wanted}. Float arguments are given by a formula,
[size, seed, scale, offset] = offset + scale * lcg(seed), so that the file holds results alone; see args() for the other kinds.
"""

import json
import math
import platform
from pathlib import Path

import numpy as np
import sklearn
import sklearn.preprocessing
import torch
import torch.nn.functional as F

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/ops/ops.json"
goldens = []
seed = 0


def lcg(start, count):
    """x <- (1103515245 x + 12345) mod 2^31, values in [-1, 1)."""
    out = np.empty(count)
    x = start
    for i in range(count):
        x = (1103515245 * x + 12345) % 2147483648
        out[i] = x / 2147483648 * 2 - 1
    return out


class Floats:
    """A float argument by formula, also as an array and as a tensor that wants its gradient."""

    def __init__(self, *shape, scale=1.0, offset=0.0):
        global seed
        seed += 1
        self.shape, self.formula = shape, [int(np.prod(shape)), seed, scale, offset]
        self.array = (offset + scale * lcg(seed, self.formula[0])).reshape(shape)
        self.tensor = torch.from_numpy(self.array.copy()).requires_grad_()


def values(*x):
    """A float argument given by its values."""
    return np.asarray(x, dtype=np.float64).ravel()


def ints(*x):
    return np.asarray(x, dtype=np.int32).ravel()


def blank(*shape):
    """An output of the op: NaN until it is written."""
    return {"blank": int(np.prod(shape))}


def encode(value):
    if isinstance(value, Floats):
        return {"lcg": value.formula}
    if isinstance(value, bytes):
        return {"bytes": list(value)}
    if isinstance(value, np.ndarray):
        return {"ints": value.tolist()} if value.dtype == np.int32 else {"values": value.tolist()}
    return value


def numbers(x):
    if isinstance(x, torch.Tensor):
        x = x.detach().numpy()
    x = np.ascontiguousarray(x).ravel()
    return [None if v != v else int(v) if x.dtype == np.int32 else float(v) for v in x]


def golden(op, name, args, wanted):
    goldens.append(
        {
            "op": op,
            "name": name,
            "args": {key: encode(value) for key, value in args.items()},
            "wanted": {key: numbers(value) for key, value in wanted.items()},
        }
    )


def gradients(scalar, *inputs):
    return torch.autograd.grad(scalar, [x.tensor for x in inputs])


def gemm():
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            m, n, k = 4, 5, 6
            a = Floats(*((k, m) if trans_a else (m, k)))
            b = Floats(*((n, k) if trans_b else (k, n)))
            bias, out = Floats(n), Floats(m, n)
            x = a.array.T if trans_a else a.array
            y = b.array.T if trans_b else b.array
            wanted = F.leaky_relu(torch.from_numpy(0.7 * x @ y - 0.4 * out.array + bias.array), 0.2)
            sizes = dict(m=m, n=n, k=k, transA=trans_a, transB=trans_b, alpha=0.7, beta=-0.4, slope=0.2)
            golden("gemm", f"transposes {trans_a}{trans_b}", dict(a=a, b=b, bias=bias, out=out, **sizes), dict(out=wanted))


def l2_normalize():
    x, g = Floats(4, 7), Floats(4, 7)
    wanted = F.normalize(x.tensor, dim=1, eps=1e-12)
    assert np.allclose(sklearn.preprocessing.normalize(x.array), wanted.detach().numpy(), rtol=1e-14, atol=0)
    norms = np.linalg.norm(x.array, axis=1)
    sizes = dict(rows=4, cols=7, eps=1e-12)
    golden("l2_normalize", "rows", dict(x=x, out=blank(4, 7), norms=blank(4), **sizes), dict(out=wanted, norms=norms))
    (grad,) = gradients((wanted * torch.from_numpy(g.array)).sum(), x)
    saved = dict(out=values(wanted.detach().numpy()), norms=values(norms))
    golden("l2_normalize_backward", "rows", dict(**saved, gradOut=g, gradX=blank(4, 7), **sizes), dict(gradX=grad))


def similarity():
    a, b = Floats(2, 3, 5), Floats(2, 4, 5)
    wanted = 1.5 * torch.bmm(a.tensor, b.tensor.transpose(1, 2))
    sizes = dict(batch=2, n=3, m=4, d=5, scale=1.5)
    golden("similarity", "batch", dict(a=a, b=b, out=blank(2, 3, 4), **sizes), dict(out=wanted))


def frame_score():
    clips, captions, frames, words, d = 3, 4, 5, 3, 6
    f, w, g = Floats(clips, frames, d), Floats(captions, words, d), Floats(clips, captions)
    frame_lengths, word_lengths = ints(5, 2, 0), ints(3, 0, 1, 2)
    for reduction in range(3):
        rows = []
        for i in range(clips):
            for j in range(captions):
                m = torch.relu(f.tensor[i, : frame_lengths[i]] @ w.tensor[j, : word_lengths[j]].T)
                if m.numel() == 0:
                    rows.append(torch.zeros((), dtype=torch.float64))
                else:
                    rows.append((m if reduction == 0 else m.max(dim=reduction - 1).values).mean())
        out = torch.stack(rows).reshape(clips, captions)
        inputs = dict(frames=f, words=w, frameLengths=frame_lengths, wordLengths=word_lengths)
        sizes = dict(clips=clips, captions=captions, maxFrames=frames, maxWords=words, d=d, reduction=reduction)
        golden("frame_score", f"reduction {reduction}", dict(**inputs, out=blank(clips, captions), **sizes), dict(out=out))
        grad_frames, grad_words = gradients((out * torch.from_numpy(g.array)).sum(), f, w)
        outputs = dict(gradFrames=blank(clips, frames, d), gradWords=blank(captions, words, d))
        golden(
            "frame_score_backward",
            f"reduction {reduction}",
            dict(**inputs, gradOut=g, **outputs, **sizes),
            dict(gradFrames=grad_frames, gradWords=grad_words),
        )


def top_k():
    queries, items = Floats(3, 4), Floats(9, 4)
    coarse = np.round(2 * lcg(77, 36)).reshape(9, 4)
    for name, table, k in (("scores", items.array, 4), ("ties", coarse, 6), ("more than there are", items.array[:2], 3)):
        left = np.round(2 * queries.array) if name == "ties" else queries.array
        scores = left @ table.T
        order = np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)
        best = np.take_along_axis(scores, order, axis=1)
        pad = k - order.shape[1]
        order = np.pad(order, ((0, 0), (0, pad)), constant_values=-1).astype(np.int32)
        best = np.pad(best, ((0, 0), (0, pad)), constant_values=-np.inf)
        found = dict(outIndices=ints(*[-7] * (3 * k)), outScores=blank(3, k))
        wanted = dict(outIndices=order, outScores=np.where(np.isinf(best), -1e308, best))
        args = dict(queries=values(left), items=values(table), narrow=None, scales=None, **found, q=3, n=len(table), d=4, k=k, bits=32)
        golden("top_k", name, args, wanted)


def quantize():
    """Rows as float16 or int8 in units of their largest, and a bound of what that loses: NumPy's roundings."""
    x = lcg(78, 15).reshape(3, 5).astype(np.float32)
    x[1] = 0
    for bits, unit, dtype in ((8, 127, np.int8), (16, 1, np.float16)):
        most = np.abs(x).max(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            inverse = np.where(most > 0, np.float32(unit) / most, 0).astype(np.float32)
        y = (x * inverse).astype(np.float32)
        narrow = (np.rint(y) if bits == 8 else y).astype(dtype)
        row = narrow.tobytes()
        each = 5 * bits // 8
        width = (5 * bits + 31) // 32
        words = np.stack([np.frombuffer(row[r * each : (r + 1) * each].ljust(4 * width, b"\0"), "<i4") for r in range(3)])
        lost = np.linalg.norm(y.astype(np.float64) - narrow.astype(np.float64), axis=1)
        scale = (most[:, 0] / np.float32(unit)).astype(np.float32).astype(np.float64)
        slack = 2.0**-24 * (2 * 5 + 64) * (np.linalg.norm(y.astype(np.float64), axis=1) + lost)
        error = scale * (lost + slack) * (1 + 2.0**-23 * (5 + 32))
        args = dict(x=values(x), out=ints(*[-7] * (3 * width)), scales=blank(3, 2), rows=3, cols=5, bits=bits)
        golden("quantize", f"{bits} bits", args, dict(out=words, scales=np.stack([scale, error], axis=1)))


def lists(rows):
    offsets = np.cumsum([0] + [len(row) for row in rows]).astype(np.int32)
    return ints(*offsets), ints(*[j for row in rows for j in row])


def triplet():
    n, margin = 5, 0.4
    scores = Floats(n, n)
    audio = [[1, 3], [], [4], [0, 1, 2], [2, 2]]
    text = [[2], [0, 4], [], [], [3]]
    s = scores.tensor
    loss, hinges, negatives = 0, [], []
    for i in range(n):
        for cells in ([s[a, i] for a in audio[i]], [s[i, t] for t in text[i]]):
            if cells:
                hinge = torch.relu(torch.stack(cells) - s[i, i] + margin)
                loss = loss + hinge.mean() / n
                hinges += hinge.tolist()
                negatives += [float(cell.detach()) for cell in cells]
    (grad,) = gradients(loss, scores)
    active = np.mean(np.asarray(hinges) > 0)
    stats = values(float(loss.detach()), active, np.diagonal(scores.array).mean(), np.mean(negatives))
    audio_offsets, audio_index = lists(audio)
    text_offsets, text_index = lists(text)
    picks = dict(audioOffsets=audio_offsets, audioIndex=audio_index, textOffsets=text_offsets, textIndex=text_index)
    golden(
        "triplet",
        "ragged picks",
        dict(scores=scores, **picks, gradScores=blank(n, n), stats=blank(4), n=n, margin=margin),
        dict(gradScores=grad, stats=stats),
    )


def info_nce():
    n, d = 6, 4
    groups = ints(0, 1, 0, 2, 1, 3)
    exclude = [[3], [], [5, 3], [0], [], [2]]
    same = torch.from_numpy(groups[:, None] == groups[None, :])
    own = torch.eye(n, dtype=torch.bool)
    for positives in (0, 1):
        for excluded in (False, True):
            audio, text = Floats(n, d), Floats(n, d)
            log_temperature = Floats(1, scale=0.1, offset=-1.0)
            target = (same if positives else own).clone()
            keep = torch.ones(n, n, dtype=torch.bool) if positives else ~same | own
            if excluded:
                for i, row in enumerate(exclude):
                    for j in row:
                        keep[i, j] = target[i, j] = False
            target, keep = target | own, keep | own
            cosines = audio.tensor @ text.tensor.T
            logits = (cosines / log_temperature.tensor.exp()).masked_fill(~keep, -math.inf)
            shares = target.double()
            rows = F.cross_entropy(logits, shares / shares.sum(1, keepdim=True), reduction="none")
            columns = F.cross_entropy(logits.T, (shares / shares.sum(0)).T, reduction="none")
            loss = _mean(rows, logits, shares) + _mean(columns, logits.T, shares.T)
            grads = gradients(loss, audio, text, log_temperature)
            best = target.gather(1, logits.argmax(1, keepdim=True)).double().mean()
            best_clip = target.T.gather(1, logits.T.argmax(1, keepdim=True)).double().mean()
            stats = values(float(loss.detach()), best, best_clip, float(cosines.diagonal().mean().detach()))
            offsets, index = lists(exclude)
            golden(
                "info_nce",
                f"positives {positives}" + (", some left out" if excluded else ""),
                dict(
                    audio=audio,
                    text=text,
                    groups=groups,
                    excludeOffsets=offsets if excluded else None,
                    excludeIndex=index if excluded else None,
                    targets=None,
                    targetOffsets=None,
                    targetIndex=None,
                    targetWeights=None,
                    logTemperature=log_temperature,
                    gradAudio=blank(n, d),
                    gradText=blank(n, d),
                    gradLogTemperature=blank(1),
                    stats=blank(4),
                    n=n,
                    d=d,
                    positives=positives,
                    hard=1,
                    toText=1,
                    toAudio=1,
                ),
                dict(zip(("gradAudio", "gradText", "gradLogTemperature", "stats"), (*grads, stats))),
            )


def soft_targets():
    """Cross-entropy against rows (columns) of weights divided by their sums, beside hard ones; of products and of given scores."""
    n, d = 5, 4
    groups = ints(0, 1, 0, 2, 1)
    same = torch.from_numpy(groups[:, None] == groups[None, :]).double()
    sparse = [[1, 4], [], [2, 0, 3], [3], [1]]
    for layout in ("dense", "sparse"):
        for scores in (False, True):
            hard, to_text, to_audio = (0.25, 0.5, 1.5) if layout == "dense" else (0.0, 1.0, 0.75)
            audio, text = Floats(n, n if scores else d), None if scores else Floats(n, d)
            log_temperature = Floats(1, scale=0.1, offset=-1.0)
            weights = Floats(n, n, scale=0.5, offset=0.5)
            offsets, index = lists(sparse)
            given = Floats(len(index), scale=0.5, offset=0.5)
            if layout == "dense":
                target = torch.from_numpy(weights.array)
            else:
                target = torch.zeros(n, n, dtype=torch.float64)
                for i, row in enumerate(sparse):
                    for e, j in enumerate(row):
                        target[i, j] = given.array[offsets[i] + e]
            cosines = audio.tensor if scores else audio.tensor @ text.tensor.T
            logits = cosines / log_temperature.tensor.exp()

            def direction(logits, target, same):
                mass = target.sum(1, keepdim=True)
                soft = torch.where(mass > 0, target / mass.clamp(min=1e-300), 0.0)
                both = hard * same / same.sum(1, keepdim=True) + (1 - hard) * soft
                return -(both * torch.log_softmax(logits, 1)).sum(1).mean()

            loss = to_text * direction(logits, target, same) + to_audio * direction(logits.T, target.T, same.T)
            inputs = [x for x in (audio, text, log_temperature) if x is not None]
            grads = dict(zip([name for name, x in (("gradAudio", audio), ("gradText", text), ("gradLogTemperature", log_temperature)) if x is not None], gradients(loss, *inputs)))
            best = same.gather(1, logits.argmax(1, keepdim=True)).mean()
            best_clip = same.T.gather(1, logits.T.argmax(1, keepdim=True)).mean()
            stats = values(float(loss.detach()), best, best_clip, float(cosines.diagonal().mean().detach()))
            golden(
                "info_nce",
                f"{layout} soft targets" + (", scores" if scores else ""),
                dict(
                    audio=audio,
                    text=text,
                    groups=groups,
                    excludeOffsets=None,
                    excludeIndex=None,
                    targets=weights if layout == "dense" else None,
                    targetOffsets=offsets if layout == "sparse" else None,
                    targetIndex=index if layout == "sparse" else None,
                    targetWeights=given if layout == "sparse" else None,
                    logTemperature=log_temperature,
                    gradAudio=blank(*audio.shape),
                    gradText=None if scores else blank(n, d),
                    gradLogTemperature=blank(1),
                    stats=blank(4),
                    n=n,
                    d=audio.shape[1],
                    positives=1,
                    hard=hard,
                    toText=to_text,
                    toAudio=to_audio,
                ),
                dict(**grads, stats=stats),
            )


def sigmoid_pair():
    n, d = 5, 4
    groups = ints(0, 1, 0, 2, 1)
    exclude = [[3], [], [4, 3], [0], []]
    same = torch.from_numpy(groups[:, None] == groups[None, :])
    own = torch.eye(n, dtype=torch.bool)
    for positives in (0, 1):
        for scores in (False, True):
            audio, text = Floats(n, n if scores else d), None if scores else Floats(n, d)
            log_temperature, bias = Floats(1, scale=0.1, offset=-1.0), Floats(1, offset=-2.0)
            keep = torch.ones(n, n, dtype=torch.bool) if positives else ~same | own
            for i, row in enumerate(exclude):
                keep[i, row] = False
            keep |= own
            positive = (same if positives else own) & keep
            cosines = audio.tensor if scores else audio.tensor @ text.tensor.T
            logits = cosines / log_temperature.tensor.exp() + bias.tensor
            loss = F.binary_cross_entropy_with_logits(logits, positive.double(), reduction="none")[keep].sum() / n
            inputs = [x for x in (audio, text, log_temperature, bias) if x is not None]
            names = ["gradAudio", *([] if scores else ["gradText"]), "gradLogTemperature", "gradBias"]
            likely = torch.sigmoid(logits)
            stats = values(*(float(x.detach()) for x in (loss, likely[positive].mean(), likely[keep & ~positive].mean(), cosines.diagonal().mean())))
            offsets, index = lists(exclude)
            golden(
                "sigmoid_pair",
                f"positives {positives}" + (", scores" if scores else ""),
                dict(
                    audio=audio,
                    text=text,
                    groups=groups,
                    excludeOffsets=offsets,
                    excludeIndex=index,
                    logTemperature=log_temperature,
                    bias=bias,
                    gradAudio=blank(*audio.shape),
                    gradText=None if scores else blank(n, d),
                    gradLogTemperature=blank(1),
                    gradBias=blank(1),
                    stats=blank(4),
                    n=n,
                    d=audio.shape[1],
                    positives=positives,
                ),
                dict(**dict(zip(names, gradients(loss, *inputs))), stats=stats),
            )


def batched_gemm():
    batch, m, n, k = 2, 3, 4, 5
    for trans_a in (0, 1):
        for trans_b in (0, 1):
            a = Floats(batch, *((k, m) if trans_a else (m, k)))
            b = Floats(batch, *((n, k) if trans_b else (k, n)))
            x = a.tensor.transpose(1, 2) if trans_a else a.tensor
            y = b.tensor.transpose(1, 2) if trans_b else b.tensor
            sizes = dict(batch=batch, m=m, n=n, k=k, transA=trans_a, transB=trans_b, alpha=0.7)
            wanted = 0.7 * torch.bmm(x, y)
            golden("batched_gemm", f"transposes {trans_a}{trans_b}", dict(a=a, b=b, out=blank(batch, m, n), **sizes), dict(out=wanted))


def layer_norm():
    rows, cols, eps = 4, 6, 1e-5
    x, gamma, beta, g = Floats(rows, cols, offset=0.5), Floats(cols, offset=1.0), Floats(cols), Floats(rows, cols)
    out, mean, inv_std = torch.native_layer_norm(x.tensor, (cols,), gamma.tensor, beta.tensor, eps)
    sizes = dict(rows=rows, cols=cols)
    blanks = dict(out=blank(rows, cols), mean=blank(rows), invStd=blank(rows))
    golden("layer_norm", "rows", dict(x=x, gamma=gamma, beta=beta, **blanks, **sizes, eps=eps), dict(out=out, mean=mean, invStd=inv_std))
    grads = gradients((out * torch.from_numpy(g.array)).sum(), x, gamma, beta)
    saved = dict(mean=values(mean.detach().numpy()), invStd=values(inv_std.detach().numpy()))
    outputs = dict(gradX=blank(rows, cols), gradGamma=blank(cols), gradBeta=blank(cols))
    golden(
        "layer_norm_backward",
        "rows",
        dict(x=x, gamma=gamma, **saved, gradOut=g, **outputs, **sizes),
        dict(zip(outputs, grads)),
    )


def softmax():
    n, rows, cols = 3, 2, 5
    for lengths in (None, ints(5, 0, 3)):
        x, g = Floats(n, rows, cols, scale=3.0), Floats(n, rows, cols)
        out = torch.zeros(n, rows, cols, dtype=torch.float64)
        for i in range(n):
            length = cols if lengths is None else int(lengths[i])
            out[i, :, :length] = torch.softmax(x.tensor[i, :, :length], 1)
        sizes = dict(n=n, rows=rows, cols=cols)
        name = "all columns" if lengths is None else "lengths"
        golden("softmax", name, dict(x=x, lengths=lengths, out=blank(n, rows, cols), **sizes), dict(out=out))
        (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
        given = dict(lengths=lengths, out=values(out.detach().numpy()), gradOut=g)
        golden("softmax_backward", name, dict(**given, gradX=blank(n, rows, cols), **sizes), dict(gradX=grad))


def masked_max():
    n, t, c = 3, 4, 5
    x, g, lengths = Floats(n, t, c), Floats(n, c), ints(4, 0, 2)
    out = torch.zeros(n, c, dtype=torch.float64)
    for i, length in enumerate(lengths):
        if length:
            out[i] = x.tensor[i, :length].max(0).values
    sizes = dict(n=n, t=t, c=c)
    golden("masked_max", "lengths", dict(x=x, lengths=lengths, out=blank(n, c), **sizes), dict(out=out))
    (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
    given = dict(x=x, lengths=lengths, out=values(out.detach().numpy()), gradOut=g)
    golden("masked_max_backward", "lengths", dict(**given, gradX=blank(n, t, c), **sizes), dict(gradX=grad))


def layout():
    x = Floats(2, 3, 2, 4, 3)
    sizes = dict(outer=2, m=3, between=2, n=4, inner=3)
    golden("transpose", "two axes", dict(x=x, out=blank(144), **sizes), dict(out=torch.transpose(x.tensor, 1, 3)))
    x, out = Floats(3, 6), Floats(3, 7)
    wanted = out.array.copy()
    wanted[:, 2:6] = x.array[:, 1:5]
    sizes = {"rows": 3, "xCols": 6, "outCols": 7, "from": 1, "to": 2, "width": 4}
    golden("copy_columns", "a part", dict(x=x, out=out, **sizes), dict(out=wanted))


def gelu():
    for scale in (1.0, 8.0):
        x, g = Floats(20, scale=scale), Floats(20)
        out = F.gelu(x.tensor)
        golden("gelu", f"within {scale}", dict(x=x, out=blank(20)), dict(out=out))
        (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
        golden("gelu_backward", f"within {scale}", dict(x=x, gradOut=g, gradX=blank(20)), dict(gradX=grad))
    a, b = Floats(6), Floats(6)
    golden("multiply", "values", dict(a=a, b=b, out=blank(6)), dict(out=a.tensor * b.tensor))


def _mean(cross_entropy, logits, shares):
    """cross_entropy() multiplies -inf by a target of 0 where an item is left out; written out there."""
    if torch.isfinite(cross_entropy).all():
        return cross_entropy.mean()
    log_p = torch.log_softmax(logits, 1).masked_fill(logits == -math.inf, 0)
    return -(shares / shares.sum(1, keepdim=True) * log_p).sum(1).mean()


def conv2d():
    for n, h, w, cin, cout, kh, kw, slope in ((2, 4, 5, 3, 2, 3, 3, 0.1), (1, 3, 6, 1, 3, 1, 5, 1.0), (1, 2, 2, 2, 2, 5, 3, 0.0)):
        x, weight, g = Floats(n, h, w, cin), Floats(kh, kw, cin, cout), Floats(n, h, w, cout)
        product = F.conv2d(x.tensor.permute(0, 3, 1, 2), weight.tensor.permute(3, 2, 0, 1), padding=((kh - 1) // 2, (kw - 1) // 2))
        out = F.leaky_relu(product, slope).permute(0, 2, 3, 1)
        sizes = dict(n=n, h=h, w=w, cin=cin, cout=cout, kh=kh, kw=kw, slope=slope)
        name = f"kernel {kh}x{kw}, slope {slope}"
        golden("conv2d", name, dict(x=x, weight=weight, out=blank(n, h, w, cout), **sizes), dict(out=out))
        grad_x, grad_weight = gradients((out * torch.from_numpy(g.array)).sum(), x, weight)
        saved = None if slope == 1 else values(out.detach().numpy())
        outputs = dict(gradX=blank(n, h, w, cin), gradWeight=blank(kh, kw, cin, cout))
        golden(
            "conv2d_backward",
            name,
            dict(x=x, weight=weight, out=saved, gradOut=g, **outputs, **sizes),
            dict(gradX=grad_x, gradWeight=grad_weight),
        )


def batch_norm():
    rows, c = 7, 3
    for training in (0, 1):
        x, g = Floats(rows, c, offset=0.5), Floats(rows, c)
        gamma, beta = Floats(c, offset=1.5), Floats(c)
        mean, var = Floats(c), Floats(c, scale=0.5, offset=1.0)
        running = [torch.from_numpy(mean.array.copy()), torch.from_numpy(var.array.copy())]
        out = F.batch_norm(x.tensor, *running, gamma.tensor, beta.tensor, bool(training), 0.1, 1e-5)
        used_mean = x.array.mean(0) if training else mean.array
        used_var = x.array.var(0) if training else var.array
        inv_std = 1 / np.sqrt(used_var + 1e-5)
        sizes = dict(rows=rows, c=c, training=training)
        golden(
            "batch_norm",
            f"training {training}",
            dict(
                **dict(x=x, gamma=gamma, beta=beta, runningMean=mean, runningVar=var, out=blank(rows, c)),
                **dict(savedMean=blank(c), savedInvStd=blank(c), **sizes, eps=1e-5, momentum=0.1),
            ),
            dict(out=out, runningMean=running[0], runningVar=running[1], savedMean=used_mean, savedInvStd=inv_std),
        )
        grads = gradients((out * torch.from_numpy(g.array)).sum(), x, gamma, beta)
        golden(
            "batch_norm_backward",
            f"training {training}",
            dict(
                **dict(x=x, gamma=gamma, savedMean=values(used_mean), savedInvStd=values(inv_std), gradOut=g),
                **dict(gradX=blank(rows, c), gradGamma=blank(c), gradBeta=blank(c), **sizes),
            ),
            dict(zip(("gradX", "gradGamma", "gradBeta"), grads)),
        )


def leaky_relu():
    for slope in (0.0, 0.1):
        x, g = Floats(12), Floats(12)
        out = F.leaky_relu(x.tensor, slope)
        golden("leaky_relu", f"slope {slope}", dict(x=x, out=blank(12), slope=slope), dict(out=out))
        (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
        saved = values(out.detach().numpy())
        golden("leaky_relu_backward", f"slope {slope}", dict(out=saved, gradOut=g, gradX=blank(12), slope=slope), dict(gradX=grad))


def lp_pool():
    for n, h, w, c, kh, kw, p in ((2, 5, 9, 2, 2, 4, 4), (1, 3, 4, 3, 1, 2, 2)):
        x, g = Floats(n, h, w, c), Floats(n, h // kh, w // kw, c)
        out = F.lp_pool2d(x.tensor.permute(0, 3, 1, 2), p, (kh, kw)).permute(0, 2, 3, 1)
        sizes = dict(n=n, h=h, w=w, c=c, kh=kh, kw=kw, p=p)
        name = f"window {kh}x{kw}, p {p}"
        golden("lp_pool", name, dict(x=x, out=blank(*out.shape), **sizes), dict(out=out))
        (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
        saved = values(out.detach().numpy())
        golden("lp_pool_backward", name, dict(x=x, out=saved, gradOut=g, gradX=blank(n, h, w, c), **sizes), dict(gradX=grad))


def philox(counter, key):
    """Philox4x32-10 with Python's integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c[0], 2**32)
        high1, low1 = divmod(0xCD9E8D57 * c[2], 2**32)
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


def dropout():
    rate, key, offset = 0.3, (123456789, 0xFEDCBA98), (7, 0x89ABCDEF)
    x = Floats(22)
    words = [word for block in range(6) for word in philox((block, 0, *offset), key)][:22]
    uniform = np.asarray([word >> 8 for word in words]) / 2**24
    wanted = np.where(uniform >= rate, x.array / (1 - rate), 0)
    names = dict(seedLow=key[0], seedHigh=key[1], offsetLow=offset[0], offsetHigh=offset[1])
    golden("dropout", "rate 0.3", dict(x=x, out=blank(22), **names, rate=rate), dict(out=wanted))


def gru():
    for directions in (1, 2):
        n, t, width, hidden = 2, 5, 4, 3
        gates = 3 * hidden
        x, g = Floats(n, t, width), Floats(n, t, directions * hidden)
        w_ih, w_hh = Floats(directions, gates, width), Floats(directions, gates, hidden)
        b_ih, b_hh = Floats(directions, gates), Floats(directions, gates)
        layer = torch.nn.GRU(width, hidden, bidirectional=directions == 2, batch_first=True, dtype=torch.float64)
        weights = [v.tensor[i] for i in range(directions) for v in (w_ih, w_hh, b_ih, b_hh)]
        names = [f"{kind}_l0{'_reverse' * i}" for i in range(directions) for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        out, _ = torch.func.functional_call(layer, dict(zip(names, weights)), (x.tensor,))
        sizes = {"n": n, "t": t, "in": width, "hidden": hidden, "directions": directions}
        inputs = dict(x=x, wIh=w_ih, wHh=w_hh, bIh=b_ih, bHh=b_hh)
        grads = gradients((out * torch.from_numpy(g.array)).sum(), x, w_ih, w_hh, b_ih, b_hh)
        wanted = dict(zip(("gradX", "gradWIh", "gradWHh", "gradBIh", "gradBHh"), grads))
        forward = dict(**inputs, out=blank(*out.shape), saved=blank(directions, n, t, 4 * hidden), **sizes)
        golden("gru", f"directions {directions}", forward, dict(out=out))
        # `saved` has a layout of the backend's own: the test runs the forward op first.
        grad_outputs = {name: blank(*grad.shape) for name, grad in wanted.items()}
        golden("gru_backward", f"directions {directions}", dict(**forward, gradOut=g, **grad_outputs), wanted)


def interpolate():
    for n, l, t, c in ((2, 3, 10, 2), (1, 7, 4, 3), (1, 1, 5, 2), (1, 125, 500, 1)):
        x, g = Floats(n, l, c), Floats(n, t, c)
        out = F.interpolate(x.tensor.transpose(1, 2), size=t, mode="linear", align_corners=False).transpose(1, 2)
        sizes = dict(n=n, l=l, t=t, c=c)
        golden("interpolate", f"{l} to {t}", dict(x=x, out=blank(n, t, c), **sizes), dict(out=out))
        (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
        golden("interpolate_backward", f"{l} to {t}", dict(gradOut=g, gradX=blank(n, l, c), **sizes), dict(gradX=grad))


def embedding():
    table, g = Floats(5, 3), Floats(6, 3)
    tokens = ints(4, 0, 4, 2, 2, 4)
    out = F.embedding(torch.from_numpy(tokens).long(), table.tensor)
    sizes = dict(vocabulary=5, count=6, d=3)
    golden("embedding", "repeated tokens", dict(table=table, tokens=tokens, out=blank(6, 3), **sizes), dict(out=out))
    (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), table)
    golden("embedding_backward", "repeated tokens", dict(tokens=tokens, gradOut=g, gradTable=blank(5, 3), **sizes), dict(gradTable=grad))


def masked_mean():
    x, g, lengths = Floats(4, 5, 3), Floats(4, 3), ints(5, 0, 2, 1)
    rows = [x.tensor[i, :length].mean(0) if length else torch.zeros(3, dtype=torch.float64) for i, length in enumerate(lengths)]
    out = torch.stack(rows)
    sizes = dict(n=4, t=5, c=3)
    golden("masked_mean", "ragged", dict(x=x, lengths=lengths, out=blank(4, 3), **sizes), dict(out=out))
    (grad,) = gradients((out * torch.from_numpy(g.array)).sum(), x)
    golden("masked_mean_backward", "ragged", dict(gradOut=g, lengths=lengths, gradX=blank(4, 5, 3), **sizes), dict(gradX=grad))


def elementwise():
    a, b = Floats(9), Floats(9)
    golden("add", "factors", dict(a=a, b=b, out=blank(9), alpha=0.3, beta=-2.0), dict(out=0.3 * a.array - 2 * b.array))
    golden("scale", "factor", dict(x=a, out=blank(9), factor=-1.7), dict(out=-1.7 * a.array))
    square = np.linalg.norm(a.array) ** 2
    golden("grad_norm", "sum of squares", dict(x=a, out=values(0.5, -1, 2), slot=1), dict(out=values(0.5, square, 2)))


def adam():
    """Steps 1 to 4 of PyTorch's optimisers; each golden takes the state that PyTorch had before its step."""
    for decoupled, make in ((0, torch.optim.Adam), (1, torch.optim.AdamW)):
        options = dict(lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.1)
        p = torch.from_numpy(Floats(6).array.copy()).requires_grad_()
        optimizer = make([p], **options)
        m, v = np.zeros(6), np.zeros(6)
        for step in range(1, 5):
            grad, before = Floats(6, scale=10.0 ** (1 - step)), values(p.detach().numpy().copy())
            p.grad = torch.from_numpy(grad.array.copy())
            optimizer.step()
            state = optimizer.state[p]
            sizes = dict(step=step, decoupled=decoupled, lr=0.02, beta1=0.8, beta2=0.95, eps=1e-6, weightDecay=0.1)
            golden(
                "adam",
                f"{make.__name__} step {step}",
                dict(param=before, grad=grad, m=values(m), v=values(v), **sizes),
                dict(param=p, m=state["exp_avg"], v=state["exp_avg_sq"]),
            )
            m, v = state["exp_avg"].numpy().copy(), state["exp_avg_sq"].numpy().copy()


def resample():
    """Insert up - 1 zeros, filter, keep every down-th: the definition that the polyphase form must equal."""
    for up, down, width in ((3, 2, 4), (2, 5, 6), (1, 1, 2)):
        pcm, kernel = Floats(20), Floats(width * up)
        outputs = 20 * up // down
        # kernel[s] acts at distance s - (width/2) * up of the fine grid; tap (phase, k) is at phase + (width/2 - 1 - k) * up.
        taps = np.asarray([[kernel.array[phase + (width - 1 - k) * up] for k in range(width)] for phase in range(up)])
        fine = np.zeros(20 * up)
        fine[::up] = pcm.array
        filtered = np.convolve(fine, kernel.array)[(width // 2) * up :]
        wanted = filtered[: outputs * down : down]
        golden("resample", f"{up}/{down}", dict(pcm=pcm, taps=values(taps), out=blank(outputs), up=up, down=down, width=width), dict(out=wanted))


def pcm():
    """Integers by Python's own conversion to bytes, floats by NumPy's; scaled and averaged in float64."""
    random = np.random.default_rng(3)
    for width, floats, order in ((w, f, o) for o in ("little", "big") for w, f in ((2, 0), (3, 0), (4, 0), (4, 1))):
        if floats:
            stored = random.uniform(-1, 1, (5, 3)).astype(np.float32)
            raw = stored.astype(">f4" if order == "big" else "<f4").tobytes()
        else:
            half = 2 ** (8 * width - 1)
            integers = random.integers(-half, half, (5, 3))
            integers[0, :2] = -half, half - 1
            raw = b"".join(int(x).to_bytes(width, order, signed=True) for x in integers.ravel())
            stored = (integers / half).astype(np.float32)
        stored = stored.astype(np.float64)
        layout = dict(frames=5, channels=3, width=width, floats=floats, bigEndian=int(order == "big"))
        kind = f"{8 * width} bit{' floats' if floats else ''}, {order}-endian"
        golden("pcm", kind, dict(bytes=raw, out=blank(2, 5), **layout, first=1, rows=2, count=1), dict(out=stored.T[1:]))
        mean = (stored[:, 0] + stored[:, 1] + stored[:, 2]) / 3
        golden("pcm", f"mean, {kind}", dict(bytes=raw, out=blank(5), **layout, first=0, rows=1, count=3), dict(out=mean))


def log_mel():
    for n_fft, hop, pad_mode, power, log_kind, offset in (
        (16, 6, 1, 2, 1, 1e-9),
        (16, 8, 0, 1, 0, 0.0),
        (12, 5, 1, 2, 2, 1e-2),
        (15, 7, 0, 2, 3, 1e-10),
    ):
        pcm, window, rest = Floats(40), Floats(n_fft, scale=0.5, offset=0.5), 1e-9 * lcg(5, n_fft)
        bins, bands, pad = n_fft // 2 + 1, 4, n_fft // 2
        start, width = ints(0, 1, 3, 5), [2, 3, 0, 2]
        offsets = ints(*np.cumsum([0] + width))
        weights = Floats(sum(width), scale=0.5, offset=0.6)
        matrix = np.zeros((bands, bins))
        for b in range(bands):
            matrix[b, start[b] : start[b] + width[b]] = weights.array[offsets[b] : offsets[b + 1]]
        padded = np.pad(pcm.array, pad, mode="reflect" if pad_mode else "constant")
        frames = 1 + (len(padded) - n_fft) // hop
        taps = window.array + rest
        spectra = np.stack([np.abs(np.fft.rfft(taps * padded[f * hop : f * hop + n_fft])) ** power for f in range(frames)])
        mel = spectra @ matrix.T
        out = [lambda: mel, lambda: np.log(mel + offset), lambda: np.log(np.maximum(mel, offset)), lambda: 10 * np.log10(np.maximum(mel, offset))][log_kind]()
        sizes = dict(nFft=n_fft, hop=hop, frames=frames, bands=bands, pad=pad, padMode=pad_mode, power=power, logKind=log_kind, offset=offset, precision=0)
        filters = dict(filterStart=start, filterOffset=offsets, filterWeights=weights)
        both = values(np.concatenate([window.array, rest]))
        golden("log_mel", f"FFT {n_fft}, log {log_kind}", dict(pcm=pcm, window=both, **filters, out=blank(frames, bands), **sizes), dict(out=out))


for make in (
    gemm, l2_normalize, similarity, frame_score, top_k, quantize, triplet, info_nce, conv2d, batch_norm, leaky_relu, lp_pool, dropout,
    gru, interpolate, embedding, masked_mean, elementwise, adam, resample, log_mel, soft_targets, sigmoid_pair,
    batched_gemm, layer_norm, softmax, masked_max, layout, gelu, pcm,
):
    make()

OUT.parent.mkdir(parents=True, exist_ok=True)
versions = {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__, "sklearn": sklearn.__version__}
rows = ",\n".join(json.dumps(row) for row in goldens)
OUT.write_text(f'{{"versions": {json.dumps(versions)},\n"goldens": [\n{rows}\n]}}\n')
print(f"{len(goldens)} goldens of {len({row['op'] for row in goldens})} ops, {OUT.stat().st_size} bytes")
