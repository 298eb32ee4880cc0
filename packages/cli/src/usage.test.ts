import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cli, notBuilt, start } from './testing/run-cli.js'

const usageErrors: Record<string, [args: string[], message: RegExp]> = {
  'no command': [[], /Usage: sonotext/],
  'an unknown command': [['traim'], /unknown command 'traim'\n\(Did you mean train\?\)/],
  'an unknown option': [
    ['check', 'm.jsonl', '--max-bda', '1'],
    /unknown option '--max-bda'\n\(Did you mean --max-bad\?\)/,
  ],
  'a missing option': [['train'], /required option '--run <dir>' not specified\nSee: sonotext train --help/],
  'a missing argument': [['search'], /missing required argument 'run'/],
  'nothing to search for': [['search', 'run'], /Give sentences, or recordings with --audio/],
  'a number that is none': [['search', 'run', 'dog', '-k', 'many'], /Expected a whole number from 1\./],
  'a number out of range': [['doctor', '--threads', '1000'], /Expected a whole number from 1 to 256\./],
  'a share above 1': [['check', 'm.jsonl', '--max-bad', '2'], /Expected a share from 0 to 1\./],
  'an unknown device': [
    ['doctor', '--device', 'tpu'],
    /Expected auto, cpu, cuda, cuda:N or reference for --device, got "tpu"/,
  ],
  'an unknown preset': [
    ['features', 'a.wav', '--preset', 'thesys', '--out', 'x.npy'],
    /Expected one of thesis, dcase2023, librosa, torchaudio, clap, yamnet, whisper for --preset, got "thesys"/,
  ],
  'several files for one NPY': [
    ['features', 'a.wav', 'b.wav', '--out', 'x.npy'],
    /2 files need a folder for --out, got x\.npy/,
  ],
  'one file named twice': [
    ['features', 'one/a.wav', './one/a.wav', '--out', 'x'],
    /one\/a\.wav is named twice/,
  ],
  'an unknown configuration key': [
    ['train', '--run', 'x', '--set', 'training.epoch=3'],
    /unknown key training\.epoch \(did you mean training\.epochs\?\)/,
  ],
  'a key in the wrong place': [
    ['train', '--run', 'x', '--set', 'batchSize=3'],
    /unknown key batchSize \(did you mean training\.batchSize\?\)/,
  ],
  'an assignment without a value': [
    ['train', '--run', 'x', '--set', 'training.epochs'],
    /Expected key=value for --set, got "training\.epochs"/,
  ],
  'a value of the wrong kind': [
    ['train', '--run', 'x', '--set', 'data.manifest=m', '--set', 'training.epochs=many'],
    /training\.epochs: must be integer, got "many"/,
  ],
  'a configuration without data': [['train', '--run', 'x'], /missing key data\.manifest/],
  'an unknown measure': [
    ['evaluate', 'run', '--measures', 'R@1,nDGC@10'],
    /Expected a measure .* got "nDGC@10"\. Did you mean "nDCG@10"\?/,
  ],
  'an unknown measure of a ranking': [
    ['metrics', '--run', 'a', '--truth', 'b', '--measures', 'recall'],
    /got "recall"/,
  ],
  'a scene too short': [
    ['compose', '--out', 'x', '--duration', '1'],
    /Expected 2 to 600 seconds for duration, got 1\./,
  ],
  'an unknown importer': [
    ['import', '--from', 'wavcaps', 'a.csv', '--out', 'm.jsonl'],
    /There is no importer "wavcaps"\.\nImporters:\n {2}clotho/,
  ],
  'two forms of the configuration': [['config', '--yaml', '--json'], /Expected one of --yaml and --json/],
}

const failures: Record<string, [args: string[], message: RegExp]> = {
  'a manifest that is not there': [
    ['check', 'none.jsonl'],
    /none\.jsonl: there is no such file\. Check the path\./,
  ],
  'a configuration that is not there': [
    ['train', '--run', 'x', '--config', 'none.yaml'],
    /none\.yaml: there is no such configuration/,
  ],
  'a folder that holds no run': [['evaluate', '.'], /config\.json: this folder holds no training run/],
  'a run to resume that is not there': [
    ['train', '--run', 'none', '--resume'],
    /none\/config\.json: this folder holds no training run/,
  ],
  'an audio file that is not there': [
    ['features', 'none.wav', '--out', 'x.npy'],
    /none\.wav: Expected an audio file/,
  ],
  'a ranking that is not there': [
    ['metrics', '--run', 'none.csv', '--truth', 'none2.csv'],
    /none2?\.csv: there is no such file/,
  ],
  'a CSV that is not there': [
    ['import', '--from', 'clotho', 'none.csv', '--out', 'm.jsonl'],
    /none\.csv: there is no such file/,
  ],
  'a GPU that is not there': [['doctor', '--device', 'cuda:31'], /CUDA|native addon/],
}

describe.skipIf(notBuilt !== null)(`the command line${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  let cwd: string
  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'sonotext-cli-'))
  })
  afterAll(() => rm(cwd, { recursive: true }))

  it.concurrent.each(Object.entries(usageErrors))('%s: exit 2', async (_, [args, message]) => {
    const { code, stdout, stderr } = await cli(args, { cwd })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
    expect(stdout).toBe('')
    expect(code).toBe(2)
  })

  it.concurrent.each(Object.entries(failures))('%s: exit 1, also with --json', async (_, [args, message]) => {
    const { code, stdout, stderr } = await cli([...args, '--json'], { cwd })
    expect(stderr).toMatch(message)
    expect(stderr).not.toMatch(/^\s+at /m)
    if (args[0] !== 'features') expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  it('help and version are results: stdout, exit 0', async () => {
    const [help, ofCommand, version] = await Promise.all([
      cli(['--help']),
      cli(['help', 'train']),
      cli(['--version']),
    ])
    expect([help.code, ofCommand.code, version.code]).toEqual([0, 0, 0])
    expect(help.stdout).toContain('Usage: sonotext [options] [command]')
    expect(ofCommand.stdout).toContain('Usage: sonotext train')
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
    expect(version.stdout.trim()).toBe((JSON.parse(manifest) as { version: string }).version)
  })

  it('SONOTEXT_DEBUG shows where an error came from', async () => {
    const { stderr } = await cli(['check', 'none.jsonl'], { cwd, env: { SONOTEXT_DEBUG: '1' } })
    expect(stderr).toMatch(/^\s+at .*\.js/m)
    expect(stderr).toContain("code: 'MISSING_FILE'")
  })

  it('a reader that stops reading ends the command quietly', async () => {
    const { child, outcome } = start(['config', '--json'])
    child.stdout!.destroy()
    const { code, stderr } = await outcome
    expect(stderr).toBe('')
    expect(code).toBe(0)
  })

  it('broken configuration files are named with the place', async () => {
    await writeFile(join(cwd, 'bad.json'), '{ "data": ')
    await writeFile(join(cwd, 'bad.yaml'), 'data:\n  manifest: [m.jsonl\ntraining:\n  epochs: 1\n')
    await writeFile(join(cwd, 'list.yaml'), '- data\n')
    const [json, yaml, list] = await Promise.all(
      ['bad.json', 'bad.yaml', 'list.yaml'].map((file) =>
        cli(['train', '--run', 'x', '--config', file], { cwd }),
      ),
    )
    expect([json!.code, yaml!.code, list!.code]).toEqual([2, 2, 2])
    expect(json!.stderr).toMatch(/bad\.json: not valid JSON: .*end of JSON.*\. Correct it/)
    expect(yaml!.stderr).toMatch(/bad\.yaml: not valid YAML: .* at line 3, column 1\. Correct it/)
    expect(list!.stderr).toMatch(/list\.yaml: expected groups of keys/)
  })
})
