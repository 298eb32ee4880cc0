// A device's stream, and the lists of kernels that go to it as CUDA graphs where SONOTEXT_CUDA_GRAPHS=1.
//
// Kernels wait in a list until it is long enough, or until something else wants the stream. A list with the
// kernels and sizes of an earlier one goes as a graph, made once: a chain of these kernels, which is brought
// the arguments that changed. Any other list goes kernel by kernel, as all do without graphs.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <list>
#include <vector>

#include "launch_counts.hpp"

namespace sonotext::cuda {

// A kernel and all that it is started with.
struct Launch {
  const void* kernel;
  unsigned blocks, threads;
  std::size_t shared_bytes;
  std::vector<std::size_t> begins;   // of each argument in `bytes`
  std::vector<unsigned char> bytes;  // copies of the arguments
};

// Everything is used under the device's lock.
class Stream {
 public:
  Stream(cudaStream_t stream, bool graphs);
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream();

  // The stream for whatever is no kernel: what waits goes there first.
  operator cudaStream_t() {
    flush();
    return stream_;
  }

  // Starts a kernel, or puts it into the list. `arguments` points to `count` of them, `sizes` are their bytes.
  cudaError_t launch(const void* kernel, std::int64_t blocks, int threads, std::int64_t shared_bytes,
                     void** arguments, const std::size_t* sizes, std::size_t count);

  // Memory of the stream's pool. What is given back is so after the kernels that wait, for they may use it;
  // where no memory is left, these go first.
  cudaError_t take(void** memory, std::int64_t bytes);
  void give_back(void* memory);

  // What became of kernels that waited: the first failure, told once.
  cudaError_t problem();

  LaunchCounts counts() const;

 private:
  struct Graph;

  void flush();
  bool go_as_graph();

  const cudaStream_t stream_;
  const bool graphs_;
  std::vector<Launch> waiting_;
  std::vector<void*> given_back_;  // none where no kernel waits
  std::list<Graph> known_;         // lists that went before, last used first
  cudaError_t problem_ = cudaSuccess;
  std::int64_t alone_ = 0, by_graph_ = 0;
};

}  // namespace sonotext::cuda
