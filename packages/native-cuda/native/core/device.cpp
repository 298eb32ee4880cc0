#include "device.hpp"

#include <map>
#include <memory>
#include <mutex>

#include "../cpu/devices.hpp"
#include "../cuda/device.hpp"
#include "pool.hpp"

namespace sonotext {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::unique_ptr<Device>> devices;
};

Registry& registry() {
  static Registry* const all = new Registry;  // never destroyed: handles may outlive static destructors
  return *all;
}

std::unique_ptr<Device> make_device(const std::string& name, const DeviceOptions& options,
                                    std::string& reason) {
  const auto& [isa, matmul] = options;
  if (!matmul.empty() && matmul != "fp32" && matmul != "tf32" && matmul != "bf16") {
    reason = "Matrix products are of fp32, tf32 or bf16, not of \"" + matmul + "\".";
    return nullptr;
  }
  if ((name == "cpu" || name == "sealed") && matmul == "tf32") {
    reason = "The CPU multiplies in fp32 or bf16; tf32 is for CUDA devices.";
    return nullptr;
  }
  const bool bf16 = matmul == "bf16";
  if (name == "cpu") return make_cpu_device(isa, bf16, reason);
  if (name == "sealed") return make_sealed_device(isa, bf16, reason);
  if (name == "cuda" || name.rfind("cuda:", 0) == 0) {
    if (!isa.empty()) {
      reason = "A CUDA device has no instruction sets to choose from.";
      return nullptr;
    }
    return make_cuda_device(name == "cuda" ? "0" : name.substr(5), matmul, reason);
  }
  reason = "Unknown device \"" + name + "\": there are cpu, sealed (for tests), cuda and cuda:N.";
  return nullptr;
}

}  // namespace

Device* open_device(const std::string& name, const DeviceOptions& options, std::string& reason) {
  if (!ThreadPool::environment_is_valid(reason)) return nullptr;
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const std::string key = (name == "cuda" ? std::string("cuda:0") : name) + "/" + options.isa + "/" + options.matmul;
  if (const auto found = all.devices.find(key); found != all.devices.end()) return found->second.get();
  std::unique_ptr<Device> made = make_device(name, options, reason);
  if (made == nullptr) return nullptr;
  Device* result = made.get();
  all.devices.emplace(key, std::move(made));
  return result;
}

std::vector<DeviceSummary> list_devices() {
  std::vector<DeviceSummary> list;
  std::string reason;
  const Device* cpu = open_device("cpu", {}, reason);
  list.push_back({"cpu", cpu != nullptr, cpu != nullptr ? cpu->isa() : reason});
  list_cuda_devices(list);
  return list;
}

}  // namespace sonotext
