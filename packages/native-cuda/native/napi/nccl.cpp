#include "nccl.hpp"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../cuda/nccl.hpp"
#include "errors.hpp"
#include "handles.hpp"
#include "values.hpp"

namespace sonotext::napi {
namespace {

constexpr double kMost = 2147483647;

Napi::Array array_of(const Napi::Value& value, const char* what, const char* name) {
  if (!value.IsArray()) throw_expected(what, name, value);
  return value.As<Napi::Array>();
}

const unsigned char* id_of(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
      value.As<Napi::TypedArray>().ByteLength() != nccl::kIdBytes) {
    throw_expected("the bytes of createId()", "id", value);
  }
  return value.As<Napi::Uint8Array>().Data();
}

}  // namespace

Napi::Value nccl_summary(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const nccl::Summary& summary = nccl::summary();
  Napi::Object result = Napi::Object::New(env);
  result.Set("version",
             summary.version.empty() ? env.Null() : Napi::Value(Napi::String::New(env, summary.version)));
  result.Set("detail", summary.detail);
  return result;
}

Napi::Value nccl_address(const Napi::CallbackInfo& info) {
  std::string address;
  throw_if_failed(info.Env(), nccl::address(memory_of(info[0], "buffer")->device, address), "address");
  return Napi::String::New(info.Env(), address);
}

Napi::Value nccl_create_id(const Napi::CallbackInfo& info) {
  unsigned char id[nccl::kIdBytes];
  throw_if_failed(info.Env(), nccl::make_id(id), "createId");
  Napi::Uint8Array result = Napi::Uint8Array::New(info.Env(), nccl::kIdBytes);
  std::memcpy(result.Data(), id, nccl::kIdBytes);
  return result;
}

Napi::Value nccl_join(const Napi::CallbackInfo& info) {
  const auto memory = memory_of(info[0], "buffer");
  const i64 size = integer_of(info[3], 1, kMost, "a number of processes", "size");
  const i64 rank = integer_of(info[2], 0, static_cast<double>(size - 1), "a number below size", "rank");
  const unsigned char* id = id_of(info[1]);
  throw_if_failed(info.Env(), nccl::join(memory->device, id, static_cast<int>(rank), static_cast<int>(size)),
                  "join");
  return info.Env().Undefined();
}

Napi::Value nccl_all_reduce(const Napi::CallbackInfo& info) {
  const Napi::Array given = array_of(info[0], "an array of buffers", "buffers");
  std::vector<std::shared_ptr<DeviceMemory>> memories;
  std::vector<F32Out> buffers;
  for (std::uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::Value value = given.Get(i);
    memories.push_back(memory_of(value, "buffers"));
    buffers.push_back({memories.back()->data, memories.back()->length});
    if (&memories.back()->device != &memories.front()->device)
      throw_expected("buffers of one device", "buffers", value);
  }
  if (!memories.empty())
    throw_if_failed(info.Env(), nccl::all_reduce(memories.front()->device, buffers), "allReduce");
  return info.Env().Undefined();
}

Napi::Value nccl_all_gather(const Napi::CallbackInfo& info) {
  const Napi::Array given = array_of(info[2], "an array of lengths", "lengths");
  std::vector<i64> lengths;
  for (std::uint32_t i = 0; i < given.Length(); ++i)
    lengths.push_back(integer_of(given.Get(i), 0, 9007199254740991.0, "numbers of elements", "lengths"));
  const auto part = memory_of(info[0], "part");
  const auto whole = memory_of(info[1], "whole");
  if (&part->device != &whole->device) throw_expected("a buffer of the device of part", "whole", info[1]);
  const Status status = nccl::all_gather(part->device, {part->data, part->length},
                                         {whole->data, whole->length}, lengths);
  throw_if_failed(info.Env(), status, "allGather");
  return info.Env().Undefined();
}

Napi::Value nccl_problem(const Napi::CallbackInfo& info) {
  const std::string problem = nccl::problem();
  return problem.empty() ? info.Env().Null() : Napi::Value(Napi::String::New(info.Env(), problem));
}

Napi::Value nccl_give_up(const Napi::CallbackInfo& info) {
  nccl::give_up(text_of(info[0], "reason"));
  return info.Env().Undefined();
}

Napi::Value nccl_leave(const Napi::CallbackInfo& info) {
  nccl::leave();
  return info.Env().Undefined();
}

}  // namespace sonotext::napi
