import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { missing } from '../../../tools/program.mjs'
import { candidates } from './load.js'

const runners = join(dirname(dirname(candidates()[0]!)), 'native', 'test')

/** Why the programs of native/test are not there: without CMake (a failure in CI), or another way of building was asked for. */
function notBuilt(name: string): string | null {
  if (existsSync(join(runners, name))) return null
  return missing('cmake') ?? 'the programs of native/test are built with CMake only'
}

function run(name: string, args: string[] = [], variables: Record<string, string> = {}): Promise<string> {
  return exec(join(runners, name), args, variables)
}

async function exec(program: string, args: string[], variables: Record<string, string>): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { env: { ...process.env, ...variables } })
  return stdout
}

const caseSuite = fileURLToPath(new URL('../../../tools/gpu/cases.mjs', import.meta.url))

describe('CUDA ops against the CPU', () => {
  it('agree in emulation: indexing and barriers, on the CPU', async (context) => {
    const reason = notBuilt('conformance_emulated')
    if (reason !== null) context.skip(reason)
    const table = await run('conformance_emulated')
    expect(table).toMatch(/\d+ cases compared, 0 differ or failed\n$/)
    expect(table).toContain('\n0 ops without an entry\n')
  }, 600_000) // a minute or two of fibers: longer than a test has otherwise

  it('agree in emulation with log_mel in float32', async (context) => {
    const reason = notBuilt('conformance_emulated')
    if (reason !== null) context.skip(reason)
    const table = await run('conformance_emulated', ['cuda:0', 'log_mel'], { SONOTEXT_MEL: 'fp32' })
    expect(table).toMatch(/[1-9]\d* cases compared, 0 differ or failed\n$/)
  })

  // Operands that need no rounding make results as close as in float32: a wrong row, lane or depth shows. Hopper's kernels end the
  // process on a GPU before 9.0.
  // The nightly run has all products of the four.
  const some = 'gemm,gru,info_nce,sigmoid_pair'
  const products = `${some},batched_gemm,conv2d,frame_score,similarity`
  it.for([
    { capability: '8.0', matmul: 'bf16', cores: 'mma', ops: products },
    { capability: '8.0', matmul: 'tf32', cores: 'mma', ops: products },
    { capability: '9.0', matmul: 'bf16', cores: 'wgmma', ops: products },
    { capability: '9.0', matmul: 'tf32', cores: 'wgmma', ops: some },
  ])(
    'agree in emulation of $capability with products in $matmul',
    { timeout: 600_000 },
    async ({ capability, matmul, cores, ops }, context) => {
      const reason = notBuilt('conformance_emulated')
      if (reason !== null) context.skip(reason)
      const table = await run('conformance_emulated', ['cuda:0', ops], {
        SONOTEXT_EMULATED_CAPABILITY: capability,
        SONOTEXT_MATMUL: matmul,
      })
      expect(table).toContain(`products in ${matmul}, tensor cores by ${cores}\n`)
      expect(table).toMatch(/[1-9]\d* cases compared, 0 differ or failed\n$/)
    },
  )

  // Rounded operands, gradients and recurrences against the float64 reference.
  it.for([
    { capability: '8.0', matmul: 'tf32' },
    { capability: '9.0', matmul: 'bf16' },
  ])(
    'agree with the reference in emulation of $capability with operands in $matmul',
    { timeout: 600_000 },
    async ({ capability, matmul }, context) => {
      const reason = notBuilt('sonotext_emulated.node')
      if (reason !== null) context.skip(reason)
      const said = await exec(process.execPath, [caseSuite, 'cuda', 'frame_score,gru'], {
        SONOTEXT_ADDON: join(runners, 'sonotext_emulated.node'),
        SONOTEXT_EMULATED_CAPABILITY: capability,
        SONOTEXT_MATMUL: matmul,
      })
      expect(said).toMatch(
        new RegExp(`^[1-9]\\d* cases on cuda:0, products in ${matmul}, 0 problems, 0 ops taken elsewhere\n$`),
      )
    },
  )

  it('are made by what SONOTEXT_TENSOR_CORES says, if the GPU has it', async (context) => {
    const reason = notBuilt('conformance_emulated')
    if (reason !== null) context.skip(reason)
    const said = (capability: string, cores: string): Promise<string> =>
      run('conformance_emulated', ['cuda:0', 'grad_norm'], {
        SONOTEXT_EMULATED_CAPABILITY: capability,
        SONOTEXT_TENSOR_CORES: cores,
      })
    expect(await said('9.0', 'mma')).toContain('tensor cores by mma\n')
    expect(await said('9.0', 'wgmma')).toContain('tensor cores by wgmma\n')
    expect(await said('12.0', '')).toContain('tensor cores by mma\n')
    await expect(said('8.0', 'wgmma')).rejects.toThrow(/SONOTEXT_TENSOR_CORES is wgmma, which emulated GPU/)
    await expect(said('8.0', 'fast')).rejects.toThrow(/SONOTEXT_TENSOR_CORES is wgmma or mma, not "fast"/)
  })

  it('have the same bits by CUDA graphs, whatever comes between them, and go on after failures', async (context) => {
    const reason = notBuilt('graphs_emulated')
    if (reason !== null) context.skip(reason)
    expect(await run('graphs_emulated')).toMatch(
      /^\d+ calls in \d+ programs; once known, \d+ launches by graphs and \d+ alone\n0 failed\n$/,
    )
  }, 600_000)

  it('agree on the GPU', async (context) => {
    const reason = notBuilt('conformance')
    if (reason !== null) context.skip(reason)
    const table = await run('conformance')
    if (table.includes('skipped:')) context.skip(`no GPU here: ${table.trim()}`)
    expect(table).toMatch(/\d+ cases compared, 0 differ or failed\n$/)
  })
})

describe('the thread pool', () => {
  it('gives the same bits under several callers, changes of its size and cancels', async (context) => {
    const reason = notBuilt('stress')
    if (reason !== null) context.skip(reason)
    expect(await run('stress', ['30'])).toMatch(/: 150 calls of 5 callers, \d+ cancelled, 0 wrong\n$/)
  })
})
