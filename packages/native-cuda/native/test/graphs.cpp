// The same calls on a CUDA device with graphs and on one without give the same bits, and what a device keeps between calls outlives
// failures. Needs no Node. Exit code 0
// when all is well or when there is no such device, 1 otherwise.
//
//   graphs [index]        of the GPU, 0 unless another is given
//
// Calls of every op, drawn from what ops.def says of it, make some programs, which run in turn and more than
// once, each time on other memory: nothing is looked at before a program's end, and what it does not need any
// more is given back at once. On the emulation memory runs out too, and launches fail.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../cuda/device.hpp"
#include "case.hpp"
#include "drawn_call.hpp"
#ifdef SONOTEXT_EMULATED
#include <cuda_runtime.h>
#endif

namespace sonotext {
namespace {

using namespace test;

const std::atomic<bool> never{false};
int failed = 0;

void expect(bool holds, const std::string& what, const Status& status = {}) {
  if (holds) return;
  std::printf("FAILED: %s %s\n", what.c_str(), status.what);
  ++failed;
}

// A call whose arguments lie on the device: begun, then read.
struct Call {
  virtual ~Call() = default;
  virtual Status begin(Device& device) = 0;
  virtual Status read(std::vector<Output>& outputs) = 0;
};

template <class Args>
class CallOf final : public Call {
 public:
  using Entry = Status (*OpTable::*)(const Args&, Exec&);

  CallOf(Device& device, Entry entry, std::uint64_t seed)
      : entry_(entry), drawn_(seed), args_(drawn_.args), mover_(device, 0) {
    args_.visit(mover_);
  }
  Status begin(Device& device) override {
    return mover_.status.ok() ? run(device, device.table().*entry_, args_, never) : mover_.status;
  }
  Status read(std::vector<Output>& outputs) override {
    const Status status = mover_.bring_back();
    for (Output& output : outputs_of(drawn_.args)) outputs.push_back(std::move(output));
    return status;
  }

 private:
  const Entry entry_;
  DrawnCall<Args> drawn_;
  Args args_;
  Mover mover_;
};

// Makes a call of an op, the same one each time, on a device.
using Maker = std::function<std::unique_ptr<Call>(Device&)>;

template <class Args>
void add_makers(const char* op, typename CallOf<Args>::Entry entry, std::vector<Maker>& makers) {
  constexpr int kCalls = 2, kTries = 4000;
  constexpr double kLeast = 100, kMost = 2e4;
  if (std::string(op) == "gru_backward") return;  // it reads what gru has left
  int found = 0;
  for (int attempt = 0; attempt < kTries && found < kCalls; ++attempt) {
    const auto seed = static_cast<std::uint64_t>(attempt) + 5000;
    const DrawnCall<Args> call(seed);
    if (!call.valid || call.work > kMost || (call.work < kLeast && attempt < kTries / 2)) continue;
    ++found;
    makers.push_back([=](Device& device) -> std::unique_ptr<Call> {
      return std::make_unique<CallOf<Args>>(device, entry, seed);
    });
  }
}

std::vector<Maker> makers_of_all_ops() {
  std::vector<Maker> makers;
#define SONOTEXT_ADD(op, Args) add_makers<Args>(#op, &OpTable::op, makers);
  SONOTEXT_OPS(SONOTEXT_ADD)
#undef SONOTEXT_ADD
  return makers;
}

// The calls of a program on a device, all begun before the first is read. Before each goes memory that nobody
// reads, so that the next call's may lie elsewhere; after it, work that nobody reads is given back.
Status outputs_of_program(Device& device, const std::vector<const Maker*>& program, Words& words,
                          std::vector<Output>& outputs) {
  std::vector<std::unique_ptr<Call>> calls, unread;
  for (const Maker* make : program) {
    float* before = nullptr;
    if (const Status status = device.alloc(words.below(5000), &before); !status.ok()) return status;
    calls.push_back((*make)(device));
    unread.push_back((*make)(device));
    device.free(before);
  }
  for (std::size_t i = 0; i < calls.size(); ++i) {
    for (auto* list : {&unread, &calls}) {
      const Status status = (*list)[i]->begin(device);
      if (!status.ok() && status.code != Code::unsupported) return status;
    }
    unread[i].reset();
  }
  for (const auto& call : calls) {
    if (const Status status = call->read(outputs); !status.ok()) return status;
  }
  return {};
}

bool same_bits(const std::vector<Output>& a, const std::vector<Output>& b) {
  const auto same = [](const Output& x, const Output& y) {
    return x.values.size() == y.values.size() &&
           std::memcmp(x.values.data(), y.values.data(), x.values.size() * sizeof(float)) == 0;
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

void compare_programs(Device& plain, Device& device) {
  constexpr std::size_t kOps = 12;  // of a program
  constexpr int kRounds = 3;
  const std::vector<Maker> makers = makers_of_all_ops();
  Words words(1);
  std::vector<std::vector<const Maker*>> programs;
  for (std::size_t from = 0; from < makers.size(); from += kOps) {
    std::vector<const Maker*> program;
    for (std::size_t i = from; i < std::min(from + kOps, makers.size()); ++i) program.push_back(&makers[i]);
    programs.push_back(program);
  }
  std::vector<std::vector<Output>> expected(programs.size());
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const Status status = outputs_of_program(plain, programs[i], words, expected[i]);
    expect(status.ok(), "a program without graphs", status);
  }
  LaunchCounts before{};
  for (int round = 0; round < kRounds; ++round) {
    if (round == kRounds - 1) before = launches_of(device);
    for (std::size_t i = 0; i < programs.size(); ++i) {
      std::vector<Output> outputs;
      const Status status = outputs_of_program(device, programs[i], words, outputs);
      const std::string which = "program " + std::to_string(i) + ", round " + std::to_string(round);
      expect(status.ok(), which, status);
      expect(same_bits(outputs, expected[i]), which + " has other bits");
    }
  }
  const LaunchCounts counts = launches_of(device);
  const i64 alone = counts.alone - before.alone, by_graph = counts.by_graph - before.by_graph;
  std::printf("%zu calls in %zu programs; once known, %lld launches by graphs and %lld alone\n", makers.size(),
              programs.size(), static_cast<long long>(by_graph), static_cast<long long>(alone));
  expect(launches_of(plain).by_graph == 0, "a device without graphs makes none");
  expect(by_graph > alone, "programs that come again go by graphs");
}

// ---- single calls of `add`, whose results are easily told

class Adder {
 public:
  Adder(Device& device, i64 length) : device_(device), length_(length) {
    expect(device.alloc(length, &x).ok() && device.alloc(length, &sum).ok(), "memory to add");
    expect(device.fill(x, length, 1.0f).ok() && device.fill(sum, length, 0.0f).ok(), "values to add");
  }
  ~Adder() {
    if (x != nullptr) device_.free(x);
    device_.free(sum);
  }
  Adder(const Adder&) = delete;
  Adder& operator=(const Adder&) = delete;

  // sum += x
  Status add() {
    AddArgs args{};
    args.a = {sum, length_}, args.b = {x, length_}, args.out = {sum, length_};
    args.alpha = args.beta = 1.0;
    return run(device_, device_.table().add, args, never);
  }
  Status add(int times) {
    Status status;
    for (int i = 0; i < times && status.ok(); ++i) status = add();
    return status;
  }
  Status read(float& value) { return device_.download(sum + length_ - 1, &value, 1); }

  float *x = nullptr, *sum = nullptr;

 private:
  Device& device_;
  const i64 length_;
};

// Sums of what was added so many times, each time in a list; three times, so that it goes alone and as a graph.
template <class F>
void thrice(Device& device, const char* what, float expected, F f) {
  for (int round = 0; round < 3; ++round) {
    Adder adder(device, 300);
    Status status = f(adder);
    float value = NAN;
    if (status.ok()) status = adder.read(value);
    expect(status.ok() && value == expected, std::string(what) + ", round " + std::to_string(round), status);
  }
}

void keep_the_order(Device& device) {
  thrice(device, "memory given back while kernels wait", 6.0f, [&](Adder& adder) {
    const Status status = adder.add(6);
    device.free(std::exchange(adder.x, nullptr));
    return status;
  });
  thrice(device, "a fill between kernels", 18.0f, [&](Adder& adder) {
    Status status = adder.add(6);
    if (status.ok()) status = device.fill(adder.x, 300, 2.0f);
    return status.ok() ? adder.add(6) : status;
  });
  thrice(device, "a fill with zeros after kernels", 0.0f, [&](Adder& adder) {
    const Status status = adder.add(6);
    return status.ok() ? device.fill(adder.sum, 300, 0.0f) : status;
  });
  thrice(device, "a copy after kernels", 12.0f, [&](Adder& adder) {
    Status status = adder.add(6);
    if (status.ok()) status = device.copy(adder.sum, adder.x, 300);
    return status.ok() ? adder.add() : status;
  });
  thrice(device, "an upload after kernels", 4.0f, [&](Adder& adder) {
    const Status status = adder.add(6);
    const Floats fours(300, 4.0f);
    return status.ok() ? device.upload(fours.data(), adder.sum, 300) : status;
  });
  thrice(device, "more kernels than a list holds", 200.0f, [&](Adder& adder) { return adder.add(200); });
}

// Whatever differs from list to list, no more graphs are kept than a bound.
void stay_bounded(Device& device) {
  for (int list = 0; list < 72; ++list) {
    const int times = 4 + list / 4;
    for (int round = 0; round < 2; ++round) {
      Adder adder(device, 1024 * (1 + list % 4));
      float value = NAN;
      const Status status = adder.add(times);
      expect(status.ok() && adder.read(value).ok() && value == static_cast<float>(times), "many lists", status);
    }
  }
  expect(launches_of(device).graphs == 64, "64 graphs are kept of 72");
}

// Kernels that wait in one list may take different amounts of shared memory, more than a launch has unasked.
void take_shared_memory(Device& device) {
  struct Recurrence {
    i64 hidden;
    Floats x = Floats(1, 1.0f), weights, square, bias, result, saved;
    GruArgs args;
    Mover mover;

    Recurrence(Device& device, i64 hidden)
        : hidden(hidden), weights(3 * hidden, 0.1f), square(3 * hidden * hidden, 0.01f), bias(3 * hidden, 0.1f),
          result(hidden, NAN), saved(4 * hidden, NAN),
          args{in(x), in(weights), in(square), in(bias), in(bias), out(result), out(saved), 1, 1, 1, hidden, 1},
          mover(device, 0) {
      args.visit(mover);
    }
    Status begin(Device& device) { return run(device, device.table().gru, args, never); }
  };
  for (int round = 0; round < 3; ++round) {
    Recurrence large(device, 256), small(device, 150);  // all copies before, which would send the list
    const Status first = large.begin(device), second = small.begin(device);
    Status third = large.mover.bring_back();
    if (third.ok()) third = small.mover.bring_back();
    expect(first.ok() && second.ok() && third.ok(), "shared memory of a list", third);
    expect(std::isfinite(large.result[255]) && std::isfinite(small.result[149]), "recurrences of a list");
  }
}

std::unique_ptr<Device> open_with(const char* graphs, const char* sync, const std::string& index,
                                  std::string& reason) {
  setenv("SONOTEXT_CUDA_GRAPHS", graphs, 1);
  setenv("SONOTEXT_SYNC", sync, 1);
  return make_cuda_device(index, "", reason);
}

// The ring of pinned memory grows while pieces of it are in use. Zeros come without it.
void bring_much_back_at_once(const std::string& index) {
  constexpr i64 kMuch = 3 << 20;
  std::string reason;
  const std::unique_ptr<Device> device = open_with("0", "", index, reason);
  float* data = nullptr;
  Floats back(static_cast<std::size_t>(kMuch), NAN);
  expect(device->alloc(kMuch, &data).ok() && device->fill(data, kMuch, 0.0f).ok(), "much memory");
  const Status status = device->download(data, back.data(), kMuch);
  const bool all = std::all_of(back.begin(), back.end(), [](float x) { return x == 0.0f; });
  expect(status.ok() && all, "a first download of many pieces", status);
  device->free(data);
}

#ifdef SONOTEXT_EMULATED

// A table that an op could not fill for want of memory is made anew by the next one.
void fill_what_was_left(const std::string& index) {
  const Floats pcm(64, 0.5f), window(128, 0.5f), weights(2, 1.0f);
  const Ints starts{0, 2}, offsets{0, 1, 2};
  const auto first_band = [&](Device& device, std::size_t room) {
    Floats bands(2, NAN);
    LogMelArgs args{in(pcm), in(window), in(starts), in(offsets), in(weights), out(bands),
                    64,      64,         1,          2,           0,           0,
                    1,       0,          0,          1e-3};
    Mover mover(device, 0);
    args.visit(mover);
    emulation::limit_memory(room);
    const Status status = run(device, device.table().log_mel, args, never);
    emulation::limit_memory(SIZE_MAX);
    return status.ok() && mover.bring_back().ok() ? bands[0] : NAN;
  };
  std::string reason;
  const float expected = first_band(*open_with("0", "", index, reason), SIZE_MAX);
  int short_of = 0;
  for (std::size_t room = 0; room < 4096; room += 32) {
    const std::unique_ptr<Device> device = open_with("0", "", index, reason);
    short_of += std::isnan(first_band(*device, room));
    expect(first_band(*device, SIZE_MAX) == expected, "an op after one that ran out of memory");
  }
  expect(expected > 1.0f && short_of > 10 && short_of < 120, "memory runs out at some places");
}

// With a device goes what waits there.
void end_in_order(const std::string& index) {
  const std::size_t before = emulation::memory_in_use();
  {
    std::string reason;
    const std::unique_ptr<Device> device = make_cuda_device(index, "", reason);
    Adder adder(*device, 300);
    expect(adder.add(6).ok(), "kernels that wait at the end");
  }
  expect(emulation::memory_in_use() == before, "no memory stays behind");
}

void find_memory(Device& device) {
  constexpr i64 kMuch = 1 << 20;
  float *data = nullptr, *more = nullptr, value = NAN;
  Adder adder(device, 300);
  expect(device.alloc(kMuch, &data).ok(), "much memory");
  emulation::limit_memory(0);
  expect(adder.add(3).ok(), "kernels that wait");
  expect(device.alloc(1, &more).code == Code::out_of_memory, "there is no memory left");
  expect(adder.add(3).ok(), "kernels that wait");
  device.free(data);
  const Status status = device.alloc(kMuch, &more);
  emulation::limit_memory(SIZE_MAX);
  expect(status.ok(), "memory given back while kernels wait is found", status);
  device.free(more);
  expect(adder.read(value).ok() && value == 6.0f, "what waited when memory ran out");
}

// A failure is told of once, by whoever sends the kernels, and all goes on after it.
void tell_of_failures(Device& device) {
  Adder adder(device, 300);
  const Floats ones(300, 1.0f);
  const std::pair<const char*, std::function<Status()>> senders[] = {
      {"a download", [&] { return device.download(adder.x, Floats(300).data(), 300); }},
      {"an upload", [&] { return device.upload(ones.data(), adder.x, 300); }},
      {"a fill", [&] { return device.fill(adder.x, 300, 1.0f); }},
      {"a copy", [&] { return device.copy(adder.x, adder.x, 300); }},
      {"an op that fills the list", [&] { return adder.add(100); }},
  };
  for (const auto& [name, send] : senders) {
    float value = NAN;
    expect(device.fill(adder.sum, 300, 0.0f).ok() && adder.add(3).ok(), name);
    emulation::fail_launches(1, 1);
    const Status status = send();
    expect(status.code == Code::device_error, std::string(name) + " tells of a kernel that failed", status);
    expect(device.fill(adder.sum, 300, 0.0f).ok() && adder.add(3).ok(), std::string("after ") + name);
    expect(adder.read(value).ok() && value == 3.0f, std::string("a sum after ") + name);
  }
}

// The kernels then go alone, and the graph is made anew when they come again.
void do_without_a_graph_that_fails(Device& device) {
  for (const bool fails : {false, false, true, false, false}) {
    Adder adder(device, 300);
    const LaunchCounts before = launches_of(device);
    emulation::fail_launches(0, fails ? 1 : 0);
    float value = NAN;
    expect(adder.add(9).ok() && adder.read(value).ok() && value == 9.0f, "a list whose graph fails");
    expect(!fails || launches_of(device).alone == before.alone + 9, "it goes alone");
    expect(!fails || launches_of(device).graphs == before.graphs - 1, "its graph is gone");
  }
  const LaunchCounts counts = launches_of(device);
  Adder adder(device, 300);
  float value = NAN;
  expect(adder.add(9).ok() && adder.read(value).ok(), "a list whose graph was made anew");
  expect(launches_of(device).by_graph == counts.by_graph + 9, "it goes as a graph again");
}

#endif


void follow_the_variables(const std::string& index) {
  std::string reason;
  expect(open_with("yes", "", index, reason) == nullptr &&
             reason == "SONOTEXT_CUDA_GRAPHS is 1 or 0, not \"yes\".",
         "another value is refused: " + reason);
  const std::unique_ptr<Device> waiting = open_with("1", "1", index, reason);
  thrice(*waiting, "with SONOTEXT_SYNC", 9.0f, [](Adder& adder) { return adder.add(9); });
  expect(launches_of(*waiting).by_graph == 0, "where every op is waited for there are no graphs");
}

int test_graphs(const std::string& index) {
  std::string reason;
  const std::unique_ptr<Device> plain = open_with("0", "", index, reason);
  if (plain == nullptr) {
    std::printf("cuda:%s: skipped: %s\n", index.c_str(), reason.c_str());
    return 0;
  }
  bring_much_back_at_once(index);
#ifdef SONOTEXT_EMULATED
  fill_what_was_left(index);
#endif
  const std::unique_ptr<Device> device = open_with("1", "", index, reason);
  keep_the_order(*device);
  take_shared_memory(*device);
  stay_bounded(*device);
#ifdef SONOTEXT_EMULATED
  end_in_order(index);
  find_memory(*device);
  tell_of_failures(*device);
  do_without_a_graph_that_fails(*device);
#endif
  follow_the_variables(index);
  compare_programs(*plain, *device);
  std::printf("%d failed\n", failed);
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sonotext

int main(int count, char** arguments) {
  if (count > 2) {
    std::fprintf(stderr, "Use: graphs [index]\n");
    return 2;
  }
  return sonotext::test_graphs(count > 1 ? arguments[1] : "0");
}
