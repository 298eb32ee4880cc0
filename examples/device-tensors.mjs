// Tensors live on the backend's device: the CPU's memory here, a GPU's where there is one. Who made a tensor owns it, a tape owns what a
// step makes, and only `toArray` brings numbers to JavaScript.
import { openBackend } from '@sonotext/core'
import { matmul, Parameter, reshape, Tape, Tensor } from '@sonotext/core/nn'

using backend = openBackend({ device: process.argv.includes('--cuda') ? 'cuda' : 'auto' })

// A tensor of one's own stays until its memory is given back.
const x = Tensor.from(backend, [2, 3], [1, 2, 3, 4, 5, 6])
const weight = Parameter.from(backend, [3, 2], [1, 0, 0, 1, 1, 1])

let kept
{
  using tape = new Tape(backend, { training: true })
  const hidden = matmul(tape, x, weight)
  kept = Array.from(hidden.toArray()) // a copy: what toArray gives is the memory itself on the CPU
  tape.backward(matmul(tape, reshape(tape, hidden, [1, 4]), tape.constant([4, 1], [1, 1, 1, 1])))
  // What no later function reads has gone back already; reading it is refused, not garbage.
  try {
    hidden.toArray()
  } catch (error) {
    console.log(error.code, error.message)
  }
} // here the rest of the step's memory goes back to the arena, for the next step
console.log('hidden', ...kept, 'on', backend.info.device)

// The gradient is the parameter's, and outlives the tape. Ops take buffers directly, without a tape.
console.log('gradient', ...backend.memory.download(weight.grad))
const out = backend.memory.alloc(6)
backend.run('scale', { x: x.buffer, out, factor: 2 })
console.log('twice', ...backend.memory.download(out))

weight.zeroGrad()
for (const buffer of [x.buffer, weight.buffer, out]) backend.memory.free(buffer)
backend.trim() // memory that was kept for later buffers goes back to the system
