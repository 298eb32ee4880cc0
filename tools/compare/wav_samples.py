"""What libsndfile takes for the samples of a WAV: the other side of tools/compare/wav-samples.mjs.

    python tools/compare/wav_samples.py

Answers each line of JSON, {"path", "what"}, with one: the seconds of one run, from the file's bytes in memory ("memory", by soundfile's
virtual files) or from the file itself ("file"), to float32, interleaved as libsndfile gives it; "mono" takes the mean of the two channels
besides, by whichever of NumPy's ways is faster. "crc" answers with a checksum of the channels, one behind the other.
"""

import io
import json
import sys
import time
import zlib

import numpy as np
import soundfile


def halved(samples):
    return (samples[:, 0] + samples[:, 1]) * np.float32(0.5)


def read(source):
    return soundfile.read(source, dtype="float32")[0]


print(json.dumps({"versions": f"{soundfile.__libsndfile_version__} (soundfile {soundfile.__version__}, NumPy {np.__version__})"}), flush=True)
held = {}
for line in sys.stdin:
    request = json.loads(line)
    path, what = request["path"], request["what"]
    if what == "crc":
        print(json.dumps({"crc": zlib.crc32(np.ascontiguousarray(read(path).T).tobytes())}), flush=True)
        continue
    if path not in held:
        held = {path: open(path, "rb").read()}
    run = {"memory": lambda: read(io.BytesIO(held[path])), "file": lambda: read(path), "mono": lambda: halved(read(path))}[what]
    start = time.perf_counter()
    run()
    print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
