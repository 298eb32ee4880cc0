"""Golden log-mel matrices: every preset on two small synthetic signals and on a few frames of real clips.

    python tools/golden/log_mel.py [--data FOLDER_OF_REAL_DATA]

thesis, dcase2023, librosa and clap come from librosa in float64. torchaudio cannot be installed beside the torch used here, so
its preset follows the documented formulas instead: torch.stft in float64, melscale_fbanks with the HTK scale and no norm.
Writes packages/core-ts/test-data/audio/{*.wav,*.npy,log-mel.json}.
"""

import argparse
import json
import math
from pathlib import Path

import librosa
import numpy as np
import soundfile
import torch

OUT = Path(__file__).resolve().parents[2] / 'packages/core-ts/test-data/audio'
EPS = np.finfo(np.float64).eps


def next_power_of_two(n):
    return 2 ** math.ceil(math.log2(n))


def with_librosa(y, sr, n_fft, hop, win, bands, fmin, fmax, pad_mode='constant'):
    return librosa.feature.melspectrogram(
        y=y, sr=sr, n_fft=n_fft, hop_length=hop, win_length=win, window='hann', center=True, pad_mode=pad_mode,
        power=2.0, n_mels=bands, fmin=fmin, fmax=fmax, htk=False, norm='slaney', dtype=np.float64,
    ).T


def thesis(y, sr, fmin=12, fmax=8000, pad_mode='constant'):
    win, hop = round(0.04 * sr), round(0.02 * sr)
    return np.log(with_librosa(y, sr, next_power_of_two(win), hop, win, 64, fmin, fmax, pad_mode) + EPS)


def dcase2023(y, sr):
    return thesis(y, sr, 0, sr / 2)


def librosa_defaults(y, sr):
    return np.log(np.maximum(librosa.feature.melspectrogram(y=y, sr=sr, dtype=np.float64).T, 1e-10))


def clap(y, sr):
    assert sr == 48000
    x = with_librosa(y, sr, 1024, 480, 1024, 64, 50, 14000, 'reflect')
    return 10 * np.log10(np.maximum(x, 1e-10))


def htk_filters(n_freqs, f_min, f_max, n_mels, sr):
    """torchaudio.functional.melscale_fbanks, mel_scale='htk', norm=None."""
    freqs = torch.linspace(0, sr // 2, n_freqs, dtype=torch.float64)
    mel = lambda f: 2595 * math.log10(1 + f / 700)
    points = 700 * (10 ** (torch.linspace(mel(f_min), mel(f_max), n_mels + 2, dtype=torch.float64) / 2595) - 1)
    slopes = points[None, :] - freqs[:, None]
    diff = points[1:] - points[:-1]
    return torch.clamp(torch.minimum(-slopes[:, :-2] / diff[:-1], slopes[:, 2:] / diff[1:]), min=0)


def torchaudio_defaults(y, sr):
    window = torch.hann_window(400, dtype=torch.float64)
    spectrum = torch.stft(torch.from_numpy(y), 400, 200, 400, window, center=True, pad_mode='reflect', return_complex=True)
    power = spectrum.abs() ** 2
    return torch.log(power.T @ htk_filters(201, 0.0, float(sr // 2), 128, sr) + 1e-6).numpy()


PRESETS = {
    'thesis': thesis,
    'dcase2023': dcase2023,
    'librosa': librosa_defaults,
    'torchaudio': torchaudio_defaults,
    'clap': clap,
}


def synthetic(sr, seconds, seed):
    """A rising tone, noise that fades, a click, silence at the end; 16-bit."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(sr * seconds)) / sr
    y = 0.4 * np.sin(2 * np.pi * (100 * t + 0.5 * (sr * 0.45 / seconds) * t**2)) * np.exp(-2 * t)
    y += 0.05 * rng.standard_normal(len(t)) * np.exp(-8 * t)
    y[len(t) // 2] += 0.5
    y[int(len(t) * 0.85):] = 0
    return np.round(np.clip(y, -1, 1) * 32767).astype(np.int16)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--data', type=Path)
    parser.add_argument('--all', type=Path, help='also write every preset of every clip of --data, whole, into this folder')
    args = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    index = {
        'versions': {'librosa': librosa.__version__, 'torch': torch.__version__, 'numpy': np.__version__},
        'synthetic': [],
        'real': [],
    }
    for sr, presets in [(22050, ['thesis', 'dcase2023', 'librosa', 'torchaudio']), (48000, ['clap', 'thesis'])]:
        name = f'synthetic-{sr}.wav'
        soundfile.write(OUT / name, synthetic(sr, 0.3, 5), sr, subtype='PCM_16')
        y = soundfile.read(OUT / name, dtype='float64')[0]
        for preset in presets:
            golden = f'synthetic-{sr}-{preset}.npy'
            np.save(OUT / golden, np.ascontiguousarray(PRESETS[preset](y, sr), '<f4'))
            index['synthetic'].append({'file': name, 'preset': preset, 'golden': golden})
        if sr == 22050:
            golden = f'synthetic-{sr}-thesis-reflect.npy'
            np.save(OUT / golden, np.ascontiguousarray(thesis(y, sr, pad_mode='reflect'), '<f4'))
            index['synthetic'].append({'file': name, 'preset': 'thesis', 'padMode': 'reflect', 'golden': golden})
    if args.data:
        clips = ['esc10/audio/1-26806-A-1.wav', 'esc10/audio/4-164859-A-1.wav', 'formats/1-4211-A-12_4.wav', 'formats/1-26143-A-21_6.wav']
        for clip in clips:
            y, sr = soundfile.read(args.data / clip, dtype='float32', always_2d=True)
            y = y.mean(axis=1).astype(np.float64)
            for preset, compute in PRESETS.items():
                if preset == 'clap' and sr != 48000:
                    continue
                full = compute(y, sr)
                frames = sorted({round(i * (len(full) - 1) / 7) for i in range(8)})
                golden = f'real-{Path(clip).stem}-{preset}.npy'
                np.save(OUT / golden, np.ascontiguousarray(full[frames], '<f4'))
                index['real'].append({'file': clip, 'preset': preset, 'golden': golden, 'frames': frames, 'of': len(full)})
    if args.all:
        args.all.mkdir(parents=True, exist_ok=True)
        for clip in sorted(args.data.glob('*/audio/*.wav')) + sorted(args.data.glob('formats/*.*')):
            if clip.suffix == '.csv':
                continue
            y, sr = soundfile.read(clip, dtype='float32', always_2d=True)
            y = y.mean(axis=1).astype(np.float64)
            for preset, compute in PRESETS.items():
                if (preset == 'clap' and sr != 48000) or (preset == 'torchaudio' and len(y) <= 200):
                    continue
                np.save(args.all / f'{clip.name}.{preset}.npy', compute(y, sr).astype('<f4'))
    (OUT / 'log-mel.json').write_text(json.dumps(index, indent=1) + '\n')


if __name__ == '__main__':
    main()
