import { describe, expect, it } from 'vitest'
import { blocksAtOnce, occupancy } from './occupancy.mjs'
import { merged, pageOf, reported, saidOf, shortName, stated } from './resources.mjs'

describe('occupancy', () => {
  // What cudaOccMaxActiveBlocksPerMultiprocessor of CUDA 13's cuda_occupancy.h says.
  it.each([
    ['sm_80', 256, 32, 0, 8], // threads
    ['sm_80', 32, 16, 0, 32], // blocks
    ['sm_80', 256, 33, 0, 6], // registers come in units of 8 a thread …
    ['sm_80', 256, 64, 0, 4],
    ['sm_80', 256, 65, 0, 3],
    ['sm_80', 256, 143, 0, 1],
    ['sm_80', 256, 255, 0, 1],
    ['sm_80', 1024, 65, 0, 0], // … and one block takes more than there are
    ['sm_80', 288, 40, 0, 5], // warps are of a quarter
    ['sm_80', 256, 32, 33792, 4], // shared memory, with what the system takes of each block
    ['sm_90a', 256, 32, 33792, 6],
    ['sm_80', 256, 32, 163000, 1],
    ['sm_90a', 256, 32, 200000, 1],
  ])(
    '%s: %i threads, %i registers, %i bytes: %i blocks',
    (architecture, threads, registers, sharedBytes, blocks) => {
      expect(blocksAtOnce(architecture, { threads, registers, sharedBytes })).toBe(blocks)
    },
  )

  it('is a share of 64 warps', () => {
    expect(occupancy('sm_80', { threads: 256, registers: 64, sharedBytes: 0 })).toBe(0.5)
    expect(occupancy('sm_80', { threads: 96, registers: 32, sharedBytes: 0 })).toBe((21 * 3) / 64)
  })
})

describe('the table of resources', () => {
  const log = `ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_Zone' for 'sm_80'
ptxas info    : Function properties for _Zone
    16 bytes stack frame, 20 bytes spill stores, 60 bytes spill loads
ptxas info    : Used 32 registers, used 1 barriers, 16 bytes cumulative stack size, 96 bytes smem, 400 bytes cmem[0]
ptxas info    : Compiling entry function '_Ztwo' for 'sm_80'
ptxas info    : Function properties for _Ztwo
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 14 registers, used 0 barriers, 424 bytes cmem[0]`
  const ptx = `.extern .shared .align 128 .b8 sonotext_shared[];
.visible .entry _Zone(
	.param .u64 _Zone_param_0
)
.maxntid 256
{
	mov.u32 %r1, sonotext_shared;
	{
	bar.sync 0;
	}
	ret;

}
.visible .entry _Ztwo(
	.param .u64 _Ztwo_param_0
)
{
	ret;

}
`

  it('reads what ptxas reports', () => {
    expect(Object.fromEntries(reported(log, 'sm_80'))).toEqual({
      _Zone: { spilled: 80, stack: 16, registers: 32, sharedBytes: 96 },
      _Ztwo: { spilled: 0, stack: 0, registers: 14, sharedBytes: 0 },
    })
  })

  it('reads what ptxas reports for one of several architectures', () => {
    const both = `${log.replaceAll('sm_80', 'sm_90')}\n${log}\n${log.replaceAll('sm_80', 'sm_90a').replaceAll('14 reg', '99 reg')}`
    expect([...reported(both, 'sm_80')]).toEqual([...reported(log, 'sm_80')])
    expect(reported(both, 'sm_90a').get('_Ztwo').registers).toBe(99)
  })

  it('finds what was printed for a file of a build', () => {
    const object = (name) => `Building CUDA object native/cuda/kernels/${name}.cu.o`
    const text = `ninja\n[1/3] ${object('gemm')}\n${log}\n[2/3] ${object('batched_gemm')}\n[3/3] Linking a\n`
    expect(saidOf(text, 'gemm.cu')).toBe(`[1/3] ${object('gemm')}\n${log}\n`)
    expect(saidOf(text, 'batched_gemm.cu')).toBe(`[2/3] ${object('batched_gemm')}\n`)
    expect(saidOf(text, 'gru.cu')).toBe(undefined)
  })

  it('reads bounds and dynamic shared memory of each kernel', () => {
    expect(Object.fromEntries(stated(ptx))).toEqual({
      _Zone: { threads: 256, dynamic: true },
      _Ztwo: { threads: undefined, dynamic: false },
    })
  })

  it('shortens names', () => {
    const f =
      'void sonotext::cuda::map_kernel<sonotext::cuda::PerElement<sonotext::cuda::(anonymous namespace)::Add> >'
    expect(shortName(`${f}(long, bool)`)).toBe('map_kernel<PerElement<Add> >')
    expect(shortName('void sonotext::cuda::(anonymous namespace)::pass<(int)4, (bool)1>(double2*)')).toBe(
      'pass<4, 1>',
    )
    expect(shortName('sonotext::cuda::(anonymous namespace)::add_all(double const*)')).toBe('add_all')
  })

  it('has a kernel of two architectures in one row', () => {
    const named = (name, architecture, registers) => ({ name, architecture, kernel: { registers } })
    const all = [
      named('void b<2>(int)', 'sm_80', 1),
      named('void a(int)', 'sm_80', 2),
      named('void a(float)', 'sm_80', 3),
      named('void a(int)', 'sm_90a', 4),
    ]
    expect(merged(all)).toEqual([
      { name: 'a', sm_80: { registers: 2 }, sm_90a: { registers: 4 } },
      { name: 'a', sm_80: { registers: 3 } },
      { name: 'b<2>', sm_80: { registers: 1 } },
    ])
  })

  it('names what spills', () => {
    const row = (name, spilled) => ({
      file: 'a.cu',
      name,
      sm_80: { threads: 256, registers: 64, sharedBytes: 0, spilled, stack: 0, dynamic: name === 'g' },
    })
    expect(pageOf([row('f', 0), row('g', 0)], '13.0')).toContain('None of the 2 kernels spills')
    expect(pageOf([row('f', 0), row('g', 0)], '13.0')).toContain(
      '| a | `g` | 256 | 64 | 0 + launch | ≤ 50 % |',
    )
    expect(pageOf([row('f', 0), row('g', 8)], '13.0')).toContain(
      'Spills or stack frames of 1 of the 2 kernels, as bytes that one thread stores and loads in all:\n\n- a, `g`: sm_80 8 (stack 0)\n',
    )
  })
})
