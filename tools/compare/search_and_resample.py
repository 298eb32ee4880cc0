"""What other libraries take for a search and a resampling: the other side of tools/compare/remeasure.mjs.

    python tools/compare/search_and_resample.py THREADS

Answers each line of a name (faiss, onnxruntime, soxr) with a line of JSON: the seconds of one run, or why it cannot run. The search is 64
queries over 20,000 vectors of 300, ten best; the resampling 10 s from 44.1 to 32 kHz in soxr's HQ.
"""

import json
import sys
import time

import numpy as np

THREADS = int(sys.argv[1])
random = np.random.default_rng(1)
ITEMS = random.standard_normal((20_000, 300), dtype=np.float32)
QUERIES = random.standard_normal((64, 300), dtype=np.float32)
PCM = random.standard_normal(441_000, dtype=np.float32) * 0.1


def with_faiss():
    import faiss

    faiss.omp_set_num_threads(THREADS)
    index = faiss.IndexFlatIP(300)
    index.add(ITEMS)
    return lambda: index.search(QUERIES, 10)


def with_onnxruntime():
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    floats = TensorProto.FLOAT
    nodes = [
        helper.make_node("MatMul", ["queries", "items"], ["scores"]),
        helper.make_node("TopK", ["scores", "k"], ["values", "indices"]),
    ]
    constants = [
        numpy_helper.from_array(np.ascontiguousarray(ITEMS.T), "items"),
        numpy_helper.from_array(np.array([10], dtype=np.int64), "k"),
    ]
    graph = helper.make_graph(
        nodes,
        "search",
        [helper.make_tensor_value_info("queries", floats, [64, 300])],
        [
            helper.make_tensor_value_info("values", floats, [64, 10]),
            helper.make_tensor_value_info("indices", TensorProto.INT64, [64, 10]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = ort.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"queries": QUERIES})


def with_soxr():
    import soxr

    return lambda: soxr.resample(PCM, 44_100, 32_000, quality="HQ")


MAKERS = {"faiss": with_faiss, "onnxruntime": with_onnxruntime, "soxr": with_soxr}
runs = {}
for line in sys.stdin:
    name = line.strip()
    try:
        if name not in runs:
            runs[name] = MAKERS[name]()
            runs[name]()
        start = time.perf_counter()
        runs[name]()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)
    except Exception as error:  # told to the other side, which says so in its table
        print(json.dumps({"problem": f"{type(error).__name__}: {error}"}), flush=True)
