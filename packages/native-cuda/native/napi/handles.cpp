#include "handles.hpp"

#include "../core/ops.hpp"
#include "errors.hpp"

namespace sonotext::napi {
namespace {

// FNV-1a over what a handle's reader must agree on with its maker: a process may have two versions of this
// addon, and a handle of one is a stranger to the other.
constexpr std::uint64_t kOpsDigest = [] {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001b3; };
#define SONOTEXT_MIX(op, Args)                                                    \
  for (const char* c = #op; *c != '\0'; ++c) mix(static_cast<std::uint64_t>(*c)); \
  mix(sizeof(Args));
  SONOTEXT_OPS(SONOTEXT_MIX)
#undef SONOTEXT_MIX
  return hash;
}();

constexpr napi_type_tag kDeviceTag = {0x8f1d2a6b40c94e57, kOpsDigest};
constexpr napi_type_tag kBufferTag = {0x3c7e90ab5d124f06, kOpsDigest};
constexpr napi_type_tag kCancelTag = {0xd2086f4c19be4a73, kOpsDigest};

struct DeviceBox {
  Device* device;
  void gone(napi_env) {}
};

// The collector sees a handle of some hundred bytes: it is told of the memory behind it, or forgotten buffers
// would fill a device long before they are collected.
struct BufferBox {
  std::shared_ptr<DeviceMemory> memory;  // null once disposed

  void report(napi_env env, i64 sign) const {
    int64_t total;
    napi_adjust_external_memory(env, sign * memory->length * static_cast<i64>(sizeof(float)), &total);
  }
  void gone(napi_env env) {
    if (memory == nullptr) return;
    report(env, -1);
    memory.reset();
  }
};

struct CancelBox {
  CancelFlag flag;
  void gone(napi_env) {}
};

template <class Box>
Napi::Object wrap(Napi::Env env, const napi_type_tag& tag, std::unique_ptr<Box> box) {
  Napi::Object object = Napi::Object::New(env);
  object.TypeTag(&tag);
  const auto finalise = [](napi_env gone_env, void* data, void*) {
    const std::unique_ptr<Box> gone(static_cast<Box*>(data));
    gone->gone(gone_env);
  };
  if (napi_wrap(env, object, box.get(), finalise, nullptr, nullptr) != napi_ok) throw Napi::Error::New(env);
  box.release();
  return object;
}

bool has_tag(const Napi::Value& value, const napi_type_tag& tag) {
  bool matches = false;
  return value.IsObject() && napi_check_object_type_tag(value.Env(), value, &tag, &matches) == napi_ok &&
         matches;
}

template <class Box>
Box* unwrap(const Napi::Value& value, const napi_type_tag& tag) {
  void* data = nullptr;
  if (!has_tag(value, tag) || napi_unwrap(value.Env(), value, &data) != napi_ok) return nullptr;
  return static_cast<Box*>(data);
}

void constant(Napi::Object& object, const char* name, const Napi::Value& value) {
  object.DefineProperty(Napi::PropertyDescriptor::Value(name, value, napi_enumerable));
}

}  // namespace

Napi::Object make_device_handle(Napi::Env env, Device& device) {
  Napi::Object object = wrap(env, kDeviceTag, std::make_unique<DeviceBox>(DeviceBox{&device}));
  constant(object, "name", Napi::String::New(env, device.name()));
  constant(object, "isa",
           device.isa() != nullptr ? Napi::Value(Napi::String::New(env, device.isa())) : env.Null());
  constant(object, "matmul", Napi::String::New(env, device.matmul()));
  constant(object, "hostMemory", Napi::Boolean::New(env, device.host_memory()));
  return object;
}

Napi::Object make_buffer_handle(Napi::Env env, std::shared_ptr<DeviceMemory> memory) {
  const i64 length = memory->length;
  const char* device = memory->device.name();
  auto box = std::make_unique<BufferBox>(BufferBox{std::move(memory)});
  const BufferBox& held = *box;
  Napi::Object object = wrap(env, kBufferTag, std::move(box));
  held.report(env, 1);
  constant(object, "device", Napi::String::New(env, device));
  constant(object, "length", Napi::Number::New(env, static_cast<double>(length)));
  return object;
}

Napi::Object make_cancel_handle(Napi::Env env) {
  return wrap(env, kCancelTag, std::make_unique<CancelBox>(CancelBox{std::make_shared<Cancelling>()}));
}

Device& device_of(const Napi::Value& value, const std::string& name) {
  const auto* box = unwrap<DeviceBox>(value, kDeviceTag);
  if (box == nullptr) throw_expected("a device from openDevice()", name, value);
  return *box->device;
}

std::shared_ptr<DeviceMemory> memory_of(const Napi::Value& value, const std::string& name) {
  const auto* box = unwrap<BufferBox>(value, kBufferTag);
  if (box == nullptr) throw_expected("a device buffer from alloc()", name, value);
  if (box->memory == nullptr) {
    throw make_error(value.Env(), kInvalidArgument,
                     "Expected a buffer that is still alive for " + name + ", got one that was disposed.");
  }
  return box->memory;
}

CancelFlag cancel_flag_of(const Napi::Value& value, const std::string& name) {
  const auto* box = unwrap<CancelBox>(value, kCancelTag);
  if (box == nullptr) throw_expected("a token from createCancelToken()", name, value);
  return box->flag;
}

bool is_buffer_handle(const Napi::Value& value) { return has_tag(value, kBufferTag); }

bool dispose_buffer(const Napi::Value& value, const std::string& name) {
  auto* box = unwrap<BufferBox>(value, kBufferTag);
  if (box == nullptr) throw_expected("a device buffer from alloc()", name, value);
  const bool alive = box->memory != nullptr;
  box->gone(value.Env());
  return alive;
}

}  // namespace sonotext::napi
