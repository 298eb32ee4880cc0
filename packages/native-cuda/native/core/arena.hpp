// Scratch memory of one op call: bump allocation, everything released at once, blocks reused by later calls; and plans, which later
// calls find as they were made.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "aligned.hpp"
#include "exec.hpp"

namespace sonotext {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // 64-byte aligned; nullptr when there is no memory or `bytes` is negative. Zero bytes give a valid pointer.
  void* take(std::int64_t bytes);

  // See Exec::plan. An arena is one op's at a time, so nobody else sees a plan while it is made.
  const void* plan(const PlanKey& key, std::int64_t bytes, Exec::Maker make, void* context,
                   const std::atomic<bool>& stopped);

  // Forgets everything taken, and of the plans those that were used longest ago past some megabytes. Several blocks become
  // one of their total size next time, so that a repeated op settles on a single block.
  void reset();

  // Held, whether taken or not, plans included.
  std::int64_t bytes() const;

 private:
  struct Block {
    char* data;
    std::int64_t size;
  };
  struct Plan {
    PlanKey key;
    Block block;
  };
  std::vector<Block> blocks_;
  std::vector<Plan> plans_;    // the one used last is the last
  std::int64_t planned_ = 0;   // bytes of all plans: a call costs the same however many there are
  std::int64_t used_ = 0;      // in the last block
  std::int64_t hint_ = 0;
};

// An arena of the process's free list, given back when the lease ends.
class ArenaLease {
 public:
  ArenaLease();
  ~ArenaLease();
  ArenaLease(const ArenaLease&) = delete;
  ArenaLease& operator=(const ArenaLease&) = delete;
  Arena* operator->() const { return arena_.get(); }

 private:
  std::unique_ptr<Arena> arena_;
};

// Bytes that arenas keep for the ops to come, and how to give them back to the system.
std::int64_t kept_scratch();
void trim_scratch();

}  // namespace sonotext
