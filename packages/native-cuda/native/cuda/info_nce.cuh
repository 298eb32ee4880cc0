#pragma once

#include "../core/ops.hpp"

namespace sonotext::cuda {

Status info_nce(const InfoNceArgs& args, Exec& exec);

}  // namespace sonotext::cuda
