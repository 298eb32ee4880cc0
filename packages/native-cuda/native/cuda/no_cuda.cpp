// Stands in for the CUDA sources in a build without nvcc.
#include "device.hpp"
#include "nccl.hpp"

namespace sonotext {
namespace {
constexpr const char* kWhy = "This build has no CUDA code: it was compiled without nvcc, or with SONOTEXT_CUDA=0.";
}

std::unique_ptr<Device> make_cuda_device(const std::string&, const std::string&, std::string& reason) {
  reason = kWhy;
  return nullptr;
}

void list_cuda_devices(std::vector<DeviceSummary>& list) { list.push_back({"cuda", false, kWhy}); }

LaunchCounts launches_of(Device&) { return {}; }

OpTable cuda_table() { return {}; }

int cuda_build_version() { return 0; }

}  // namespace sonotext

namespace sonotext::nccl {

const Summary& summary() {
  static const Summary none{"", kWhy};
  return none;
}

Status address(Device&, std::string&) { return Status::unsupported(kWhy); }
Status make_id(unsigned char*) { return Status::unsupported(kWhy); }
Status join(Device&, const unsigned char*, int, int) { return Status::unsupported(kWhy); }
Status all_reduce(Device&, const std::vector<F32Out>&) { return Status::unsupported(kWhy); }
Status all_gather(Device&, F32In, F32Out, const std::vector<i64>&) { return Status::unsupported(kWhy); }
std::string problem() { return ""; }
void give_up(const std::string&) {}
const char* given_up() { return nullptr; }
void leave() {}

}  // namespace sonotext::nccl
