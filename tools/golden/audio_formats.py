"""Golden audio files: one short signal in the encodings that the decoder must read or refuse, and what libsndfile and soxr make of it.

    python tools/golden/audio_formats.py

Writes packages/core-ts/test-data/audio/formats/{*, formats.json}.
"""

import json
from pathlib import Path

import numpy as np
import soundfile
import soxr

OUT = Path(__file__).resolve().parents[2] / 'packages/core-ts/test-data/audio/formats'
RATE = 16000

# file, libsndfile format, subtype, channels
FILES = [
    ('pcm-u8.wav', 'WAV', 'PCM_U8', 1),
    ('pcm-24-stereo.wav', 'WAVEX', 'PCM_24', 2),
    ('pcm-32.wav', 'WAV', 'PCM_32', 1),
    ('float-64.wav', 'WAV', 'DOUBLE', 1),
    ('float-32-rf64.wav', 'RF64', 'FLOAT', 2),
    ('mu-law-stereo.wav', 'WAV', 'ULAW', 2),
    ('a-law.wav', 'WAV', 'ALAW', 1),
    ('ima-adpcm.wav', 'WAV', 'IMA_ADPCM', 1),
    ('ima-adpcm-stereo.wav', 'WAV', 'IMA_ADPCM', 2),
    ('ms-adpcm.wav', 'WAV', 'MS_ADPCM', 1),
    ('flac-16-stereo.flac', 'FLAC', 'PCM_16', 2),
    ('flac-24.flac', 'FLAC', 'PCM_24', 1),
    ('flac-8.flac', 'FLAC', 'PCM_S8', 1),
    ('vorbis.ogg', 'OGG', 'VORBIS', 1),
    ('vorbis-stereo.ogg', 'OGG', 'VORBIS', 2),
    ('mpeg.mp3', 'MP3', 'MPEG_LAYER_III', 1),
    ('mpeg-stereo.mp3', 'MP3', 'MPEG_LAYER_III', 2),
    ('opus.ogg', 'OGG', 'OPUS', 1),
    ('aiff.wav', 'AIFF', 'PCM_16', 1),
]


def signal(channels):
    rng = np.random.default_rng(3)
    t = np.arange(4801) / RATE
    tone = 0.5 * np.sin(2 * np.pi * 440 * t) + 0.2 * np.sin(2 * np.pi * 3000 * t)
    y = np.stack([tone * np.exp(-(c + 1) * t) + 0.01 * rng.standard_normal(len(t)) for c in range(channels)], axis=1)
    return np.clip(y, -0.99, 0.99)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    index = {'versions': {'libsndfile': soundfile.__libsndfile_version__, 'soxr': soxr.__version__}, 'files': [], 'resample': []}
    for name, container, subtype, channels in FILES:
        soundfile.write(OUT / name, signal(channels), RATE, format=container, subtype=subtype)
        decoded, rate = soundfile.read(OUT / name, dtype='float32', always_2d=True)
        golden = f'{name}.npy'
        if name not in ('opus.ogg', 'aiff.wav', 'ms-adpcm.wav'):
            step = 7 if subtype != 'IMA_ADPCM' else 1
            np.save(OUT / golden, np.ascontiguousarray(decoded[::step].T, '<f4'))
            index['files'].append({'file': name, 'golden': golden, 'step': step, 'samples': len(decoded), 'rate': rate})
    t = np.arange(1600) / RATE
    y = ((0.5 * np.sin(2 * np.pi * 440 * t) + 0.3 * np.sin(2 * np.pi * 3000 * t)) * np.hanning(1600)).astype(np.float32)
    np.save(OUT / 'resample-in.npy', y[None])
    for to in [8000, 22050, 44100, 48000]:
        golden = f'resample-{to}.npy'
        np.save(OUT / golden, soxr.resample(y.astype(np.float64), RATE, to, quality='VHQ').astype('<f4')[None])
        index['resample'].append({'from': RATE, 'to': to, 'golden': golden})
    (OUT / 'formats.json').write_text(json.dumps(index, indent=1) + '\n')


if __name__ == '__main__':
    main()
