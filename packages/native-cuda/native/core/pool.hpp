// The one thread pool of the process: as many threads as the machine has physical cores for us.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "exec.hpp"

namespace sonotext {

class ThreadPool {
 public:
  static constexpr int kMaxThreads = 256;

  // Made on first use and never destroyed: its threads may outlive every static destructor of a process that
  // exits in the middle of an op.
  static ThreadPool& instance();

  int threads() const { return wanted_.load(std::memory_order_relaxed); }

  // Takes effect for the calls that start after it. `count` is clamped to [1, kMaxThreads].
  void set_threads(int count);

  // Runs body(context, 0..count-1, worker), worker < limit, and returns when all are done. The calling thread
  // works too. Safe from several threads at once: idle threads help whichever call has work left. Inside a
  // body it runs inline. No body begins once a thread has seen `cancel` set: then the result is false if that
  // left any out.
  bool parallel(std::int64_t count, int limit, Exec::Body body, void* context,
                const std::atomic<bool>& cancel);

  // False with a reason when SONOTEXT_THREADS is set to something that is no size of a pool.
  static bool environment_is_valid(std::string& reason);

  // Physical cores this process may use: affinity, hyper-threads and the container's CPU quota considered.
  static int physical_cores();

 private:
  struct Job {
    Exec::Body body;
    void* context;
    std::int64_t count;
    int limit;
    const std::atomic<bool>& cancel;
    std::atomic<std::int64_t> next{0};
    std::atomic<bool> stopped{false};
    std::atomic<int> helpers{0};  // changed under mutex_ only; the caller may poll it
    int joined = 1;               // worker 0 is the caller
    Job* before = nullptr;
    Job* after = nullptr;
  };

  ThreadPool();
  void loop(int id);
  void work(Job& job, int worker);
  Job* claim();  // a job that can use one more thread, or null; mutex_ held

  std::mutex mutex_;
  std::condition_variable work_arrived_;
  std::condition_variable helper_left_;
  std::atomic<std::uint64_t> epoch_{
      0};  // counts jobs, so that idle threads can poll for a moment before they sleep
  std::atomic<int> wanted_{1};
  Job* first_ = nullptr;
  int busy_ = 0;  // threads inside a job, callers included
  int sleeping_ = 0;
  bool running_[kMaxThreads] = {};  // by id; id 0 is never used: the caller is a thread too
};

}  // namespace sonotext
