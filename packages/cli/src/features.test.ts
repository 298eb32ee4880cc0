import { execFile } from 'node:child_process'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  decodeNpy,
  logMel,
  type LogMelPreset,
  logMelPresets,
  presetSampleRate,
  writeWav,
} from '@sonotext/core/audio'
import { openBackend } from '@sonotext/core/backend'
import { writeToneClips } from '@sonotext/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, cliJson, launcher, notBuilt, start } from './testing/run-cli.js'

interface Report {
  preset: string
  files: { file: string; out: string; frames: number; bands: number; frameStep: number }[]
  failed: { file: string; code: string; message: string }[]
}

let folder: string
let tone: string
const sampleRate = 44_100
const samples = Float32Array.from(
  { length: sampleRate },
  (_, i) => 0.3 * Math.sin(0.05 * i) + 0.1 * Math.sin(0.9 * i),
)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sonotext-features-'))
  tone = join(folder, 'tone.wav')
  await writeWav(tone, samples, sampleRate, { format: 'float32' })
})
afterAll(() => rm(folder, { recursive: true }))

const npy = async (path: string) => decodeNpy(await readFile(path), path)

describe.skipIf(notBuilt !== null)(`sonotext features${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it.concurrent.each(logMelPresets)('%s of one file: float32 NPY [frames × bands]', async (preset) => {
    const out = join(folder, `${preset}.npy`)
    const { files, failed } = await cliJson<Report>(['features', tone, '--preset', preset, '--out', out])
    expect(failed).toEqual([])
    const header = (await readFile(out)).toString('latin1', 0, 128)
    expect(header).toMatch(
      /^.NUMPY\x01\x00..\{'descr': '<f4', 'fortran_order': False, 'shape': \(\d+, \d+\), \}/s,
    )
    const { rows, cols, data } = await npy(out)
    expect(files).toMatchObject([{ file: tone, out, frames: rows, bands: cols }])
    const front = logMel(
      preset as LogMelPreset,
      presetSampleRate(preset as LogMelPreset) ? {} : { sampleRate },
      {
        backend: openBackend(),
      },
    )
    const expected = await front.compute(samples, { sampleRate })
    expect([rows, cols]).toEqual([expected.rows, expected.cols])
    expect(data.every((value, i) => Math.abs(value - expected.data[i]!) < 1e-5)).toBe(true)
  })

  it('resamples when a rate is asked for', async () => {
    const out = join(folder, 'low.npy')
    const { files } = await cliJson<Report>(['features', tone, '--sample-rate', '8000', '--out', out])
    expect(files[0]).toMatchObject({ frames: 51, bands: 64, frameStep: 0.02 })
  })

  it('frames are transformed in float32 where that is asked for', async () => {
    const out = join(folder, 'narrow.npy')
    const args = ['features', tone, '--preset', 'torchaudio', '--precision', 'float32', '--out', out]
    await cliJson<Report>(args)
    const options = { sampleRate, precision: 'float32' } as const
    const expected = await logMel('torchaudio', options, { backend: openBackend() }).compute(samples)
    expect((await npy(out)).data).toEqual(expected.data)
    const wide = await logMel('torchaudio', { sampleRate }, { backend: openBackend() }).compute(samples)
    expect(wide.data).not.toEqual(expected.data)
  })

  it('several files go to a folder; a bad one is set aside with its reason', async () => {
    const data = join(folder, 'several')
    const { clips } = await writeToneClips(data, { splits: { train: 9 } })
    const files = clips.map(({ audio }) => audio)
    const cut = join(data, 'cut.wav')
    await writeFile(cut, (await readFile(files[0]!)).subarray(0, 30))
    const out = join(folder, 'several-out')
    const args = ['features', ...files, cut, '--out', out]
    const refused = await cli([...args, '--json'])
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/warning: .*cut\.wav: /)
    expect(refused.stderr).toContain('10.0 % of the files failed, more than the 0 % of --max-bad')
    const report = JSON.parse(refused.stdout) as Report
    expect(report.files.map(({ file }) => file)).toEqual(files)
    expect(report.failed).toMatchObject([{ file: cut, code: 'INVALID_FILE' }])
    expect((await readdir(out)).length).toBe(9)
    const accepted = await cli([...args, '--max-bad', '0.1'])
    expect(accepted.code).toBe(0)
    expect(accepted.stdout).toContain('9 of 10 files; 1 failed')
  })

  it('warns once of mel bands that are empty, as check does', async () => {
    const low = ['one.wav', 'two.wav'].map((name) => join(folder, 'low', name))
    for (const file of low) await writeWav(file, samples.subarray(0, 8000 + file.length), 8000)
    const warning =
      /warning: features of the preset thesis: \d+ of 64 mel bands are empty at 8000 Hz .*lower fMax/g
    const [computed, checked] = await Promise.all([
      cli(['features', ...low, tone, '--out', join(folder, 'low-out')]),
      cli(['check', join(folder, 'low')]),
    ])
    expect(computed.stderr.match(warning)).toHaveLength(1)
    expect(checked.stderr.match(warning)).toHaveLength(1)
    const fine = await cli(['features', tone, '--out', join(folder, 'fine.npy')])
    expect(fine.stderr).toBe('')
  })

  it('takes folders and manifests, and keeps the tree below --out', async () => {
    const tree = join(folder, 'tree')
    for (const name of ['a/x.wav', 'b/x.wav', 'b/y.wav']) await cp(tone, join(tree, name))
    await writeFile(join(tree, 'z.m4a'), '')
    const below = async (args: string[], out: string): Promise<string[]> => {
      const { code, stderr } = await cli(['features', ...args, '--out', out])
      expect([code, stderr]).toEqual([0, expect.any(String)])
      const entries = await readdir(out, { recursive: true })
      return entries.filter((name) => name.endsWith('.npy')).sort()
    }
    const all = ['a/x.npy', 'b/x.npy', 'b/y.npy']
    expect(await below([tree], join(folder, 'tree-1'))).toEqual(all)
    const equal = [join(tree, 'a/x.wav'), join(tree, 'b/x.wav')]
    expect(await below(equal, join(folder, 'tree-2'))).toEqual(all.slice(0, 2))
    expect(await below(equal.slice(1), join(folder, 'tree-3'))).toEqual(['x.npy'])
    const manifest = join(tree, 'some.jsonl')
    await writeFile(
      manifest,
      '{"id":"1","audio":"b/y.wav"}\n{"id":"2","audio":"a/x.wav"}\n{"id":"3","audio":"a/x.wav"}\n',
    )
    expect(await below([manifest], join(folder, 'tree-4'))).toEqual(['a/x.npy', 'b/y.npy'])
    await cp(tone, join(tree, 'a/x.wave'))
    expect(await below([join(tree, 'a')], join(folder, 'tree-5'))).toEqual(['x.wav.npy', 'x.wave.npy'])
    const { stderr } = await cli(['features', tree, '--out', join(folder, 'tree-6')])
    expect(stderr).toContain(`warning: ${tree}: passed over 1 .jsonl, 1 .m4a`)
  })

  it('writes into standard output and pipes, with nothing else among it', async () => {
    const out = join(folder, 'straight.npy')
    await cli(['features', tone, '--out', out])
    const bytes = await readFile(out)
    const shell = (line: string): Promise<void> =>
      promisify(execFile)('sh', ['-c', line], { cwd: folder }).then(() => undefined)
    const command = `"${process.execPath}" "${launcher}" features tone.wav --out`
    await shell(`${command} /dev/stdout > redirected.npy`)
    await shell(`${command} /dev/stdout | cat > piped.npy`)
    await shell(`mkfifo fifo && { cat fifo > through.npy & ${command} fifo && wait; }`)
    for (const name of ['redirected', 'piped', 'through'])
      expect([name, (await readFile(join(folder, `${name}.npy`))).equals(bytes)]).toEqual([name, true])
  })

  it('refuses to write where it cannot', async () => {
    await cp(tone, join(folder, 'file'))
    const { code, stderr } = await cli(['features', tone, '--out', join(folder, 'file', 'x.npy')])
    expect(stderr).toMatch(/x\.npy: could not write the file \(E(NOTDIR|EXIST)\)/)
    expect(code).toBe(1)
  })

  it('Ctrl-C leaves whole files only', async () => {
    const { clips } = await writeToneClips(join(folder, 'long'), { splits: { train: 12 }, seconds: 8 })
    const out = join(folder, 'long-out')
    const running = start([
      'features',
      ...clips.map(({ audio }) => audio),
      '--device',
      'reference',
      '--out',
      out,
    ])
    const first = async (): Promise<void> => {
      while ((await readdir(out).catch(() => [])).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await Promise.race([first(), running.outcome])
    running.child.kill('SIGINT')
    const { code, stdout } = await running.outcome
    expect([code, stdout]).toEqual([130, ''])
    const written = await readdir(out)
    expect(written.length).toBeLessThan(12)
    for (const name of written) expect((await npy(join(out, name))).rows).toBe(401)
  })
})
