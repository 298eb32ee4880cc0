// kLanes numbers of 8 or 16 bits, as quantize writes them.
#pragma once
#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline void store_narrow(void* p, Vec v, i64 bits) {
  if (bits == 8) {
    vstore_bytes(p, v);
  } else {
    vstore_halves(p, v);
  }
}

inline Vec load_narrow(const void* p, i64 bits) { return bits == 8 ? vload_bytes(p) : vload_halves(p); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
