import os from 'node:os'
import process from 'node:process'
import type { openBackend } from '@sonotext/core/backend'
import { machineReport } from '@sonotext/core/backend'
import { backendOf, type BackendOptions } from '../backend-option.js'
import { exitCode } from '../exit.js'
import type { CommandBody } from '../main.js'

/** Packages that widen what can be read; each is optional. */
const decoders = [
  ['FLAC', '@wasm-audio-decoders/flac'],
  ['MP3', 'mpg123-decoder'],
  ['Ogg Vorbis', '@wasm-audio-decoders/ogg-vorbis'],
] as const

interface Report {
  node: string
  platform: string
  cpu: string
  memoryGiB: number
  backend: ReturnType<typeof openBackend>['info']
  machine: ReturnType<typeof machineReport>
  decoders: { format: string; package: string; installed: boolean }[]
  /** What to do next, in order. */
  advice: string[]
}

/** Says what runs here and why, and what would help. */
const doctor: CommandBody<BackendOptions> = async ({ terminal }, options) => {
  const machine = machineReport()
  const backend = backendOf(options, terminal)
  const found = await Promise.all(
    decoders.map(async ([format, name]) => ({ format, package: name, installed: await canImport(name) })),
  )
  const report: Report = {
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    backend: backend.info,
    machine,
    decoders: found,
    advice: adviceOf(machine, found, backend.info.device),
  }
  terminal.result(report, text)
  return exitCode.ok
}
export default doctor

async function canImport(name: string): Promise<boolean> {
  try {
    await import(name)
    return true
  } catch {
    return false
  }
}

function adviceOf(machine: Report['machine'], found: Report['decoders'], device: string): string[] {
  const advice: string[] = []
  if (machine.addonProblem !== null)
    advice.push('Build the native addon (npm run setup): training on the reference backend is very slow.')
  const widest = machine.instructionSets.filter((set) => set.supported).at(-1)
  if (
    process.env.SONOTEXT_ISA !== undefined &&
    widest !== undefined &&
    process.env.SONOTEXT_ISA !== widest.name
  ) {
    advice.push(`SONOTEXT_ISA=${process.env.SONOTEXT_ISA} is set; without it ${widest.name} would be used.`)
  }
  if (machine.threads !== null && machine.physicalCores !== null && machine.threads < machine.physicalCores) {
    advice.push(
      `${machine.threads} of ${machine.physicalCores} cores are used; set SONOTEXT_THREADS or --threads for more.`,
    )
  }
  if (machine.addonProblem === null && machine.cudaToolkit === null) {
    advice.push(
      'CPU-only build: with the CUDA toolkit (nvcc) on the path, npm run setup compiles the GPU kernels in.',
    )
  }
  for (const { format, package: name, installed } of found) {
    if (!installed) advice.push(`To read ${format} files: npm install ${name}`)
  }
  if (advice.length === 0) advice.push(`Everything is in place on ${device}. Try: sonotext demo`)
  return advice
}

function text(report: Report): string {
  const { backend, machine } = report
  const sets = machine.instructionSets.map((set) => `${set.name}${set.supported ? '' : ' (not on this CPU)'}`)
  return [
    `node        ${report.node} on ${report.platform}`,
    `cpu         ${report.cpu}, ${report.memoryGiB} GiB`,
    `backend     ${backend.device}${backend.isa === null ? '' : `, ${backend.isa}`}, ${backend.threads} threads`,
    `because     ${backend.reason}`,
    machine.addonProblem === null
      ? `addon       ${machine.compiler}, CUDA ${machine.cudaToolkit ?? 'not compiled in'}`
      : `addon       not loaded\n${machine.addonProblem.replace(/^/gm, '            ')}`,
    ...(sets.length > 0 ? [`sets        ${sets.join(', ')}`] : []),
    ...machine.devices.map(
      (device) =>
        `device      ${device.name}: ${device.available ? 'ready' : 'not available'}; ${device.detail}`,
    ),
    ...report.decoders.map(
      ({ format, package: name, installed }) =>
        `decoder     ${format}: ${installed ? 'ready' : `missing (${name})`}`,
    ),
    '',
    ...report.advice.map((line) => `→ ${line}`),
  ].join('\n')
}
