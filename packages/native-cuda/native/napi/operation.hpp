// One call of an op, bound to its JavaScript arguments; the same object serves synchronous and asynchronous
// calls.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "../core/device.hpp"
#include "handles.hpp"

namespace sonotext::napi {

class Operation {
 public:
  Operation(const char* name, Device& device) : name(name), device(device) {}
  virtual ~Operation() = default;

  // Runs the op; arguments were checked when the object was made. Touches no JavaScript.
  virtual Status execute(const std::atomic<bool>& cancel) = 0;

  const char* const name;
  Device& device;
  std::vector<napi_value> arrays;  // valid during the call that made this object
  std::vector<std::shared_ptr<DeviceMemory>> memories;
};

struct BoundOp {
  const char* name;
  // Reads and checks the arguments; throws a JavaScript error. Null when the device has no entry for the op.
  std::unique_ptr<Operation> (*bind)(Device& device, const Napi::Object& args);
  bool (*supported)(const Device& device);
  Napi::Array (*describe)(Napi::Env env);
};

// By name; null when there is no such op.
const BoundOp* find_op(const std::string& name);
const std::vector<BoundOp>& all_ops();

}  // namespace sonotext::napi
