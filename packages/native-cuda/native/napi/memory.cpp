#include "memory.hpp"

#include <cstring>
#include <memory>
#include <string>

#include "../core/aligned.hpp"
#include "../core/device.hpp"
#include "async_op.hpp"
#include "errors.hpp"
#include "handles.hpp"
#include "instance.hpp"
#include "values.hpp"

namespace sonotext::napi {
namespace {

// Memory of an array buffer. A runtime that refuses memory of others may or may not call the finaliser on the
// way out, so the block says for itself whether that happened.
struct HostBlock {
  void* data;
  const i64 bytes;
  bool adopted = false;  // by an array buffer, whose finaliser ends the block

  ~HostBlock() { aligned_release(data); }
};

void finalise_block(napi_env env, void*, void* hint) {
  auto* const block = static_cast<HostBlock*>(hint);
  AsyncOps::before_release(block->data, static_cast<std::size_t>(block->bytes));
  aligned_release(block->data);
  block->data = nullptr;
  if (!block->adopted) return;
  int64_t total;
  napi_adjust_external_memory(env, -block->bytes, &total);
  delete block;
}

// Null where the runtime refuses.
napi_value adopt(napi_env env, std::unique_ptr<HostBlock> block) {
  napi_value buffer;
  if (napi_create_external_arraybuffer(env, block->data, static_cast<std::size_t>(block->bytes),
                                       finalise_block, block.get(), &buffer) != napi_ok) {
    bool pending = false;
    napi_value refusal;
    if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
      napi_get_and_clear_last_exception(env, &refusal);
    return nullptr;
  }
  block->adopted = true;
  int64_t total;
  napi_adjust_external_memory(env, block.release()->bytes, &total);
  return buffer;
}

}  // namespace

Napi::Value refuse_transfer(const Napi::CallbackInfo& info) {
  throw make_error(info.Env(), kInvalidArgument,
                   "Expected memory of the library to stay where it is, got a transfer of it: slice() makes a copy that "
                   "may go.");
}

Napi::Value host_array(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const i64 length = integer_of(info[0], 0, 1099511627776.0, "a number of elements", "length");
  const i64 bytes = length * static_cast<i64>(sizeof(float));
  std::unique_ptr<HostBlock> block(new HostBlock{aligned_allocate(bytes, Contents::unspecified), bytes});
  void* const data = block->data;
  if (data == nullptr) throw make_error(env, {Code::out_of_memory, "a host array"}, "hostArray");
  const napi_value buffer = adopt(env, std::move(block));
  if (buffer == nullptr) return Napi::Float32Array::New(env, static_cast<std::size_t>(length));
  // Node frees the memory when the environment ends, whoever has it by then; it refuses to post it, but would let it be
  // posted as the memory of another array buffer, after a transfer.
  const napi_value refusal = Instance::of(env).refuse_transfer.Value();
  const auto fixed = [refusal](const char* name) {
    return napi_property_descriptor{name, nullptr, nullptr, nullptr, nullptr, refusal, napi_default, nullptr};
  };
  const napi_property_descriptor methods[] = {fixed("transfer"), fixed("transferToFixedLength")};
  if (napi_define_properties(env, buffer, 2, methods) != napi_ok) throw Napi::Error::New(env);
  const auto array =
      Napi::Float32Array::New(env, static_cast<std::size_t>(length), Napi::ArrayBuffer(env, buffer), 0);
  // Not before the runtime has taken it: what it refuses may be gigabytes, and touching them is what costs.
  std::memset(data, 0, static_cast<std::size_t>(bytes));
  return array;
}

Napi::Value alloc(const Napi::CallbackInfo& info) {
  Device& device = device_of(info[0], "device");
  const i64 length = integer_of(info[1], 0, 9007199254740991.0, "a number of elements", "length");
  if (device.host_memory()) {
    throw make_error(info.Env(), kInvalidArgument,
                     std::string("Expected a device with memory of its own, got ") + device.name() +
                         ": its buffers are Float32Arrays.");
  }
  float* data = nullptr;
  throw_if_failed(info.Env(), device.alloc(length, &data), "alloc");
  return make_buffer_handle(info.Env(), std::make_shared<DeviceMemory>(device, data, length));
}

Napi::Value dispose(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), dispose_buffer(info[0], "buffer"));
}

Napi::Value upload(const Napi::CallbackInfo& info) {
  const auto target = memory_of(info[1], "target");
  const float* source = floats_of(info[0], target->length, "source");
  throw_if_failed(info.Env(), target->device.upload(source, target->data, target->length), "upload");
  return info.Env().Undefined();
}

Napi::Value download(const Napi::CallbackInfo& info) {
  const auto source = memory_of(info[0], "source");
  float* target = floats_of(info[1], source->length, "target");
  throw_if_failed(info.Env(), source->device.download(source->data, target, source->length), "download");
  return info.Env().Undefined();
}

Napi::Value fill(const Napi::CallbackInfo& info) {
  const auto target = memory_of(info[0], "target");
  if (!info[1].IsNumber()) throw_expected("a number", "value", info[1]);
  const float value = info[1].As<Napi::Number>().FloatValue();
  throw_if_failed(info.Env(), target->device.fill(target->data, target->length, value), "fill");
  return info.Env().Undefined();
}

Napi::Value copy(const Napi::CallbackInfo& info) {
  const auto source = memory_of(info[0], "source");
  const auto target = memory_of(info[1], "target");
  if (&source->device != &target->device || source->length != target->length) {
    const auto text = [](const DeviceMemory& m) {
      return std::to_string(m.length) + " on " + m.device.name();
    };
    throw make_error(info.Env(), kInvalidArgument,
                     "Expected two buffers of one device and one length for copy, got " + text(*source) +
                         " and " + text(*target) + ".");
  }
  throw_if_failed(info.Env(), source->device.copy(source->data, target->data, source->length), "copy");
  return info.Env().Undefined();
}

}  // namespace sonotext::napi
