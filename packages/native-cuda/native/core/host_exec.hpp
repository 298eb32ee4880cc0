// Exec over the thread pool and host scratch memory.
#pragma once

#include <atomic>

#include "arena.hpp"
#include "exec.hpp"
#include "pool.hpp"

namespace sonotext {

class HostExec : public Exec {
 public:
  explicit HostExec(const std::atomic<bool>& cancel)
      : cancel_(cancel), threads_(ThreadPool::instance().threads()) {}

  void parallel(std::int64_t count, Body body, void* context) override {
    if (!ThreadPool::instance().parallel(count, threads_, body, context, cancel_)) {
      stopped_.store(true, std::memory_order_relaxed);
    }
  }
  void* scratch(std::int64_t bytes) override { return arena_->take(bytes); }
  const void* plan(const PlanKey& key, std::int64_t bytes, Maker make, void* context) override {
    return arena_->plan(key, bytes, make, context, stopped_);
  }
  bool cancelled() override {
    if (!cancel_.load(std::memory_order_relaxed)) return false;
    stopped_.store(true, std::memory_order_relaxed);
    return true;
  }
  bool stopped() const override { return stopped_.load(std::memory_order_relaxed); }
  int threads() const override { return threads_; }

 private:
  const std::atomic<bool>& cancel_;
  std::atomic<bool> stopped_{false};
  const int threads_;  // one value for the whole call, also when someone changes the pool meanwhile
  ArenaLease arena_;
};

}  // namespace sonotext
