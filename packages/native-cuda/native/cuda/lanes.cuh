// Neighbouring floats in a thread's registers, four moved by one access where every array allows it.
#pragma once

#include "../core/views.hpp"
#include "launch.cuh"

namespace sonotext::cuda {

template <int kWidth>
struct Lanes {
  float v[kWidth];
};

template <int kWidth>
__device__ inline Lanes<kWidth> load(const float* from) {
  Lanes<kWidth> lanes;
  if constexpr (kWidth == 4) {
    const float4 four = *reinterpret_cast<const float4*>(from);
    lanes.v[0] = four.x, lanes.v[1] = four.y, lanes.v[2] = four.z, lanes.v[3] = four.w;
  } else {
    for (int k = 0; k < kWidth; ++k) lanes.v[k] = from[k];
  }
  return lanes;
}

template <int kWidth>
__device__ inline void store(float* to, const Lanes<kWidth>& lanes) {
  if constexpr (kWidth == 4) {
    *reinterpret_cast<float4*>(to) = make_float4(lanes.v[0], lanes.v[1], lanes.v[2], lanes.v[3]);
  } else {
    for (int k = 0; k < kWidth; ++k) to[k] = lanes.v[k];
  }
}

template <int kWidth>
__device__ inline Lanes<kWidth> zeros() {
  Lanes<kWidth> lanes;
  for (int k = 0; k < kWidth; ++k) lanes.v[k] = 0.0f;
  return lanes;
}

// Whether arrays whose rows have `cols` floats can be moved in fours.
template <class... Pointers>
bool in_fours(i64 cols, Pointers... arrays) {
  return cols % 4 == 0 && (... && (reinterpret_cast<std::uintptr_t>(arrays) % 16 == 0));
}

// a / b of numbers that are not negative. In 32 bits where that is enough: a division in 64 takes four times
// as long.
__device__ inline i64 quotient(i64 a, i64 b) {
  if (((a | b) >> 32) == 0) return static_cast<std::uint32_t>(a) / static_cast<std::uint32_t>(b);
  return a / b;
}

}  // namespace sonotext::cuda
