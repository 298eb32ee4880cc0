"""One training step of the thesis CRNN in PyTorch, on request: the other side of `nx run bench:training`.

    python tools/compare/pytorch_training.py BATCH FRAMES THREADS [cpu|cuda]

Reads commands, one per line, and answers each with one line of JSON. `loss`: the loss of the batch without dropout, from the
start weights, before any step. `step`: one training step with dropout 0.3 (channels_last, Adam) and its seconds.
Weights, batch and captions are those of the formulas in tools/golden/crnn_model.py. With SONOTEXT_TORCH_COMPILE=1 the model goes
through torch.compile; the first steps then take long and belong to nobody.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
import crnn_model as cm

TEMPERATURE = 0.07


def main():
    batch, frames, threads = (int(arg) for arg in sys.argv[1:4])
    torch.set_num_threads(threads)
    device = sys.argv[4] if len(sys.argv) > 4 else "cpu"
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    model = cm.build(torch.float32).to(device, memory_format=torch.channels_last).train()
    forward_of = torch.compile(model) if os.environ.get("SONOTEXT_TORCH_COMPILE") == "1" else model
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    x = torch.from_numpy((4 * cm.lcg(11, [batch, frames, cm.BANDS])).astype(np.float32)).to(device)
    words = torch.from_numpy(cm.lcg(12, [batch, 2 * cm.HIDDEN]).astype(np.float32)).to(device)
    text = F.normalize(words, dim=-1)
    target = torch.arange(batch, device=device)

    def loss_of():
        audio = F.normalize(forward_of(x).mean(1), dim=-1)
        scores = audio @ text.T / TEMPERATURE
        return F.cross_entropy(scores, target) + F.cross_entropy(scores.T, target)

    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        if line.strip() == "loss":
            model.dropout = 0.0
            with torch.no_grad():
                print(json.dumps({"loss": float(loss_of())}), flush=True)
            continue
        model.dropout = 0.3
        start = time.perf_counter()
        optimizer.zero_grad()
        loss = loss_of()
        forward = time.perf_counter()
        loss.backward()
        backward = time.perf_counter()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()  # the parts are then those of the host
        end = time.perf_counter()
        answer = {
            "seconds": end - start,
            "forward": forward - start,
            "backward": backward - forward,
            "optimizer": end - backward,
            "loss": float(loss.detach()),
        }
        print(json.dumps(answer), flush=True)


main()
