// One call of an op, bound to its JavaScript arguments; the same object serves synchronous and asynchronous
// calls.
#pragma once

#include <napi.h>

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "../core/device.hpp"
#include "handles.hpp"

namespace sonotext::napi {

// A typed array that an op works on.
struct HeldArray {
  napi_value value;  // valid during the call that made the operation
  const unsigned char* data;
  std::size_t bytes;

  bool meets(const void* other, std::size_t size) const {
    const auto* begin = static_cast<const unsigned char*>(other);
    return data < begin + size && begin < data + bytes;
  }
};

class Operation {
 public:
  Operation(const char* name, Device& device) : name(name), device(device) {}
  virtual ~Operation() = default;

  // Runs the op; arguments were checked when the object was made. Touches no JavaScript.
  virtual Status execute(const std::atomic<bool>& cancel) = 0;

  const char* const name;
  Device& device;
  std::vector<HeldArray> arrays;
  std::vector<std::shared_ptr<DeviceMemory>> memories;
};

struct BoundOp {
  const char* name;
  // Reads and checks the arguments' values, in the order of visit(); throws a JavaScript error. The device
  // has the op.
  std::unique_ptr<Operation> (*bind)(Device& device, Napi::Env env, const std::vector<napi_value>& values);
  bool (*supported)(const OpTable& table);
  Napi::Array (*describe)(Napi::Env env);
};

// By name; null when there is no such op.
const BoundOp* find_op(const std::string& name);
const std::vector<BoundOp>& all_ops();

}  // namespace sonotext::napi
