// What a CUDA op may use: its device's stream and memory on the device.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <vector>

#include "../core/exec.hpp"
#include "../core/status.hpp"

namespace sonotext::cuda {

class CudaExec final : public Exec {
 public:
  CudaExec(cudaStream_t stream, int multiprocessors, std::int64_t workspace, const std::atomic<bool>& cancel)
      : stream(stream), multiprocessors(multiprocessors), workspace(workspace), cancel_(cancel) {}
  CudaExec(const CudaExec&) = delete;
  CudaExec& operator=(const CudaExec&) = delete;
  ~CudaExec() override {
    for (void* data : taken_) cudaFreeAsync(data, stream);
  }

  const cudaStream_t stream;
  const int multiprocessors;
  const std::int64_t workspace;  // bytes of scratch memory that an op may take without need

  // Memory on the device, given back in stream order when the op returns.
  void* scratch(std::int64_t bytes) override {
    void* data = nullptr;
    if (bytes < 0 ||
        cudaMallocAsync(&data, static_cast<std::size_t>(bytes > 0 ? bytes : 1), stream) != cudaSuccess) {
      cudaGetLastError();  // an allocation that failed must not be found by the next launch
      return nullptr;
    }
    taken_.push_back(data);
    return data;
  }

  template <class T>
  T* array(std::int64_t count) {
    return static_cast<T*>(scratch(count * static_cast<std::int64_t>(sizeof(T))));
  }

  // A copy of host values on the device; null when there is no memory. The host may reuse its memory at once.
  template <class T>
  T* uploaded(const T* host, std::int64_t count) {
    T* data = array<T>(count);
    if (data != nullptr && count > 0 &&
        cudaMemcpyAsync(data, host, static_cast<std::size_t>(count) * sizeof(T), cudaMemcpyHostToDevice,
                        stream) != cudaSuccess) {
      return nullptr;
    }
    return data;
  }

  bool cancelled() override { return stopped_ = stopped_ || cancel_.load(std::memory_order_relaxed); }
  bool stopped() const override { return stopped_; }
  int threads() const override { return 1; }
  void parallel(std::int64_t count, Body body, void* context) override {
    for (std::int64_t i = 0; i < count && !cancelled(); ++i) body(context, i, 0);
  }

 private:
  const std::atomic<bool>& cancel_;
  bool stopped_ = false;
  std::vector<void*> taken_;
};

inline Status out_of_device_memory() { return {Code::out_of_memory, "scratch memory on the device"}; }

// The name of the error is static text of the runtime.
inline Status status_of(cudaError_t error) {
  if (error == cudaSuccess) return {};
  return {error == cudaErrorMemoryAllocation ? Code::out_of_memory : Code::device_error,
          cudaGetErrorString(error)};
}

}  // namespace sonotext::cuda
