// A call of an op with arguments drawn from what ops.def says of it, small enough for the emulation.
#pragma once

#include <cstdint>
#include <type_traits>

#include "../core/check.hpp"
#include "every_op.hpp"

namespace sonotext::test {

// The same call, drawn anew, so that what one device writes is not what the next one reads.
template <class Args>
struct DrawnCall {
  Memory memory;
  Args args{};
  double work = 0.0;
  bool valid = false;

  explicit DrawnCall(std::uint64_t seed) : memory(seed) {
    constexpr i64 kMost = 20000;
    Draw d(memory, seed, kMost);
    draw(d, args);
    work = d.work();
    valid = d.possible() && check(args).ok() && writes_something(args);
    // Drawn words are not what quantize makes of the items.
    if constexpr (std::is_same_v<Args, TopKArgs>) valid = valid && !args.narrow;
  }
};

}  // namespace sonotext::test
