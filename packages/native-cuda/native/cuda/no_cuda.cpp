// Stands in for the CUDA sources in a build without nvcc.
#include "device.hpp"

namespace sonotext {
namespace {
constexpr const char* kWhy = "This build has no CUDA code: it was compiled without nvcc, or with SONOTEXT_CUDA=0.";
}

std::unique_ptr<Device> make_cuda_device(const std::string&, const std::string&, std::string& reason) {
  reason = kWhy;
  return nullptr;
}

void list_cuda_devices(std::vector<DeviceSummary>& list) { list.push_back({"cuda", false, kWhy}); }

OpTable cuda_table() { return {}; }

int cuda_build_version() { return 0; }

}  // namespace sonotext
