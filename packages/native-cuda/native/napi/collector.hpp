// The first step of binding a call: takes the arguments of an op from the caller's object.
//
// All that may run code of the caller (getters, proxies) happens in here, and it is one JavaScript function
// per op: that function also finds names the op does not have and arrays whose memory could be resized under
// it, for less than calls from C++ would cost. Pointers are taken afterwards (args.hpp), so none is older
// than the last line of JavaScript.
#pragma once

#include <napi.h>

#include <cstdint>
#include <vector>

#include "operation.hpp"

namespace sonotext::napi {

class Collector {
 public:
  explicit Collector(Napi::Env env);

  // The values in the order of visit(); undefined where there is none.
  std::vector<napi_value> collect(Napi::Env env, const BoundOp& op, napi_value object);

 private:
  struct Function {
    Napi::FunctionReference call;
    std::uint32_t values = 0;
  };

  Napi::FunctionReference make_;
  std::vector<Function> functions_;  // by op, made on first use
};

}  // namespace sonotext::napi
