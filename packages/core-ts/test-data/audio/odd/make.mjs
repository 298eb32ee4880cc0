#!/usr/bin/env node
// Makes the small files beside it, in the shapes that programs leave behind, and files.json: what ffmpeg and libsndfile read of them.
//
//     node packages/core-ts/test-data/audio/odd/make.mjs
//
// Needs ffmpeg, sox, lame, flac, vorbis-tools, opus-tools, espeak-ng, shineenc and sndfile-programs of Debian; their versions are
// recorded. Tests read only what is here, so that they need none of these programs.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = fileURLToPath(new URL('.', import.meta.url))
const work = mkdtempSync(join(tmpdir(), 'odd-'))
const at = (name) => join(work, name)

/** Runs a program in the work folder; its output as bytes. `input` goes to its standard input. */
function run(line, input) {
  const [program, ...args] = line.split(' ')
  return execFileSync(program, args, { cwd: work, input, stdio: ['pipe', 'pipe', 'ignore'], maxBuffer: 1 << 28 })
}
const ffmpeg = (line) => run(`ffmpeg -nostdin -y -v error ${line}`)

/** Two tones and noise that is the same every time, 16-bit PCM. */
function source(name, rate, seconds, channels) {
  const samples = Math.round(rate * seconds)
  const data = Buffer.alloc(samples * channels * 2)
  let state = 1
  for (let i = 0; i < samples; i++) {
    for (let c = 0; c < channels; c++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      const noise = (state / 2 ** 31 - 1) * 0.02
      const t = i / rate
      const tone = 0.4 * Math.sin(2 * Math.PI * 440 * (c + 1) * t) + 0.2 * Math.sin(2 * Math.PI * 1234 * t)
      data.writeInt16LE(Math.round(32767 * (tone * Math.exp(-2 * t) + noise)), 2 * (i * channels + c))
    }
  }
  const head = Buffer.alloc(44)
  head.write('RIFF')
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(channels, 22)
  head.writeUInt32LE(rate, 24)
  head.writeUInt32LE(rate * channels * 2, 28)
  head.writeUInt16LE(channels * 2, 32)
  head.writeUInt16LE(16, 34)
  head.write('data', 36)
  head.writeUInt32LE(data.length, 40)
  writeFileSync(at(name), Buffer.concat([head, data]))
}

source('s.wav', 16000, 1, 1)
source('s2.wav', 22050, 0.5, 2)
source('h.wav', 16000, 0.4, 1)
source('p.wav', 8000, 0.1, 1)
source('p2.wav', 8000, 0.05, 2)
source('w.wav', 48000, 0.3, 1)
source('r.wav', 88211, 0.1, 1)
source('r2.wav', 705600, 0.02, 2)

const files = []
const read = (name) => readFileSync(at(name))
/** Keeps a file: bytes, or one that a program wrote. `options.head` keeps its beginning only, for what is refused by name. */
function keep(file, kind, how, bytes = read(file), options = {}) {
  const kept = options.head === undefined ? bytes : bytes.subarray(0, options.head)
  writeFileSync(join(here, file), kept)
  files.push({ file, kind, how, bytes: kept, ...options })
}

const zeros = (n) => Buffer.alloc(n)
const id3 = (n) => Buffer.concat([Buffer.from([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, n >> 7, n & 127]), zeros(n)])
const id3v1 = () => Buffer.concat([Buffer.from('TAGtitle'), zeros(120)])
function ape() {
  const item = Buffer.concat([Buffer.from([3, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('Title\0abc')])
  const part = (flags) => {
    const bytes = zeros(32)
    bytes.write('APETAGEX')
    bytes.writeUInt32LE(2000, 8)
    bytes.writeUInt32LE(item.length + 32, 12)
    bytes.writeUInt32LE(1, 16)
    bytes.writeUInt32LE(flags, 20)
    return bytes
  }
  return Buffer.concat([part(0xa0000000), item, part(0x80000000)])
}

// MP3: what stands in the Xing or Info frame.
// A frame must be long enough for it: 64 kbit/s.
run('lame --quiet -b 64 h.wav lame.mp3')
run('lame --quiet -b 64 s.wav long.mp3')
run('lame --quiet -t -b 32 h.wav noinfo.mp3')
run('shineenc -q -b 32 h.wav shine.mp3')
ffmpeg('-i h.wav -c:a libshine -b:a 64k libshine.mp3')
ffmpeg('-ss 0.3 -t 0.4 -i long.mp3 -c copy cut.mp3')
ffmpeg('-i long.mp3 -f segment -segment_time 0.4 -c copy segment%d.mp3')
run('lame --quiet -b 64 s2.wav stereo.mp3')
const info = read('lame.mp3').indexOf('Info')
const lamePart = info + 8 + 4 + 4 + 100 + 4
const patched = (change) => {
  const bytes = Buffer.from(read('lame.mp3'))
  change(bytes)
  return bytes
}
const frames = read('lame.mp3').readUInt32BE(info + 8)
keep('lame.mp3', 'MP3 lengths', 'lame')
keep('noinfo.mp3', 'MP3 lengths', 'lame -t: no Info frame')
keep('shine.mp3', 'MP3 lengths', 'shineenc: no Info frame')
keep('libshine.mp3', 'MP3 lengths', 'ffmpeg -c:a libshine')
keep('cut.mp3', 'MP3 lengths', 'ffmpeg -ss 0.3 -t 0.4 -c copy')
keep('segment1.mp3', 'MP3 lengths', 'ffmpeg -f segment -c copy')
keep('stereo.mp3', 'MP3 lengths', 'lame, stereo')
keep('other-name.mp3', 'MP3 lengths', 'another encoder name', patched((b) => b.write('ABCD 1.23', lamePart)))
keep('no-lame-part.mp3', 'MP3 lengths', 'zeros in place of the LAME part', patched((b) => b.fill(0, lamePart, lamePart + 36)))
keep('no-frames.mp3', 'MP3 lengths', 'frame count 0', patched((b) => b.writeUInt32BE(0, info + 8)))
keep('padding-100.mp3', 'MP3 lengths', 'padding less than the lag of the decoder', patched((b) => {
  b.writeUIntBE((576 << 12) | 100, lamePart + 21, 3)
}))
keep('more-frames.mp3', 'MP3 lengths', 'two frames more than declared', patched((b) => b.writeUInt32BE(frames - 2, info + 8)))

// WAV out of a pipe.
const pcm = (bytes) => bytes.subarray(0, 4000)
const unsized = run('flac --silent --force-raw-format --endian=little --sign=signed --channels=1 --bps=16 --sample-rate=16000 -c -', read('s.wav').subarray(44))
keep('pipe-flac.wav', 'WAV out of a pipe', 'flac -d -c', pcm(run('flac --silent -d -c -', unsized)), { placeholder: true })
keep('pipe-lame.wav', 'WAV out of a pipe', 'lame --decode - -', pcm(run('lame --quiet --mp3input --decode - -', read('lame.mp3'))), { placeholder: true })
keep('pipe-sox.wav', 'WAV out of a pipe', 'sox -t wav -', pcm(run('sox -t raw -r 16000 -e signed -b 16 -c 1 - -t wav -', read('s.wav').subarray(44))), { placeholder: true })
keep('pipe-espeak.wav', 'WAV out of a pipe', 'espeak-ng --stdout', pcm(run('espeak-ng --stdout a')), { placeholder: true })
keep('pipe-ffmpeg.wav', 'WAV out of a pipe', 'ffmpeg -f wav -', pcm(run('ffmpeg -nostdin -v error -i s.wav -f wav -')), { placeholder: true })

// Ogg out of a stream.
run('oggenc -Q -q 0 --serial 5 s.wav -o long.ogg')
run('oggenc -Q -q 0 --serial 6 p.wav -o short.ogg')
ffmpeg('-f lavfi -i sine=300:r=8000:d=5 l.wav')
run('oggenc -Q -q -1 --serial 8 l.wav -o pages.ogg')
ffmpeg('-ss 2.5 -i pages.ogg -c copy cut.ogg')
ffmpeg('-i pages.ogg -f segment -segment_time 2 -c copy segment%d.ogg')
run('oggenc -Q -q 0 --serial 7 s.wav -o other.ogg')
keep('long.ogg', 'Ogg out of a stream', 'oggenc')
keep('cut.ogg', 'Ogg out of a stream', 'ffmpeg -ss 2.5 -c copy')
keep('segment1.ogg', 'Ogg out of a stream', 'ffmpeg -f segment -c copy')
keep('chained.ogg', 'Ogg out of a stream', 'cat a.ogg b.ogg', Buffer.concat([read('long.ogg'), read('other.ogg')]))
keep('no-end.ogg', 'Ogg out of a stream', 'no end flag', withoutEndFlag(read('long.ogg')))

// Opus.
run('opusenc --quiet --bitrate 16 --serial 3 w.wav plain.opus')
run('opusenc --quiet --bitrate 8 --serial 2 p2.wav tiny.opus')
run('opusenc --quiet --bitrate 24 --serial 1 s2.wav stereo.opus')
run('opusenc --quiet --bitrate 16 --serial 4 w.wav second.opus')
ffmpeg('-f lavfi -i aevalsrc=.2*sin(2*PI*200*t)|.2*sin(2*PI*300*t)|.2*sin(2*PI*400*t)|.2*sin(2*PI*500*t)|.2*sin(2*PI*600*t)|.2*sin(2*PI*700*t):s=48000:d=0.2:c=5.1 -c:a libopus -b:a 96k surround.opus')
ffmpeg('-ss 0.1 -i plain.opus -c copy cut.opus')
keep('plain.opus', 'Opus', 'opusenc')
keep('tiny.opus', 'Opus', 'opusenc, 50 ms at 8 kHz, stereo')
keep('stereo.opus', 'Opus', 'opusenc, stereo 22.05 kHz')
keep('surround.opus', 'Opus', 'ffmpeg -c:a libopus, 5.1')
keep('cut.opus', 'Opus', 'ffmpeg -ss 0.1 -c copy')
keep('chained.opus', 'Opus', 'cat a.opus b.opus', Buffer.concat([read('plain.opus'), read('second.opus')]))
keep('gain.opus', 'Opus', 'output gain of -6 dB', withGain(read('plain.opus'), -6))

// Tags and junk around the audio.
const p = read('p.wav')
keep('id3.wav', 'tags and junk', 'ID3 before RIFF', Buffer.concat([id3(300), p]))
keep('zeros.mp3', 'tags and junk', 'zeros before MP3 frames', Buffer.concat([zeros(1500), read('lame.mp3')]))
keep('junk.mp3', 'tags and junk', 'other bytes before MP3 frames', Buffer.concat([Buffer.from(Array.from({ length: 700 }, (_, i) => (i * 37) & 255)), read('lame.mp3')]))
keep('joined.mp3', 'tags and junk', 'two MP3s joined, each with ID3', Buffer.concat([id3(200), read('noinfo.mp3'), id3v1(), id3(200), read('noinfo.mp3'), id3v1()]))
keep('ape.mp3', 'tags and junk', 'APE and ID3v1 behind MP3', Buffer.concat([read('lame.mp3'), ape(), id3v1()]))
run('flac --silent -f p.wav -o p.flac')
keep('ape.flac', 'tags and junk', 'APE behind FLAC', Buffer.concat([read('p.flac'), ape()]))
keep('id3v1.flac', 'tags and junk', 'APE and ID3v1 behind FLAC', Buffer.concat([id3(100), read('p.flac'), ape(), id3v1()]))
keep('id3.ogg', 'tags and junk', 'ID3 before Ogg, zeros behind', Buffer.concat([id3(100), read('short.ogg'), zeros(100)]))
keep('id3.aiff', 'tags and junk', 'ID3 before AIFF', Buffer.concat([id3(100), aiffOf('s16', 'p.wav')]))

// FLAC whose frames leave rate or bits to STREAMINFO.
for (const [file, from] of [['rate.flac', 'r.wav'], ['rate-stereo.flac', 'r2.wav']]) {
  run(`flac --silent --lax -f ${from} -o ${file}`)
  keep(file, 'FLAC as STREAMINFO says', `flac --lax, ${read(from).readUInt32LE(24)} Hz`)
}

// MP3 and others inside WAV.
ffmpeg('-i s.wav -c:a libmp3lame -b:a 32k -f wav mp3-in.wav')
ffmpeg('-i s2.wav -c:a libmp3lame -b:a 48k -f wav mp3-in-stereo.wav')
ffmpeg('-i s.wav -c:a mp2 -b:a 32k -f wav mp2-in.wav')
ffmpeg('-i s.wav -c:a mp2 -b:a 32k plain.mp2')
keep('mp3-in.wav', 'MPEG in WAV', 'ffmpeg -c:a libmp3lame -f wav')
keep('mp3-in-stereo.wav', 'MPEG in WAV', 'ffmpeg -c:a libmp3lame -f wav, stereo')
keep('mp2-in.wav', 'MPEG in WAV', 'ffmpeg -c:a mp2 -f wav', undefined, { head: 2000, refused: 'MPEG layer I or II (MP2)' })
keep('plain.mp2', 'MPEG in WAV', 'ffmpeg -c:a mp2', undefined, { head: 2000, refused: 'MPEG layer I or II (MP2)' })

// AIFF, AU, CAF.
function aiffOf(codec, from) {
  ffmpeg(`-i ${from} -c:a pcm_${codec}be x.aiff`)
  return read('x.aiff')
}
for (const codec of ['s8', 's16be', 's24be', 's32be', 's16le', 'f32be', 'f64be', 'mulaw', 'alaw']) {
  ffmpeg(`-i p.wav -c:a pcm_${codec} ${codec}.aiff`)
  keep(`${codec}.aiff`, 'AIFF', `ffmpeg -c:a pcm_${codec}`)
}
ffmpeg('-i p2.wav -c:a pcm_s16be stereo.aiff')
keep('stereo.aiff', 'AIFF', 'ffmpeg, stereo')
keep('pipe-sox.aiff', 'AIFF', 'sox -t aiff -', run('sox -t raw -r 8000 -e signed -b 16 -c 1 - -t aiff -', p.subarray(44)), { placeholder: true })
for (const codec of ['s8', 's16be', 's24be', 's32be', 'f32be', 'f64be', 'mulaw', 'alaw']) {
  ffmpeg(`-i p.wav -c:a pcm_${codec} ${codec}.au`)
  keep(`${codec}.au`, 'AU', `ffmpeg -c:a pcm_${codec}`)
}
keep('pipe-ffmpeg.au', 'AU', 'ffmpeg -f au -', run('ffmpeg -nostdin -v error -i p2.wav -f au -'), { placeholder: true })
for (const codec of ['s8', 's16be', 's16le', 's24be', 's24le', 's32le', 'f32be', 'f32le', 'f64le', 'mulaw', 'alaw']) {
  ffmpeg(`-i p.wav -c:a pcm_${codec} ${codec}.caf`)
  keep(`${codec}.caf`, 'CAF', `ffmpeg -c:a pcm_${codec}`)
}

// Refused by name: the beginning is enough.
const refused = [
  ['x.aac', '-c:a aac', 'AAC (ADTS)'],
  ['x.m4a', '-c:a aac', 'MP4 or M4A (AAC or ALAC)'],
  ['x.mov', '-c:a aac', 'a QuickTime movie'],
  ['x.3gp', '-c:a aac', '3GP (AMR or AAC)'],
  ['x.wma', '-c:a wmav2', 'Windows Media (WMA)'],
  ['x.ac3', '-c:a ac3', 'AC-3'],
  ['x.w64', '', 'Sony Wave64 (W64)'],
  ['x.tta', '', 'True Audio (TTA)'],
  ['x.wv', '-c:a wavpack', 'WavPack'],
  ['x.mka', '-c:a libopus', 'Matroska or WebM'],
  ['x.webm', '-c:a libopus', 'Matroska or WebM'],
  ['x.voc', '', 'Creative Voice (VOC)'],
  ['x.mpegts', '-c:a aac -f mpegts', 'an MPEG transport stream'],
  ['x.spx', '-ar 16000 -c:a libspeex', '"Speex"'],
  ['x.oga', '-c:a flac', '"FLAC"'],
  ['alac.caf', '-c:a alac', 'ALAC'],
  ['ms-adpcm.wav', '-c:a adpcm_ms', 'MS-ADPCM'],
  ['gsm.wav', '-ar 8000 -c:a libgsm_ms', 'GSM 6.10'],
  ['ima4.aiff', '-c:a adpcm_ima_qt -f aiff', '"ima4"'],
]
for (const [file, args, name] of refused) {
  ffmpeg(`-i p.wav ${args} ${file}`.replaceAll('  ', ' '))
  keep(file, 'other formats', `ffmpeg ${args}`.trim(), undefined, { head: file.endsWith('.spx') || file.endsWith('.oga') ? 60000 : 1024, refused: name })
}
run('sox p.wav x.sph')
keep('x.sph', 'other formats', 'sox', undefined, { head: 1024, refused: 'NIST SPHERE' })
const dsf = zeros(92)
dsf.write('DSD ')
keep('x.dsf', 'other formats', 'the first chunk by hand', dsf, { refused: 'DSD (DSF)' })

function withoutEndFlag(bytes) {
  const copy = Buffer.from(bytes)
  const last = copy.lastIndexOf('OggS')
  copy[last + 5] &= ~4
  return resealed(copy, last)
}
function withGain(bytes, db) {
  const copy = Buffer.from(bytes)
  copy.writeInt16LE(db * 256, copy.indexOf('OpusHead') + 16)
  return resealed(copy, 0)
}
/** The Ogg page at `offset` with its checksum made anew. */
function resealed(bytes, offset) {
  const segments = bytes[offset + 26]
  let length = 27 + segments
  for (let s = 0; s < segments; s++) length += bytes[offset + 27 + s]
  bytes.writeUInt32LE(0, offset + 22)
  let crc = 0
  for (let i = offset; i < offset + length; i++) {
    crc = (crc ^ (bytes[i] << 24)) >>> 0
    for (let b = 0; b < 8; b++) crc = ((crc & 0x80000000) !== 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1) >>> 0
  }
  bytes.writeUInt32LE(crc, offset + 22)
  return bytes
}

/** What a program reads: rate, samples of the first channel and their energy; null when it refuses the file. */
function measured(wav) {
  if (wav === undefined || wav.length < 58) return null
  const data = wav.indexOf('data', 12, 'latin1') + 8
  const [channels, rate] = [wav.readUInt16LE(22), wav.readUInt32LE(24)]
  const samples = Math.floor((wav.length - data) / 4 / channels)
  let energy = 0
  const values = []
  for (let i = 0; i < samples; i++) {
    const x = wav.readFloatLE(data + 4 * i * channels)
    energy += x * x
    if (i % Math.max(1, Math.floor(samples / 12)) === 5 && values.length < 12) values.push([i, x])
  }
  return { rate, channels, samples, energy, values }
}
function byFfmpeg(file) {
  const { stdout } = spawnSync('ffmpeg', ['-nostdin', '-v', 'quiet', '-i', file, '-c:a', 'pcm_f32le', '-f', 'wav', '-bitexact', '-map_metadata', '-1', '-'], { maxBuffer: 1 << 28 })
  return measured(stdout)
}
/** Samples a channel; null when it refuses the file. */
function samplesBySndfile(file) {
  const out = at('sndfile.wav')
  rmSync(out, { force: true })
  const { status } = spawnSync('sndfile-convert', ['-float32', file, out], {
    stdio: 'ignore',
    // It never comes back from an Opus file that is shorter than a packet.
    timeout: 20_000,
  })
  if (status !== 0) return null
  const wav = readFileSync(out)
  const data = wav.indexOf('data', 12, 'latin1')
  return wav.readUInt32LE(data + 4) / 4 / wav.readUInt16LE(22)
}

const first = (program, ...args) => {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return `${stdout}${stderr}`.split('\n')[0].trim()
}
const versions = {
  ffmpeg: first('ffmpeg', '-version').split(' Copyright')[0],
  sox: first('sox', '--version').replace(/^sox:\s*/, ''),
  lame: first('lame', '--version'),
  flac: first('flac', '--version'),
  oggenc: first('oggenc', '--version'),
  opusenc: first('opusenc', '--version'),
  espeak: first('espeak-ng', '--version').split('  Data')[0],
  libsndfile: /libsndfile-[\w.]+/.exec(run('sndfile-info p.wav').toString())?.[0],
}
const index = files.map(({ file, kind, how, refused: name }) =>
  name === undefined
    ? { file, kind, how, libsndfile: samplesBySndfile(join(here, file)), ffmpeg: byFfmpeg(join(here, file)) }
    : { file, kind, how, refused: name },
)
writeFileSync(join(here, 'files.json'), `${JSON.stringify({ versions, files: index }, null, 1)}\n`)
rmSync(work, { recursive: true })
