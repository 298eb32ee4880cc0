// Runs calls of ops under callgrind, which counts their instructions:
//
//   valgrind --tool=callgrind --collect-atstart=no instructions CALLS ISA
//   instructions --sources     a hash of the sources it was built from (sources.cmake)
//
// CALLS is a file of calls (call_file.hpp). callgrind writes one profile a call, with the call's name; packages/bench/src/check
// starts this program and reads them. Without callgrind the calls run and nothing is counted. One thread, so that nobody waits.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "../core/check.hpp"
#include "../core/device.hpp"
#include "../core/pool.hpp"
#include "call_file.hpp"
#include "sources.hpp"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define CALLGRIND_TOGGLE_COLLECT
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS_AT(name) static_cast<void>(name)
#define RUNNING_ON_VALGRIND 0
#define SONOTEXT_NO_CALLGRIND
#endif

namespace sonotext::bench {
namespace {

const std::atomic<bool> never{false};

template <class Args>
Status run_counted(Device& device, Status (*entry)(const Args&, Exec&), const Call& call) {
  if (entry == nullptr) return Status::unsupported("no entry");
  const Args args = call.arguments<Args>();
  if (const Status status = check(args); !status.ok()) return status;
  // Once before, so that scratch memory is there.
  if (const Status status = run(device, entry, args, never); !status.ok()) return status;
  CALLGRIND_ZERO_STATS;
  CALLGRIND_TOGGLE_COLLECT;
  const Status status = run(device, entry, args, never);
  CALLGRIND_TOGGLE_COLLECT;
  CALLGRIND_DUMP_STATS_AT(call.name.c_str());
  return status;
}

Status run_named(Device& device, const Call& call) {
#define SONOTEXT_RUN(name, Args) \
  if (call.op == #name) return run_counted<Args>(device, device.table().name, call);
  SONOTEXT_OPS(SONOTEXT_RUN)
#undef SONOTEXT_RUN
  return Status::unsupported("no such op");
}

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--sources") {
    std::puts(SONOTEXT_SOURCES);
    return 0;
  }
  if (argc != 3) {
    std::fprintf(stderr, "usage: instructions CALLS ISA | --sources\n");
    return 2;
  }
#ifdef SONOTEXT_NO_CALLGRIND
  std::fprintf(stderr, "built without valgrind/callgrind.h: install valgrind and build again\n");
  return 3;
#endif
  std::string reason;
  Device* device = open_device("cpu", {argv[2], ""}, reason);
  if (device == nullptr) {
    std::fprintf(stderr, "%s\n", reason.c_str());
    return 2;
  }
  ThreadPool::instance().set_threads(1);
  std::FILE* file = std::fopen(argv[1], "rb");
  if (file == nullptr) {
    std::fprintf(stderr, "%s cannot be read\n", argv[1]);
    return 2;
  }
  for (;;) {
    Call call;
    if (!call.read(file)) break;
    if (const Status status = run_named(*device, call); !status.ok()) {
      std::fprintf(stderr, "%s: expected %s, for `%s`\n", call.name.c_str(), status.what, status.argument);
    }
  }
  std::fclose(file);
  return 0;
}

}  // namespace
}  // namespace sonotext::bench

int main(int argc, char** argv) { return sonotext::bench::main(argc, argv); }
