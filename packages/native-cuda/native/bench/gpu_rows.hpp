// The rows of gpu_bench: an op, a shape, and the call to time.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../core/check.hpp"
#include "../core/device.hpp"

namespace sonotext::timing {

inline const std::atomic<bool> never{false};

// The memory of one row: buffers on the device, integers on the host.
class Data {
 public:
  explicit Data(Device& device) : device_(device) {}
  ~Data() {
    for (float* buffer : buffers_) device_.free(buffer);
  }
  Data(const Data&) = delete;
  Data& operator=(const Data&) = delete;

  // Uniform in [-magnitude, magnitude).
  F32In in(i64 count, double magnitude = 1.0) {
    const F32Out view = inout(count, magnitude);
    return {view.data, view.size};
  }
  F32Out inout(i64 count, double magnitude = 1.0) {
    constexpr i64 kFresh = 1 << 20;  // made by the host; the rest are copies
    const F32Out view = out(count);
    std::vector<float> values(static_cast<std::size_t>(std::min(count, kFresh)));
    for (float& value : values) {
      state_ = state_ * 6364136223846793005u + 1442695040888963407u;
      value = static_cast<float>((static_cast<double>(state_ >> 40) / 8388608.0 - 1.0) * magnitude);
    }
    const i64 fresh = static_cast<i64>(values.size());
    keep(status.ok() ? device_.upload(values.data(), view.data, fresh) : status);
    for (i64 done = fresh; done < count && status.ok(); done += fresh) {
      keep(device_.copy(view.data, view.data + done, std::min(fresh, count - done)));
    }
    return view;
  }
  F32Out out(i64 count) {
    float* data = nullptr;
    keep(device_.alloc(count, &data));
    if (data != nullptr) buffers_.push_back(data);
    return {data, count};
  }
  F32In floats(const std::vector<float>& values) {
    const F32Out view = out(static_cast<i64>(values.size()));
    keep(status.ok() ? device_.upload(values.data(), view.data, view.size) : status);
    return {view.data, view.size};
  }
  template <class F>
  I32In integers(i64 count, F f) {
    integers_.emplace_back();
    for (i64 i = 0; i < count; ++i) integers_.back().push_back(static_cast<std::int32_t>(f(i)));
    return {integers_.back().data(), count};
  }

  Status status;

 private:
  void keep(const Status& next) {
    if (status.ok()) status = next;
  }

  Device& device_;
  std::uint64_t state_ = 1;
  std::vector<float*> buffers_;
  std::vector<std::vector<std::int32_t>> integers_;
};

struct Row {
  std::string op, shape;
  double flop, bytes;  // what must be computed and moved
  // Prepares the call, then hands one that enqueues it to `time`.
  std::function<Status(Device&, const std::function<Status(const std::function<Status()>&)>& time)> run;
};

class Rows {
 public:
  // make(data) gives the arguments.
  template <class Args, class Make>
  void add(const char* op, Status (*OpTable::*entry)(const Args&, Exec&), std::string shape, double flop,
           double bytes, Make make) {
    list.push_back({op, std::move(shape), flop, bytes, [entry, make](Device& device, const auto& time) {
                      if (device.table().*entry == nullptr) return Status::unsupported("no entry");
                      Data data(device);
                      const Args args = make(data);
                      if (!data.status.ok()) return data.status;
                      if (const Status checked = check(args); !checked.ok()) return checked;
                      return time([&] { return run(device, device.table().*entry, args, never); });
                    }});
  }

  std::vector<Row> list;
};

template <class... Extents>
std::string shape_of(Extents... extents) {
  std::string text;
  for (const i64 extent : {static_cast<i64>(extents)...})
    text += (text.empty() ? "" : "×") + std::to_string(extent);
  return text;
}

}  // namespace sonotext::timing
