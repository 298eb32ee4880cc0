#include "arena.hpp"

#include <algorithm>
#include <mutex>
#include <new>

namespace sonotext {
namespace {

constexpr std::int64_t kSmallestBlock = 1 << 20;
constexpr std::int64_t kMostKept = std::int64_t{1}
                                   << 29;  // an arena that grew past this gives its memory back
constexpr std::int64_t kMostPlans = std::int64_t{1} << 22;  // bytes of plans in an arena between ops
constexpr std::size_t kArenasKept = 8;

struct FreeList {
  std::mutex mutex;
  std::vector<std::unique_ptr<Arena>> arenas;
};

FreeList& free_list() {
  static FreeList* const list = new FreeList;  // never destroyed: ops may still run while the process exits
  return *list;
}

}  // namespace

// Of an Exec that keeps none. Not in the header: what kernels are compiled with defines nothing that others see.
const void* Exec::plan(const PlanKey&, std::int64_t bytes, Maker make, void* context) {
  void* memory = scratch(bytes);
  if (memory != nullptr) make(context, memory);
  return memory;
}

Arena::~Arena() {
  for (const Block& block : blocks_) aligned_release(block.data);
  for (const Plan& plan : plans_) aligned_release(plan.block.data);
}

void* Arena::take(std::int64_t bytes) {
  if (bytes < 0 || bytes > INT64_MAX - kSmallestBlock) return nullptr;
  const std::int64_t size = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (blocks_.empty() || blocks_.back().size - used_ < size) {
    std::int64_t wanted = size > kSmallestBlock ? size : kSmallestBlock;
    if (blocks_.empty() && hint_ > wanted) wanted = hint_;
    try {
      blocks_.reserve(blocks_.size() + 1);
    } catch (const std::bad_alloc&) {
      return nullptr;
    }
    void* data = aligned_allocate(wanted, Contents::unspecified);
    if (data == nullptr) return nullptr;
    blocks_.push_back({static_cast<char*>(data), wanted});
    used_ = 0;
  }
  char* result = blocks_.back().data + used_;
  used_ += size;
  return result;
}

const void* Arena::plan(const PlanKey& key, std::int64_t bytes, Exec::Maker make, void* context,
                        const std::atomic<bool>& stopped) {
  for (auto plan = plans_.begin(); plan != plans_.end(); ++plan) {
    if (!(plan->key == key)) continue;
    std::rotate(plan, plan + 1, plans_.end());
    return plans_.back().block.data;
  }
  try {
    plans_.reserve(plans_.size() + 1);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  void* data = aligned_allocate(bytes, Contents::unspecified);
  if (data == nullptr) return nullptr;
  make(context, data);
  const PlanKey unfinished{nullptr, 0, 0};  // nobody asks for it
  plans_.push_back({stopped.load(std::memory_order_relaxed) ? unfinished : key, {static_cast<char*>(data), bytes}});
  planned_ += bytes;
  return data;
}

void Arena::reset() {
  used_ = 0;
  while (planned_ > kMostPlans) {
    const Block oldest = plans_.front().block;
    plans_.erase(plans_.begin());
    planned_ -= oldest.size;
    aligned_release(oldest.data);
  }

  std::int64_t total = 0;
  for (const Block& block : blocks_) total += block.size;
  if (blocks_.size() <= 1 && total <= kMostKept) return;
  for (const Block& block : blocks_) aligned_release(block.data);
  blocks_.clear();
  hint_ = total <= kMostKept ? total : 0;
}

std::int64_t Arena::bytes() const {
  std::int64_t total = planned_;
  for (const Block& block : blocks_) total += block.size;
  return total;
}

ArenaLease::ArenaLease() {
  FreeList& list = free_list();
  const std::lock_guard lock(list.mutex);
  if (list.arenas.empty()) {
    arena_ = std::make_unique<Arena>();
  } else {
    arena_ = std::move(list.arenas.back());
    list.arenas.pop_back();
  }
}

ArenaLease::~ArenaLease() {
  arena_->reset();
  FreeList& list = free_list();
  const std::lock_guard lock(list.mutex);
  if (list.arenas.size() < kArenasKept) list.arenas.push_back(std::move(arena_));
}

std::int64_t kept_scratch() {
  FreeList& list = free_list();
  const std::lock_guard lock(list.mutex);
  std::int64_t total = 0;
  for (const auto& arena : list.arenas) total += arena->bytes();
  return total;
}

void trim_scratch() {
  std::vector<std::unique_ptr<Arena>> idle;
  {
    FreeList& list = free_list();
    const std::lock_guard lock(list.mutex);
    idle.swap(list.arenas);
  }
}  // freed here: no op that begins meanwhile waits for it

}  // namespace sonotext
