#include "transfers.hpp"

#include <algorithm>
#include <cstring>

namespace sonotext::cuda {
namespace {

constexpr std::int64_t kPieceBytes = 1 << 20;
constexpr std::size_t kPieces = 16;
constexpr std::int64_t kConstantBudget = 64 << 20;

std::size_t size_of(std::int64_t bytes) { return static_cast<std::size_t>(bytes); }

// FNV-1a over words, in four chains that do not wait for each other; whoever finds a constant by it compares
// the bytes.
std::uint64_t hash_of(const void* data, std::int64_t bytes) {
  constexpr std::uint64_t kPrime = 1099511628211u;
  const auto* from = static_cast<const unsigned char*>(data);
  std::uint64_t chains[4] = {14695981039346656037u ^ static_cast<std::uint64_t>(bytes), 1, 2, 3};
  std::int64_t at = 0;
  const auto add = [&](std::uint64_t& chain, std::int64_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + at, size_of(size));
    chain = (chain ^ word) * kPrime;
    chain ^= chain >> 32;
    at += size;
  };
  while (bytes - at >= 32) {
    for (std::uint64_t& chain : chains) add(chain, 8);
  }
  while (at < bytes) add(chains[0], std::min<std::int64_t>(8, bytes - at));
  for (const std::uint64_t chain : {chains[1], chains[2], chains[3]})
    chains[0] = (chains[0] ^ chain) * kPrime;
  return chains[0];
}

}  // namespace

// Who copies holds pieces while the ring grows: they must not move.
StreamTransfers::StreamTransfers(Stream& stream) : stream_(stream) { ring_.reserve(kPieces); }

StreamTransfers::~StreamTransfers() {
  trim();
  for (const Piece& piece : ring_) {
    cudaFreeHost(piece.memory);
    cudaEventDestroy(piece.used);
  }
}

// A piece that no copy uses any more.
Status StreamTransfers::next_piece(Piece*& piece) {
  if (ring_.size() < kPieces) {
    Piece made;
    cudaError_t error = cudaMallocHost(&made.memory, size_of(kPieceBytes));
    if (error == cudaSuccess) {
      error = cudaEventCreateWithFlags(&made.used, cudaEventDisableTiming);
      if (error != cudaSuccess) cudaFreeHost(made.memory);
    }
    if (error == cudaSuccess) {
      next_ = ring_.size();  // the one used last: where the ring stays smaller, the oldest comes next
      ring_.push_back(made);
      piece = &ring_.back();
      return {};
    }
    if (ring_.size() < 2) return status_of(error);  // a download needs two
    cudaGetLastError();                             // the ring stays smaller
  }
  next_ = (next_ + 1) % ring_.size();
  piece = &ring_[next_];
  return status_of(cudaEventSynchronize(piece->used));
}

Status StreamTransfers::upload(const void* host, void* device, std::int64_t bytes) {
  for (std::int64_t at = 0; at < bytes; at += kPieceBytes) {
    const std::size_t part = size_of(std::min(kPieceBytes, bytes - at));
    Piece* piece = nullptr;
    if (const Status status = next_piece(piece); !status.ok()) return status;
    std::memcpy(piece->memory, static_cast<const char*>(host) + at, part);
    cudaError_t error = cudaMemcpyAsync(static_cast<char*>(device) + at, piece->memory, part,
                                        cudaMemcpyHostToDevice, stream_);
    if (error == cudaSuccess) error = cudaEventRecord(piece->used, stream_);
    if (error != cudaSuccess) return status_of(error);
  }
  return {};
}

// Two pieces take turns: one is filled by the device while the host empties the other.
Status StreamTransfers::download(const void* device, void* host, std::int64_t bytes) {
  struct Part {
    Piece* piece;
    std::int64_t at;
    std::size_t size;
  } waiting[2] = {};
  const auto empty = [&](const Part& part) {
    if (part.piece == nullptr) return Status{};
    const Status status = status_of(cudaEventSynchronize(part.piece->used));
    if (status.ok()) std::memcpy(static_cast<char*>(host) + part.at, part.piece->memory, part.size);
    return status;
  };
  int turn = 0;
  for (std::int64_t at = 0; at < bytes; at += kPieceBytes, turn = 1 - turn) {
    Part& part = waiting[turn];
    if (const Status status = empty(part); !status.ok()) return status;
    part = {nullptr, at, size_of(std::min(kPieceBytes, bytes - at))};
    if (const Status status = next_piece(part.piece); !status.ok()) return status;
    cudaError_t error = cudaMemcpyAsync(part.piece->memory, static_cast<const char*>(device) + at, part.size,
                                        cudaMemcpyDeviceToHost, stream_);
    if (error == cudaSuccess) error = cudaEventRecord(part.piece->used, stream_);
    if (error != cudaSuccess) return status_of(error);
  }
  const Status first = empty(waiting[turn]), second = empty(waiting[1 - turn]);
  return first.ok() ? second : first;
}

const void* StreamTransfers::constant(const void* host, std::int64_t bytes) {
  const std::uint64_t hash = hash_of(host, bytes);
  const auto [first, last] = by_hash_.equal_range(hash);
  for (auto found = first; found != last; ++found) {
    const Constants::iterator known = found->second;
    if (static_cast<std::int64_t>(known->bytes.size()) != bytes) continue;
    if (bytes > 0 && std::memcmp(known->bytes.data(), host, size_of(bytes)) != 0) continue;
    constants_.splice(constants_.begin(), constants_, known);
    return known->device;
  }
  void* device = nullptr;
  if (stream_.take(&device, bytes) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  if (!upload(host, device, bytes).ok()) {
    stream_.give_back(device);
    return nullptr;
  }
  const auto* from = static_cast<const unsigned char*>(host);
  constants_.push_front({std::vector<unsigned char>(from, from + bytes), device});
  by_hash_.emplace(hash, constants_.begin());
  constant_bytes_ += bytes;
  return device;
}

void* StreamTransfers::table(const char* name, std::int64_t number, std::int64_t bytes, bool& fresh) {
  const auto [found, inserted] = tables_.try_emplace({name, number}, nullptr);
  fresh = inserted;
  if (!inserted) return found->second;
  if (stream_.take(&found->second, bytes) != cudaSuccess) {
    cudaGetLastError();
    tables_.erase(found);
    return nullptr;
  }
  unfilled_.push_back(found);
  return found->second;
}

void StreamTransfers::forget(Constants::iterator constant) {
  const auto bytes = static_cast<std::int64_t>(constant->bytes.size());
  const auto [first, last] = by_hash_.equal_range(hash_of(constant->bytes.data(), bytes));
  for (auto found = first; found != last; ++found) {
    if (found->second != constant) continue;
    by_hash_.erase(found);
    break;
  }
  stream_.give_back(constant->device);
  constant_bytes_ -= bytes;
  constants_.erase(constant);
}

void StreamTransfers::tidy(bool done) {
  for (const Tables::iterator table : unfilled_) {
    if (done) break;
    stream_.give_back(table->second);
    tables_.erase(table);
  }
  unfilled_.clear();
  while (constant_bytes_ > kConstantBudget) forget(std::prev(constants_.end()));
}

void StreamTransfers::trim() {
  while (!constants_.empty()) forget(constants_.begin());
  for (const auto& entry : tables_) stream_.give_back(entry.second);
  tables_.clear();
}

}  // namespace sonotext::cuda
