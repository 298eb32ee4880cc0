// What core/check.cpp is written in: the first test that fails gives the status.
#pragma once

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <type_traits>

#include "ops.hpp"
#include "visitor.hpp"

namespace sonotext {

constexpr i64 kMaxExtent = INT32_MAX;

// Kernels narrow real numbers to float32.
constexpr const char* kFloatRange = "a number of at most 3.4028234663852886e+38 in magnitude";

// The number of an op's views, known when it is compiled.
struct ViewCounter : ArgsVisitor<ViewCounter> {
  int count = 0;

  template <class T>
  constexpr void view(const char*, View<T>&) {
    ++count;
  }
};

template <class Args>
consteval int count_views() {
  Args args{};
  ViewCounter counter;
  args.visit(counter);
  return counter.count;
}

// Collects where the float and integer views of a call lie, and refuses numbers that are not finite in float32.
template <class Args>
struct Surveyor : ArgsVisitor<Surveyor<Args>> {
  struct Range {
    const char* name;
    std::uintptr_t begin, end;
    bool written;
  };
  Range ranges[count_views<Args>()];
  int count = 0;
  Status status;

  template <class T>
  void view(const char* name, View<T>& view) {
    if (view.data == nullptr || view.size <= 0) return;
    const auto begin = reinterpret_cast<std::uintptr_t>(view.data);
    const auto end = begin + static_cast<std::uintptr_t>(view.size) * sizeof(T);
    ranges[count++] = {name, begin, end, !std::is_const_v<T>};
  }
  void number(const char* name, double value) {
    if (!status.ok() || std::isfinite(static_cast<float>(value))) return;
    status = {Code::invalid_argument, std::isfinite(value) ? kFloatRange : "a finite number", name};
  }
};

// That numbers are finite in float32, and that no output overlaps another argument; one of an op that works in place may
// be one of its inputs.
template <class Args>
Status survey(Args args) {
  Surveyor<Args> surveyor;
  args.visit(surveyor);
  for (int i = 0; i < surveyor.count && surveyor.status.ok(); ++i) {
    for (int j = i + 1; j < surveyor.count; ++j) {
      const auto &a = surveyor.ranges[i], &b = surveyor.ranges[j];
      if ((!a.written && !b.written) || a.end <= b.begin || b.end <= a.begin) continue;
      const bool same = a.begin == b.begin && a.end == b.end;
      if (same && a.written != b.written && Args::kInPlace) continue;
      return {Code::invalid_argument, "memory that no other argument overlaps", a.written ? a.name : b.name};
    }
  }
  return surveyor.status;
}

// The first failure wins; the tests after it do nothing.
class Checker {
 public:
  template <class Args>
  explicit Checker(const Args& args) : status_(survey(args)) {}

  // An extent of a shape.
  Checker& extent(const char* name, i64 value, i64 least = 0) {
    if (value < least || value > kMaxExtent) {
      fail({Code::invalid_argument,
            least == 0   ? "an integer from 0 to 2147483647"
            : least == 1 ? "an integer from 1 to 2147483647"
                         : "a larger integer",
            name, Status::kNotGiven, value});
    }
    return *this;
  }

  Checker& that(bool condition, const char* what, const char* name, i64 got = Status::kNotGiven) {
    if (!condition) fail({Code::invalid_argument, what, name, Status::kNotGiven, got});
    return *this;
  }

  // An unsigned 32-bit integer.
  Checker& word(const char* name, i64 value) {
    return that(value >= 0 && value <= UINT32_MAX, "an integer from 0 to 4294967295", name, value);
  }

  // A view of exactly Π extents elements. The extents must have been checked before.
  template <class T>
  Checker& sized(const char* name, const View<T>& view, const char* what,
                 std::initializer_list<i64> extents) {
    if (!status_.ok()) return *this;
    i64 count = 1;
    for (const i64 e : extents) {
      if (__builtin_mul_overflow(count, e, &count) || count > INT64_MAX / 8) {
        fail({Code::invalid_argument, "fewer elements than a 64-bit size can address", name});
        return *this;
      }
    }
    if (view.size != count) fail({Code::invalid_argument, what, name, count, view.size});
    return *this;
  }

  template <class T>
  Checker& optional(const char* name, const View<T>& view, const char* what,
                    std::initializer_list<i64> extents) {
    return view ? sized(name, view, what, extents) : *this;
  }

  // Every element in [low, high]; nothing to say about a view that is not given.
  Checker& within(const char* name, const I32In& view, i64 low, i64 high, const char* what) {
    for (i64 i = 0; status_.ok() && i < view.size; ++i) {
      that(view[i] >= low && view[i] <= high, what, name, view[i]);
    }
    return *this;
  }

  // Offsets of `rows` ragged rows over `total` entries; the size was checked before.
  Checker& offsets(const char* name, const I32In& view, i64 rows, i64 total) {
    if (!status_.ok() || !view) return *this;
    that(view[0] == 0, "offsets that start at 0", name, view[0]);
    for (i64 i = 0; status_.ok() && i < rows; ++i) {
      that(view[i + 1] >= view[i], "offsets that never fall", name, view[i + 1]);
    }
    if (status_.ok() && view[rows] != total) {
      fail({Code::invalid_argument, "a last offset equal to the number of entries", name, total, view[rows]});
    }
    return *this;
  }

  operator Status() const { return status_; }

  bool ok() const { return status_.ok(); }

 private:
  void fail(const Status& status) {
    if (status_.ok()) status_ = status;
  }
  Status status_;
};

}  // namespace sonotext
