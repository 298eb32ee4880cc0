#include "devices.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../core/aligned.hpp"
#include "../core/host_exec.hpp"
#include "../core/visitor.hpp"
#include "resolve.hpp"

namespace sonotext {
namespace {

// No 64-bit CPU maps such an address to memory: touching it is a fault.
constexpr std::uintptr_t kSeal = std::uintptr_t{0x7ff0} << 48;

template <class T>
T* shift(T* data, std::uintptr_t by) {
  return data == nullptr ? nullptr : reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(data) + by);
}

class CpuDevice : public Device {
 public:
  CpuDevice(const OpTable& table, const char* isa, bool bf16) : table_(table), isa_(isa), bf16_(bf16) {}

  const char* name() const override { return "cpu"; }
  const char* isa() const override { return isa_; }
  const char* matmul() const override { return bf16_ ? "bf16" : "fp32"; }
  const OpTable& table() const override { return table_; }
  bool host_memory() const override { return true; }

  Status alloc(i64 length, float** data) override {
    constexpr i64 kFloat = static_cast<i64>(sizeof(float));
    *data = length > INT64_MAX / kFloat ? nullptr : static_cast<float*>(aligned_allocate(length * kFloat));
    return *data != nullptr ? Status{} : Status{Code::out_of_memory, "a buffer"};
  }
  void free(float* data) override { aligned_release(data); }
  Status upload(const float* host, float* data, i64 length) override { return copy(host, data, length); }
  Status download(const float* data, float* host, i64 length) override { return copy(data, host, length); }
  Status fill(float* data, i64 length, float value) override {
    std::fill_n(data, length, value);
    return {};
  }
  Status copy(const float* source, float* target, i64 length) override {
    if (length > 0) std::memmove(target, source, static_cast<std::size_t>(length) * sizeof(float));
    return {};
  }
  Status execute(Body body, void* context, const std::atomic<bool>& cancel) override {
    HostExec exec(cancel);
    return body(context, exec);
  }

 private:
  OpTable table_;
  const char* isa_;
  bool bf16_;
};

// Moves the float views of an Args struct from sealed to real addresses.
struct Unseal : ArgsVisitor<Unseal> {
  template <class T>
  void view(const char*, View<T>& view) {
    if constexpr (std::is_floating_point_v<T>) view.data = shift(view.data, std::uintptr_t{0} - kSeal);
  }
};

// Carries the CPU's table to the sealed entries.
class SealedExec final : public HostExec {
 public:
  SealedExec(const std::atomic<bool>& cancel, const OpTable& opened) : HostExec(cancel), opened(opened) {}
  const OpTable& opened;
};

OpTable seal(const OpTable& opened) {
  OpTable sealed;
#define SONOTEXT_SEAL(op, Args)                                    \
  if (opened.op != nullptr) {                                      \
    sealed.op = [](const Args& args, Exec& exec) {                 \
      Args real = args;                                            \
      Unseal unseal;                                               \
      real.visit(unseal);                                          \
      return static_cast<SealedExec&>(exec).opened.op(real, exec); \
    };                                                             \
  }
  SONOTEXT_OPS(SONOTEXT_SEAL)
#undef SONOTEXT_SEAL
  return sealed;
}

class SealedDevice final : public CpuDevice {
 public:
  SealedDevice(const OpTable& opened, const char* isa, bool bf16)
      : CpuDevice(seal(opened), isa, bf16), opened_(opened) {}

  const char* name() const override { return "sealed"; }
  bool host_memory() const override { return false; }

  Status alloc(i64 length, float** data) override {
    const Status status = CpuDevice::alloc(length, data);
    if (!status.ok()) return status;
    std::fill_n(*data, length, NAN);  // a new buffer's contents are not specified: whoever reads them sees it
    *data = shift(*data, kSeal);
    return status;
  }
  void free(float* data) override { CpuDevice::free(open(data)); }
  Status upload(const float* host, float* data, i64 length) override {
    return CpuDevice::copy(host, open(data), length);
  }
  Status download(const float* data, float* host, i64 length) override {
    return CpuDevice::copy(open(data), host, length);
  }
  Status fill(float* data, i64 length, float value) override {
    return CpuDevice::fill(open(data), length, value);
  }
  Status copy(const float* source, float* target, i64 length) override {
    return CpuDevice::copy(open(source), open(target), length);
  }
  Status execute(Body body, void* context, const std::atomic<bool>& cancel) override {
    SealedExec exec(cancel, opened_);
    return body(context, exec);
  }

 private:
  const OpTable opened_;

  template <class T>
  static T* open(T* data) {
    return shift(data, std::uintptr_t{0} - kSeal);
  }
};

}  // namespace

std::unique_ptr<Device> make_cpu_device(const std::string& isa, bool bf16, std::string& reason) {
  OpTable table;
  const char* name = nullptr;
  if (!resolve_cpu_table(isa, bf16, table, name, reason)) return nullptr;
  return std::make_unique<CpuDevice>(table, name, bf16);
}

std::unique_ptr<Device> make_sealed_device(const std::string& isa, bool bf16, std::string& reason) {
  OpTable table;
  const char* name = nullptr;
  if (!resolve_cpu_table(isa, bf16, table, name, reason)) return nullptr;
  return std::make_unique<SealedDevice>(table, name, bf16);
}

}  // namespace sonotext
