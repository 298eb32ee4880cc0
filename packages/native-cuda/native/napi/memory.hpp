// Exports for memory: host arrays, and the buffers of devices that have memory of their own.
#pragma once

#include <napi.h>

namespace sonotext::napi {

// hostArray(length) → Float32Array over aligned memory, for host backends: what `new Float32Array` gives lies
// 16 bytes past a cache line
Napi::Value host_array(const Napi::CallbackInfo& info);

// What transfer() of its memory does: it throws.
Napi::Value refuse_transfer(const Napi::CallbackInfo& info);

// alloc(device, length) → handle
Napi::Value alloc(const Napi::CallbackInfo& info);

// dispose(buffer) → whether it was alive
Napi::Value dispose(const Napi::CallbackInfo& info);

// upload(source, target), download(source, target), fill(target, value), copy(source, target)
Napi::Value upload(const Napi::CallbackInfo& info);
Napi::Value download(const Napi::CallbackInfo& info);
Napi::Value fill(const Napi::CallbackInfo& info);
Napi::Value copy(const Napi::CallbackInfo& info);

}  // namespace sonotext::napi
