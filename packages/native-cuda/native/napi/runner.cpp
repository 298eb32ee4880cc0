#include "runner.hpp"

#include <system_error>
#include <thread>
#include <utility>

#include "../core/pool.hpp"

namespace sonotext::napi {

Runner& Runner::instance() {
  static Runner* const runner = new Runner;
  return *runner;
}

void Runner::post(std::function<void()> job) {
  std::unique_lock lock(mutex_);
  jobs_.push_back(std::move(job));
  // A carrier works too while its op runs, so there is no use in more of them than the pool has threads.
  if (static_cast<int>(jobs_.size()) > idle_ && threads_ < ThreadPool::instance().threads()) {
    try {
      std::thread(&Runner::loop, this).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ == 0) {  // no thread can be had at all: do it here
        const std::function<void()> own = std::move(jobs_.back());
        jobs_.pop_back();
        lock.unlock();
        own();
        return;
      }
    }
  }
  lock.unlock();
  arrived_.notify_one();
}

void Runner::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    arrived_.wait(lock, [&] { return !jobs_.empty(); });
    --idle_;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace sonotext::napi
