// Some calls of every op of the table, drawn from what ops.def says of it, with the memory they need.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <initializer_list>
#include <type_traits>
#include <vector>

#include "../core/check.hpp"
#include "../core/device.hpp"
#include "../core/visitor.hpp"
#include "drawn_ops.hpp"

namespace sonotext::test {

// Uniform words, the same on every machine.
class Words {
 public:
  explicit Words(std::uint64_t seed) : state_(seed * 2654435761u + 88172645463325252u) {}
  std::uint32_t operator()() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 32);
  }
  i64 below(i64 n) { return static_cast<i64>((*this)() % static_cast<std::uint64_t>(n)); }
  double share() { return static_cast<double>((*this)()) / 4294967296.0; }

 private:
  std::uint64_t state_;
};

// Owns what the views of one call point to.
class Memory {
 public:
  explicit Memory(std::uint64_t seed = 0) : words_(seed) {}

  // In [-1, 1); some of them tiny, so that they and their products are denormal.
  F32In in(i64 count) { return {floats(count), count}; }
  F32Out inout(i64 count) { return {floats(count), count}; }
  F32Out out(i64 count) {
    floats_.emplace_back(static_cast<std::size_t>(count), NAN);
    return {floats_.back().data(), count};
  }
  I32Out out_integers(i64 count) {
    integers_.emplace_back(static_cast<std::size_t>(count), -7);
    return {integers_.back().data(), count};
  }
  U32Out out_words(i64 count) {
    words_of_.emplace_back(static_cast<std::size_t>(count), 0xdeadbeefu);
    return {words_of_.back().data(), count};
  }
  U32In words(i64 count) {
    const U32Out view = out_words(count);
    for (i64 i = 0; i < count; ++i) view[i] = words_();
    return {view.data, count};
  }
  U8In bytes(i64 count) {
    bytes_.emplace_back(static_cast<std::size_t>(count));
    for (unsigned char& byte : bytes_.back()) byte = static_cast<unsigned char>(words_());
    return {bytes_.back().data(), count};
  }
  // f(i) for every i.
  template <class F>
  I32In integers(i64 count, F f) {
    I32Out view = out_integers(count);
    for (i64 i = 0; i < count; ++i) view[i] = static_cast<std::int32_t>(f(i));
    return {view.data, count};
  }

 private:
  float* floats(i64 count) {
    floats_.emplace_back(static_cast<std::size_t>(count));
    for (float& value : floats_.back()) {
      const std::uint32_t w = words_();
      const float u = static_cast<float>(w >> 8) / 8388608.0f - 1.0f;
      value = u * (w % 8 == 0 ? 0x1p-130f : w % 8 == 1 ? 0x1p-65f : 1.0f);
    }
    return floats_.back().data();
  }

  Words words_;
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<std::int32_t>> integers_;
  std::deque<std::vector<std::uint32_t>> words_of_;
  std::deque<std::vector<unsigned char>> bytes_;
};

// What draw() of drawn_ops.hpp asks for. Sizes come out as they may: most elements in all is a limit, and a
// call beyond it is not allocated.
class Draw {
 public:
  static constexpr i64 kMost = 450000;
  Draw(Memory& memory, std::uint64_t seed, i64 most = kMost) : memory_(memory), words_(seed), most_(most) {}

  bool possible() const { return possible_ && total_ <= most_; }
  // Neither so little that nothing need be cut, nor long to wait for.
  bool is_of_some_size() const { return total_ > most_ / 4 && (!sized_ || (work_ > 5e5 && work_ < 1e8)); }
  double work() const { return work_; }  // the product of the extents

  void size(i64& value, i64 least) {
    value = pick({1, 2, 3, 4, 7, 16, 33, 64, 130, 300, 600, 5000});
    if (value < least) value = least;
    work_ *= static_cast<double>(value), sized_ = true;
  }
  void word(i64& value) { value = words_(); }
  void choice(i64& value, std::initializer_list<i64> choices) { value = pick(choices); }
  void real(double& value, double least, double most) {
    const double from = std::isinf(least) ? -1.0 : least, to = std::isinf(most) ? from + 1.0 : most;
    value = from + words_.share() * (to - from);
  }

  i64 length() { return pick({1, 40, 9000, 70000, 100000}); }                   // where nothing else says
  i64 entries(i64 rows) { return rows == 0 ? 0 : words_.below(2 * rows + 1); }  // of so many ragged rows
  i64 product(std::initializer_list<i64> extents) {
    i64 count = 1;
    for (const i64 e : extents) count = count > most_ ? count : count * e;
    return count;
  }

  void in(F32In& view, i64 count) {
    if (take(count)) view = memory_.in(count);
  }
  void inout(F32Out& view, i64 count) {
    if (take(count)) view = memory_.inout(count);
  }
  void out(F32Out& view, i64 count) {
    if (take(count)) view = memory_.out(count);
  }
  void out(I32Out& view, i64 count) {
    if (take(count)) view = memory_.out_integers(count);
  }
  void in(U32In& view, i64 count) {
    if (take(count)) view = memory_.words(count);
  }
  void in(U8In& view, i64 count) {
    if (take(count)) view = memory_.bytes(count);
  }
  void out(U32Out& view, i64 count) {
    if (take(count)) view = memory_.out_words(count);
  }
  void opt_in(U32In& view, i64 count) {
    if (given()) in(view, count);
  }
  void integers(I32In& view, i64 count, i64 low, i64 high) {
    possible_ = possible_ && (count == 0 || low <= high);
    if (take(count)) view = memory_.integers(count, [&](i64) { return low + words_.below(high - low + 1); });
  }
  void offsets(I32In& view, i64 rows, i64 total) {
    possible_ = possible_ && (rows > 0 || total == 0);
    if (take(rows + 1))
      view = memory_.integers(rows + 1, [&](i64 i) { return rows == 0 ? 0 : i * total / rows; });
  }
  void opt_in(F32In& view, i64 count) {
    if (given()) in(view, count);
  }
  void opt_out(F32Out& view, i64 count) {
    if (given()) out(view, count);
  }
  void opt_integers(I32In& view, i64 count, i64 low, i64 high) {
    if (given()) integers(view, count, low, high);
  }
  void opt_offsets(I32In& view, i64 rows, i64 total) {
    if (given()) offsets(view, rows, total);
  }

 private:
  i64 pick(std::initializer_list<i64> from) {
    return from.begin()[words_.below(static_cast<i64>(from.size()))];
  }
  bool given() { return words_.below(4) > 0; }
  bool take(i64 count) {
    total_ += count;
    return possible();
  }

  Memory& memory_;
  Words words_;
  const i64 most_;
  i64 total_ = 0;
  double work_ = 1;
  bool sized_ = false;
  bool possible_ = true;
};

constexpr int kCalls = 5;  // of an op

template <class Args>
bool writes_something(Args args) {
  OutputFinder outputs;
  args.visit(outputs);
  return outputs.found;
}

// The arguments of the call of a number, always the same: most of some size, so that they are cut into
// chunks.
template <class Args>
bool fill(Memory& memory, Args& args, int call) {
  constexpr int kTries = 4000;
  static int found[kCalls] = {};  // the first attempt that gives valid arguments
  if (call >= kCalls) return false;
  for (int& attempt = found[call]; attempt < kTries; ++attempt) {
    const auto seed = static_cast<std::uint64_t>(attempt * kCalls + call);
    Memory drawn(seed);
    Draw d(drawn, seed);
    args = Args{};
    draw(d, args);
    if (!d.possible() || (attempt < kTries / 2 && !d.is_of_some_size())) continue;
    if (!check(args).ok() || !writes_something(args)) continue;
    memory = std::move(drawn);
    return true;
  }
  return false;
}

// The bytes of everything a call writes.
class Written : public ArgsVisitor<Written> {
 public:
  template <class Args>
  explicit Written(const Args& args) {
    Args copy = args;
    copy.visit(*this);
  }
  bool operator==(const Written& other) const { return bytes_ == other.bytes_; }

  template <class T>
  void view(const char*, View<T>& view) {
    if constexpr (!std::is_const_v<T>) {
      const char* from = reinterpret_cast<const char*>(view.data);
      if (view) bytes_.insert(bytes_.end(), from, from + view.size * static_cast<i64>(sizeof(T)));
    }
  }

 private:
  std::vector<char> bytes_;
};

}  // namespace sonotext::test
