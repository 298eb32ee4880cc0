// One case of the conformance runner: a call of an op, on any device.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "../core/check.hpp"
#include "../core/device.hpp"
#include "every_op.hpp"

namespace sonotext::test {

using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

// How far rounding the operands of products takes a result; 0 when they are not rounded.
inline double rounding_of_operands() {
  const char* set = std::getenv("SONOTEXT_MATMUL");
  const std::string precision = set != nullptr ? set : "";
  return precision == "bf16" ? 1e-2 : precision == "tf32" ? 1e-3 : 0.0;
}

// Uniform in [-1, 1), the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}
  std::uint32_t word() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  i64 below(i64 n) { return static_cast<i64>(word() % static_cast<std::uint32_t>(n)); }
  Floats floats(i64 count) {
    Floats values(static_cast<std::size_t>(count));
    for (float& value : values) value = static_cast<float>(word() >> 8) / 8388608.0f - 1.0f;
    return values;
  }
  // Operands of products: with SONOTEXT_MATMUL=bf16 or tf32 such as need no rounding there (8 bits), so that
  // the products must agree as closely as in FP32.
  Floats operands(i64 count) {
    Floats values = floats(count);
    if (rounding_of_operands() == 0.0) return values;
    for (float& value : values) value = std::round(value * 256.0f) / 256.0f;
    return values;
  }

 private:
  std::uint64_t state_;
};

inline F32In in(const Floats& values) { return {values.data(), static_cast<i64>(values.size())}; }
inline I32In in(const Ints& values) { return {values.data(), static_cast<i64>(values.size())}; }
inline F32Out out(Floats& values) { return {values.data(), static_cast<i64>(values.size())}; }

// Brings the float views of an Args struct to a device, and what it wrote back. Views begin `shift` floats
// into their memory.
class Mover : public ArgsVisitor<Mover> {
 public:
  explicit Mover(Device& device, i64 shift) : device_(device), shift_(shift) {}
  ~Mover() {
    for (const Moved& m : moved_) device_.free(m.device);
  }
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  Status bring_back() {
    for (const Moved& m : moved_) {
      if (m.target != nullptr && status.ok()) status = device_.download(m.device + shift_, m.target, m.size);
    }
    return status;
  }

  template <class T>
  void view(const char*, View<T>& view) {
    if constexpr (std::is_same_v<std::remove_const_t<T>, float>) {
      if (view.data == nullptr || device_.host_memory() || !status.ok()) return;
      float* data = nullptr;
      status = device_.alloc(view.size + shift_, &data);
      if (!status.ok()) return;
      moved_.push_back({data, std::is_const_v<T> ? nullptr : const_cast<float*>(view.data), view.size});
      status = device_.upload(view.data, data + shift_, view.size);
      view.data = data + shift_;
    }
  }

  Status status;

 private:
  struct Moved {
    float* device;
    float* target;  // where to bring it back to, or null
    i64 size;
  };

  Device& device_;
  const i64 shift_;
  std::vector<Moved> moved_;
};

constexpr const char* kNoEntry = "no entry in the table";

template <class Args>
Status run_on(Device& device, Status (*const OpTable::*entry)(const Args&, Exec&), Args args, i64 shift = 0) {
  if (device.table().*entry == nullptr) return Status::unsupported(kNoEntry);
  Mover mover(device, shift);
  args.visit(mover);
  if (!mover.status.ok()) return mover.status;
  if (const Status checked = check(args); !checked.ok()) return checked;
  const std::atomic<bool> never{false};
  const Status status = run(device, device.table().*entry, args, never);
  return status.ok() ? mover.bring_back() : status;
}

struct Output {
  const char* name;
  Floats values;
};

// Runs one case on a device and returns its outputs.
using Case = std::function<Status(Device&, std::vector<Output>&)>;

struct Row {
  std::string name;
  double tolerance;  // of ‖difference‖ / ‖expected‖, for every output
  Case run;
};

// What an op wrote; only `gru` may fill its `saved` as it likes.
struct Outputs : ArgsVisitor<Outputs> {
  std::vector<Output> floats;
  std::vector<std::int32_t> integers;

  template <class T>
  void view(const char* name, View<T>& view) {
    if (!view || std::string(name) == "saved") return;
    if constexpr (std::is_same_v<T, float>) {
      floats.push_back({name, Floats(view.data, view.data + view.size)});
    } else if constexpr (std::is_same_v<T, std::int32_t> || std::is_same_v<T, std::uint32_t>) {
      for (i64 i = 0; i < view.size; ++i) integers.push_back(static_cast<std::int32_t>(view[i]));
    }
  }
};

template <class Args>
std::vector<Output> outputs_of(Args args) {
  Outputs written;
  args.visit(written);
  const Floats integers(written.integers.begin(), written.integers.end());
  if (!integers.empty()) written.floats.push_back({"integers", integers});
  return written.floats;
}

// A case of one call: make(memory) gives its arguments, the same each time.
template <class Args, class Make>
Row row_of(std::string name, double tolerance, Status (*OpTable::*entry)(const Args&, Exec&), Make make) {
  return {std::move(name), tolerance, [=](Device& device, std::vector<Output>& outputs) {
            Memory memory(1);
            const Args args = make(memory);
            const Status status = run_on(device, entry, args);
            outputs = outputs_of(args);
            return status;
          }};
}

}  // namespace sonotext::test
