// The one carrier of asynchronous work: runs any Operation off the JavaScript thread and settles its promise.
//
// It has threads of its own (they mostly wait for the pool) instead of libuv's: when a worker thread is
// terminated, Node first waits for its libuv work and only then runs clean-up hooks, so a long op there could
// not be told to stop.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "operation.hpp"

namespace sonotext::napi {

// The asynchronous side of one environment (main thread or worker thread).
class AsyncOps {
 public:
  explicit AsyncOps(Napi::Env env);
  ~AsyncOps();
  AsyncOps(const AsyncOps&) = delete;
  AsyncOps& operator=(const AsyncOps&) = delete;

  // The promise resolves with undefined once the outputs are written. Runs no JavaScript.
  Napi::Promise start(Napi::Env env, std::unique_ptr<Operation> operation, CancelFlag token);

  // Tells the ops of a token to stop, whichever instance runs them; those that have not begun never will, and settle at once.
  static void cancel(const CancelFlag& token);

  // Called before memory of ours is given back. Ops hold on to their arrays, so where one still reaches it
  // the environment is going, or someone has transferred the array: the op is told to stop and waited for.
  // Asks every instance of the process: one environment may have loaded the addon twice.
  static void before_release(const void* data, std::size_t bytes);

 private:
  struct Pending;

  static void settle(napi_env env, napi_value, void* context, void* data);
  void shut_down();
  void let_go_of(const void* data, std::size_t bytes);
  void stop(Pending& pending);  // mutex_ held, as for the next three
  template <class Which>
  void stop_all(Which which);
  void finished(Pending* pending);
  void unlink(Pending* pending);

  const napi_env env_;
  napi_threadsafe_function done_ = nullptr;
  int unsettled_ = 0;  // JavaScript thread only: the event loop is kept alive while > 0
  std::mutex mutex_;
  std::condition_variable ended_;  // an op has
  Pending* unfinished_ = nullptr;  // list of what waits or runs
  std::unordered_multimap<const void*, Pending*> by_token_;  // those of them that can be cancelled
};

}  // namespace sonotext::napi
