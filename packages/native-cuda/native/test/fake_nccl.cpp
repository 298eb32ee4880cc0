// Stands in for NCCL in tests of ranks on emulated GPUs: the functions that cuda/nccl.cpp looks for, between
// processes of one machine, as a star of loopback sockets around rank 0. Memory of an emulated GPU is the
// host's, and its stream is always done: a collective is over when its call returns. As with NCCL, sums are
// of float32 and begin at another rank for each piece, as around a ring; and a collective that misses a
// process which is gone waits until it is aborted, and then says nothing of it.
//
// FAKE_NCCL says what goes wrong, and in which collective, counted from 1:
//   version=N    it says that it is of this version
//   join=0       ncclCommInitRank returns an error
//   fail=N       a collective returns an error
//   async=N      it hangs, and ncclCommGetAsyncError knows why
//   die=N        the process is killed in it; die=0 in ncclCommInitRank
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Result { success = 0, system_error = 2, internal_error = 3, remote_error = 6 };
constexpr int kFloat32 = 7, kSum = 0;

struct UniqueId {
  char bytes[128];
};

struct Comm {
  int rank, size;
  std::vector<int> sockets;  // on rank 0 by rank, on the others the one to rank 0
  std::atomic<bool> aborted{false};
  std::atomic<int> using_it{0};
  std::atomic<int> async{success};
  int collectives = 0;
};

int listening = -1;
thread_local int groups = 0;
thread_local std::vector<std::function<Result()>> queued;

bool asked_for(const char* what, int number) {
  const char* set = std::getenv("FAKE_NCCL");
  return set != nullptr && std::string(set) == std::string(what) + "=" + std::to_string(number);
}

// False when it was aborted: nothing else ends it.
bool move(Comm& comm, int socket, void* data, std::size_t bytes, bool out) {
  auto* at = static_cast<char*>(data);
  while (bytes > 0) {
    if (comm.aborted) return false;
    pollfd ready{socket, static_cast<short>(out ? POLLOUT : POLLIN), 0};
    poll(&ready, 1, 20);
    const ssize_t moved = out ? send(socket, at, bytes, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : recv(socket, at, bytes, MSG_DONTWAIT);
    if (moved > 0) {
      at += moved;
      bytes -= static_cast<std::size_t>(moved);
    } else if (moved == 0 || (errno != EAGAIN && errno != EINTR)) {
      usleep(10'000);  // the other one is gone
    }
  }
  return true;
}

// All ranks' values meet on rank 0.
void reduce(Comm& comm, float* values, std::size_t count) {
  const std::size_t bytes = count * sizeof(float);
  if (comm.rank > 0) {
    if (move(comm, comm.sockets[0], values, bytes, true)) move(comm, comm.sockets[0], values, bytes, false);
    return;
  }
  const auto size = static_cast<std::size_t>(comm.size);
  std::vector<std::vector<float>> parts(size, std::vector<float>(count));
  parts[0].assign(values, values + count);
  for (std::size_t rank = 1; rank < size; ++rank)
    if (!move(comm, comm.sockets[rank], parts[rank].data(), bytes, false)) return;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t first = i * size / count + 1;
    float sum = parts[first % size][i];
    for (std::size_t step = 1; step < size; ++step) sum += parts[(first + step) % size][i];
    values[i] = sum;
  }
  for (std::size_t rank = 1; rank < size; ++rank) move(comm, comm.sockets[rank], values, bytes, true);
}

void broadcast(Comm& comm, const void* from, void* to, std::size_t bytes, int root) {
  if (comm.rank == root && from != to) std::memcpy(to, from, bytes);
  if (comm.rank > 0) {
    move(comm, comm.sockets[0], to, bytes, comm.rank == root);
    return;
  }
  if (root > 0 && !move(comm, comm.sockets[static_cast<std::size_t>(root)], to, bytes, false)) return;
  for (int rank = 1; rank < comm.size; ++rank)
    if (rank != root) move(comm, comm.sockets[static_cast<std::size_t>(rank)], to, bytes, true);
}

template <class Work>
Result collective(Comm* comm, Work work) {
  const auto run = [comm, work] {
    const int number = ++comm->collectives;
    if (asked_for("fail", number)) return internal_error;
    if (asked_for("die", number)) raise(SIGKILL);
    ++comm->using_it;
    if (asked_for("async", number)) {
      comm->async = remote_error;
      while (!comm->aborted) usleep(10'000);
    } else {
      work(*comm);
    }
    --comm->using_it;
    return success;
  };
  if (groups == 0) return run();
  queued.push_back(run);
  return success;
}

void end(Comm* comm) {
  for (const int socket : comm->sockets)
    if (socket >= 0) close(socket);
  delete comm;
}

sockaddr_in loopback(in_port_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = port;
  return address;
}

}  // namespace

EXPORT Result ncclGetVersion(int* version) {
  const char* set = std::getenv("FAKE_NCCL");
  const bool other = set != nullptr && std::strncmp(set, "version=", 8) == 0;
  *version = other ? std::atoi(set + 8) : 22703;
  return success;
}

EXPORT const char* ncclGetErrorString(Result result) {
  switch (result) {
    case success:
      return "no error";
    case remote_error:
      return "remote process exited or there was a network error";
    default:
      return "internal error";
  }
}

EXPORT const char* ncclGetLastError(Comm*) { return "it was asked to fail\n"; }

EXPORT Result ncclGetUniqueId(UniqueId* id) {
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  listening = socket(AF_INET, SOCK_STREAM, 0);
  if (listening < 0 || bind(listening, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      listen(listening, 64) != 0 ||
      getsockname(listening, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return system_error;
  }
  std::memset(id->bytes, 0, sizeof id->bytes);
  std::memcpy(id->bytes, &address.sin_port, sizeof address.sin_port);
  return success;
}

EXPORT Result ncclCommInitRank(Comm** made, int size, UniqueId id, int rank) {
  if (asked_for("join", 0)) return system_error;
  if (asked_for("die", 0)) raise(SIGKILL);
  auto* comm = new Comm{rank, size, {}};
  if (rank == 0) {
    comm->sockets.assign(static_cast<std::size_t>(size), -1);
    for (int joined = 1; joined < size; ++joined) {
      const int other = accept(listening, nullptr, nullptr);
      int number = 0;
      if (other < 0 || !move(*comm, other, &number, sizeof number, false)) return system_error;
      comm->sockets[static_cast<std::size_t>(number)] = other;
    }
    close(listening);
  } else {
    in_port_t port = 0;
    std::memcpy(&port, id.bytes, sizeof port);
    sockaddr_in address = loopback(port);
    const int to = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(to, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return system_error;
    comm->sockets = {to};
    move(*comm, to, &rank, sizeof rank, true);
  }
  const int yes = 1;
  for (const int socket : comm->sockets)
    if (socket >= 0) setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  *made = comm;
  return success;
}

EXPORT Result ncclCommDestroy(Comm* comm) {
  end(comm);
  return success;
}

EXPORT Result ncclCommAbort(Comm* comm) {
  comm->aborted = true;
  while (comm->using_it > 0) usleep(1000);
  end(comm);
  return success;
}

EXPORT Result ncclCommGetAsyncError(Comm* comm, Result* result) {
  *result = static_cast<Result>(comm->async.load());
  return success;
}

EXPORT Result ncclAllReduce(const void* from, void* to, std::size_t count, int type, int op, Comm* comm,
                            void*) {
  if (type != kFloat32 || op != kSum) return internal_error;
  return collective(comm, [=](Comm& own) {
    if (from != to) std::memcpy(to, from, count * sizeof(float));
    reduce(own, static_cast<float*>(to), count);
  });
}

EXPORT Result ncclBroadcast(const void* from, void* to, std::size_t count, int type, int root, Comm* comm,
                            void*) {
  if (type != kFloat32) return internal_error;
  return collective(comm, [=](Comm& own) { broadcast(own, from, to, count * sizeof(float), root); });
}

EXPORT Result ncclGroupStart() {
  ++groups;
  return success;
}

EXPORT Result ncclGroupEnd() {
  if (--groups > 0) return success;
  Result result = success;
  for (const auto& run : queued) {
    if (result == success) result = run();
  }
  queued.clear();
  return result;
}
