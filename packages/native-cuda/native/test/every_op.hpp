// One call or more of every op of the table, each small but cut into several chunks, with the memory it
// needs.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "../core/ops.hpp"

namespace sonotext::test {

// Owns what the views of one call point to. Values are the same for every object.
class Memory {
 public:
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
  // f(i) for every i.
  template <class F>
  I32In integers(i64 count, F f) {
    I32Out view = out_integers(count);
    for (i64 i = 0; i < count; ++i) view[i] = static_cast<std::int32_t>(f(i));
    return {view.data, count};
  }
  // In (0, 1).
  F32In shares(i64 count) {
    F32Out view = inout(count);
    for (i64 i = 0; i < count; ++i) view[i] = 0.25f + 0.25f * view[i];
    return {view.data, count};
  }

 private:
  float* floats(i64 count) {
    floats_.emplace_back(static_cast<std::size_t>(count));
    for (float& value : floats_.back()) {
      const std::uint32_t w = word();
      const float u = static_cast<float>(w >> 8) / 8388608.0f - 1.0f;
      value = std::ldexp(u, w % 8 == 0 ? -130 : w % 8 == 1 ? -65 : 0);
    }
    return floats_.back().data();
  }
  std::uint32_t word() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<std::uint32_t>(state_ >> 32);
  }

  std::uint64_t state_ = 88172645463325252u;
  std::deque<std::vector<float>> floats_;
  std::deque<std::vector<std::int32_t>> integers_;
};

constexpr i64 kSize = 200000;  // of element-wise calls: 7 chunks

// The calls of an op: `fill` makes the one of a number, false when there is none.

inline bool fill(Memory& m, LogMelArgs& a, int call) {
  if (call > 1) return false;
  const i64 nFft = call == 0 ? 256 : 202, hop = 64, frames = 400, bands = 4, samples = frames * hop;
  a = {m.in(samples),
       m.in(2 * nFft),
       m.integers(bands, [](i64 i) { return 7 * i; }),
       m.integers(bands + 1, [](i64 i) { return 3 * i; }),
       m.in(3 * bands),
       m.out(frames * bands),
       nFft,
       hop,
       frames,
       bands,
       nFft / 2,
       0,
       2,
       1,
       1e-9};
  return true;
}
inline bool fill(Memory& m, ResampleArgs& a, int call) {
  a = {m.in(90000), m.in(2 * 16), m.out(60000), 2, 3, 16};
  return call == 0;
}
inline bool fill(Memory& m, GemmArgs& a, int call) {
  if (call > 1) return false;
  const i64 rows = call == 0 ? 300 : 3, n = call == 0 ? 200 : 4000, k = 100;
  a = {m.in(rows * k), m.in(k * n), m.in(n), m.inout(rows * n), rows, n, k, 0, call, 1.5, 0.5, 0.1};
  return true;
}
inline bool fill(Memory& m, L2NormalizeArgs& a, int call) {
  a = {m.in(2000 * 16), m.out(2000 * 16), m.out(2000), 2000, 16, 1e-12};
  return call == 0;
}
inline bool fill(Memory& m, L2NormalizeBackwardArgs& a, int call) {
  a = {m.in(2000 * 16), m.shares(2000), m.in(2000 * 16), m.out(2000 * 16), 2000, 16, 1e-12};
  return call == 0;
}
inline bool fill(Memory& m, SimilarityArgs& a, int call) {
  if (call > 1) return false;
  const i64 batch = call == 0 ? 40 : 2, n = call == 0 ? 30 : 300, d = 40;
  a = {m.in(batch * n * d), m.in(batch * n * d), m.out(batch * n * n), batch, n, n, d, 0.7};
  return true;
}
template <class Args>
void frame_score_shape(Memory& m, Args& a, int call) {
  a.clips = 6, a.captions = 5, a.maxFrames = 600, a.maxWords = 12, a.d = 16, a.reduction = call;
  a.frames = m.in(a.clips * a.maxFrames * a.d), a.words = m.in(a.captions * a.maxWords * a.d);
  a.frameLengths = m.integers(a.clips, [](i64 i) { return 600 - i; });
  a.wordLengths = m.integers(a.captions, [](i64 i) { return 12 - i; });
}
inline bool fill(Memory& m, FrameScoreArgs& a, int call) {
  frame_score_shape(m, a, call);
  a.out = m.out(a.clips * a.captions);
  return call < 3;
}
inline bool fill(Memory& m, FrameScoreBackwardArgs& a, int call) {
  frame_score_shape(m, a, call);
  a.gradOut = m.in(a.clips * a.captions);
  a.gradFrames = m.out(a.frames.size), a.gradWords = m.out(a.words.size);
  return call < 3;
}
inline bool fill(Memory& m, TopKArgs& a, int call) {
  if (call > 1) return false;
  const i64 q = call == 0 ? 40 : 2, n = 40000, d = 16, k = 5;
  a = {m.in(q * d), m.in(n * d), m.out_integers(q * k), m.out(q * k), q, n, d, k};
  return true;
}
inline bool fill(Memory& m, TripletArgs& a, int call) {
  const i64 n = 50;
  const auto offsets = [](i64 i) { return 2 * i; };
  const auto index = [](i64 i) { return (i * 7 + 1) % n; };
  a = {m.in(n * n),
       m.integers(n + 1, offsets),
       m.integers(2 * n, index),
       m.integers(n + 1, offsets),
       m.integers(2 * n, index),
       m.out(n * n),
       m.out(4),
       n,
       0.2};
  return call == 0;
}
inline bool fill(Memory& m, InfoNceArgs& a, int call) {
  const i64 n = 300, d = 32;
  a = {m.in(n * d),
       m.in(n * d),
       m.integers(n, [](i64 i) { return i / 2; }),
       {},
       {},
       m.in(1),
       m.out(n * d),
       m.out(n * d),
       m.out(1),
       m.out(4),
       n,
       d,
       call};
  return call < 2;
}
template <class Args>
void conv2d_shape(Args& a, int call) {
  a.n = 2, a.h = 40, a.w = 40, a.cin = call == 0 ? 16 : 3, a.cout = 16;
  a.kh = a.kw = call == 0 ? 3 : 5, a.slope = 0.1;
}
inline bool fill(Memory& m, Conv2dArgs& a, int call) {
  conv2d_shape(a, call);
  a.x = m.in(a.n * a.h * a.w * a.cin), a.weight = m.in(a.kh * a.kw * a.cin * a.cout);
  a.out = m.out(a.n * a.h * a.w * a.cout);
  return call < 2;
}
inline bool fill(Memory& m, Conv2dBackwardArgs& a, int call) {
  conv2d_shape(a, call);
  a.x = m.in(a.n * a.h * a.w * a.cin), a.weight = m.in(a.kh * a.kw * a.cin * a.cout);
  a.out = m.in(a.n * a.h * a.w * a.cout), a.gradOut = m.in(a.out.size);
  a.gradX = m.out(a.x.size), a.gradWeight = m.out(a.weight.size);
  return call < 2;
}
inline bool fill(Memory& m, BatchNormArgs& a, int call) {
  const i64 rows = 20000, c = call == 0 ? 16 : 1;
  a = {m.in(rows * c), m.in(c), m.in(c), m.inout(c), m.inout(c), m.out(rows * c), m.out(c), m.out(c),
       rows,           c,       1,       1e-5,       0.1};
  return call < 2;
}
inline bool fill(Memory& m, BatchNormBackwardArgs& a, int call) {
  const i64 rows = 20000, c = call == 0 ? 16 : 1;
  a = {m.in(rows * c), m.in(c), m.in(c), m.shares(c), m.in(rows * c), m.out(rows * c), m.out(c), m.out(c),
       rows,           c,       1};
  return call < 2;
}
inline bool fill(Memory& m, LeakyReluArgs& a, int call) {
  a = {m.in(kSize), m.out(kSize), 0.3};
  return call == 0;
}
inline bool fill(Memory& m, LeakyReluBackwardArgs& a, int call) {
  a = {m.in(kSize), m.in(kSize), m.out(kSize), 0.3};
  return call == 0;
}
inline bool fill(Memory& m, LpPoolArgs& a, int call) {
  a = {m.in(4 * 40 * 16 * 8), m.out(4 * 20 * 8 * 8), 4, 40, 16, 8, 2, 2, 4 + 2 * call};
  return call < 2;
}
inline bool fill(Memory& m, LpPoolBackwardArgs& a, int call) {
  a = {m.in(4 * 40 * 16 * 8),
       m.shares(4 * 20 * 8 * 8),
       m.in(4 * 20 * 8 * 8),
       m.out(4 * 40 * 16 * 8),
       4,
       40,
       16,
       8,
       2,
       2,
       4};
  return call == 0;
}
inline bool fill(Memory& m, DropoutArgs& a, int call) {
  a = {m.in(kSize), m.out(kSize), 1, 2, 3, 4, 0.3};
  return call == 0;
}
template <class Args>
void gru_shape(Memory& m, Args& a) {
  a.n = 60, a.t = 12, a.in = 16, a.hidden = 16, a.directions = 2;
  a.x = m.in(a.n * a.t * a.in), a.wIh = m.in(a.directions * 3 * a.hidden * a.in);
  a.wHh = m.in(a.directions * 3 * a.hidden * a.hidden), a.bHh = m.in(a.directions * 3 * a.hidden);
}
inline bool fill(Memory& m, GruArgs& a, int call) {
  gru_shape(m, a);
  a.bIh = m.in(a.bHh.size), a.out = m.out(a.n * a.t * a.directions * a.hidden),
  a.saved = m.out(4 * a.out.size);
  return call == 0;
}
inline bool fill(Memory& m, GruBackwardArgs& a, int call) {
  gru_shape(m, a);
  a.out = m.in(a.n * a.t * a.directions * a.hidden), a.saved = m.shares(4 * a.out.size);
  a.gradOut = m.in(a.out.size), a.gradX = m.out(a.x.size), a.gradWIh = m.out(a.wIh.size);
  a.gradWHh = m.out(a.wHh.size), a.gradBIh = m.out(a.bHh.size), a.gradBHh = m.out(a.bHh.size);
  return call == 0;
}
inline bool fill(Memory& m, InterpolateArgs& a, int call) {
  a = {m.in(20 * 10 * 16), m.out(20 * 37 * 16), 20, 10, 37, 16};
  return call == 0;
}
inline bool fill(Memory& m, InterpolateBackwardArgs& a, int call) {
  a = {m.in(20 * 37 * 16), m.out(20 * 10 * 16), 20, 10, 37, 16};
  return call == 0;
}
inline bool fill(Memory& m, EmbeddingArgs& a, int call) {
  a = {m.in(500 * 200),
       m.integers(9000, [](i64 i) { return i * i % 500; }),
       m.out(9000 * 200),
       500,
       9000,
       200};
  return call == 0;
}
inline bool fill(Memory& m, EmbeddingBackwardArgs& a, int call) {
  a = {m.integers(9000, [](i64 i) { return i * i % 500; }),
       m.in(9000 * 200),
       m.out(500 * 200),
       500,
       9000,
       200};
  return call == 0;
}
inline bool fill(Memory& m, MaskedMeanArgs& a, int call) {
  a = {m.in(30 * 70 * 16), m.integers(30, [](i64 i) { return 70 - i; }), m.out(30 * 16), 30, 70, 16};
  return call == 0;
}
inline bool fill(Memory& m, MaskedMeanBackwardArgs& a, int call) {
  a = {m.integers(30, [](i64 i) { return 70 - i; }), m.in(30 * 16), m.out(30 * 70 * 16), 30, 70, 16};
  return call == 0;
}
inline bool fill(Memory& m, AddArgs& a, int call) {
  a = {m.in(kSize), m.in(kSize), m.out(kSize), 0.3, 0.6};
  return call == 0;
}
inline bool fill(Memory& m, ScaleArgs& a, int call) {
  a = {m.in(kSize), m.out(kSize), 0.3};
  return call == 0;
}
inline bool fill(Memory& m, AdamArgs& a, int call) {
  a = {m.inout(kSize), m.in(kSize), m.inout(kSize), {}, 3, 0, 1e-3, 0.9, 0.999, 1e-8, 0.01};
  const F32In second = m.shares(kSize);
  a.v = {const_cast<float*>(second.data), kSize};
  return call == 0;
}
inline bool fill(Memory& m, GradNormArgs& a, int call) {
  a = {m.in(kSize), m.out(1)};
  return call == 0;
}

// The bytes of everything a call writes.
class Written {
 public:
  template <class Args>
  explicit Written(const Args& args) {
    Args copy = args;
    copy.visit(*this);
  }
  bool operator==(const Written& other) const { return bytes_ == other.bytes_; }

  template <class T>
  void out(const char*, const View<T>& view) {
    const char* from = reinterpret_cast<const char*>(view.data);
    if (view) bytes_.insert(bytes_.end(), from, from + view.size * static_cast<i64>(sizeof(T)));
  }
  template <class T>
  void opt_out(const char* name, const View<T>& view) {
    out(name, view);
  }
  template <class T>
  void inout(const char* name, const View<T>& view) {
    out(name, view);
  }
  template <class T>
  void in(const char*, const View<T>&) {}
  template <class T>
  void opt_in(const char*, const View<T>&) {}
  void integer(const char*, i64) {}
  void number(const char*, double) {}

 private:
  std::vector<char> bytes_;
};

}  // namespace sonotext::test
