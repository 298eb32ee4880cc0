"""The Python side of suites/features.ts: answers each line 'CASE ENGINE' on stdin with the seconds of one run.

Everything that can be made once (window, filters) is made once; librosa caches its filters itself.
"""

import json
import math
import os
import sys
import time

threads = int(sys.argv[1])
for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS', 'NUMBA_NUM_THREADS'):
    os.environ[name] = str(threads)

import librosa  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

torch.set_num_threads(threads)

#        rate   n_fft win  hop  bands fmin fmax   htk    norm      log
CASES = {
    'thesis': (44100, 2048, 1764, 882, 64, 12, 8000, False, 'slaney', lambda x, m: m.log(x + 2.220446e-16)),
    'librosa': (22050, 2048, 2048, 512, 128, 0, 11025, False, 'slaney', lambda x, m: m.log(m.clip(x, 1e-10, None))),
    'torchaudio': (16000, 400, 400, 200, 128, 0, 8000, True, None, lambda x, m: m.log(x + 1e-6)),
    'clap': (48000, 1024, 1024, 480, 64, 50, 14000, False, 'slaney', lambda x, m: 10 * m.log10(m.clip(x, 1e-10, None))),
}


def prepare(case):
    rate, n_fft, win, hop, bands, fmin, fmax, htk, norm, log = CASES[case]
    t = np.arange(30 * rate) / rate
    y = (0.3 * np.sin(2 * math.pi * 440 * t) + 0.1 * np.random.default_rng(1).standard_normal(len(t))).astype(np.float32)
    filters = torch.from_numpy(librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=bands, fmin=fmin, fmax=fmax, htk=htk, norm=norm).T.copy())
    window, x = torch.hann_window(win), torch.from_numpy(y)

    def with_torch():
        spectrum = torch.stft(x, n_fft, hop, win, window, center=True, pad_mode='reflect', return_complex=True)
        return log((spectrum.real**2 + spectrum.imag**2).T @ filters, torch)

    def with_librosa():
        mel = librosa.feature.melspectrogram(
            y=y, sr=rate, n_fft=n_fft, hop_length=hop, win_length=win, n_mels=bands, fmin=fmin, fmax=fmax, htk=htk, norm=norm
        )
        return log(mel.T, np)

    return {'torch': with_torch, 'librosa': with_librosa}


def main():
    import warnings

    warnings.filterwarnings('ignore')
    prepared = {}
    print(json.dumps({'librosa': librosa.__version__, 'torch': torch.__version__, 'numpy': np.__version__}), flush=True)
    for line in sys.stdin:
        case, engine = line.split()
        if case not in prepared:
            prepared[case] = prepare(case)
        start = time.perf_counter()
        prepared[case][engine]()
        print(time.perf_counter() - start, flush=True)


if __name__ == '__main__':
    main()
