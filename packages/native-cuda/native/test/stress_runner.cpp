// Hammers the runner of asynchronous jobs from several threads, as environments do: jobs are posted, some are
// taken out again, their memory goes as soon as they are run or withdrawn. Meant for ThreadSanitizer and
// AddressSanitizer. Exit code 0 when every job was run or withdrawn, once.
//
//   stress_runner [seconds = 2]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "../core/pool.hpp"
#include "../core/runner.hpp"

namespace sonotext {
namespace {

struct Counts {
  std::atomic<long> posted{0}, ran{0}, withdrawn{0};
};

struct Work final : Runner::Job {
  explicit Work(Counts& counts) : counts(counts) {}

  void run() override {
    sum = 0;
    const std::atomic<bool> never{false};
    ThreadPool::instance().parallel(
        8, 4, [](void* context, std::int64_t index, int) { static_cast<Work*>(context)->sum += index; }, this,
        never);
    (sum == 28 ? counts.ran : counts.posted).fetch_add(1);
    done.store(true);
  }

  Counts& counts;
  std::atomic<std::int64_t> sum{0};
  std::atomic<bool> done{false};
};

void environment(unsigned seed, std::chrono::steady_clock::time_point end, Counts& counts) {
  std::mt19937 random(seed);
  while (std::chrono::steady_clock::now() < end) {
    std::vector<std::unique_ptr<Work>> jobs(1 + random() % 20);
    for (auto& job : jobs) {
      job = std::make_unique<Work>(counts);
      ++counts.posted;
      Runner::instance().post(*job);
    }
    if (random() % 2 == 0) std::this_thread::yield();
    for (auto& job : jobs) {
      if (random() % 3 != 0 && Runner::instance().withdraw(*job)) {
        ++counts.withdrawn;
        if (Runner::instance().withdraw(*job)) ++counts.withdrawn;  // never twice
        job.reset();
      }
    }
    for (auto& job : jobs) {
      while (job != nullptr && !job->done.load()) std::this_thread::yield();
    }
  }
}

}  // namespace
}  // namespace sonotext

int main(int count, char** arguments) {
  using namespace sonotext;
  const double seconds = count > 1 ? std::atof(arguments[1]) : 2.0;
  const auto end =
      std::chrono::steady_clock::now() +
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(seconds));
  Counts counts;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < 4; ++i) threads.emplace_back([&, i] { environment(i, end, counts); });
  for (int size = 1; std::chrono::steady_clock::now() < end; size = size % 6 + 1) {
    ThreadPool::instance().set_threads(size);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("%ld jobs posted, %ld run, %ld withdrawn\n", counts.posted.load(), counts.ran.load(),
              counts.withdrawn.load());
  return counts.posted == counts.ran + counts.withdrawn && counts.withdrawn > 0 ? 0 : 1;
}
