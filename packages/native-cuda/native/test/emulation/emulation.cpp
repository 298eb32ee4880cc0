#include <setjmp.h>
#include <ucontext.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "cuda_runtime.h"

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr std::size_t kStack = 256 << 10;
constexpr int kWarp = 32;
constexpr unsigned char kCanary = 0xa5;
constexpr std::size_t kGuard = 256;

enum class State { ready, at_barrier, at_exchange, done };

struct Copy {
  void* to;
  const void* from;
  int bytes, have;
};

struct Fiber {
  jmp_buf at;  // where it waits
  std::deque<std::vector<Copy>> copies;  // by group; the last one is not yet committed
  std::unique_ptr<char[]> stack;
  State state = State::ready;
  bool vote = false;
  // What it showed last and before: others of the warp may still look at that.
  struct alignas(16) Shown {
    unsigned char bytes[128];
  } shown[2];
  int turn = 0;
};

struct alignas(128) Line {
  unsigned char bytes[128];
};

std::vector<Line> shared;
jmp_buf scheduler;
std::vector<Fiber> fibers;
int current = 0;
const std::function<void()>* body = nullptr;
std::uint64_t random_state = 1;
std::map<void*, std::size_t> memory;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "emulation: %s (block %u, thread %d)\n", what, blockIdx.x, current);
  std::abort();
}

// Goes on where `next` was left; comes back when somebody goes on at `own`. A swapcontext would ask the system for the
// signal mask each time, which takes longer than what threads do in between.
void leave(jmp_buf& own, jmp_buf& next) {
  if (_setjmp(own) == 0) _longjmp(next, 1);
}

void wait(State state) {
  Fiber& own = fibers[current];
  own.state = state;
  leave(own.at, scheduler);
}

// A fiber is a thread of one block after the other.
void live() {
  for (;;) {
    wait(State::done);
    (*body)();
  }
}

// Gives fibers their stacks, up to where they wait for a block.
void begin(Fiber& fiber) {
  ucontext_t here, there;
  getcontext(&there);
  fiber.stack = std::make_unique<char[]>(kStack);
  there.uc_stack.ss_sp = fiber.stack.get();
  there.uc_stack.ss_size = kStack;
  there.uc_link = nullptr;
  makecontext(&there, live, 0);
  if (_setjmp(scheduler) == 0) swapcontext(&here, &there);
}

// Lets every group (a warp, or the block) go on of which all threads that have not ended wait for the same
// thing.
bool release(State waited, int group) {
  bool any = false;
  const int count = static_cast<int>(fibers.size());
  for (int first = 0; first < count; first += group) {
    const int end = first + group < count ? first + group : count;
    int waiting = 0, living = 0;
    for (int i = first; i < end; ++i) {
      living += fibers[i].state != State::done;
      waiting += fibers[i].state == waited;
    }
    if (waiting == 0 || waiting != living) continue;
    for (int i = first; i < end; ++i) {
      if (fibers[i].state == waited) fibers[i].state = State::ready;
    }
    any = true;
  }
  return any;
}

void run_block() {
  const int count = static_cast<int>(fibers.size());
  for (Fiber& fiber : fibers) {
    fiber.state = State::ready;
    fiber.turn = 0;
    fiber.copies.assign(1, {});
  }
  for (;;) {
    // Every round begins at another thread and goes up or down.
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    const int offset = static_cast<int>((random_state >> 33) % static_cast<unsigned>(count));
    const bool backwards = (random_state >> 62) & 1;
    int ran = 0;
    for (int i = 0; i < count; ++i) {
      const int at = (offset + i) % count;
      current = backwards ? count - 1 - at : at;
      if (fibers[current].state != State::ready) continue;
      ++ran;
      threadIdx = dim3(static_cast<unsigned>(current));
      leave(scheduler, fibers[current].at);
    }
    const bool warps = release(State::at_exchange, kWarp);
    if (release(State::at_barrier, count) || warps || ran > 0) continue;
    for (const Fiber& fiber : fibers) {
      if (fiber.state != State::done) fail("threads of a block wait for different things");
    }
    return;
  }
}

}  // namespace

void __syncthreads() { wait(State::at_barrier); }

int __syncthreads_or(int own) {
  fibers[current].vote = own != 0;
  wait(State::at_barrier);
  bool any = false;
  for (const Fiber& fiber : fibers) any = any || (fiber.state != State::done && fiber.vote);
  wait(State::at_barrier);
  return any;
}

namespace emulation {

void show(const void* value, std::size_t bytes) {
  Fiber& own = fibers[current];
  own.turn = 1 - own.turn;
  if (bytes > 0) std::memcpy(own.shown[own.turn].bytes, value, bytes);
  wait(State::at_exchange);
}

const void* shown_by(int lane) {
  return fibers[current / kWarp * kWarp + lane].shown[fibers[current].turn].bytes;
}

void copy_async(void* to, const void* from, int bytes, int have) {
  const auto address = reinterpret_cast<std::uintptr_t>(to) | reinterpret_cast<std::uintptr_t>(from);
  if (address % static_cast<unsigned>(bytes) != 0) fail("an asynchronous copy that is not aligned");
  std::memset(to, 0xff, static_cast<std::size_t>(bytes));
  fibers[current].copies.back().push_back({to, from, bytes, have});
}

void commit_copies() { fibers[current].copies.emplace_back(); }

void wait_for_copies(int newest) {
  auto& groups = fibers[current].copies;
  while (static_cast<int>(groups.size()) > newest + 1) {
    for (const Copy& copy : groups.front()) {
      std::memset(copy.to, 0, static_cast<std::size_t>(copy.bytes));
      std::memcpy(copy.to, copy.from, static_cast<std::size_t>(copy.have));
    }
    groups.pop_front();
  }
}

int capability() {
  const char* set = std::getenv("SONOTEXT_EMULATED_CAPABILITY");
  if (set == nullptr || *set == '\0') return 90;
  return static_cast<int>(std::strtod(set, nullptr) * 10.0 + 0.5);
}

void needs_capability(int least) {
  static const int have = capability();
  if (have < least) fail("a kernel for a newer GPU");
}

void* dynamic_shared() { return shared.data(); }

void run_grid(dim3 grid, dim3 block, std::size_t shared_bytes, const std::function<void()>& kernel) {
  body = &kernel;
  const std::size_t lines = (shared_bytes + sizeof(Line) - 1) / sizeof(Line);
  shared.resize(lines + 1);
  gridDim = grid, blockDim = block;
  fibers.resize(block.x);
  for (current = 0; current < static_cast<int>(fibers.size()); ++current) {
    if (fibers[current].stack == nullptr) begin(fibers[current]);
  }
  for (unsigned x = 0; x < grid.x; ++x) {
    blockIdx = dim3(x);
    auto* bytes = reinterpret_cast<unsigned char*>(shared.data());
    std::memset(bytes, 0xff, shared_bytes);  // NaN: what no thread wrote shows
    std::memset(bytes + shared_bytes, kCanary, shared.size() * sizeof(Line) - shared_bytes);
    run_block();
    for (std::size_t i = shared_bytes; i < shared.size() * sizeof(Line); ++i) {
      if (bytes[i] != kCanary) fail("a write past the end of dynamic shared memory");
    }
  }
}

}  // namespace emulation

cudaError_t cudaMallocAsync(void** data, std::size_t bytes, cudaStream_t) {
  auto* start = static_cast<unsigned char*>(std::aligned_alloc(256, (bytes + 2 * kGuard + 255) / 256 * 256));
  if (start == nullptr) return cudaErrorMemoryAllocation;
  std::memset(start, kCanary, kGuard);
  std::memset(start + kGuard, 0xff, bytes);
  std::memset(start + kGuard + bytes, kCanary, kGuard);
  *data = start + kGuard;
  memory[*data] = bytes;
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* data, cudaStream_t) {
  const auto found = memory.find(data);
  if (found == memory.end()) fail("memory freed that was not allocated");
  auto* bytes = static_cast<unsigned char*>(data);
  for (std::size_t i = 0; i < kGuard; ++i) {
    if (*(bytes - 1 - i) != kCanary) fail("a write before the beginning of device memory");
    if (bytes[found->second + i] != kCanary) fail("a write past the end of device memory");
  }
  memory.erase(found);
  std::free(bytes - kGuard);
  return cudaSuccess;
}
