// JavaScript errors with the fields SonotextError is made from: code, op, argument.
#pragma once

#include <napi.h>

#include <string>

#include "../core/status.hpp"

namespace sonotext::napi {

// Names of core-ts's ErrorCode.
constexpr const char* kInvalidArgument = "INVALID_ARGUMENT";
constexpr const char* kUnavailable = "BACKEND_UNAVAILABLE";

// Null when the environment may run no more JavaScript; never throws one.
napi_value error_value(napi_env env, const Status& status, const char* op);

Napi::Error make_error(Napi::Env env, const char* code, const std::string& message, const char* op = nullptr,
                       const char* argument = nullptr);

// "Expected <what> for <op>.<argument>, got <got>."
Napi::Error make_error(Napi::Env env, const Status& status, const char* op);

inline void throw_if_failed(Napi::Env env, const Status& status, const char* op) {
  if (!status.ok()) throw make_error(env, status, op);
}

// Throws INVALID_ARGUMENT: "Expected <what> for <name>, got <value>." A name 'op.argument' fills both fields.
[[noreturn]] void throw_expected(const std::string& what, const std::string& name, const Napi::Value& got);

}  // namespace sonotext::napi
