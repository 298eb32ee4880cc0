#pragma once

#include "../core/ops.hpp"

namespace sonotext::cuda {

// Frame lengths that are powers of two from 4 to 4096; others are left to the next device.
Status log_mel(const LogMelArgs& args, Exec& exec);

}  // namespace sonotext::cuda
