// Copies between host and device through pinned memory, and what is kept on the device between ops.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exec.hpp"

namespace sonotext::cuda {

// A copy to or from pageable memory may wait for the device, and is slow. Here it goes through a ring of
// pinned pieces: an upload returns when the host's bytes are in the ring, and waits only where the ring is
// full. Everything is used under the device's lock.
class StreamTransfers final : public Transfers {
 public:
  explicit StreamTransfers(Stream& stream);
  ~StreamTransfers() override;

  Status upload(const void* host, void* device, std::int64_t bytes) override;
  Status download(const void* device, void* host, std::int64_t bytes) override;
  const void* constant(const void* host, std::int64_t bytes) override;
  void* table(const char* name, std::int64_t number, std::int64_t bytes, bool& fresh) override;

  // Between ops only. Gives constants back that were not used for long, down to a budget; after an op that was not `done`, also the tables
  // that it made, which it may not have filled.
  void tidy(bool done);
  // Gives back all that is kept.
  void trim();

 private:
  struct Piece {
    void* memory = nullptr;
    cudaEvent_t used = nullptr;  // fires when the copy from or to the piece is done
  };
  struct Constant {
    std::vector<unsigned char> bytes;
    void* device;
  };
  using Constants = std::list<Constant>;  // last used first

  Status next_piece(Piece*& piece);
  void forget(Constants::iterator constant);

  Stream& stream_;
  std::vector<Piece> ring_;
  std::size_t next_ = 0;
  Constants constants_;
  std::unordered_multimap<std::uint64_t, Constants::iterator> by_hash_;
  std::int64_t constant_bytes_ = 0;
  using Tables = std::map<std::pair<std::string, std::int64_t>, void*>;
  Tables tables_;
  std::vector<Tables::iterator> unfilled_;  // made by the op that runs
};

}  // namespace sonotext::cuda
