#include "collector.hpp"

namespace sonotext::napi {
namespace {

// `list` is what ops() says of the op's arguments.
constexpr const char* kScript = R"js((op, list) => {
  'use strict'
  const names = list.map(({ name }) => name)
  const known = new Set(names)
  // What the engine knows of an array, not what its properties say: those can be anyone's.
  const call = Function.prototype.call.bind(Function.prototype.call)
  const getter = (object, name) => Object.getOwnPropertyDescriptor(object, name)?.get
  const typedArray = Object.getPrototypeOf(Int8Array.prototype)
  const kindOf = getter(typedArray, Symbol.toStringTag), bufferOf = getter(typedArray, 'buffer')
  const isResizable = getter(ArrayBuffer.prototype, 'resizable') ?? (() => false)
  const canBeResized = (array) => {
    try { return call(isResizable, call(bufferOf, array)) } catch { return false }  // a SharedArrayBuffer only grows
  }
  const refusal = (expected, argument, got) =>
    Object.assign(new Error(`Expected ${expected}, got ${got}.`), { code: 'INVALID_ARGUMENT', op, argument })
  const { getOwnPropertyNames, getPrototypeOf, prototype: plain } = Object
  const assertKnown = (name) => {
    if (!known.has(name)) throw refusal(`only the arguments of ${op} (${names.join(', ')})`, name, name)
  }
  return (object) => {
    for (const name of getOwnPropertyNames(object)) assertKnown(name)  // the hidden ones too
    if (getPrototypeOf(object) !== plain) for (const name in object) assertKnown(name)
    const values = []
    for (let i = 0; i < names.length; i++) {
      const value = object[names[i]]
      if (call(kindOf, value) !== undefined && canBeResized(value)) {
        throw refusal(`an array of fixed memory for ${op}.${names[i]}`, names[i],
          'one over an ArrayBuffer that can be resized (slice() makes a copy that cannot)')
      }
      values[i] = value
    }
    return values
  }
})js";

}  // namespace

Collector::Collector(Napi::Env env) : functions_(all_ops().size()) {
  napi_value source, make;
  if (napi_create_string_utf8(env, kScript, NAPI_AUTO_LENGTH, &source) != napi_ok ||
      napi_run_script(env, source, &make) != napi_ok) {
    throw Napi::Error::New(env);
  }
  make_ = Napi::Persistent(Napi::Function(env, make));
}

std::vector<napi_value> Collector::collect(Napi::Env env, const BoundOp& op, napi_value object) {
  Function& function = functions_[static_cast<std::size_t>(&op - all_ops().data())];
  if (function.call.IsEmpty()) {
    const Napi::Array described = op.describe(env);
    function.values = described.Length();
    function.call =
        Napi::Persistent(make_.Call({Napi::String::New(env, op.name), described}).As<Napi::Function>());
  }
  napi_value list, undefined;
  if (napi_get_undefined(env, &undefined) != napi_ok ||
      napi_call_function(env, undefined, function.call.Value(), 1, &object, &list) != napi_ok) {
    throw Napi::Error::New(env);
  }
  std::vector<napi_value> values(function.values);
  for (std::uint32_t i = 0; i < function.values; ++i) {
    if (napi_get_element(env, list, i, &values[i]) != napi_ok) throw Napi::Error::New(env);
  }
  return values;
}

}  // namespace sonotext::napi
