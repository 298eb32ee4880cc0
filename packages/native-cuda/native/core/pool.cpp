#include "pool.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <utility>

#include "float_environment.hpp"

#if defined(__linux__)
#include <sched.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace sonotext {
namespace {

// Polls before sleeping: about 20 µs. Long enough to bridge the gap between two ops of a training step, too
// short to matter to anyone else on the machine.
constexpr int kSpins = 400;

thread_local int current_worker = -1;  // >= 0 inside a body

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// SONOTEXT_THREADS; 0 when it is not set, -1 when it is not a size.
int forced_threads() {
  const char* text = std::getenv("SONOTEXT_THREADS");
  if (text == nullptr || *text == '\0') return 0;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  return *end == '\0' && count >= 1 && count <= ThreadPool::kMaxThreads ? static_cast<int>(count) : -1;
}

#if defined(__linux__)
int read_int(const char* path) {
  int value = -1;
  if (std::FILE* file = std::fopen(path, "r")) {
    if (std::fscanf(file, "%d", &value) != 1) value = -1;
    std::fclose(file);
  }
  return value;
}

// CPU quota of the container, rounded up; 0 when there is none.
int quota() {
  long long used = 0, period = 0;
  if (std::FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    const int fields = std::fscanf(file, "%lld %lld", &used, &period);  // "max 100000" leaves fields at 0
    std::fclose(file);
    if (fields == 2 && used > 0 && period > 0) return static_cast<int>((used + period - 1) / period);
    return 0;
  }
  const int v1_used = read_int("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const int v1_period = read_int("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  return v1_used > 0 && v1_period > 0 ? (v1_used + v1_period - 1) / v1_period : 0;
}
#endif

}  // namespace

int ThreadPool::physical_cores() {
  int cores = 0;
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    std::set<std::pair<int, int>> seen;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      char path[96];
      std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/core_id", cpu);
      const int core = read_int(path);
      std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/physical_package_id", cpu);
      const int package = read_int(path);
      seen.insert(core < 0 ? std::pair(-1, cpu) : std::pair(package, core));
    }
    cores = static_cast<int>(seen.size());
  }
  if (const int limit = quota(); limit > 0) cores = std::min(cores, limit);
#elif defined(__APPLE__)
  // Performance cores: a body that cuts work evenly would wait for its efficiency cores. Intel has one kind only.
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    std::size_t size = sizeof cores;
    if (sysctlbyname(name, &cores, &size, nullptr, 0) == 0 && cores > 0) break;
    cores = 0;
  }
#endif
  if (cores < 1) cores = static_cast<int>(std::thread::hardware_concurrency());
  return std::clamp(cores, 1, kMaxThreads);
}

ThreadPool& ThreadPool::instance() {
  static ThreadPool* const pool = new ThreadPool;
  return *pool;
}

ThreadPool::ThreadPool() {
  const int forced = forced_threads();
  set_threads(forced > 0 ? forced : physical_cores());
}

bool ThreadPool::environment_is_valid(std::string& reason) {
  if (forced_threads() >= 0) return true;
  reason = "Expected an integer from 1 to " + std::to_string(kMaxThreads) + " in SONOTEXT_THREADS, got \"" +
           std::getenv("SONOTEXT_THREADS") + "\".";
  return false;
}

void ThreadPool::set_threads(int count) {
  count = std::clamp(count, 1, kMaxThreads);
  const std::lock_guard lock(mutex_);
  wanted_ = count;
  for (int id = 1; id < count; ++id) {
    if (running_[id]) continue;
    try {
      std::thread(&ThreadPool::loop, this, id).detach();
      running_[id] = true;
    } catch (const std::system_error&) {
      wanted_ = id;  // the system gives no more threads: go on with what there is
      break;
    }
  }
  ++epoch_;
  work_arrived_.notify_all();  // threads past the new count leave
}

ThreadPool::Job* ThreadPool::claim() {
  if (busy_ >= wanted_) return nullptr;
  for (Job* job = first_; job != nullptr; job = job->after) {
    if (job->joined < job->limit && job->next.load(std::memory_order_relaxed) < job->count) return job;
  }
  return nullptr;
}

void ThreadPool::work(Job& job, int worker) {
  current_worker = worker;
  for (;;) {
    const std::int64_t index = job.next.fetch_add(1, std::memory_order_relaxed);
    if (index >= job.count) break;
    if (job.cancel.load(std::memory_order_relaxed)) {
      job.stopped.store(true, std::memory_order_relaxed);
      job.next.store(job.count, std::memory_order_relaxed);  // no thread need come for the rest
      break;
    }
    job.body(job.context, index, worker);
  }
  current_worker = -1;
}

void ThreadPool::loop(int id) {
  const FloatEnvironment plain;  // a new thread takes over that of the thread that made it
  std::unique_lock lock(mutex_);
  for (;;) {
    if (id >= wanted_) {
      running_[id] = false;
      return;
    }
    if (Job* job = claim()) {
      const int worker = job->joined++;
      ++job->helpers;
      ++busy_;
      lock.unlock();
      work(*job, worker);
      lock.lock();
      --busy_;
      // The job lives on its caller's stack: not touched after this.
      if (--job->helpers == 0) helper_left_.notify_all();
      continue;
    }
    const std::uint64_t seen = epoch_;
    lock.unlock();
    for (int spin = 0; spin < kSpins && epoch_ == seen; ++spin) relax();
    lock.lock();
    if (epoch_ != seen) continue;
    ++sleeping_;
    work_arrived_.wait(lock, [&] { return epoch_ != seen; });
    --sleeping_;
  }
}

bool ThreadPool::parallel(std::int64_t count, int limit, Exec::Body body, void* context,
                          const std::atomic<bool>& cancel) {
  if (count <= 0) return true;
  if (current_worker >= 0) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (cancel.load(std::memory_order_relaxed)) return false;
      body(context, i, current_worker);
    }
    return true;
  }
  Job job{body, context, count, limit, cancel};
  if (count == 1 || limit <= 1) {
    work(job, 0);
    return !job.stopped;
  }
  {
    const std::lock_guard lock(mutex_);
    job.after = first_;
    if (first_ != nullptr) first_->before = &job;
    first_ = &job;
    ++busy_;
    ++epoch_;
    if (sleeping_ > 0) {
      if (count - 1 < sleeping_) {
        for (std::int64_t i = 1; i < count; ++i) work_arrived_.notify_one();
      } else {
        work_arrived_.notify_all();
      }
    }
  }
  work(job, 0);
  std::unique_lock lock(mutex_);
  (job.before != nullptr ? job.before->after : first_) = job.after;
  if (job.after != nullptr) job.after->before = job.before;
  --busy_;
  if (first_ != nullptr) {  // a thread came free for the other calls
    ++epoch_;
    if (sleeping_ > 0) work_arrived_.notify_one();
  }
  if (job.helpers != 0) {
    lock.unlock();
    for (int spin = 0; spin < kSpins && job.helpers != 0; ++spin) relax();
    lock.lock();
    helper_left_.wait(lock, [&] { return job.helpers == 0; });
  }
  return !job.stopped;
}

}  // namespace sonotext
