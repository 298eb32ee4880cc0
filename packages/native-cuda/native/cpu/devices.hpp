// The two devices that compute on the CPU.
#pragma once

#include <memory>
#include <string>

#include "../core/device.hpp"

namespace sonotext {

// Plain host memory. Null with a reason when `isa` cannot be had. `bf16`: see Device::matmul().
std::unique_ptr<Device> make_cpu_device(const std::string& isa, bool bf16, std::string& reason);

// For tests: the CPU's kernels over memory that cannot be reached except by upload and download. Its
// addresses are shifted out of the address space, so that code which forgets where a tensor lives faults
// instead of working by luck.
std::unique_ptr<Device> make_sealed_device(const std::string& isa, bool bf16, std::string& reason);

}  // namespace sonotext
