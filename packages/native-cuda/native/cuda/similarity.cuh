#pragma once

#include "../core/ops.hpp"

namespace sonotext::cuda {

Status similarity(const SimilarityArgs& args, Exec& exec);

}  // namespace sonotext::cuda
