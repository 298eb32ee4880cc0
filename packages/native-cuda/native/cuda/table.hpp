// The ops that have CUDA code.
#pragma once

#include "../core/ops.hpp"

namespace sonotext::cuda {

OpTable make_table();

}  // namespace sonotext::cuda
