#pragma once

#include <cstdint>

namespace sonotext {

// How many kernels went to a device one by one and in graphs since it was opened, and how many graphs it keeps.
struct LaunchCounts {
  std::int64_t alone = 0, by_graph = 0, graphs = 0;
};

}  // namespace sonotext
