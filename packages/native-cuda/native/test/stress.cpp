// Several callers share the pool and its scratch memory while its size changes and calls are cancelled. A
// call that was not cancelled must leave the bits of a call made alone, one that was cancelled must say so.
// Compiled with SONOTEXT_SANITIZE=thread it is the check for races. Exit code 0 when all is well, 1 on a
// wrong bit, 2 on bad usage.
//
//   stress [calls of each caller] [instruction set]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "../core/check.hpp"
#include "../core/device.hpp"
#include "../core/pool.hpp"

namespace sonotext {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<std::int32_t>;

constexpr int kCallers =
    5;  // more than the pool is ever given threads at times, so that they wait for each other

F32In in(const Floats& values) { return {values.data(), static_cast<i64>(values.size())}; }
F32Out out(Floats& values) { return {values.data(), static_cast<i64>(values.size())}; }

Floats random_floats(std::mt19937& random, i64 count) {
  Floats values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(random() >> 8) / 8388608.0f - 1.0f;
  return values;
}

// One op on inputs of its own, and the bits that it must write.
class Job {
 public:
  virtual ~Job() = default;

  // False when a call that ended well wrote other bits than the first.
  bool run(Device& device, const std::atomic<bool>& cancel, bool& cancelled) {
    const Status status = call(device, cancel);
    cancelled = status.code == Code::cancelled;
    if (cancelled) return cancel.load();  // no call may say so that was not
    if (!status.ok()) std::fprintf(stderr, "stress: %s\n", status.what);
    const Floats now = written();
    if (wanted_.empty()) wanted_ = now;
    return status.ok() && now.size() == wanted_.size() &&
           std::memcmp(now.data(), wanted_.data(), now.size() * sizeof(float)) == 0;
  }

 protected:
  virtual Status call(Device& device, const std::atomic<bool>& cancel) = 0;
  virtual Floats written() const = 0;

 private:
  Floats wanted_;
};

// A product over several blocks of columns and depth: two levels of packing, scratch for each.
class Product : public Job {
 public:
  explicit Product(std::mt19937& random)
      : a_(random_floats(random, kM * kK)), b_(random_floats(random, kK * kN)), out_(kM * kN) {}

 private:
  static constexpr i64 kM = 90, kN = 600, kK = 520;

  Status call(Device& device, const std::atomic<bool>& cancel) override {
    GemmArgs args{};
    args.a = in(a_), args.b = in(b_), args.out = out(out_);
    args.m = kM, args.n = kN, args.k = kK;
    args.alpha = 1, args.slope = 1;
    return sonotext::run(device, device.table().gemm, args, cancel);
  }
  Floats written() const override { return out_; }

  const Floats a_, b_;
  Floats out_;
};

// Lists that each thread keeps in scratch memory of its own and that are merged at the end.
class Search : public Job {
 public:
  explicit Search(std::mt19937& random)
      : queries_(random_floats(random, kQ * kD)),
        items_(random_floats(random, kItems * kD)),
        indices_(kQ * kKept),
        scores_(kQ * kKept) {}

 private:
  static constexpr i64 kQ = 40, kItems = 9000, kD = 32, kKept = 10;

  Status call(Device& device, const std::atomic<bool>& cancel) override {
    TopKArgs args{};
    args.queries = in(queries_), args.items = in(items_), args.outScores = out(scores_);
    args.outIndices = {indices_.data(), static_cast<i64>(indices_.size())};
    args.q = kQ, args.n = kItems, args.d = kD, args.k = kKept;
    return sonotext::run(device, device.table().top_k, args, cancel);
  }
  Floats written() const override {
    Floats all = scores_;
    for (const std::int32_t index : indices_) all.push_back(static_cast<float>(index));
    return all;
  }

  const Floats queries_, items_;
  Ints indices_;
  Floats scores_;
};

// Partial sums of all pixels, combined in the order of the shape.
class Gradients : public Job {
 public:
  explicit Gradients(std::mt19937& random)
      : x_(random_floats(random, kN * kH * kW * kC)),
        weight_(random_floats(random, 9 * kC * kC)),
        grad_out_(random_floats(random, kN * kH * kW * kC)),
        grad_x_(kN * kH * kW * kC),
        grad_weight_(9 * kC * kC) {}

 private:
  static constexpr i64 kN = 2, kH = 20, kW = 8, kC = 24;

  Status call(Device& device, const std::atomic<bool>& cancel) override {
    Conv2dBackwardArgs args{};
    args.x = in(x_), args.weight = in(weight_), args.gradOut = in(grad_out_);
    args.gradX = out(grad_x_), args.gradWeight = out(grad_weight_);
    args.n = kN, args.h = kH, args.w = kW, args.cin = kC, args.cout = kC, args.kh = 3, args.kw = 3,
    args.slope = 1;
    return sonotext::run(device, device.table().conv2d_backward, args, cancel);
  }
  Floats written() const override {
    Floats all = grad_x_;
    all.insert(all.end(), grad_weight_.begin(), grad_weight_.end());
    return all;
  }

  const Floats x_, weight_, grad_out_;
  Floats grad_x_, grad_weight_;
};

struct Counts {
  std::atomic<long> calls{0}, cancelled{0}, wrong{0};
};

void work(Device& device, unsigned seed, int calls, Counts& counts) {
  std::mt19937 random(seed);
  const std::unique_ptr<Job> jobs[] = {std::make_unique<Product>(random), std::make_unique<Search>(random),
                                       std::make_unique<Gradients>(random)};
  for (int i = 0; i < calls; ++i) {
    std::atomic<bool> cancel{false};
    std::thread canceller;
    // The first round of each job is not cancelled: it gives the bits of the others.
    if (i >= 3 && random() % 4 == 0) {
      canceller = std::thread([&cancel, yields = random() % 64] {
        for (unsigned y = 0; y < yields; ++y) std::this_thread::yield();
        cancel = true;
      });
    }
    bool cancelled = false;
    if (!jobs[i % 3]->run(device, cancel, cancelled)) ++counts.wrong;
    if (cancelled) ++counts.cancelled;
    ++counts.calls;
    if (canceller.joinable()) canceller.join();
  }
}

int main(int argc, char** argv) {
  const int calls = argc > 1 ? std::atoi(argv[1]) : 200;
  if (calls < 1 || argc > 3) {
    std::fprintf(stderr, "usage: stress [calls of each caller] [instruction set]\n");
    return 2;
  }
  std::string reason;
  Device* device = open_device("cpu", {argc > 2 ? argv[2] : "", ""}, reason);
  if (device == nullptr) {
    std::fprintf(stderr, "stress: %s\n", reason.c_str());
    return 2;
  }
  Counts counts;
  std::atomic<bool> done{false};
  std::vector<std::thread> callers;
  for (unsigned id = 0; id < kCallers; ++id) {
    callers.emplace_back([&, id] { work(*device, id, calls, counts); });
  }
  std::thread resizer([&] {
    for (std::mt19937 random(99); !done;
         std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000))) {
      ThreadPool::instance().set_threads(1 + static_cast<int>(random() % 7));
    }
  });
  for (std::thread& caller : callers) caller.join();
  done = true;
  resizer.join();
  std::printf("%s: %ld calls of %d callers, %ld cancelled, %ld wrong\n", device->isa(), counts.calls.load(),
              kCallers, counts.cancelled.load(), counts.wrong.load());
  return counts.wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sonotext

int main(int argc, char** argv) { return sonotext::main(argc, argv); }
