#include "graphs.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sonotext::cuda {
namespace {

constexpr std::size_t kLongest = 32;    // kernels of a list: the GPU is to have work while the host goes on
constexpr std::size_t kShortest = 4;    // of a graph: for fewer it saves nothing
constexpr std::size_t kKept = 64;       // lists
constexpr std::size_t kAlignment = 16;  // of an argument: no type of one needs more

// Whether one graph does for both: they differ in the arguments' values at most.
bool same_kernels(const std::vector<Launch>& a, const std::vector<Launch>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Launch& x, const Launch& y) {
    return x.kernel == y.kernel && x.blocks == y.blocks && x.threads == y.threads &&
           x.shared_bytes == y.shared_bytes;
  });
}

std::vector<void*> arguments_of(Launch& launch) {
  std::vector<void*> arguments;
  for (const std::size_t begin : launch.begins) arguments.push_back(launch.bytes.data() + begin);
  return arguments;
}

cudaError_t start(const Launch& launch, void** arguments, cudaStream_t stream) {
  cudaLaunchConfig_t config = {};
  config.gridDim = dim3(launch.blocks, 1, 1);
  config.blockDim = dim3(launch.threads, 1, 1);
  config.dynamicSmemBytes = launch.shared_bytes;
  config.stream = stream;
  return cudaLaunchKernelExC(&config, launch.kernel, arguments);
}

}  // namespace

struct Stream::Graph {
  explicit Graph(const std::vector<Launch>& list) : launches(list) {}
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  // CUDA keeps what it needs of one that the GPU is not done with.
  ~Graph() {
    if (ready != nullptr) cudaGraphExecDestroy(ready);
    if (graph != nullptr) cudaGraphDestroy(graph);
  }

  // On a failure nothing was sent.
  cudaError_t go(const std::vector<Launch>& list, cudaStream_t stream) {
    cudaError_t error = ready != nullptr ? cudaSuccess : make();
    for (std::size_t i = 0; i < list.size() && error == cudaSuccess; ++i) {
      if (launches[i].bytes == list[i].bytes) continue;
      launches[i].bytes = list[i].bytes;
      error = with_node(i, [&](const auto& node) {
        return cudaGraphExecKernelNodeSetParams(ready, nodes[i], &node);
      });
    }
    return error == cudaSuccess ? cudaGraphLaunch(ready, stream) : error;
  }

  // A chain: each kernel waits for the one before it, as in the stream.
  cudaError_t make() {
    cudaError_t error = cudaGraphCreate(&graph, 0);
    for (std::size_t i = 0; i < launches.size() && error == cudaSuccess; ++i) {
      cudaGraphNode_t made = nullptr;
      error = with_node(i, [&](const auto& node) {
        return cudaGraphAddKernelNode(&made, graph, i == 0 ? nullptr : &nodes[i - 1], i == 0 ? 0 : 1, &node);
      });
      nodes.push_back(made);
    }
    return error == cudaSuccess ? cudaGraphInstantiateWithFlags(&ready, graph, 0) : error;
  }

  // f(parameters of the node of this number). CUDA copies the arguments they point to.
  template <class F>
  cudaError_t with_node(std::size_t index, F f) {
    Launch& launch = launches[index];
    std::vector<void*> arguments = arguments_of(launch);
    cudaKernelNodeParams node = {};
    node.func = const_cast<void*>(launch.kernel);
    node.gridDim = dim3(launch.blocks, 1, 1);
    node.blockDim = dim3(launch.threads, 1, 1);
    node.sharedMemBytes = static_cast<unsigned>(launch.shared_bytes);
    node.kernelParams = arguments.data();
    return f(node);
  }

  std::vector<Launch> launches;  // with the arguments that the nodes have
  std::vector<cudaGraphNode_t> nodes;
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t ready = nullptr;  // made when the list comes a second time
};

Stream::Stream(cudaStream_t stream, bool graphs) : stream_(stream), graphs_(graphs) {}

Stream::~Stream() { flush(); }

cudaError_t Stream::launch(const void* kernel, std::int64_t blocks, int threads, std::int64_t shared_bytes,
                           void** arguments, const std::size_t* sizes, std::size_t count) {
  Launch launch{kernel,
                static_cast<unsigned>(blocks),
                static_cast<unsigned>(threads),
                static_cast<std::size_t>(shared_bytes),
                {},
                {}};
  if (!graphs_) {
    ++alone_;
    return start(launch, arguments, stream_);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = (launch.bytes.size() + kAlignment - 1) / kAlignment * kAlignment;
    launch.begins.push_back(begin);
    launch.bytes.resize(begin + sizes[i]);
    std::memcpy(launch.bytes.data() + begin, arguments[i], sizes[i]);
  }
  waiting_.push_back(std::move(launch));
  if (waiting_.size() == kLongest) flush();
  return cudaSuccess;
}

cudaError_t Stream::take(void** memory, std::int64_t bytes) {
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(bytes, 1));
  cudaError_t error = cudaMallocAsync(memory, size, stream_);
  if (error == cudaErrorMemoryAllocation && !given_back_.empty()) {
    cudaGetLastError();  // handled here: the next call must not find it
    flush();
    error = cudaMallocAsync(memory, size, stream_);
  }
  return error;
}

void Stream::give_back(void* memory) {
  if (waiting_.empty()) {
    cudaFreeAsync(memory, stream_);
  } else {
    given_back_.push_back(memory);
  }
}

cudaError_t Stream::problem() { return std::exchange(problem_, cudaSuccess); }

LaunchCounts Stream::counts() const {
  const auto made = [](const Graph& known) { return known.ready != nullptr; };
  return {alone_, by_graph_, std::count_if(known_.begin(), known_.end(), made)};
}

void Stream::flush() {
  if (waiting_.empty()) return;
  if (!go_as_graph()) {
    for (Launch& launch : waiting_) {
      const cudaError_t error = start(launch, arguments_of(launch).data(), stream_);
      if (problem_ == cudaSuccess) problem_ = error;
      ++alone_;
    }
  }
  waiting_.clear();
  for (void* memory : given_back_) cudaFreeAsync(memory, stream_);
  given_back_.clear();
}

// False where nothing was sent.
bool Stream::go_as_graph() {
  if (waiting_.size() < kShortest) return false;
  const auto found = std::find_if(known_.begin(), known_.end(), [&](const Graph& known) {
    return same_kernels(known.launches, waiting_);
  });
  if (found == known_.end()) {
    known_.emplace_front(waiting_);
    if (known_.size() > kKept) known_.pop_back();
    return false;
  }
  known_.splice(known_.begin(), known_, found);
  if (found->go(waiting_, stream_) == cudaSuccess) {
    by_graph_ += static_cast<std::int64_t>(waiting_.size());
    return true;
  }
  cudaGetLastError();  // where the kernels themselves are at fault, they say so alone
  known_.pop_front();
  return false;
}

}  // namespace sonotext::cuda
