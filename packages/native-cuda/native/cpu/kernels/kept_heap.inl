// The best items of a query so far.
#pragma once
#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

struct Kept {
  float score;
  std::int32_t index;

  // A score that is not a number ranks with -inf, equal scores by index.
  float key() const { return score == score ? score : -__builtin_inff(); }
  bool before(const Kept& other) const {
    return key() > other.key() || (key() == other.key() && index < other.index);
  }
};

// The k best so far; the worst of them on top.
struct KeptHeap {
  Kept* at;
  i64 size, k;

  void sift(i64 i) {
    const Kept moved = at[i];
    for (i64 child; (child = 2 * i + 1) < size; i = child) {
      if (child + 1 < size && at[child].before(at[child + 1])) ++child;
      if (!moved.before(at[child])) break;
      at[i] = at[child];
    }
    at[i] = moved;
  }
  // While there is room.
  void offer(Kept item) {
    i64 i = size++;
    for (; i > 0 && at[(i - 1) / 2].before(item); i = (i - 1) / 2) at[i] = at[(i - 1) / 2];
    at[i] = item;
  }
  // An equal score never displaces: items come with ascending indices.
  void take(Kept item) {
    if (size < k) return offer(item);
    if (!(item.score > at[0].key())) return;
    at[0] = item;
    sift(0);
  }
  // Best first.
  void sort() {
    const i64 all = size;
    while (size > 1) {
      const Kept worst = at[0];
      at[0] = at[--size];
      sift(0);
      at[size] = worst;
    }
    size = all;
  }
};

// What a query's k best have to reach, as far as any part of the items has found out: it only rises. Threads share it without waiting
// for each other; an old value rules out less, and nothing that is among the best.
class Floor {
 public:
  void reset() { value_ = -__builtin_inff(); }
  void raise(float score) {
    if (score > load()) __atomic_store(&value_, &score, __ATOMIC_RELAXED);
  }
  // The largest number that is too small: an equal score may have the lower index.
  float below() const {
    const float value = load();
    std::int32_t bits;
    memcpy(&bits, &value, 4);
    if (value == -__builtin_inff()) return value;
    if (value == 0.0f) return -0x1p-149f;
    bits += value > 0.0f ? -1 : 1;
    float result;
    memcpy(&result, &bits, 4);
    return result;
  }

 private:
  float load() const {
    float value;
    __atomic_load(&value_, &value, __ATOMIC_RELAXED);
    return value;
  }
  float value_;
};

// Offers `count` items from `first` on of which bounds[j] says that the score is not above, score(j) what it is. Ascending
// indices: an equal score never displaces.
template <class Score>
inline void keep(KeptHeap& heap, const float* bounds, i64 count, i64 first, Score&& score) {
  i64 j = 0;
  for (; j < count && heap.size < heap.k; ++j) heap.offer({score(j), static_cast<std::int32_t>(first + j)});
  if (j == count) return;
  float worst = heap.at[0].key();
  for (; j < count; j += kLanes) {
    const i64 lanes = gemm_min(kLanes, count - j);
    if (lanes == kLanes && !vany(vgt(vload(bounds + j), vset(worst)))) continue;
    for (i64 l = j; l < j + lanes; ++l) {
      if (!(bounds[l] > worst)) continue;
      const float own = score(l);
      if (!(own > worst)) continue;
      heap.at[0] = {own, static_cast<std::int32_t>(first + l)};
      heap.sift(0);
      worst = heap.at[0].key();
    }
  }
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
