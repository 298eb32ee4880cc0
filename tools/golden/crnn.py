"""Golden of the thesis CRNN: forward, every parameter gradient, running statistics, inference.

    python tools/golden/crnn.py     (needs torch, numpy, safetensors)

writes packages/core-ts/test-data/crnn/crnn.{json,safetensors}. Computed in float64; the same in float32 is compared and its
relative error recorded, to show what single precision can be expected to reach.
"""

import json
import platform
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

import crnn_model as cm

OUT = Path(__file__).resolve().parents[2] / "packages/core-ts/test-data/crnn"
N, T = 2, 27  # odd: both time poolings drop a frame
INPUT_SEED, GRADIENT_SEED = 11, 12


def run(dtype):
    model = cm.build(dtype).train()
    x = torch.from_numpy((4 * cm.lcg(INPUT_SEED, [N, T, cm.BANDS])).astype(np.float32)).to(dtype).requires_grad_()
    upstream = torch.from_numpy(cm.lcg(GRADIENT_SEED, [N, T, 2 * cm.HIDDEN]).astype(np.float32)).to(dtype)
    model.stages = []
    frames = model(x)
    stages = {f"{i}.{name}": float(v.detach().norm()) for i, (name, v) in enumerate(model.stages)}
    loss = (frames * upstream).sum()
    loss.backward()
    loss = loss.detach()
    grads = {name: access[1]().numpy() for name, access in model.named().items()}
    grads["input"] = x.grad.numpy()
    buffers = {name: v.numpy().copy() for name, v in model.buffers_named().items()}
    with torch.no_grad():
        inference = model.eval()(x).numpy()
    return frames.detach().numpy(), float(loss), grads, buffers, inference, stages


def relative(a, b):
    return float(np.linalg.norm((a - b).ravel()) / max(np.linalg.norm(b.ravel()), 1e-300))


def main():
    frames, loss, grads, buffers, inference, stages = run(torch.float64)
    frames32, loss32, grads32, _, inference32, _ = run(torch.float32)
    single = {name: relative(grads32[name], g) for name, g in grads.items()}
    single["frames"] = relative(frames32, frames)
    single["inference"] = relative(inference32, inference)

    tensors = {"frames": frames, "inference": inference}
    for name, values in buffers.items():
        tensors[name] = values
    gradients = {}
    for name, values in grads.items():
        flat = np.ascontiguousarray(values).ravel()
        stride = cm.sample_stride(flat.size)
        tensors[f"grad.{name}"] = flat[::stride]
        gradients[name] = {"shape": list(values.shape), "stride": stride, **cm.digest(flat)}

    OUT.mkdir(parents=True, exist_ok=True)
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in tensors.items()}, OUT / "crnn.safetensors")
    (OUT / "crnn.json").write_text(
        json.dumps(
            {
                "made": {
                    "by": "tools/golden/crnn.py",
                    "torch": torch.__version__,
                    "numpy": np.__version__,
                    "python": platform.python_version(),
                    "precision": "float64, stored as float32",
                },
                "lcg": "x = (1103515245 * x + 12345) mod 2^31 from x = seed; value = x / 2^31 * 2 - 1; row-major",
                "batch": N,
                "frames": T,
                "bands": cm.BANDS,
                "input": {"seed": INPUT_SEED, "formula": "float32(4 * lcg), shape [batch, frames, bands]"},
                "upstream": {
                    "seed": GRADIENT_SEED,
                    "formula": "gradient of the loss with respect to the output: float32(lcg), shape [batch, frames, 300]",
                },
                "loss": loss,
                "parameters": [
                    {"name": n, "shape": s, "seed": seed, "offset": offset, "scale": scale}
                    for n, s, seed, offset, scale in cm.parameter_table()
                ],
                "parameterFormula": "float32(offset + scale * lcg(seed))",
                "gradients": gradients,
                "gradientFormula": "grad.<name> holds every stride-th entry of the row-major gradient from entry 0; norm is its"
                " Euclidean norm; probes[k] its inner product with lcg(probeSeed + k), whose entries have variance 1/3",
                "probeSeed": cm.probe_seed(0),
                "stageNorms": stages,
                "float32Error": {"loss": abs(loss32 - loss) / abs(loss), **single},
            },
            indent=2,
        )
        + "\n"
    )
    print("loss", loss, "worst float32 error", max(single.items(), key=lambda kv: kv[1]))


main()
