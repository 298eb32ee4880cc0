import type { Backend, FloatBuffer } from '../backend/port.js'
import type { Tensor } from './tensor.js'

/**
 * What a training step would make of buffers, such as running statistics: held back until the step is taken, so that a step
 * that turns out bad leaves nothing behind. Give it to the tapes of the step.
 */
export class PendingBuffers implements Disposable {
  readonly #backend: Backend
  readonly #pending = new Map<FloatBuffer, FloatBuffer>()

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /** Memory to change in place of the tensor's: its numbers, with what this step has already changed. */
  stage({ buffer }: Tensor): FloatBuffer {
    const { memory } = this.#backend
    let staged = this.#pending.get(buffer)
    if (staged === undefined) {
      staged = memory.alloc(buffer.length)
      memory.copy(buffer, staged)
      this.#pending.set(buffer, staged)
    }
    return staged
  }

  /** The step is taken: the tensors get their new numbers. */
  commit(): void {
    for (const [buffer, staged] of this.#pending) this.#backend.memory.copy(staged, buffer)
    this.drop()
  }

  /** The step is not taken: the tensors stay as they are. */
  drop(): void {
    for (const staged of this.#pending.values()) this.#backend.memory.free(staged)
    this.#pending.clear()
  }

  [Symbol.dispose](): void {
    this.drop()
  }
}
