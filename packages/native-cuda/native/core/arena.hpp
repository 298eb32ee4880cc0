// Scratch memory of one op call: bump allocation, everything released at once, blocks reused by later calls.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "aligned.hpp"

namespace sonotext {

class Arena {
 public:
  Arena() = default;
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // 64-byte aligned; nullptr when there is no memory or `bytes` is negative. Zero bytes give a valid pointer.
  void* take(std::int64_t bytes);

  // Forgets everything taken. Several blocks become one of their total size next time, so that a repeated op
  // settles on a single block.
  void reset();

  // Held, whether taken or not.
  std::int64_t bytes() const;

 private:
  struct Block {
    char* data;
    std::int64_t size;
  };
  std::vector<Block> blocks_;
  std::int64_t used_ = 0;  // in the last block
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
