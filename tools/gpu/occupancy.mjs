// How many blocks of a kernel a multiprocessor holds at once, by what each of them takes: the rules of NVIDIA's occupancy
// calculator (cuda_occupancy.h) for compute capability 8.0 and 9.0.

/** What a multiprocessor has. Registers are given to warps in units, and each quarter of it has a quarter of them. */
const shared = { sm_80: 164 << 10, sm_90a: 228 << 10 }
const multiprocessor = { warps: 64, blocks: 32, registers: 65536, quarters: 4 }
const unit = { registers: 256, shared: 128, reserved: 1024 }

const roundedUp = (value, to) => Math.ceil(value / to) * to

export const architectures = Object.keys(shared)

/** Blocks at once; 0 when one alone takes more than there is. */
export function blocksAtOnce(architecture, { threads, registers, sharedBytes }) {
  const warps = Math.ceil(threads / 32)
  const ofWarp = roundedUp(registers * 32, unit.registers)
  const { quarters } = multiprocessor
  const byRegisters = Math.floor(multiprocessor.registers / quarters / ofWarp) * quarters
  const ofBlock = roundedUp(sharedBytes + unit.reserved, unit.shared)
  return Math.min(
    multiprocessor.blocks,
    Math.floor(multiprocessor.warps / warps),
    Math.floor(byRegisters / warps),
    Math.floor(shared[architecture] / ofBlock),
  )
}

/** Share of the threads that a multiprocessor can hold. */
export function occupancy(architecture, kernel) {
  return (blocksAtOnce(architecture, kernel) * Math.ceil(kernel.threads / 32)) / multiprocessor.warps
}
