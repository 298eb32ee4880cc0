import os from 'node:os'
import process from 'node:process'
import { type Backend, type BackendInfo, type MachineReport, machineReport } from '@sonotext/core/backend'
import { type BackendOptions, openNamed } from '../backend-option.js'
import type { CommandBody } from '../command.js'
import { exitCode } from '../exit.js'
import { nodeProblem } from '../node-version.js'
import { plural } from '../plural.js'

/** Packages that widen what can be read; each is optional. */
const decoders = [
  ['FLAC', '@wasm-audio-decoders/flac'],
  ['MP3', 'mpg123-decoder'],
  ['Ogg Vorbis', '@wasm-audio-decoders/ogg-vorbis'],
  ['Opus', 'opus-decoder'],
] as const

interface Decoder {
  format: string
  package: string
  installed: boolean
}

interface Report {
  node: string
  platform: string
  cpu: string
  memoryGiB: number
  backend: Backend['info']
  machine: MachineReport
  decoders: Decoder[]
  /** What to do next, in order. */
  advice: string[]
}

/** Says what runs here and why, and what would help. */
const doctor: CommandBody<BackendOptions> = async ({ terminal }, options) => {
  const machine = machineReport()
  const backend = openNamed(options, () => {})
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
    advice: adviceOf(machine, found, backend.info),
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

function adviceOf(machine: MachineReport, found: readonly Decoder[], backend: Backend['info']): string[] {
  const advice: string[] = []
  const old = nodeProblem(process.version)
  if (old !== null) advice.push(old)
  if (machine.addonProblem !== null) {
    advice.push(
      'Build the native addon (npm run setup in a clone, npx sonotext-native build elsewhere): the reference backend is very slow.',
    )
  }
  const forced = process.env.SONOTEXT_ISA
  const widest = machine.instructionSets.filter((set) => set.supported && !set.bf16Only).at(-1)
  if (forced !== undefined && widest !== undefined && forced !== widest.name) {
    advice.push(`SONOTEXT_ISA=${forced} is set; without it ${widest.name} would be used.`)
  }
  if (machine.threads !== null && machine.physicalCores !== null && machine.threads < machine.physicalCores) {
    advice.push(
      `${machine.threads} of ${machine.physicalCores} cores are used; set SONOTEXT_THREADS or --threads for more.`,
    )
  }
  const gpu = machine.devices.find(({ name, available }) => name.startsWith('cuda') && available)
  if (gpu !== undefined && !backend.device.startsWith('cuda')) {
    advice.push(
      `There is a GPU: --device ${gpu.name} uses it, and the CPU for what has no GPU kernel. (${gpu.detail})`,
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
  if (advice.length === 0) advice.push(`Everything is in place on ${backend.device}. Try: sonotext demo`)
  return advice
}

/** How many ops a GPU takes, and how many of those kernels have been checked on one as they are now. */
function kernelsLine(ops: MachineReport['ops']): string {
  const compiled = ops.filter(({ cuda }) => cuda)
  const ran = compiled.filter(({ ranOnGpu }) => ranOnGpu?.current)
  const cards = [...new Set(ran.map(({ ranOnGpu }) => ranOnGpu!.card))]
  const where = cards.length === 0 ? 'a GPU' : cards.join(', ')
  return `CUDA for ${compiled.length} of ${plural(ops.length, 'op')}, ${ran.length} checked on ${where}, the others in emulation`
}

/** What GPUs of several processes exchange goes by NCCL where it is there. */
const ncclLine = ({ version, detail }: NonNullable<MachineReport['nccl']>): string =>
  version === null ? `not available; ${detail}` : `ready: ${version}, ${detail}`

const productsIn = ({ device, matmul }: BackendInfo): string | false =>
  device.startsWith('cuda') ? `products in ${matmul}` : matmul !== 'fp32' && `frame scores in ${matmul}`

function text({ node, platform, cpu, memoryGiB, backend, machine, decoders, advice }: Report): string {
  const sets = machine.instructionSets.map((set) => `${set.name}${set.supported ? '' : ' (not on this CPU)'}`)
  const rows: [string, string][] = [
    ['node', `${node} on ${platform}`],
    ['cpu', `${cpu}, ${memoryGiB} GiB`],
    [
      'backend',
      [backend.device, backend.isa, productsIn(backend), plural(backend.threads, 'thread')]
        .filter(Boolean)
        .join(', '),
    ],
    ['because', machine.addonProblem === null ? backend.reason : 'the native addon is not loaded'],
    [
      'addon',
      machine.addonProblem ?? `${machine.compiler}, CUDA ${machine.cudaToolkit ?? 'not compiled in'}`,
    ],
    ...(sets.length > 0 ? [['sets', sets.join(', ')] as [string, string]] : []),
    ...machine.devices.map(({ name, available, detail }): [string, string] => [
      'device',
      `${name}: ${available ? 'ready' : 'not available'}; ${detail}`,
    ]),
    ...(machine.cudaToolkit === null ? [] : [['kernels', kernelsLine(machine.ops)] as [string, string]]),
    ...(machine.cudaToolkit === null || machine.nccl === null
      ? []
      : [['nccl', ncclLine(machine.nccl)] as [string, string]]),
    ...decoders.map(({ format, package: name, installed }): [string, string] => [
      'decoder',
      `${format}: ${installed ? 'ready' : `missing (${name})`}`,
    ]),
  ]
  return [
    ...rows.map(([name, value]) => `${name.padEnd(10)}${value.replaceAll('\n', `\n${' '.repeat(10)}`)}`),
    '',
    ...advice.map((line) => `→ ${line}`),
  ].join('\n')
}
