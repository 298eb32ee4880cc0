import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { candidates } from '@sonotext/native-cuda'

/** Variables of a process whose CUDA devices are emulated, with a stand-in for NCCL; null where they were not built, which only CMake does. */
export function emulatedGpus(count: number): Readonly<Record<string, string>> | null {
  const folder = join(dirname(dirname(candidates()[0]!)), 'native', 'test')
  const [addon, nccl] = [join(folder, 'sonotext_emulated.node'), join(folder, 'libfake_nccl.so')]
  if (!existsSync(addon) || !existsSync(nccl)) return null
  return { SONOTEXT_ADDON: addon, SONOTEXT_NCCL: nccl, SONOTEXT_EMULATED_GPUS: String(count) }
}
