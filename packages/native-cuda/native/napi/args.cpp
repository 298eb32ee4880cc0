#include "args.hpp"

#include <cmath>

#include "errors.hpp"
#include "values.hpp"

namespace sonotext::napi {

void ArgsReader::integer(const char* name, i64& value) {
  double number;
  const napi_value given = *next_++;
  if (napi_get_value_double(env_, given, &number) != napi_ok || !(std::fabs(number) <= 9007199254740991.0) ||
      number != std::trunc(number)) {
    throw_expected("an integer", path(name), Napi::Value(env_, given));
  }
  value = static_cast<i64>(number);
}

void ArgsReader::number(const char* name, double& value) {
  const napi_value given = *next_++;
  if (napi_get_value_double(env_, given, &value) != napi_ok) {
    throw_expected("a number", path(name), Napi::Value(env_, given));
  }
}

template <class T>
View<T> ArgsReader::array_view(const char* name, napi_value value) {
  const auto type = kIsFloat<T> ? napi_float32_array : sizeof(T) == 1 ? napi_uint8_array : napi_int32_array;
  const ArrayMemory memory = array_memory(Napi::Value(env_, value), type, op_, name);
  arrays.push_back({value, static_cast<const unsigned char*>(memory.data), memory.length * sizeof(T)});
  return {static_cast<T*>(memory.data), static_cast<i64>(memory.length)};
}

template View<const float> ArgsReader::array_view(const char*, napi_value);
template View<float> ArgsReader::array_view(const char*, napi_value);
template View<const std::int32_t> ArgsReader::array_view(const char*, napi_value);
template View<std::int32_t> ArgsReader::array_view(const char*, napi_value);
template View<const std::uint32_t> ArgsReader::array_view(const char*, napi_value);
template View<std::uint32_t> ArgsReader::array_view(const char*, napi_value);
template View<const unsigned char> ArgsReader::array_view(const char*, napi_value);

const DeviceMemory& ArgsReader::read_buffer(const char* name, napi_value raw) {
  const Napi::Value value(env_, raw);
  if (!is_buffer_handle(value))
    throw_expected(std::string("a buffer of device ") + device_.name(), path(name), value);
  std::shared_ptr<DeviceMemory> memory = memory_of(value, path(name));
  if (&memory->device != &device_) {
    throw make_error(env_, kInvalidArgument,
                     std::string("Expected a buffer of device ") + device_.name() + " for " + path(name) +
                         ", got one of another device (" + memory->device.name() + ").",
                     op_, name);
  }
  memories.push_back(std::move(memory));
  return *memories.back();
}

bool ArgsReader::is_absent(napi_value value) const {
  napi_valuetype type;
  return napi_typeof(env_, value, &type) == napi_ok && (type == napi_undefined || type == napi_null);
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
