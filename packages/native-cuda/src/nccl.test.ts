import { describe, expect, it } from 'vitest'
import { loadAddon } from './index.js'

// What ranks do with it is tested where they are: in core-ts, on emulated GPUs with a stand-in for the library.
const { nccl, alloc, openDevice } = loadAddon()
const buffer = alloc(openDevice('sealed'), 4)
const id = new Uint8Array(128)

describe('NCCL', () => {
  it('is there, or it is said why not', () => {
    const { version, detail } = nccl.summary()
    expect(version === null || /^\d+\.\d+\.\d+$/.test(version)).toBe(true)
    expect(detail).not.toBe('')
  })

  it.each<[string, () => unknown, RegExp]>([
    ['no buffer', () => nccl.address({} as never), /a device buffer from alloc\(\) for buffer/],
    ['another id', () => nccl.join(buffer, id.subarray(1), 0, 1), /the bytes of createId\(\) for id/],
    ['a rank that there is not', () => nccl.join(buffer, id, 2, 2), /a number below size for rank, got 2/],
    ['no processes', () => nccl.join(buffer, id, 0, 0), /a number of processes for size, got 0/],
    ['no list', () => nccl.allReduce(buffer as never), /an array of buffers for buffers/],
    [
      'lengths below 0',
      () => nccl.allGather(buffer, buffer, [-1]),
      /numbers of elements for lengths, got -1/,
    ],
    ['no reason', () => nccl.giveUp(1 as never), /a string for reason, got 1/],
  ])('refuses %s', (_, call, message) => {
    expect(call).toThrow(message)
  })

  it('moves memory of CUDA devices only', () => {
    expect(() => nccl.address(buffer)).toThrow(/CUDA/)
    expect(() => nccl.allReduce([buffer])).toThrow(/CUDA/)
  })

  it('who has not joined has nothing to give up or to leave', () => {
    nccl.giveUp('a rank is gone')
    expect(nccl.problem()).toBeNull()
    nccl.leave()
    nccl.leave()
    nccl.allReduce([])
    expect(() => nccl.allGather(buffer, buffer, [])).toThrow(/joined the others|CUDA/)
  })
})
