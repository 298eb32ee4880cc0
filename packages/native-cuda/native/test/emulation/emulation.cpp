#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iterator>
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

namespace {

constexpr std::size_t kFreedBytes = 1 << 20;  // kept to see whether someone still uses them

struct Freed {
  unsigned char* data;
  std::size_t bytes;
};
std::deque<Freed> freed;
std::size_t freed_bytes = 0, used_bytes = 0, most_bytes = SIZE_MAX;

void forget_oldest() {
  const Freed oldest = freed.front();
  freed.pop_front();
  freed_bytes -= oldest.bytes;
  for (std::size_t i = 0; i < oldest.bytes; ++i) {
    if (oldest.data[i] != 0xff) fail("a write to memory that had been freed");
  }
  std::free(oldest.data - kGuard);
}

}  // namespace

cudaError_t cudaMallocAsync(void** data, std::size_t bytes, cudaStream_t) {
  if (bytes > most_bytes - std::min(most_bytes, used_bytes)) return cudaErrorMemoryAllocation;
  auto* start = static_cast<unsigned char*>(std::aligned_alloc(256, (bytes + 2 * kGuard + 255) / 256 * 256));
  if (start == nullptr) return cudaErrorMemoryAllocation;
  std::memset(start, kCanary, kGuard);
  std::memset(start + kGuard, 0xff, bytes);
  std::memset(start + kGuard + bytes, kCanary, kGuard);
  *data = start + kGuard;
  memory[*data] = bytes;
  used_bytes += bytes;
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
  std::memset(bytes, 0xff, found->second);
  freed.push_back({bytes, found->second});
  freed_bytes += found->second;
  used_bytes -= found->second;
  memory.erase(found);
  while (freed_bytes > kFreedBytes) forget_oldest();
  return cudaSuccess;
}

// ---- kernels by their addresses, and graphs of them

namespace {

std::map<const void*, emulation::Known> kernels;
int launches_before_failures = 0, failures = 0;

const emulation::Known& kernel_of(const void* address) {
  const auto found = kernels.find(address);
  if (found == kernels.end()) fail("a kernel that was never seen");
  return found->second;
}

bool fails_now() {
  if (failures == 0 || launches_before_failures-- > 0) return false;
  launches_before_failures = 0;
  return failures-- > 0;
}

struct Started {
  const void* kernel;
  dim3 grid, block;
  std::size_t shared_bytes;
  std::vector<std::vector<unsigned char>> arguments;

  explicit Started(const cudaKernelNodeParams& params)
      : kernel(params.func),
        grid(params.gridDim),
        block(params.blockDim),
        shared_bytes(params.sharedMemBytes) {
    const std::vector<std::size_t>& sizes = kernel_of(kernel).sizes;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto* from = static_cast<const unsigned char*>(params.kernelParams[i]);
      arguments.emplace_back(from, from + sizes[i]);
    }
  }

  void run() {
    std::vector<void*> pointers;
    for (std::vector<unsigned char>& argument : arguments) pointers.push_back(argument.data());
    emulation::run_grid(grid, block, shared_bytes, [&] { kernel_of(kernel).call(pointers.data()); });
  }
};

}  // namespace

struct CUgraphNode_st {
  Started started;
  std::vector<cudaGraphNode_t> before;
};
struct CUgraph_st {
  std::vector<std::unique_ptr<CUgraphNode_st>> nodes;
};
struct CUgraphExec_st {
  cudaGraph_t graph;
  std::map<cudaGraphNode_t, Started> started;
};

namespace {

std::map<const void*, std::size_t> shared_allowed;

// As CUDA: what was asked for last counts, 48 KB where nothing was.
bool may_have_shared(const void* kernel, std::size_t bytes) {
  const auto found = shared_allowed.find(kernel);
  return bytes <= (found != shared_allowed.end() ? found->second : std::size_t{48 << 10});
}

}  // namespace

void emulation::know(const void* kernel, Known (*make)(const void*)) {
  if (kernels.count(kernel) == 0) kernels.emplace(kernel, make(kernel));
}

void emulation::allow_shared(const void* kernel, std::size_t bytes) { shared_allowed[kernel] = bytes; }

std::size_t emulation::memory_in_use() { return used_bytes; }
void emulation::limit_memory(std::size_t more) {
  most_bytes = more > SIZE_MAX - used_bytes ? SIZE_MAX : used_bytes + more;
}
void emulation::fail_launches(int after, int count) { launches_before_failures = after, failures = count; }

cudaError_t cudaLaunchKernelExC(const cudaLaunchConfig_t* config, const void* kernel, void** arguments) {
  if (fails_now()) return cudaErrorLaunchFailure;
  if (!may_have_shared(kernel, config->dynamicSmemBytes)) return cudaErrorInvalidValue;
  const emulation::Known& known = kernel_of(kernel);
  emulation::run_grid(config->gridDim, config->blockDim, config->dynamicSmemBytes,
                      [&] { known.call(arguments); });
  return cudaSuccess;
}

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned) { return *graph = new CUgraph_st, cudaSuccess; }

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* before,
                                   std::size_t count, const cudaKernelNodeParams* params) {
  if (!may_have_shared(params->func, params->sharedMemBytes)) return cudaErrorInvalidValue;
  graph->nodes.push_back(std::unique_ptr<CUgraphNode_st>(
      new CUgraphNode_st{Started(*params), std::vector<cudaGraphNode_t>(before, before + count)}));
  *node = graph->nodes.back().get();
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new CUgraphExec_st{graph, {}};
  for (const auto& node : graph->nodes) (*exec)->started.emplace(node.get(), node->started);
  return cudaSuccess;
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t exec, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* params) {
  const auto found = exec->started.find(node);
  if (found == exec->started.end() || found->second.kernel != params->func) {
    fail("a graph has no such kernel");
  }
  found->second = Started(*params);
  return cudaSuccess;
}

// The last of those that wait for nothing goes first.
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t) {
  if (fails_now()) return cudaErrorLaunchFailure;
  std::vector<cudaGraphNode_t> waiting;
  for (const auto& node : exec->graph->nodes) waiting.push_back(node.get());
  while (!waiting.empty()) {
    const auto is_free = [&](cudaGraphNode_t node) {
      return std::none_of(node->before.begin(), node->before.end(), [&](cudaGraphNode_t before) {
        return std::find(waiting.begin(), waiting.end(), before) != waiting.end();
      });
    };
    const auto last = std::find_if(waiting.rbegin(), waiting.rend(), is_free);
    if (last == waiting.rend()) fail("kernels of a graph that wait for each other");
    exec->started.at(*last).run();
    waiting.erase(std::next(last).base());
  }
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) { return delete exec, cudaSuccess; }
cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
