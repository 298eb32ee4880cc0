import { describe, expect, it } from 'vitest'
import { emulatedGpus } from '@sonotext/core/testing'
import { cli, cliJson, notBuilt } from './testing/run-cli.js'

interface Report {
  node: string
  backend: { device: string; isa: string | null; threads: number; reason: string }
  machine: {
    addonProblem: string | null
    physicalCores: number | null
    instructionSets: { name: string; supported: boolean; bf16Only: boolean }[]
    devices: { name: string; available: boolean; detail: string }[]
    nccl: { version: string | null; detail: string } | null
  }
  decoders: { format: string; package: string; installed: boolean }[]
  advice: string[]
}

const nowhere = { SONOTEXT_ADDON: '/nowhere/sonotext.node' }

describe.skipIf(notBuilt !== null)(`sonotext doctor${notBuilt === null ? '' : ` (${notBuilt})`}`, () => {
  it('tells people and programs the same', async () => {
    const report = await cliJson<Report>(['doctor'])
    const { code, stdout, stderr } = await cli(['doctor'])
    expect([code, stderr]).toEqual([0, ''])
    expect(report.node).toBe(process.version)
    const { device, isa, threads } = report.backend
    expect(stdout).toContain(`\nbackend   ${[device, isa, `${threads} thread`].filter(Boolean).join(', ')}`)
    expect(report.decoders.map(({ format }) => format)).toEqual(['FLAC', 'MP3', 'Ogg Vorbis', 'Opus'])
    for (const { name } of report.machine.devices) expect(stdout).toContain(`\ndevice    ${name}: `)
    expect(report.advice.length).toBeGreaterThan(0)
    for (const line of report.advice) expect(stdout).toContain(`→ ${line}`)
  })

  it('without the addon: the reference backend, why, and what to do; exit 0', async () => {
    const report = await cliJson<Report>(['doctor'], { env: nowhere })
    expect(report.backend).toMatchObject({ device: 'reference', isa: null })
    expect(report.machine.addonProblem).toContain('/nowhere/sonotext.node: no such file')
    expect(report.advice[0]).toMatch(/^Build the native addon \(npm run setup in a clone, /)
    const { code, stdout, stderr } = await cli(['doctor'], { env: nowhere })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(
      /\nbackend {3}reference, 1 thread\nbecause {3}the native addon is not loaded\naddon {5}The native addon/,
    )
    expect(stdout).toMatch(/ Tried:\n {12}\/nowhere\/sonotext\.node: no such file\n/)
  })

  it('says whether there is NCCL between GPUs', async (context) => {
    const gpus = emulatedGpus(2)
    if (gpus === null) return context.skip('emulated GPUs are built with CMake only')
    const ready = await cli(['doctor'], { env: gpus })
    expect(ready.stdout).toMatch(/\nnccl {6}ready: 2\.27\.3, \/.*libfake_nccl\.so\n/)
    const env = { ...gpus, SONOTEXT_NCCL: '/nowhere/libnccl.so' }
    const { machine } = await cliJson<Report>(['doctor'], { env })
    expect(machine.nccl).toEqual({
      version: null,
      detail: expect.stringContaining('/nowhere/libnccl.so') as string,
    })
    expect((await cli(['doctor'], { env })).stdout).toMatch(/\nnccl {6}not available; \/nowhere/)
  })

  it('a device named but not there is a failure with the same help', async () => {
    const { code, stdout, stderr } = await cli(['doctor', '--device', 'cpu', '--json'], { env: nowhere })
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('npm run setup')
  })

  it('other commands say that they are slow, and work', async () => {
    const { code, stderr } = await cli(['features', 'none.wav', '--out', 'x.npy', '--max-bad', '1'], {
      env: nowhere,
    })
    expect(code).toBe(0)
    expect(stderr).toMatch(
      /^warning: Computing on the plain TypeScript reference, tens of times slower than the native addon\. .* `sonotext doctor` says what to do\.\n/,
    )
  })

  it('follows SONOTEXT_ISA, SONOTEXT_THREADS and --threads, and says what they cost', async ({ skip }) => {
    const free = await cliJson<Report>(['doctor'])
    skip(free.machine.addonProblem !== null, 'the native addon is not built')
    const env = { SONOTEXT_ISA: 'scalar', SONOTEXT_THREADS: '1' }
    const report = await cliJson<Report>(['doctor'], { env })
    expect(report.backend).toMatchObject({ device: 'cpu', isa: 'scalar', threads: 1 })
    const sets = report.machine.instructionSets.filter(({ supported, bf16Only }) => supported && !bf16Only)
    const widest = sets.at(-1)!
    expect(free.backend.isa).toBe(widest.name)
    if (widest.name !== 'scalar') {
      expect(report.advice).toContain(`SONOTEXT_ISA=scalar is set; without it ${widest.name} would be used.`)
    }
    const cores = report.machine.physicalCores!
    if (cores > 1) expect(report.advice.join()).toContain(`1 of ${cores} cores are used`)
    const flag = await cliJson<Report>(['doctor', '--threads', '1'])
    expect(flag.backend.threads).toBe(1)
    const unknown = await cliJson<Report>(['doctor'], { env: { SONOTEXT_ISA: 'mmx' } })
    expect(unknown.advice.join()).toContain('SONOTEXT_ISA=mmx is set')
  })
})
