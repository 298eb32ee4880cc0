#include "args.hpp"

#include <cmath>

namespace sonotext::napi {
namespace {

// An empty typed array may have no memory at all, but it is given: a view's null means "not given".
alignas(64) float nothing[16];

}  // namespace

Napi::Value ArgsReader::get(const char* name) {
  names_.push_back(name);
  return object_.Get(name);
}

void ArgsReader::integer(const char* name, i64& value) {
  const Napi::Value given = get(name);
  const double number = given.IsNumber() ? given.As<Napi::Number>().DoubleValue() : NAN;
  if (!(std::fabs(number) <= 9007199254740991.0) || number != std::trunc(number)) {
    throw_expected("an integer", path(name), given);
  }
  value = static_cast<i64>(number);
}

void ArgsReader::number(const char* name, double& value) {
  const Napi::Value given = get(name);
  if (!given.IsNumber()) throw_expected("a number", path(name), given);
  value = given.As<Napi::Number>().DoubleValue();
}

std::size_t ArgsReader::read_array(const char* name, const Napi::Value& value, bool wants_float,
                                   void** data) {
  napi_typedarray_type type;
  std::size_t length = 0;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, &length, data, nullptr, nullptr) != napi_ok ||
      type != (wants_float ? napi_float32_array : napi_int32_array)) {
    throw_expected(wants_float ? "a Float32Array" : "an Int32Array", path(name), value);
  }
  if (length == 0) *data = nothing;
  arrays.push_back(value);
  return length;
}

void* ArgsReader::read_buffer(const char* name, const Napi::Value& value) {
  if (!is_buffer_handle(value))
    throw_expected(std::string("a buffer of device ") + device_.name(), path(name), value);
  std::shared_ptr<DeviceMemory> memory = memory_of(value, path(name));
  if (&memory->device != &device_) {
    throw make_error(value.Env(), kInvalidArgument,
                     std::string("Expected a buffer of device ") + device_.name() + " for " + path(name) +
                         ", got one of another device (" + memory->device.name() + ").",
                     op_, name);
  }
  memories.push_back(std::move(memory));
  return memories.back()->data;
}

void ArgsReader::finish() {
  const Napi::Array given = object_.GetPropertyNames();
  if (given.Length() <= names_.size()) return;
  for (std::uint32_t i = 0; i < given.Length(); ++i) {
    const std::string key = given.Get(i).ToString().Utf8Value();
    bool known = false;
    for (const char* name : names_) known = known || key == name;
    if (known) continue;
    std::string all;
    for (const char* name : names_) all += (all.empty() ? "" : ", ") + std::string(name);
    throw make_error(
        object_.Env(), kInvalidArgument,
        std::string("Expected only the arguments of ") + op_ + " (" + all + "), got " + key + ".", op_,
        key.c_str());
  }
}

void ArgsDescriber::add(const char* name, const char* direction, const char* type, bool optional) {
  const Napi::Env env = list.Env();
  Napi::Object entry = Napi::Object::New(env);
  entry.Set("name", name);
  entry.Set("direction", direction);
  entry.Set("type", type);
  entry.Set("optional", Napi::Boolean::New(env, optional));
  list.Set(list.Length(), entry);
}

}  // namespace sonotext::napi
