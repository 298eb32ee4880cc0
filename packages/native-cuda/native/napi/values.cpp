#include "values.hpp"

#include <cmath>

#include "errors.hpp"

namespace sonotext::napi {
namespace {

alignas(64) float nothing[16];  // the memory of empty arrays

std::string path(const char* op, const char* name) {
  return op == nullptr ? std::string(name) : std::string(op) + "." + name;
}

}  // namespace

bool is_absent(const Napi::Value& value) { return value.IsUndefined() || value.IsNull(); }

std::string text_of(const Napi::Value& value, const char* name) {
  if (!value.IsString()) throw_expected("a string", name, value);
  return value.As<Napi::String>().Utf8Value();
}

i64 integer_of(const Napi::Value& value, double least, double most, const char* what, const char* name) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : NAN;
  if (!(number >= least && number <= most) || number != std::trunc(number)) throw_expected(what, name, value);
  return static_cast<i64>(number);
}

void refuse_resizable(const Napi::Value& value, const char* op, const char* name) {
  const napi_env env = value.Env();
  napi_value buffer, resizable;
  if (napi_get_typedarray_info(env, value, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok) return;
  if (napi_get_named_property(env, buffer, "resizable", &resizable) != napi_ok) throw Napi::Error::New(env);
  bool yes = false;
  if (napi_get_value_bool(env, resizable, &yes) != napi_ok || !yes) return;
  throw make_error(env, kInvalidArgument,
                   "Expected an array of fixed memory for " + path(op, name) +
                       ", got one over an ArrayBuffer that can be resized. Copy it with slice().",
                   op, name);
}

ArrayMemory array_memory(const Napi::Value& value, napi_typedarray_type type, const char* op,
                         const char* name) {
  const napi_env env = value.Env();
  ArrayMemory memory;
  // Neither kind: where the runtime knows kinds that its Node-API does not (Float16Array in Node 24), it
  // writes nothing here.
  napi_typedarray_type found = napi_uint8_clamped_array;
  napi_value buffer;
  if (napi_get_typedarray_info(env, value, &found, &memory.length, &memory.data, &buffer, nullptr) !=
          napi_ok ||
      found != type) {
    throw_expected(type == napi_float32_array ? "a Float32Array"
                   : type == napi_uint8_array ? "a Uint8Array"
                                              : "an Int32Array",
                   path(op, name), value);
  }
  if (memory.length > 0) return memory;
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached) {
    throw make_error(env, kInvalidArgument,
                     "Expected an array with memory for " + path(op, name) +
                         ", got a detached one: its memory was transferred elsewhere.",
                     op, name);
  }
  memory.data = nothing;
  return memory;
}

float* floats_of(const Napi::Value& value, i64 length, const char* name) {
  if (!value.IsTypedArray())
    throw_expected("a Float32Array of length " + std::to_string(length), name, value);
  refuse_resizable(value, nullptr, name);
  const ArrayMemory memory = array_memory(value, napi_float32_array, nullptr, name);
  if (static_cast<i64>(memory.length) != length) {
    throw_expected("a Float32Array of length " + std::to_string(length), name, value);
  }
  return static_cast<float*>(memory.data);
}

}  // namespace sonotext::napi
