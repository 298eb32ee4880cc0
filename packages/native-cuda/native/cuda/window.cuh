// Convolutions as products without an unfolded image in memory: loaders that find the pixels under a window.
#pragma once

#include "tile_product.cuh"

namespace sonotext::cuda {

// Division of values below 2³¹ by a number that the compiler does not know, as a multiplication.
struct Divider {
  unsigned divisor = 1, multiplier = 1;
  int shift = 0;

  Divider() = default;
  explicit Divider(i64 by) : divisor(by > 0 ? static_cast<unsigned>(by) : 1) {
    while ((1ull << shift) < divisor) ++shift;
    multiplier = static_cast<unsigned>(((1ull << 32) * ((1ull << shift) - divisor)) / divisor + 1);
  }
  __device__ int divide(int value, int& rest) const {
    const auto bits = static_cast<unsigned>(value);
    const unsigned quotient = (__umulhi(bits, multiplier) + bits) >> shift;
    rest = static_cast<int>(bits - quotient * divisor);
    return static_cast<int>(quotient);
  }
};

// Images [n × h × w × c] seen through a window of kh × kw pixels. Both the pixels and the places under the
// window, kh·kw·c of them, are counted in 31 bits.
struct Window {
  const float* data;
  int pixels, h, w, c;
  int top, left;  // of the window's first pixel, above and left of its centre
  int direction;  // 1: the window as it is, -1: turned by half a turn (gradients by the image)
  bool vectors;
  Divider by_h, by_w, by_c, by_width;  // the last is kw

  Window(const float* data, i64 n, i64 h, i64 w, i64 c, i64 kh, i64 kw, int direction)
      : data(data),
        pixels(static_cast<int>(n * h * w)),
        h(static_cast<int>(h)),
        w(static_cast<int>(w)),
        c(static_cast<int>(c)),
        top(static_cast<int>(kh - 1) / 2),
        left(static_cast<int>(kw - 1) / 2),
        direction(direction),
        vectors(takes_vectors(data, c, 0)),
        by_h(h),
        by_w(w),
        by_c(c),
        by_width(kw) {}

  // A place under the window: how far from its centre, and which channel.
  struct Place {
    int down, right, channel;
  };
  __device__ Place place(int index) const {
    Place at;
    const int tap = by_c.divide(index, at.channel);
    at.down = direction * (by_width.divide(tap, at.right) - top);
    at.right = direction * (at.right - left);
    return at;
  }

  // The pixel that a place has when the window stands on `pixel`; outside of the image it is zero: null.
  __device__ const float* find(int pixel, const Place& at) const {
    int x, y;
    by_h.divide(by_w.divide(pixel, x), y);
    if (static_cast<unsigned>(y + at.down) >= static_cast<unsigned>(h) ||
        static_cast<unsigned>(x + at.right) >= static_cast<unsigned>(w)) {
      return nullptr;
    }
    return data + (static_cast<i64>(pixel) + at.down * w + at.right) * c + at.channel;
  }

  // Four places one after the other. With vectors they are channels of one pixel.
  __device__ void copy(float* to, int pixel, int first, int have) const {
    if (vectors) {
      const float* from = have > 0 ? find(pixel, place(first)) : nullptr;
      copy16_async(to, from != nullptr ? from : data, from != nullptr ? 16 : 0);
      return;
    }
#pragma unroll
    for (int e = 0; e < kChunk; ++e) {
      const float* from = e < have ? find(pixel, place(first + e)) : nullptr;
      copy4_async(to + e, from != nullptr ? from : data, from != nullptr ? 4 : 0);
    }
  }
};

// Rows are pixels, the depth goes over the places under the window: out = pixels · weights.
template <int kExtent, int kThreads>
class PixelLoader {
 public:
  static constexpr Layout kLayout = Layout::rows;

  __device__ PixelLoader(const Window& window, i64 first)
      : window_(window),
        row_(static_cast<int>(threadIdx.x) / kAcross),
        k_(static_cast<int>(threadIdx.x) % kAcross * kChunk),
        pixel_(static_cast<int>(first) + row_) {}

  __device__ void load(float* buffer, i64 step, i64 end) const {
    const int k = static_cast<int>(step) + k_, have = static_cast<int>(end) - k;
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const int pixel = pixel_ + l * kPass;
      window_.copy(buffer + place<kLayout, kExtent>(row_ + l * kPass, k_), pixel, k,
                   pixel < window_.pixels ? have : 0);
    }
  }

 private:
  static constexpr int kAcross = kDepth / kChunk, kPass = kThreads / kAcross, kLoads = kExtent / kPass;
  const Window& window_;
  int row_, k_, pixel_;
};

// Rows are the places under the window, the depth goes over the pixels: gradWeight = placesᵀ · gradOut.
template <int kExtent, int kThreads>
class PlaceLoader {
 public:
  static constexpr Layout kLayout = Layout::depths;

  __device__ PlaceLoader(const Window& window, i64 first, i64 places)
      : window_(window),
        row_(static_cast<int>(threadIdx.x) % kAcross * kChunk),
        k_(static_cast<int>(threadIdx.x) / kAcross),
        first_(static_cast<int>(first) + row_),
        have_(static_cast<int>(places) - first_) {}

  __device__ void load(float* buffer, i64 step, i64 end) const {
#pragma unroll
    for (int l = 0; l < kLoads; ++l) {
      const int pixel = static_cast<int>(step) + k_ + l * kPass;
      window_.copy(buffer + place<kLayout, kExtent>(row_, k_ + l * kPass), pixel, first_,
                   pixel < static_cast<int>(end) ? have_ : 0);
    }
  }

 private:
  static constexpr int kAcross = kExtent / kChunk, kPass = kThreads / kAcross, kLoads = kDepth / kPass;
  const Window& window_;
  int row_, k_, first_, have_;
};

struct MakePixelLoader {
  Window window;

  template <int kExtent, int kThreads>
  __device__ PixelLoader<kExtent, kThreads> at(i64, i64 first) const {
    return PixelLoader<kExtent, kThreads>(window, first);
  }
};

struct MakePlaceLoader {
  Window window;
  i64 places;

  template <int kExtent, int kThreads>
  __device__ PlaceLoader<kExtent, kThreads> at(i64, i64 first) const {
    return PlaceLoader<kExtent, kThreads>(window, first, places);
  }
};

}  // namespace sonotext::cuda
