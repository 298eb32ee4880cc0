// NVIDIA GPUs. Without CUDA in the build (no_cuda.cpp) or without a driver there are none, and this says why.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../core/device.hpp"
#include "launch_counts.hpp"

namespace sonotext {

// `index` as the user wrote it. Null with a reason when there is no such device.
std::unique_ptr<Device> make_cuda_device(const std::string& index, const std::string& matmul,
                                         std::string& reason);

// Adds every GPU, or one line that says why there is none.
void list_cuda_devices(std::vector<DeviceSummary>& list);

// Of a CUDA device; zeros of others. Waits where an op runs.
LaunchCounts launches_of(Device& device);

// What CUDA devices have entries for, whether or not there is one; empty without CUDA in the build.
OpTable cuda_table();

// Compiled with CUDA: 13000 for 13.0; 0 without.
int cuda_build_version();

}  // namespace sonotext
