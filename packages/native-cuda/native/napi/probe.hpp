// Exports for benchmarks and accuracy tests.
#pragma once

#include <napi.h>

namespace sonotext::napi {

// fmaPeak(isa, threads, milliseconds) → GFLOP/s
Napi::Value fma_peak(const Napi::CallbackInfo& info);

// threadSeconds() → time this thread has had on a core
Napi::Value thread_seconds(const Napi::CallbackInfo& info);

// vectorMath(isa, name, x, out)
Napi::Value vector_math(const Napi::CallbackInfo& info);

}  // namespace sonotext::napi
