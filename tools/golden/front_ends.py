"""Golden patches for the front ends of pretrained models: some frames of each, of one signal that is made alike here and in the test.

    python tools/golden/front_ends.py

clap and whisper come from the feature extractors of Hugging Face's transformers, yamnet and panns from librosa in float64, vggish and yamnet with
bands as TensorFlow's from the published definitions (research/audioset/vggish/mel_features.py, tf.signal.linear_to_mel_weight_matrix).
Writes packages/core-ts/test-data/audio/front-ends.json.
"""

import json
import math
from pathlib import Path

import librosa
import numpy as np
import transformers

OUT = Path(__file__).resolve().parents[2] / 'packages/core-ts/test-data/audio/front-ends.json'


def signal(sr, samples):
    """Noise of a linear congruential generator under a slow decay, and a rising tone."""
    state, noise = 1, np.empty(samples)
    for i in range(samples):
        state = (1664525 * state + 1013904223) % 2**32
        noise[i] = (state >> 8) / 2**24 - 0.5
    t = np.arange(samples) / sr
    return (0.3 * noise * np.exp(-t) + 0.2 * np.sin(2 * np.pi * (100 * t + 900 * t**2))).astype(np.float32)


def magnitudes(y):
    """Frames of 25 ms every 10 ms from the first sample on, whole ones only: [frames, 257]."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    count = 1 + (len(y) - 400) // 160
    frames = np.stack([y[160 * i : 160 * i + 400] for i in range(count)]).astype(np.float64)
    return np.abs(np.fft.rfft(frames * window, 512))


def straight_over_mel():
    """Triangles whose sides are straight over mel: [257, 64]."""
    mel = lambda hz: 1127 * np.log(1 + np.asarray(hz) / 700)
    bins, edges = mel(np.linspace(0, 8000, 257))[:, None], np.linspace(mel(125), mel(7500), 66)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    weights = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    weights[0] = 0
    return weights


def straight_over_hertz():
    return librosa.filters.mel(sr=16000, n_fft=512, n_mels=64, fmin=125, fmax=7500, htk=True, norm=None, dtype=np.float64).T


def cut(mel, length, hop):
    return [mel[at : at + length] for at in range(0, len(mel) - length + 1, hop)]


def yamnet(y, weights):
    """features.py: padded so that every sample lies in a patch of 0.96 s."""
    least, hop = round(0.975 * 16000), round(0.48 * 16000)
    hops = math.ceil(max(0, len(y) - least) / hop)
    y = np.pad(y, (0, max(0, least + hops * hop - len(y))))
    return cut(np.log(magnitudes(y) @ weights + 0.001), 96, 48)


def vggish(y):
    return cut(np.log(magnitudes(y) @ straight_over_mel() + 0.01), 96, 96)


def clap(y):
    extractor = transformers.ClapFeatureExtractor(frequency_min=50, truncation='rand_trunc', padding='repeatpad')
    return list(extractor(y, sampling_rate=48000, return_tensors='np')['input_features'][0])


def whisper(y, bands):
    extractor = transformers.WhisperFeatureExtractor(feature_size=bands)
    return [x.T for x in extractor(y, sampling_rate=16000, return_tensors='np')['input_features']]


def panns(y):
    y = np.pad(y, (0, 320000 - len(y))).astype(np.float64)
    power = librosa.feature.melspectrogram(
        y=y, sr=32000, n_fft=1024, hop_length=320, win_length=1024, window='hann', center=True, pad_mode='reflect',
        power=2.0, n_mels=64, fmin=50, fmax=14000, htk=False, norm='slaney', dtype=np.float64,
    )
    return [10 * np.log10(np.maximum(power.T, 1e-10))]


CASES = [
    ({'preset': 'yamnet'}, 16000, 2.1, lambda y: yamnet(y, straight_over_hertz())),
    ({'preset': 'yamnet', 'overrides': {'melScale': 'htk-mel'}}, 16000, 2.1, lambda y: yamnet(y, straight_over_mel())),
    ({'preset': 'vggish'}, 16000, 2.1, vggish),
    ({'preset': 'clap'}, 48000, 3, clap),
    ({'preset': 'whisper'}, 16000, 2.1, lambda y: whisper(y, 80)),
    ({'preset': 'whisper', 'overrides': {'bands': 128}}, 16000, 2.1, lambda y: whisper(y, 128)),
    ({'preset': 'panns'}, 32000, 1.5, panns),
]


def main():
    cases = []
    for front_end, sr, seconds, compute in CASES:
        samples = round(sr * seconds)
        patches = compute(signal(sr, samples))
        length = len(patches[0])
        frames = sorted({0, 1, length // 30, length // 3, length - 1})
        values = [[[float(f'{x:.6g}') for x in patch[f]] for f in frames] for patch in patches]
        cases.append({'frontEnd': front_end, 'sampleRate': sr, 'samples': samples, 'frames': frames, 'patches': values})
    versions = {'librosa': librosa.__version__, 'transformers': transformers.__version__, 'numpy': np.__version__}
    OUT.write_text(json.dumps({'versions': versions, 'cases': cases}) + '\n')


if __name__ == '__main__':
    main()
