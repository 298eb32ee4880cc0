// What a CUDA op may use: its device's stream, memory on the device, and host integers brought there.
#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <vector>

#include "../core/exec.hpp"
#include "../core/status.hpp"
#include "../core/views.hpp"
#include "graphs.hpp"

namespace sonotext::cuda {

// The name of the error is static text of the runtime.
inline Status status_of(cudaError_t error) {
  if (error == cudaSuccess) return {};
  cudaGetLastError();  // reported here: the next call must not find it
  return {error == cudaErrorMemoryAllocation ? Code::out_of_memory : Code::device_error,
          cudaGetErrorString(error)};
}

inline Status out_of_device_memory() { return {Code::out_of_memory, "scratch memory on the device"}; }

// Host memory that must outlive the call that reads it, brought to the device.
class Transfers {
 public:
  virtual ~Transfers() = default;
  // Enqueues the copy; the host may reuse `host` at once.
  virtual Status upload(const void* host, void* device, std::int64_t bytes) = 0;
  // Returns when the copy is there, and with it everything enqueued before.
  virtual Status download(const void* device, void* host, std::int64_t bytes) = 0;
  // The same bytes on the device, for reading; kept by content, so that arrays which come again (lengths,
  // groups, filters) are sent once. Null when there is no memory. Valid until the op returns.
  virtual const void* constant(const void* host, std::int64_t bytes) = 0;
  // Device memory that stays under a name and a number, for tables an op makes once (roots of unity). `fresh`
  // when its contents are still to be made. Null when there is no memory.
  virtual void* table(const char* name, std::int64_t number, std::int64_t bytes, bool& fresh) = 0;
};

// Of the operands of matrix products; sums are FP32, and so is what lies in memory. tf32 and bf16 are
// multiplied on tensor cores.
enum class Precision { fp32, tf32, bf16 };

struct CudaTraits {
  int multiprocessors;
  bool hopper;                 // tensor cores multiply by wgmma, else by mma.sync
  std::int64_t workspace;      // bytes of scratch memory that an op may take without need
  std::int64_t shared_memory;  // bytes that one block may have
  Precision precision;
  bool mel_fp32;  // log_mel transforms in float32
};

class CudaExec final : public Exec {
 public:
  CudaExec(Stream& stream, const CudaTraits& traits, Transfers& transfers,
           const std::atomic<bool>& cancel)
      : stream(stream),
        multiprocessors(traits.multiprocessors),
        hopper(traits.hopper),
        workspace(traits.workspace),
        shared_memory(traits.shared_memory),
        precision(traits.precision),
        mel_fp32(traits.mel_fp32),
        transfers_(transfers),
        cancel_(cancel) {}
  CudaExec(const CudaExec&) = delete;
  CudaExec& operator=(const CudaExec&) = delete;
  ~CudaExec() override {
    for (void* data : taken_) stream.give_back(data);
  }

  Stream& stream;
  const int multiprocessors;
  const bool hopper;
  const std::int64_t workspace;
  const std::int64_t shared_memory;
  const Precision precision;
  const bool mel_fp32;

  // Memory on the device, given back in stream order when the op returns. Its contents are not specified.
  void* scratch(std::int64_t bytes) override {
    void* data = nullptr;
    if (bytes < 0 || stream.take(&data, bytes) != cudaSuccess) {
      cudaGetLastError();  // an allocation that failed must not be found by the next launch
      return nullptr;
    }
    taken_.push_back(data);
    return data;
  }

  // Gives scratch memory back before the op returns, where it takes much in turn.
  void release(void* data) {
    for (void*& taken : taken_) {
      if (taken != data || data == nullptr) continue;
      stream.give_back(data);
      taken = taken_.back();
      taken_.pop_back();
      return;
    }
  }

  template <class T>
  T* array(std::int64_t count) {
    return static_cast<T*>(scratch(count * static_cast<std::int64_t>(sizeof(T))));
  }

  // Host values on the device, for reading; null when there is no memory.
  template <class T>
  const T* constant(const T* host, std::int64_t count) {
    return static_cast<const T*>(transfers_.constant(host, count * static_cast<std::int64_t>(sizeof(T))));
  }
  template <class T>
  const T* constant(const View<const T>& view) {
    return constant(view.data, view.size);
  }

  template <class T>
  T* table(const char* name, std::int64_t number, std::int64_t count, bool& fresh) {
    return static_cast<T*>(
        transfers_.table(name, number, count * static_cast<std::int64_t>(sizeof(T)), fresh));
  }

  // Host values that will not come again.
  template <class T>
  Status upload(const T* host, T* device, std::int64_t count) {
    return transfers_.upload(host, device, count * static_cast<std::int64_t>(sizeof(T)));
  }

  // For outputs that live on the host: waits for the device.
  template <class T>
  Status download(const T* device, T* host, std::int64_t count) {
    return transfers_.download(device, host, count * static_cast<std::int64_t>(sizeof(T)));
  }

  bool cancelled() override { return stopped_ = stopped_ || cancel_.load(std::memory_order_relaxed); }
  bool stopped() const override { return stopped_; }
  int threads() const override { return 1; }
  void parallel(std::int64_t count, Body body, void* context) override {
    for (std::int64_t i = 0; i < count && !cancelled(); ++i) body(context, i, 0);
  }

 private:
  Transfers& transfers_;
  const std::atomic<bool>& cancel_;
  bool stopped_ = false;
  std::vector<void*> taken_;
};

}  // namespace sonotext::cuda
