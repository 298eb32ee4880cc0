#include "nccl.hpp"

#include <cuda_runtime.h>
#if defined(__linux__)
#include <dlfcn.h>
#endif

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <type_traits>
#include <utility>

#include "exec.hpp"

namespace sonotext::nccl {
namespace {

using namespace std::chrono_literals;

// What is used of nccl.h; the numbers and layouts are the same in all of NCCL 2.
constexpr int kOldest = 21800;  // of 2023; nothing older was looked at
constexpr int kFloat32 = 7, kSum = 0;
using Result = int;
constexpr Result kSuccess = 0, kInProgress = 7;
using Comm = struct ncclComm*;
struct UniqueId {
  char bytes[kIdBytes];
};

struct Api {
  Result (*get_version)(int*) = nullptr;
  Result (*get_unique_id)(UniqueId*) = nullptr;
  Result (*comm_init_rank)(Comm*, int size, UniqueId, int rank) = nullptr;
  Result (*comm_destroy)(Comm) = nullptr;
  Result (*comm_abort)(Comm) = nullptr;
  Result (*comm_get_async_error)(Comm, Result*) = nullptr;
  Result (*all_reduce)(const void*, void*, std::size_t, int type, int op, Comm, cudaStream_t) = nullptr;
  Result (*broadcast)(const void*, void*, std::size_t, int type, int root, Comm, cudaStream_t) = nullptr;
  Result (*group_start)() = nullptr;
  Result (*group_end)() = nullptr;
  const char* (*get_error_string)(Result) = nullptr;
  const char* (*get_last_error)(Comm) = nullptr;
};

struct Library {
  Api api;
  Summary summary;
};

#if defined(__linux__)
std::string version_text(int version) {
  const int major = version < 10000 ? version / 1000 : version / 10000;
  const int minor = version < 10000 ? version / 100 % 10 : version / 100 % 100;
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(version % 100);
}

// The name of a function that is not there, or null.
const char* find_functions(void* file, Api& api) {
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(file, name));
    if (function == nullptr && missing == nullptr) missing = name;
  };
  find(api.get_version, "ncclGetVersion");
  find(api.get_unique_id, "ncclGetUniqueId");
  find(api.comm_init_rank, "ncclCommInitRank");
  find(api.comm_destroy, "ncclCommDestroy");
  find(api.comm_abort, "ncclCommAbort");
  find(api.comm_get_async_error, "ncclCommGetAsyncError");
  find(api.all_reduce, "ncclAllReduce");
  find(api.broadcast, "ncclBroadcast");
  find(api.group_start, "ncclGroupStart");
  find(api.group_end, "ncclGroupEnd");
  find(api.get_error_string, "ncclGetErrorString");
  find(api.get_last_error, "ncclGetLastError");
  return missing;
}

Library open_library() {
  const char* set = std::getenv("SONOTEXT_NCCL");
  const bool named = set != nullptr && *set != '\0';
  const std::string name = named ? set : "libnccl.so.2";
  if (name == "0") return {{}, {"", "SONOTEXT_NCCL=0 asks for none"}};
  void* file = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (file == nullptr) {
    const char* why = dlerror();
    return {{}, {"", why != nullptr ? why : name + " cannot be loaded"}};
  }
  Library library;
  int version = 0;
  const char* missing = find_functions(file, library.api);
  // An old one lacks functions: its version is what says more.
  const auto get_version = library.api.get_version;
  if (get_version != nullptr && get_version(&version) == kSuccess && version < kOldest) {
    library.summary.detail =
        name + " is NCCL " + version_text(version) + ", and " + version_text(kOldest) + " or newer is needed";
  } else if (missing != nullptr) {
    library.summary.detail = name + " is no NCCL of today: it has no " + missing;
  } else {
    Dl_info where;
    const bool found = dladdr(reinterpret_cast<void*>(get_version), &where) != 0;
    library.summary = {version_text(version), found && where.dli_fname != nullptr ? where.dli_fname : name};
  }
  if (library.summary.version.empty()) dlclose(file);
  return library;
}
#else
Library open_library() { return {{}, {"", "NCCL is for Linux"}}; }
#endif

const Library& library() {
  static const Library* const found = new Library(open_library());  // in use until the process has ended
  return *found;
}

// Text for a Status, which owns none: kept as long as the process, each once.
const char* keep(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string>* const kept = new std::set<std::string>;
  const std::lock_guard lock(mutex);
  return kept->insert(text).first->c_str();
}

Status unusable() { return {Code::device_error, keep("there is no NCCL: " + summary().detail)}; }

std::string text_of(Result result) {
  const Api& api = library().api;
  const std::string text = std::string("NCCL says: ") + api.get_error_string(result);
  const char* last = api.get_last_error(nullptr);
  std::string more = last != nullptr ? last : "";
  while (!more.empty() && (more.back() == '\n' || more.back() == ' ')) more.pop_back();
  return more.empty() ? text : text + " (" + more + ")";
}

Status status_of(Result result) {
  return result == kSuccess ? Status{} : Status{Code::device_error, keep(text_of(result))};
}

// The one communicator of the process.
struct Link {
  // Of the thread that joins, calls collectives and leaves.
  int rank = 0, size = 0;
  Device* device = nullptr;

  std::timed_mutex use;  // held while a collective is enqueued, which may itself wait for another process

  std::mutex state;     // of the rest; never held for long
  bool joined = false;  // or about to
  Comm comm = nullptr;
  std::atomic<const char*> lost{nullptr};  // written under the mutex

  Comm take() {
    const std::lock_guard lock(state);
    return std::exchange(comm, nullptr);
  }
};

Link& link() {
  static Link* const only = new Link;
  return *only;
}

void end_state(Link& own) {
  const std::lock_guard lock(own.state);
  own.joined = false;
  own.lost = nullptr;
}

// Calls f(exec) as an op of a CUDA device.
template <class F>
Status enqueue(Device& device, F&& f) {
  static const std::atomic<bool> never{false};
  return device.execute(
      [](void* context, Exec& exec) {
        auto* const cuda = dynamic_cast<cuda::CudaExec*>(&exec);
        if (cuda == nullptr) return Status::unsupported("NCCL moves memory of CUDA devices");
        return (*static_cast<std::remove_reference_t<F>*>(context))(*cuda);
      },
      &f, never);
}

// Makes calls(api, comm) one operation of NCCL. Its result while the communicator is given up says nothing:
// the device tells of that.
template <class F>
Status grouped(F&& calls) {
  Link& own = link();
  const std::lock_guard use(own.use);
  std::unique_lock state(own.state);
  const Comm comm = own.comm;
  state.unlock();
  if (own.lost != nullptr) return {};
  if (comm == nullptr) return Status::invalid("a process that has joined the others");
  const Api& api = library().api;
  Result result = api.group_start();
  if (result != kSuccess) return status_of(result);
  result = calls(api, comm);
  const Result ended = api.group_end();
  return status_of(result != kSuccess ? result : ended);
}

// Beginning a communicator waits for the other processes, and cannot be aborted: it has a thread of its own,
// which is left behind where one of them is lost meanwhile.
struct Beginning {
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false, left = false;
  Result result = kSuccess;
  Comm comm = nullptr;
};

Status begin(Link& own, int index, const unsigned char* bytes, int rank, int size) {
  UniqueId id;
  std::memcpy(id.bytes, bytes, kIdBytes);
  const auto shared = std::make_shared<Beginning>();
  const Api& api = library().api;
  try {
    std::thread([shared, &api, id, index, rank, size] {
      cudaSetDevice(index);
      Comm comm = nullptr;
      const Result result = api.comm_init_rank(&comm, size, id, rank);
      std::unique_lock lock(shared->mutex);
      shared->over = true;
      shared->result = result;
      shared->comm = comm;
      shared->changed.notify_all();
      const bool left = shared->left;
      lock.unlock();
      if (left && result == kSuccess) api.comm_abort(comm);
    }).detach();
  } catch (const std::system_error&) {
    return {Code::out_of_memory, "a thread"};
  }
  std::unique_lock lock(shared->mutex);
  while (!shared->over) {
    shared->changed.wait_for(lock, 50ms);
    if (own.lost == nullptr || shared->over) continue;
    shared->left = true;
    return {Code::rank_lost, own.lost};
  }
  if (shared->result != kSuccess) return status_of(shared->result);
  const std::lock_guard state(own.state);
  own.comm = shared->comm;
  return {};
}

}  // namespace

const Summary& summary() { return library().summary; }

Status address(Device& device, std::string& address) {
  return enqueue(device, [&](cuda::CudaExec&) {
    int index = 0;
    char text[32] = "";
    cudaError_t error = cudaGetDevice(&index);
    if (error == cudaSuccess) error = cudaDeviceGetPCIBusId(text, sizeof text, index);
    address = text;
    return cuda::status_of(error);
  });
}

Status make_id(unsigned char* bytes) {
  if (summary().version.empty()) return unusable();
  UniqueId id;
  const Status status = status_of(library().api.get_unique_id(&id));
  std::memcpy(bytes, id.bytes, kIdBytes);
  return status;
}

Status join(Device& device, const unsigned char* id, int rank, int size) {
  if (summary().version.empty()) return unusable();
  Link& own = link();
  {
    const std::lock_guard lock(own.state);
    if (own.joined) return Status::invalid("a process that has not joined others yet");
    own.joined = true;
    own.lost = nullptr;
  }
  int index = 0;
  Status status = enqueue(device, [&](cuda::CudaExec&) { return cuda::status_of(cudaGetDevice(&index)); });
  if (status.ok()) status = begin(own, index, id, rank, size);
  if (!status.ok()) {
    end_state(own);
    return status;
  }
  own.rank = rank;
  own.size = size;
  own.device = &device;
  return {};
}

Status all_reduce(Device& device, const std::vector<F32Out>& buffers) {
  return enqueue(device, [&](cuda::CudaExec& exec) {
    const cudaStream_t stream = exec.stream;
    return grouped([&](const Api& api, Comm comm) {
      for (const F32Out& values : buffers) {
        if (values.size == 0) continue;
        const Result result = api.all_reduce(values.data, values.data, static_cast<std::size_t>(values.size),
                                             kFloat32, kSum, comm, stream);
        if (result != kSuccess) return result;
      }
      return kSuccess;
    });
  });
}

// NCCL's own gathering wants parts of one length: here each rank's part is a broadcast, all of them in one
// operation.
Status all_gather(Device& device, F32In part, F32Out whole, const std::vector<i64>& lengths) {
  const Link& own = link();
  if (own.device == nullptr) return Status::invalid("a process that has joined the others");
  i64 total = 0;
  for (const i64 length : lengths) total += length;
  if (static_cast<int>(lengths.size()) != own.size || total != whole.size ||
      lengths[static_cast<std::size_t>(own.rank)] != part.size) {
    return Status::invalid("lengths of all ranks' parts that fit the buffers");
  }
  return enqueue(device, [&](cuda::CudaExec& exec) {
    const cudaStream_t stream = exec.stream;
    return grouped([&](const Api& api, Comm comm) {
      float* to = whole.data;
      for (int root = 0; root < own.size; ++root) {
        const i64 length = lengths[static_cast<std::size_t>(root)];
        const void* from = root == own.rank ? static_cast<const void*>(part.data) : to;
        if (length > 0) {
          const Result result =
              api.broadcast(from, to, static_cast<std::size_t>(length), kFloat32, root, comm, stream);
          if (result != kSuccess) return result;
        }
        to += length;
      }
      return kSuccess;
    });
  });
}

std::string problem() {
  Link& own = link();
  const std::lock_guard lock(own.state);
  if (own.comm == nullptr) return "";
  Result found = kSuccess;
  const Result asked = library().api.comm_get_async_error(own.comm, &found);
  const Result result = asked != kSuccess ? asked : found;
  return result == kSuccess || result == kInProgress ? "" : text_of(result);
}

void give_up(const std::string& reason) {
  Link& own = link();
  {
    const std::lock_guard lock(own.state);
    if (!own.joined) return;
    if (own.lost == nullptr) own.lost = keep(reason);
  }
  // A call that does not come back waits for who is lost: the abort ends that too.
  std::unique_lock use(own.use, std::defer_lock);
  (void)use.try_lock_for(1s);
  if (const Comm comm = own.take()) library().api.comm_abort(comm);
}

const char* given_up() { return link().lost; }

void leave() {
  Link& own = link();
  const bool lost = own.lost != nullptr;
  if (!lost && own.device != nullptr) {
    (void)enqueue(*own.device,
                  [](cuda::CudaExec& exec) { return cuda::status_of(cudaStreamSynchronize(exec.stream)); });
  }
  own.device = nullptr;
  const Api& api = library().api;
  if (const Comm comm = own.take()) (void)(lost ? api.comm_abort : api.comm_destroy)(comm);
  end_state(own);
}

}  // namespace sonotext::nccl
