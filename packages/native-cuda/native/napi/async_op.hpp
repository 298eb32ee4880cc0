// The one carrier of asynchronous work: runs any Operation off the JavaScript thread and settles its promise.
//
// It has threads of its own (they mostly wait for the pool) instead of libuv's: when a worker thread is
// terminated, Node first waits for its libuv work and only then runs clean-up hooks, so a long op there could
// not be told to stop.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <memory>
#include <mutex>

#include "operation.hpp"

namespace sonotext::napi {

// The asynchronous side of one environment (main thread or worker thread).
class AsyncOps {
 public:
  explicit AsyncOps(Napi::Env env);
  AsyncOps(const AsyncOps&) = delete;
  AsyncOps& operator=(const AsyncOps&) = delete;

  // Called when the environment goes: cancels what runs and waits for it, because its memory goes with the
  // environment.
  void shut_down();

  // The promise resolves with undefined once the outputs are written.
  Napi::Promise start(Napi::Env env, std::unique_ptr<Operation> operation, CancelFlag cancel);

 private:
  struct Pending;

  static void settle(napi_env env, napi_value, void* context, void* data);
  void finished(Pending* pending);

  napi_threadsafe_function done_ = nullptr;
  int unsettled_ = 0;  // JavaScript thread only: the event loop is kept alive while > 0
  std::mutex mutex_;
  std::condition_variable idle_;
  Pending* running_ = nullptr;  // list of what has not finished
};

}  // namespace sonotext::napi
