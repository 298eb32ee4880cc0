"""Scores clips against captions with a model that `sonotext export RUN --out model` wrote, in Python.

    sonotext export runs/mine --out model
    sonotext embed runs/mine --split test --inputs --out inputs   # what the towers give: what the model takes
    python examples/exported_model.py model inputs/features.npy inputs/sentences.npy

features.npy is [clips, numbers] (or [clips, frames, numbers], made elsewhere), sentences.npy [captions, numbers]. How both are made stands in
model/model.json, and in the files themselves.
"""

import json
import sys

import numpy as np
import onnxruntime

folder, clips, captions = sys.argv[1:4]
audio = onnxruntime.InferenceSession(f'{folder}/audio.onnx')
text = onnxruntime.InferenceSession(f'{folder}/text.onnx')
description = json.loads(audio.get_modelmeta().custom_metadata_map['sonotext.model'])
print('features:', description['features'], file=sys.stderr)

features = np.load(clips).astype(np.float32)
if features.ndim == 2:
    features = features[:, None, :]
(audio_embeds,) = audio.run(['audio_embeds'], {'features': features})
(text_embeds,) = text.run(['text_embeds'], {'sentences': np.load(captions).astype(np.float32)})
np.savetxt(sys.stdout, audio_embeds @ text_embeds.T, fmt='%.6f')
