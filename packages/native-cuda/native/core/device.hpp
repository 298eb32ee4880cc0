// A device: memory of its own and an op table over it.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "float_environment.hpp"
#include "ops.hpp"
#include "visitor.hpp"

namespace sonotext {

class Device {
 public:
  using Body = Status (*)(void* context, Exec& exec);

  virtual ~Device() = default;

  virtual const char* name() const = 0;  // 'cpu', 'sealed', 'cuda:0'
  virtual const char* isa() const = 0;   // instruction set of its kernels, or null
  // What operands of matrix products are rounded to: "fp32" (not at all), "tf32" or "bf16". On the CPU those of frame_score's
  // forward alone.
  virtual const char* matmul() const { return "fp32"; }
  // What multiplies rounded operands: "wgmma" or "mma" of tensor cores; null on other devices.
  virtual const char* tensor_cores() const { return nullptr; }
  virtual const OpTable& table() const = 0;

  // True: float arguments are plain host arrays. False: only buffers of alloc() are accepted, and their
  // addresses mean nothing to the host.
  virtual bool host_memory() const = 0;

  // Memory for `length` floats. Addresses of different buffers never overlap, whatever they mean.
  virtual Status alloc(i64 length, float** data) = 0;
  virtual void free(float* data) = 0;
  virtual Status upload(const float* host, float* data, i64 length) = 0;
  virtual Status download(const float* data, float* host, i64 length) = 0;
  virtual Status fill(float* data, i64 length, float value) = 0;
  virtual Status copy(const float* source, float* target, i64 length) = 0;

  // Calls body(context, exec) with what an op of this device may use, and returns when its outputs are
  // written.
  virtual Status execute(Body body, void* context, const std::atomic<bool>& cancel) = 0;
};

// Whether an op has anything to write: an output with elements.
struct OutputFinder : ArgsVisitor<OutputFinder> {
  bool found = false;

  template <class T>
  constexpr void view(const char*, View<T>& view) {
    found = found || (!std::is_const_v<T> && view.size > 0);
  }
};

// What holds for every op. One with nothing to write does nothing, whatever its other extents are; it
// computes in the same floating-point environment on every thread; and it is cancelled when work was left
// out, not when a cancel came too late for that. The arguments must have passed check().
template <class Args>
Status call(Status (*entry)(const Args&, Exec&), const Args& args, Exec& exec) {
  Args copy = args;
  OutputFinder outputs;
  copy.visit(outputs);
  if (!outputs.found) return {};
  const FloatEnvironment plain;
  const Status status = entry(args, exec);
  return exec.stopped() ? Status{Code::cancelled} : status;
}

// Runs one entry of the device's table.
template <class Args>
Status run(Device& device, Status (*entry)(const Args&, Exec&), const Args& args,
           const std::atomic<bool>& cancel) {
  struct Context {
    Status (*entry)(const Args&, Exec&);
    const Args* args;
  } context{entry, &args};
  return device.execute(
      [](void* raw, Exec& exec) {
        const auto* c = static_cast<Context*>(raw);
        return call(c->entry, *c->args, exec);
      },
      &context, cancel);
}

struct DeviceOptions {
  std::string isa;     // for devices that have several instruction sets; empty takes the best, or SONOTEXT_ISA
  std::string matmul;  // see Device::matmul(); empty takes fp32, or SONOTEXT_MATMUL on CUDA
};

// Opens a device by name; the same name and options give the same object, which lives as long as the process.
// On failure the result is null and `reason` says why.
Device* open_device(const std::string& name, const DeviceOptions& options, std::string& reason);

struct DeviceSummary {
  std::string name;
  bool available;
  std::string detail;  // what it is, or why it is not there
};

std::vector<DeviceSummary> list_devices();

}  // namespace sonotext
