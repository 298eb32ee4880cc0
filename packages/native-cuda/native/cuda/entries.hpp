// The entries of the CUDA table: kernels/<op>.cu defines the one of its op (and of its backward).
#pragma once

#include "../core/ops.hpp"

namespace sonotext::cuda {

// Weak: an op whose file is not there is null in the table, and the caller's chain takes the next device.
#define SONOTEXT_ENTRY(op, Args) __attribute__((weak)) Status op(const Args& args, Exec& exec);
SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY

inline OpTable make_table() {
  OpTable table;
#define SONOTEXT_ENTRY(op, Args) table.op = op;
  SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY
  return table;
}

}  // namespace sonotext::cuda
