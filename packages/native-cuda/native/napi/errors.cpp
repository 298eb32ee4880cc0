#include "errors.hpp"

#include <utility>

namespace sonotext::napi {
namespace {

const char* code_name(Code code) {
  switch (code) {
    case Code::ok:
    case Code::invalid_argument:
      return kInvalidArgument;
    case Code::unsupported:
      return "UNSUPPORTED";
    case Code::cancelled:
      return "ABORTED";
    case Code::out_of_memory:
      return "OUT_OF_MEMORY";
    case Code::device_error:
      return "DEVICE_ERROR";
    case Code::rank_lost:
      return "RANK_LOST";
  }
  return "DEVICE_ERROR";
}

// Short rendering of a value for a message.
std::string describe(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_undefined:
      return "undefined";
    case napi_null:
      return "null";
    case napi_boolean:
      return value.As<Napi::Boolean>().Value() ? "true" : "false";
    case napi_number:
      return value.ToString().Utf8Value();
    case napi_string:
      return "\"" + value.As<Napi::String>().Utf8Value().substr(0, 80) + "\"";
    case napi_function:
      return "a function";
    case napi_object:
      break;
    default:
      return "a value of another type";
  }
  std::string name = "object";
  if (value.IsArray()) {
    return "array of length " + std::to_string(value.As<Napi::Array>().Length());
  }
  // Any code may stand behind these two, and a name may be anything: then it is just an object.
  try {
    const Napi::Value constructor = value.As<Napi::Object>().Get("constructor");
    const Napi::Value named =
        constructor.IsFunction() ? constructor.As<Napi::Object>().Get("name") : value.Env().Undefined();
    if (named.IsString()) name = named.As<Napi::String>().Utf8Value().substr(0, 80);
  } catch (const Napi::Error&) {
  }
  if (value.IsTypedArray())
    name += " of length " + std::to_string(value.As<Napi::TypedArray>().ElementLength());
  return name;
}

// "Expected <what> for <op>.<argument>, got <got>."
std::string message_of(const Status& status, const char* op) {
  std::string message;
  const std::string where = status.argument != nullptr ? std::string(op) + "." + status.argument : op;
  switch (status.code) {
    case Code::ok:
    case Code::invalid_argument:
      message = "Expected " + std::string(status.what);
      if (status.want != Status::kNotGiven) message += " (" + std::to_string(status.want) + ")";
      message += " for " + where;
      if (status.got != Status::kNotGiven) message += ", got " + std::to_string(status.got);
      message += ".";
      break;
    case Code::unsupported:
      message = where + " is not available here: " + status.what + ".";
      break;
    case Code::cancelled:
      message = "The operation was aborted.";
      break;
    case Code::out_of_memory:
      message = where + ": not enough memory" +
                (*status.what != '\0' ? std::string(" for ") + status.what : "") + ".";
      break;
    case Code::device_error:
      message = where + " failed on the device: " + status.what + ".";
      break;
    case Code::rank_lost:
      message = status.what;
      break;
  }
  return message;
}

// Plain calls, so that it can be used where an exception may not be thrown.
napi_value error_value(napi_env env, const char* code, const std::string& message, const char* op,
                       const char* argument) {
  napi_value error, text;
  if (napi_create_string_utf8(env, message.data(), message.size(), &text) != napi_ok ||
      napi_create_error(env, nullptr, text, &error) != napi_ok) {
    return nullptr;
  }
  const std::pair<const char*, const char*> fields[] = {{"code", code}, {"op", op}, {"argument", argument}};
  for (const auto& [name, value] : fields) {
    if (value == nullptr) continue;
    if (napi_create_string_utf8(env, value, NAPI_AUTO_LENGTH, &text) != napi_ok ||
        napi_set_named_property(env, error, name, text) != napi_ok) {
      return nullptr;
    }
  }
  return error;
}

}  // namespace

napi_value error_value(napi_env env, const Status& status, const char* op) {
  return error_value(env, code_name(status.code), message_of(status, op), op, status.argument);
}

Napi::Error make_error(Napi::Env env, const char* code, const std::string& message, const char* op,
                       const char* argument) {
  const napi_value value = error_value(env, code, message, op, argument);
  return value != nullptr ? Napi::Error(env, value) : Napi::Error::New(env);
}

Napi::Error make_error(Napi::Env env, const Status& status, const char* op) {
  return make_error(env, code_name(status.code), message_of(status, op), op, status.argument);
}

void throw_expected(const std::string& what, const std::string& name, const Napi::Value& got) {
  const std::size_t dot = name.find('.');
  const std::string op = dot == std::string::npos ? "" : name.substr(0, dot);
  throw make_error(got.Env(), kInvalidArgument,
                   "Expected " + what + " for " + name + ", got " + describe(got) + ".",
                   op.empty() ? nullptr : op.c_str(), op.empty() ? name.c_str() : name.c_str() + dot + 1);
}

}  // namespace sonotext::napi
