// What JavaScript sees; packages/native-cuda/src/addon.d.ts is its typed description.
#include <napi.h>

#include <cmath>
#include <memory>
#include <new>
#include <string>

#if defined(_WIN32)
#define NOMINMAX
#define WIN32_LEAN_AND_MEAN
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "../core/aligned.hpp"
#include "../core/device.hpp"
#include "../core/pool.hpp"
#include "../cpu/resolve.hpp"
#include "../cuda/device.hpp"
#include "async_op.hpp"
#include "errors.hpp"
#include "handles.hpp"
#include "operation.hpp"
#include "probe.hpp"

namespace sonotext::napi {
namespace {

struct Instance {
  explicit Instance(Napi::Env env) : async(env) {}
  AsyncOps async;
};

// The pool's threads run code of this library for the rest of the process, also after the worker thread that
// loaded it is gone: keep it mapped.
void pin_library() {
#if defined(_WIN32)
  HMODULE module;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&pin_library), &module);
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&pin_library), &info) != 0) {
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
  }
#endif
}

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

void throw_if_failed(Napi::Env env, const Status& status, const char* what) {
  if (!status.ok()) throw make_error(env, status, what);
}

const BoundOp& op_of(const Napi::Value& value) {
  const BoundOp* op = find_op(text_of(value, "op"));
  if (op == nullptr) throw_expected("the name of an op", "op", value);
  return *op;
}

// (device, op, args, …)
std::unique_ptr<Operation> bind(const Napi::CallbackInfo& info) {
  Device& device = device_of(info[0], "device");
  const BoundOp& op = op_of(info[1]);
  if (!info[2].IsObject()) throw_expected("an object with the op's arguments", "args", info[2]);
  std::unique_ptr<Operation> bound = op.bind(device, info[2].As<Napi::Object>());
  if (bound == nullptr) {
    throw make_error(info.Env(), "UNSUPPORTED",
                     std::string(device.name()) + " has no entry for " + op.name + ".", op.name);
  }
  return bound;
}

Napi::Value run_sync(const Napi::CallbackInfo& info) {
  const std::unique_ptr<Operation> operation = bind(info);
  const std::atomic<bool> never{false};
  Status status;
  try {
    status = operation->execute(never);
  } catch (const std::bad_alloc&) {
    status = {Code::out_of_memory};
  }
  throw_if_failed(info.Env(), status, operation->name);
  return info.Env().Undefined();
}

Napi::Value run_async(const Napi::CallbackInfo& info) {
  CancelFlag cancel =
      is_absent(info[3]) ? std::make_shared<std::atomic<bool>>(false) : cancel_flag_of(info[3], "cancel");
  return info.Env().GetInstanceData<Instance>()->async.start(info.Env(), bind(info), std::move(cancel));
}

Napi::Value create_cancel_token(const Napi::CallbackInfo& info) { return make_cancel_handle(info.Env()); }

Napi::Value cancel(const Napi::CallbackInfo& info) {
  cancel_flag_of(info[0], "token")->store(true);
  return info.Env().Undefined();
}

Napi::Value open_device_by_name(const Napi::CallbackInfo& info) {
  const std::string name = text_of(info[0], "device");
  const std::string isa = is_absent(info[1]) ? "" : text_of(info[1], "isa");
  std::string reason;
  Device* device = open_device(name, isa, reason);
  if (device == nullptr) throw make_error(info.Env(), kUnavailable, reason);
  return make_device_handle(info.Env(), *device);
}

Napi::Value supports(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), op_of(info[1]).supported(device_of(info[0], "device")));
}

// ---- memory of devices that have their own ----

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

// A Float32Array over aligned memory, for host backends: what `new Float32Array` gives lies 16 bytes past a
// cache line.
Napi::Value host_array(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const i64 length = integer_of(info[0], 0, 1099511627776.0, "a number of elements", "length");
  const i64 bytes = length * static_cast<i64>(sizeof(float));
  void* data = aligned_allocate(bytes);
  if (data == nullptr) throw make_error(env, {Code::out_of_memory, "a host array"}, "hostArray");
  napi_value buffer;
  const auto release = [](napi_env finaliser_env, void* memory, void* hint) {
    int64_t total;
    napi_adjust_external_memory(finaliser_env, -static_cast<int64_t>(reinterpret_cast<std::intptr_t>(hint)),
                                &total);
    aligned_release(memory);
  };
  const napi_status status = napi_create_external_arraybuffer(
      env, data, static_cast<std::size_t>(bytes), release, reinterpret_cast<void*>(bytes), &buffer);
  if (status != napi_ok) {  // some runtimes allow no memory of others
    aligned_release(data);
    return Napi::Float32Array::New(env, static_cast<std::size_t>(length));
  }
  int64_t total;
  napi_adjust_external_memory(env, bytes, &total);
  return Napi::Float32Array::New(env, static_cast<std::size_t>(length), Napi::ArrayBuffer(env, buffer), 0);
}

float* host_floats(const Napi::Value& value, const char* name, i64 length) {
  napi_typedarray_type type;
  std::size_t count = 0;
  void* data = nullptr;
  if (!value.IsTypedArray() ||
      napi_get_typedarray_info(value.Env(), value, &type, &count, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float32_array || static_cast<i64>(count) != length) {
    throw_expected("a Float32Array of length " + std::to_string(length), name, value);
  }
  return static_cast<float*>(data);
}

Napi::Value upload(const Napi::CallbackInfo& info) {
  const auto target = memory_of(info[1], "target");
  const float* source = host_floats(info[0], "source", target->length);
  throw_if_failed(info.Env(), target->device.upload(source, target->data, target->length), "upload");
  return info.Env().Undefined();
}

Napi::Value download(const Napi::CallbackInfo& info) {
  const auto source = memory_of(info[0], "source");
  float* target = host_floats(info[1], "target", source->length);
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

// ---- what there is ----

Napi::Value devices(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const DeviceSummary& summary : list_devices()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", summary.name);
    entry.Set("available", Napi::Boolean::New(info.Env(), summary.available));
    entry.Set("detail", summary.detail);
    list.Set(list.Length(), entry);
  }
  return list;
}

Napi::Value list_instruction_sets(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const InstructionSet& set : instruction_sets()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", set.name);
    entry.Set("supported", Napi::Boolean::New(info.Env(), set.supported));
    list.Set(list.Length(), entry);
  }
  return list;
}

Napi::Value ops(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (const BoundOp& op : all_ops()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", op.name);
    entry.Set("args", op.describe(info.Env()));
    list.Set(list.Length(), entry);
  }
  return list;
}

Napi::Value threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), ThreadPool::instance().threads());
}

Napi::Value set_threads(const Napi::CallbackInfo& info) {
  const i64 count = integer_of(info[0], 1, ThreadPool::kMaxThreads, "an integer from 1 to 256", "threads");
  ThreadPool::instance().set_threads(static_cast<int>(count));
  return threads(info);
}

#if defined(__clang__)
constexpr const char* kCompiler = "Clang " __clang_version__;
#else
constexpr const char* kCompiler = "GCC " __VERSION__;
#endif

Napi::Value build_info(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("compiler", kCompiler);
  result.Set("cuda", Napi::Number::New(info.Env(), cuda_build_version()));
  result.Set("physicalCores", Napi::Number::New(info.Env(), ThreadPool::physical_cores()));
  return result;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  pin_library();
  auto* instance = new Instance(env);
  env.SetInstanceData(instance);
  // Hooks run in reverse order: this one before the thread-safe function's own.
  env.AddCleanupHook([instance] { instance->async.shut_down(); });

  const auto method = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    exports.Set(name, Napi::Function::New(env, function, name));
  };
  method("run", run_sync);
  method("runAsync", run_async);
  method("createCancelToken", create_cancel_token);
  method("cancel", cancel);
  method("openDevice", open_device_by_name);
  method("supports", supports);
  method("hostArray", host_array);
  method("alloc", alloc);
  method("dispose", dispose);
  method("upload", upload);
  method("download", download);
  method("fill", fill);
  method("copy", copy);
  method("devices", devices);
  method("instructionSets", list_instruction_sets);
  method("ops", ops);
  method("threads", threads);
  method("setThreads", set_threads);
  method("buildInfo", build_info);
  method("fmaPeak", fma_peak);
  method("threadSeconds", thread_seconds);
  method("vectorMath", vector_math);
  return exports;
}

}  // namespace
}  // namespace sonotext::napi

static Napi::Object sonotext_init(Napi::Env env, Napi::Object exports) {
  return sonotext::napi::init(env, exports);
}
NODE_API_MODULE(sonotext, sonotext_init)
