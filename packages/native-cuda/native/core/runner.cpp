#include "runner.hpp"

#include <system_error>
#include <thread>

#include "pool.hpp"

namespace sonotext {

Runner& Runner::instance() {
  static Runner* const runner = new Runner;
  return *runner;
}

void Runner::post(Job& job) {
  std::unique_lock lock(mutex_);
  job.before_ = last_;
  (last_ != nullptr ? last_->after_ : first_) = &job;
  last_ = &job;
  job.waiting_ = true;
  ++waiting_;
  // A carrier works too while its op runs, so there is no use in more of them than the pool has threads.
  if (waiting_ > idle_ && threads_ < ThreadPool::instance().threads()) {
    try {
      std::thread(&Runner::loop, this).detach();
      ++threads_;
    } catch (const std::system_error&) {
      if (threads_ == 0) {
        take_out(job);
        lock.unlock();
        job.run();
        return;
      }
    }
  }
  lock.unlock();
  arrived_.notify_one();
}

bool Runner::withdraw(Job& job) {
  const std::lock_guard lock(mutex_);
  if (!job.waiting_) return false;
  take_out(job);
  return true;
}

void Runner::take_out(Job& job) {
  (job.before_ != nullptr ? job.before_->after_ : first_) = job.after_;
  (job.after_ != nullptr ? job.after_->before_ : last_) = job.before_;
  job.before_ = job.after_ = nullptr;
  job.waiting_ = false;
  --waiting_;
}

void Runner::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    arrived_.wait(lock, [&] { return first_ != nullptr; });
    --idle_;
    Job& job = *first_;
    take_out(job);
    lock.unlock();
    job.run();
    lock.lock();
  }
}

}  // namespace sonotext
