#include "device.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <mutex>
#include <vector>

#include "entries.hpp"
#include "exec.hpp"
#include "nccl.hpp"
#include "transfers.hpp"

namespace sonotext {
namespace {

constexpr int kOldest =
    8;  // major compute capability that the build has code for; see CMAKE_CUDA_ARCHITECTURES

// Everything of a device goes through one stream: uploads, ops and downloads see each other's results in
// order. Ops and uploads are only enqueued; a download waits for all that came before it, and so it is a
// download that tells of a kernel that failed. SONOTEXT_SYNC=1 waits after every op, so that the error names
// it. SONOTEXT_CUDA_GRAPHS=1 lets kernels wait until some of them can go as a graph: see graphs.hpp.
class CudaDevice final : public Device {
 public:
  CudaDevice(int index, const cuda::CudaTraits& traits, cudaStream_t stream, bool sync, bool graphs)
      : name_("cuda:" + std::to_string(index)),
        index_(index),
        traits_(traits),
        stream_(stream, graphs),
        table_(cuda::make_table()),
        transfers_(stream_),
        sync_(sync) {}

  const char* name() const override { return name_.c_str(); }
  const char* isa() const override { return nullptr; }
  const char* matmul() const override {
    return traits_.precision == cuda::Precision::bf16   ? "bf16"
           : traits_.precision == cuda::Precision::tf32 ? "tf32"
                                                        : "fp32";
  }
  const char* tensor_cores() const override { return traits_.hopper ? "wgmma" : "mma"; }
  const OpTable& table() const override { return table_; }
  bool host_memory() const override { return false; }

  Status alloc(i64 length, float** data) override {
    const Turn turn(*this);
    if (length > INT64_MAX / static_cast<i64>(sizeof(float))) return {Code::out_of_memory, "a buffer"};
    void* memory = nullptr;
    Status status = select();
    if (status.ok()) status = cuda::status_of(stream_.take(&memory, bytes_of(length)));
    *data = static_cast<float*>(memory);
    return status;
  }

  // Comes from finalisers too, on the JavaScript thread, which must not wait until an op ends: where one
  // runs, the memory is left to whoever has the device next.
  void free(float* data) override {
    {
      const std::lock_guard lock(freed_mutex_);
      freed_.push_back(data);
    }
    if (mutex_.try_lock()) {
      const std::lock_guard lock(mutex_, std::adopt_lock);
      give_back();
    }
  }

  Status upload(const float* host, float* data, i64 length) override {
    const Turn turn(*this);
    const Status status = select();
    return status.ok() ? settled(transfers_.upload(host, data, bytes_of(length))) : status;
  }
  Status download(const float* data, float* host, i64 length) override {
    const Turn turn(*this);
    const Status status = select();
    return status.ok() ? unless_lost(settled(transfers_.download(data, host, bytes_of(length)))) : status;
  }
  Status copy(const float* source, float* target, i64 length) override {
    const Turn turn(*this);
    if (length == 0) return {};
    const Status status = select();
    return status.ok() ? settled(cuda::status_of(cudaMemcpyAsync(target, source, bytes_of(length),
                                                                 cudaMemcpyDeviceToDevice, stream_)))
                       : status;
  }

  Status fill(float* data, i64 length, float value) override {
    const Turn turn(*this);
    if (length == 0) return {};
    Status status = select();
    if (!status.ok()) return status;
    if (value == 0.0f && !std::signbit(value)) {
      return settled(cuda::status_of(cudaMemsetAsync(data, 0, bytes_of(length), stream_)));
    }
    // The first element from the host, then copies of twice the length each.
    status = transfers_.upload(&value, data, bytes_of(1));
    for (i64 filled = 1; status.ok() && filled < length; filled *= 2) {
      const i64 more = std::min(filled, length - filled);
      status = cuda::status_of(
          cudaMemcpyAsync(data + filled, data, bytes_of(more), cudaMemcpyDeviceToDevice, stream_));
    }
    return settled(status);
  }

  Status execute(Body body, void* context, const std::atomic<bool>& cancel) override {
    const Turn turn(*this);
    Status status = select();
    if (!status.ok()) return status;
    // Also where an op throws for want of the host's memory.
    struct Tidy {
      cuda::StreamTransfers& transfers;
      bool done = false;
      ~Tidy() { transfers.tidy(done); }
    } tidy{transfers_};
    {
      cuda::CudaExec exec(stream_, traits_, transfers_, cancel);
      status = body(context, exec);
      tidy.done = status.ok() && !exec.stopped();
    }
    if (status.ok() && sync_) status = cuda::status_of(cudaStreamSynchronize(stream_));
    return unless_lost(settled(status));
  }

  LaunchCounts launches() {
    const Turn turn(*this);
    return stream_.counts();
  }

 private:
  // The device for one call; what was freed meanwhile goes back before and after.
  struct Turn {
    explicit Turn(CudaDevice& device) : device(device) {
      device.mutex_.lock();
      device.give_back();
    }
    ~Turn() {
      device.give_back();
      device.mutex_.unlock();
    }
    CudaDevice& device;
  };

  // mutex_ held.
  void give_back() {
    const std::lock_guard lock(freed_mutex_);
    if (freed_.empty() || !select().ok()) return;
    for (float* data : freed_) stream_.give_back(data);
    freed_.clear();
  }

  // Once an exchange with other processes was given up, memory may hold anything: whatever would tell of it
  // tells of that instead.
  static Status unless_lost(const Status& status) {
    const char* lost = nccl::given_up();
    return lost == nullptr ? status : Status{Code::rank_lost, lost};
  }

  // Kernels that waited in a list go when something else wants the stream: it tells of what became of them.
  Status settled(const Status& status) { return status.ok() ? cuda::status_of(stream_.problem()) : status; }

  static i64 bytes_of(i64 length) { return length * static_cast<i64>(sizeof(float)); }

  Status select() { return cuda::status_of(cudaSetDevice(index_)); }

  const std::string name_;
  const int index_;
  const cuda::CudaTraits traits_;
  cuda::Stream stream_;
  const OpTable table_;
  cuda::StreamTransfers transfers_;
  const bool sync_;
  std::mutex mutex_;
  std::mutex freed_mutex_;  // never held for long
  std::vector<float*> freed_;
};

// Number of GPUs; 0 with a reason.
int count_devices(std::string& reason) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  cudaGetLastError();
  if (error == cudaSuccess && count > 0) return count;
  if (error == cudaErrorInsufficientDriver) {
    reason = "no device: there is no NVIDIA driver, or one too old for CUDA " +
             std::to_string(CUDART_VERSION / 1000);
  } else if (error == cudaErrorNoDevice || error == cudaSuccess) {
    reason = "no device: the NVIDIA driver finds no GPU";
  } else {
    reason = std::string("no device: ") + cudaGetErrorString(error);
  }
  return 0;
}

// SONOTEXT_MEL.
bool chosen_mel(bool& fp32, std::string& reason) {
  const char* set = std::getenv("SONOTEXT_MEL");
  const std::string name = set != nullptr && *set != '\0' ? set : "fp64";
  fp32 = name == "fp32";
  if (fp32 || name == "fp64") return true;
  reason = "SONOTEXT_MEL is fp64 or fp32, not \"" + name + "\".";
  return false;
}

// SONOTEXT_SYNC.
bool waits_after_every_op() {
  const char* set = std::getenv("SONOTEXT_SYNC");
  return set != nullptr && std::string(set) == "1";
}

// SONOTEXT_CUDA_GRAPHS. Where every op is waited for, none waits in a list.
bool chosen_graphs(bool& graphs, std::string& reason) {
  const char* set = std::getenv("SONOTEXT_CUDA_GRAPHS");
  const std::string name = set != nullptr && *set != '\0' ? set : "0";
  graphs = name == "1" && !waits_after_every_op();
  if (name == "1" || name == "0") return true;
  reason = "SONOTEXT_CUDA_GRAPHS is 1 or 0, not \"" + name + "\".";
  return false;
}

// SONOTEXT_TENSOR_CORES, or wgmma where the GPU and the build have it: its code is for 9.0a alone.
bool chosen_tensor_cores(const cudaDeviceProp& properties, bool& wgmma, std::string& reason) {
#ifdef SONOTEXT_WGMMA
  const bool there = properties.major == 9 && properties.minor == 0;
#else
  const bool there = false;
#endif
  const char* set = std::getenv("SONOTEXT_TENSOR_CORES");
  const std::string name = set != nullptr && *set != '\0' ? set : there ? "wgmma" : "mma";
  wgmma = name == "wgmma";
  if (wgmma && !there) {
    reason = std::string("SONOTEXT_TENSOR_CORES is wgmma, which ") + properties.name +
             " or this build does not have.";
    return false;
  }
  if (wgmma || name == "mma") return true;
  reason = "SONOTEXT_TENSOR_CORES is wgmma or mma, not \"" + name + "\".";
  return false;
}

// What was asked for, or SONOTEXT_MATMUL.
bool chosen_precision(const std::string& matmul, cuda::Precision& precision, std::string& reason) {
  const char* set = std::getenv("SONOTEXT_MATMUL");
  const std::string name = !matmul.empty() ? matmul : set != nullptr && *set != '\0' ? set : "fp32";
  precision = name == "bf16"   ? cuda::Precision::bf16
              : name == "tf32" ? cuda::Precision::tf32
                               : cuda::Precision::fp32;
  if (name == "fp32" || precision != cuda::Precision::fp32) return true;
  reason = "SONOTEXT_MATMUL is fp32, tf32 or bf16, not \"" + name + "\".";
  return false;
}

}  // namespace

std::unique_ptr<Device> make_cuda_device(const std::string& index, const std::string& matmul,
                                         std::string& reason) {
  const int count = count_devices(reason);
  if (count == 0) {
    reason = "CUDA has " + reason + ".";
    return nullptr;
  }
  char* end = nullptr;
  const long wanted = std::strtol(index.c_str(), &end, 10);
  if (index.empty() || *end != '\0' || wanted < 0 || wanted >= count) {
    reason =
        "There is no CUDA device " + index + ": there are " + std::to_string(count) + ", counted from 0.";
    return nullptr;
  }
  const int device = static_cast<int>(wanted);
  cuda::Precision precision;
  bool mel_fp32 = false, graphs = false;
  if (!chosen_precision(matmul, precision, reason) || !chosen_mel(mel_fp32, reason) ||
      !chosen_graphs(graphs, reason)) {
    return nullptr;
  }
  cudaDeviceProp properties;
  int has_pools = 0;
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = cudaGetDeviceProperties(&properties, device);
  if (error == cudaSuccess) {
    error = cudaDeviceGetAttribute(&has_pools, cudaDevAttrMemoryPoolsSupported, device);
  }
  if (error == cudaSuccess && properties.major < kOldest) {
    reason = "CUDA device " + index + " (" + properties.name + ") is too old: it needs compute capability " +
             std::to_string(kOldest) + ".0 or newer.";
    return nullptr;
  }
  bool wgmma = false;
  if (error == cudaSuccess && !chosen_tensor_cores(properties, wgmma, reason)) return nullptr;
  if (error == cudaSuccess && has_pools == 0) {
    reason = "CUDA device " + index + " (" + properties.name +
             ") has no memory pools: its driver is too old, or a virtual GPU without them.";
    return nullptr;
  }
  cudaStream_t stream = nullptr;
  cudaMemPool_t pool = nullptr;
  if (error == cudaSuccess) error = cudaDeviceGetDefaultMemPool(&pool, device);
  if (error == cudaSuccess) {
    std::uint64_t keep =
        UINT64_MAX;  // memory given back stays with the process: the next step wants it again
    error = cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep);
  }
  if (error == cudaSuccess) error = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
  if (error != cudaSuccess) {
    reason = "CUDA device " + index + " cannot be used: " + cudaGetErrorString(error) + ".";
    cudaGetLastError();
    return nullptr;
  }
  const cuda::CudaTraits traits{properties.multiProcessorCount,
                                wgmma,
                                static_cast<i64>(properties.totalGlobalMem / 256),
                                static_cast<i64>(properties.sharedMemPerBlockOptin),
                                precision,
                                mel_fp32};
  return std::make_unique<CudaDevice>(device, traits, stream, waits_after_every_op(), graphs);
}

void list_cuda_devices(std::vector<DeviceSummary>& list) {
  std::string reason;
  const int count = count_devices(reason);
  if (count == 0) list.push_back({"cuda", false, reason});
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties;
    const cudaError_t error = cudaGetDeviceProperties(&properties, i);
    const bool usable = error == cudaSuccess && properties.major >= kOldest;
    const std::string what = error != cudaSuccess ? cudaGetErrorString(error)
                                                  : std::string(properties.name) + ", compute capability " +
                                                        std::to_string(properties.major) + "." +
                                                        std::to_string(properties.minor);
    list.push_back({"cuda:" + std::to_string(i), usable, what});
  }
}

LaunchCounts launches_of(Device& device) {
  auto* const cuda = dynamic_cast<CudaDevice*>(&device);
  return cuda != nullptr ? cuda->launches() : LaunchCounts{};
}

OpTable cuda_table() { return cuda::make_table(); }

int cuda_build_version() { return CUDART_VERSION; }

}  // namespace sonotext
