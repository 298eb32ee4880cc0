// Type-tagged JavaScript objects for what lives in C++: a device, a device's buffer, a cancel token.
#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <string>

#include "../core/device.hpp"

namespace sonotext::napi {

// Memory of a device that JavaScript holds by handle. Shared by the handle and by the ops in flight: the last
// of them frees it.
struct DeviceMemory {
  Device& device;
  float* const data;
  const i64 length;

  DeviceMemory(Device& device, float* data, i64 length) : device(device), data(data), length(length) {}
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;
  ~DeviceMemory() { device.free(data); }
};

// What a token has in common with the ops that have it. A type of our own: Node itself has templates of a shared bool, and a
// process must not mix those of two C++ libraries.
struct Cancelling {
  bool cancelled = false;  // JavaScript thread only
};
using CancelFlag = std::shared_ptr<Cancelling>;

Napi::Object make_device_handle(Napi::Env env, Device& device);
Napi::Object make_buffer_handle(Napi::Env env, std::shared_ptr<DeviceMemory> memory);
Napi::Object make_cancel_handle(Napi::Env env);

// Each throws INVALID_ARGUMENT naming `name` when the value is not such a handle (or is a disposed one).
Device& device_of(const Napi::Value& value, const std::string& name);
std::shared_ptr<DeviceMemory> memory_of(const Napi::Value& value, const std::string& name);
CancelFlag cancel_flag_of(const Napi::Value& value, const std::string& name);

bool is_buffer_handle(const Napi::Value& value);

// Gives the memory back now; false when that was done before.
bool dispose_buffer(const Napi::Value& value, const std::string& name);

}  // namespace sonotext::napi
