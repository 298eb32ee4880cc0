// What JavaScript sees; packages/native-cuda/src/addon.d.ts is its typed description.
#include <napi.h>

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

#include "../core/arena.hpp"
#include "../core/device.hpp"
#include "../core/pool.hpp"
#include "../cpu/resolve.hpp"
#include "../cuda/device.hpp"
#include "errors.hpp"
#include "handles.hpp"
#include "instance.hpp"
#include "memory.hpp"
#include "nccl.hpp"
#include "operation.hpp"
#include "probe.hpp"
#include "values.hpp"

namespace sonotext::napi {
namespace {

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

const BoundOp& op_of(const Napi::Value& value) {
  const BoundOp* op = find_op(text_of(value, "op"));
  if (op == nullptr) throw_expected("the name of an op", "op", value);
  return *op;
}

// (device, op, args, …)
std::unique_ptr<Operation> bind(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Device& device = device_of(info[0], "device");
  const BoundOp& op = op_of(info[1]);
  if (!info[2].IsObject()) throw_expected("an object with the op's arguments", "args", info[2]);
  if (!op.supported(device.table())) {
    throw make_error(env, "UNSUPPORTED", std::string(device.name()) + " has no entry for " + op.name + ".",
                     op.name);
  }
  return op.bind(device, env, Instance::of(env).collector.collect(env, op, info[2]));
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
  CancelFlag token = is_absent(info[3]) ? nullptr : cancel_flag_of(info[3], "cancel");
  return Instance::of(info.Env()).async.start(info.Env(), bind(info), std::move(token));
}

Napi::Value create_cancel_token(const Napi::CallbackInfo& info) { return make_cancel_handle(info.Env()); }

Napi::Value cancel(const Napi::CallbackInfo& info) {
  AsyncOps::cancel(cancel_flag_of(info[0], "token"));
  return info.Env().Undefined();
}

Napi::Value open_device_by_name(const Napi::CallbackInfo& info) {
  const std::string name = text_of(info[0], "device");
  DeviceOptions options;
  if (!is_absent(info[1])) options.isa = text_of(info[1], "isa");
  if (!is_absent(info[2])) options.matmul = text_of(info[2], "matmul");
  std::string reason;
  Device* device = open_device(name, options, reason);
  if (device == nullptr) throw make_error(info.Env(), kUnavailable, reason);
  return make_device_handle(info.Env(), *device);
}

Napi::Value supports(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), op_of(info[1]).supported(device_of(info[0], "device").table()));
}

// Kernels of a CUDA device, by how they went there.
Napi::Value launches(const Napi::CallbackInfo& info) {
  const LaunchCounts counts = launches_of(device_of(info[0], "device"));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("alone", Napi::Number::New(info.Env(), static_cast<double>(counts.alone)));
  result.Set("byGraph", Napi::Number::New(info.Env(), static_cast<double>(counts.by_graph)));
  result.Set("graphs", Napi::Number::New(info.Env(), static_cast<double>(counts.graphs)));
  return result;
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
    entry.Set("bf16Only", Napi::Boolean::New(info.Env(), set.table == nullptr));
    list.Set(list.Length(), entry);
  }
  return list;
}

Napi::Value ops(const Napi::CallbackInfo& info) {
  Napi::Array list = Napi::Array::New(info.Env());
  const OpTable cuda = cuda_table();
  for (const BoundOp& op : all_ops()) {
    Napi::Object entry = Napi::Object::New(info.Env());
    entry.Set("name", op.name);
    entry.Set("cuda", Napi::Boolean::New(info.Env(), op.supported(cuda)));
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

// Scratch memory that is kept for the ops to come.
Napi::Value kept(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(kept_scratch()));
}

Napi::Value trim(const Napi::CallbackInfo& info) {
  trim_scratch();
  return info.Env().Undefined();
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

// No exception leaves a callback, for it would end the process. Where the environment is being terminated
// every call that may run JavaScript fails, and so would throwing an error; nobody waits for it then.
template <Napi::Value (*function)(const Napi::CallbackInfo&)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    try {
      return function(Napi::CallbackInfo(env, info));
    } catch (const std::bad_alloc&) {
      throw make_error(env, {Code::out_of_memory}, "sonotext");
    }
  } catch (const Napi::Error& error) {
    try {
      error.ThrowAsJavaScriptException();
    } catch (const Napi::Error&) {
    }
  }
  return nullptr;
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
Napi::Function function_of(Napi::Env env, const char* name) {
  napi_value value;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, guarded<function>, nullptr, &value) != napi_ok)
    throw Napi::Error::New(env);
  return Napi::Function(env, value);
}

template <Napi::Value (*function)(const Napi::CallbackInfo&)>
void method(Napi::Object& exports, const char* name) {
  exports.Set(name, function_of<function>(exports.Env(), name));
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  pin_library();
  auto* instance = new Instance(env);
  env.SetInstanceData(instance);
  instance->refuse_transfer = Napi::Persistent(function_of<refuse_transfer>(env, "transfer"));

  method<run_sync>(exports, "run");
  method<run_async>(exports, "runAsync");
  method<create_cancel_token>(exports, "createCancelToken");
  method<cancel>(exports, "cancel");
  method<open_device_by_name>(exports, "openDevice");
  method<supports>(exports, "supports");
  method<launches>(exports, "launches");
  method<host_array>(exports, "hostArray");
  method<alloc>(exports, "alloc");
  method<dispose>(exports, "dispose");
  method<upload>(exports, "upload");
  method<download>(exports, "download");
  method<fill>(exports, "fill");
  method<copy>(exports, "copy");
  method<devices>(exports, "devices");
  method<list_instruction_sets>(exports, "instructionSets");
  method<ops>(exports, "ops");
  method<threads>(exports, "threads");
  method<set_threads>(exports, "setThreads");
  method<kept>(exports, "kept");
  method<trim>(exports, "trim");
  method<build_info>(exports, "buildInfo");
  method<fma_peak>(exports, "fmaPeak");
  method<thread_seconds>(exports, "threadSeconds");
  method<vector_math>(exports, "vectorMath");

  Napi::Object nccl = Napi::Object::New(env);
  method<nccl_summary>(nccl, "summary");
  method<nccl_address>(nccl, "address");
  method<nccl_create_id>(nccl, "createId");
  method<nccl_join>(nccl, "join");
  method<nccl_all_reduce>(nccl, "allReduce");
  method<nccl_all_gather>(nccl, "allGather");
  method<nccl_problem>(nccl, "problem");
  method<nccl_give_up>(nccl, "giveUp");
  method<nccl_leave>(nccl, "leave");
  exports.Set("nccl", nccl);
  return exports;
}

}  // namespace
}  // namespace sonotext::napi

static Napi::Object sonotext_init(Napi::Env env, Napi::Object exports) {
  return sonotext::napi::init(env, exports);
}
NODE_API_MODULE(sonotext, sonotext_init)
