// Threads that carry asynchronous ops: started on demand, a bounded number, kept for later calls.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

namespace sonotext::napi {

class Runner {
 public:
  static Runner& instance();  // never destroyed, like the pool
  void post(std::function<void()> job);

 private:
  void loop();

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::function<void()>> jobs_;
  int threads_ = 0;
  int idle_ = 0;
};

}  // namespace sonotext::napi
