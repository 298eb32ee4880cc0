// What one environment (main thread or worker thread) has of its own.
#pragma once

#include <napi.h>

#include "async_op.hpp"
#include "collector.hpp"

namespace sonotext::napi {

struct Instance {
  explicit Instance(Napi::Env env) : collector(env), async(env) {}

  static Instance& of(Napi::Env env) { return *env.GetInstanceData<Instance>(); }

  Collector collector;
  Napi::FunctionReference refuse_transfer;  // stands in for transfer() of memory of ours
  AsyncOps async;
};

}  // namespace sonotext::napi
