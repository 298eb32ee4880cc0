import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { findProgram } from '../../packages/native-cuda/compile/program.mjs'
import { compareCode, machineCode, withoutComments } from './machine-code.mjs'

const code = (kernels, shared = '') => ({ kernels: new Map(Object.entries(kernels)), shared })

describe('two versions of kernels', () => {
  it('are the same when each that was there is there, whatever came', () => {
    expect(compareCode(code({ a: '1', b: '2' }), code({ b: '2', a: '1', c: '3' }))).toEqual({
      kernels: 2,
      renamed: 0,
      changed: [],
    })
  })

  it('may have other names, but not take code for that of a kernel that kept its own', () => {
    expect(compareCode(code({ 'a<Old>': '1' }), code({ 'a<New>': '1' }))).toMatchObject({ renamed: 1 })
    expect(compareCode(code({ a: '1', b: '2' }), code({ a: '2', b: '2' })).changed).toEqual(['a'])
    expect(compareCode(code({ a: '2', b: '2' }), code({ b: '2' })).changed).toEqual(['a'])
  })

  it('differ where kernels are gone or share other constants', () => {
    expect(compareCode(code({ a: '1' }), code({ b: '2' })).changed).toEqual(['a'])
    expect(compareCode(code({ a: '1' }, 'x'), code({ a: '1' }, 'y')).changed).toHaveLength(1)
  })
})

it('comments and blank lines are no code, strings that look like comments are', () => {
  expect(withoutComments('int  a;  // one\n\n/* two\nlines */ int b = "// \\"" ;\n')).toBe(
    'int a;\nint b = "// \\"" ;',
  )
})

describe.skipIf(findProgram('nvcc') === undefined)('what nvcc made', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sonotext-machine-code-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const made = (name, source) => {
    const file = join(folder, `${name}.cu`)
    writeFileSync(file, source)
    execFileSync('nvcc', ['-arch=sm_80', '-cubin', '-o', `${file}bin`, file])
    return machineCode(readFileSync(`${file}bin`))
  }
  const kernel = (factor, more = '') => `namespace { template <class T> __global__ void scale(T* x) {
    __shared__ T kept[32]; kept[threadIdx.x] = x[threadIdx.x]; __syncthreads();
    x[threadIdx.x] = kept[31 - threadIdx.x] * T(${factor}); } ${more} }
    void start(float* x) { scale<float><<<1, 32>>>(x); }`

  it('is told by its name in words, the same from another file', () => {
    const [one, other] = [made('one', kernel(3)), made('two', kernel(3, '__global__ void unused() {}'))]
    expect([...one.kernels.keys()]).toEqual(['void (anonymous namespace)::scale<float>(float*)'])
    expect([...one.kernels.values()][0]).toMatch(/^registers [1-9]\d*\n/)
    expect(compareCode(one, other)).toEqual({ kernels: 1, renamed: 0, changed: [] })
  }, 60_000)

  it('is another when a number in it is', () => {
    expect(compareCode(made('three', kernel(3)), made('four', kernel(5))).changed).toHaveLength(1)
  }, 60_000)
})
