// Copies from global to shared memory that go on while the thread computes (cp.async, from sm_80 on). A
// thread's copies since the last commit are one group; it waits until all but its newest groups are there,
// and a barrier then shows them to the block.
#pragma once

#include <cuda_runtime.h>

namespace sonotext::cuda {

#ifdef __CUDACC__

__device__ inline unsigned shared_address(const void* shared) {
  return static_cast<unsigned>(__cvta_generic_to_shared(shared));
}

// 16 bytes, of which the first `have` (0 to 16) are read and the others are zeros.
__device__ inline void copy16_async(void* shared, const void* global, int have) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)), "l"(global),
               "r"(have)
               : "memory");
}
__device__ inline void copy4_async(void* shared, const void* global, int have) {
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared_address(shared)), "l"(global),
               "r"(have)
               : "memory");
}
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kNewest>
__device__ void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kNewest) : "memory");
}

#else

inline void copy16_async(void* shared, const void* global, int have) {
  emulation::copy_async(shared, global, 16, have);
}
inline void copy4_async(void* shared, const void* global, int have) {
  emulation::copy_async(shared, global, 4, have);
}
inline void commit_copies() { emulation::commit_copies(); }
template <int kNewest>
void wait_for_copies() {
  emulation::wait_for_copies(kNewest);
}

#endif

}  // namespace sonotext::cuda
