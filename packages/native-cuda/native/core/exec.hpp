// What an op may use besides its arguments: threads, scratch memory and the cancel flag.
#pragma once

#include <cstdint>
#include <type_traits>

namespace sonotext {

// What a plan is found by: `kind` is the address of something that only its maker has (one of an instruction set too, where the
// plan's bits are its own), the numbers are all that it is made from.
struct PlanKey {
  const void* kind;
  std::int64_t first, second;

  bool operator==(const PlanKey& other) const {
    return kind == other.kind && first == other.first && second == other.second;
  }
};

class Exec {
 public:
  using Body = void (*)(void* context, std::int64_t index, int worker);
  using Maker = void (*)(void* context, void* memory);

  virtual ~Exec() = default;

  // Runs body(context, 0..count-1, worker) on the pool and returns when all are done, or, once the caller has
  // cancelled, when those that had begun are: scratch memory that the others were to fill then holds
  // anything. `worker` is in [0, threads()) and only picks scratch memory: results must not depend on it. To
  // keep results independent of the number of threads, `count` must be a function of the shapes alone and
  // partial results must be combined in index order.
  virtual void parallel(std::int64_t count, Body body, void* context) = 0;

  // 64-byte aligned memory, valid until the op returns; nullptr when there is none left. Call it from the
  // op's own thread, outside `parallel`.
  virtual void* scratch(std::int64_t bytes) = 0;

  // 64-byte aligned memory with what `make` writes into it, valid until the op returns; nullptr when there is none left. Some are
  // kept, so that a later call with the same key finds it written; one whose maker was told to stop is not. Call it from the op's own
  // thread, outside `parallel`.
  virtual const void* plan(const PlanKey& key, std::int64_t bytes, Maker make, void* context);

  // True once the caller has cancelled. Whoever is told so leaves its work out: the op counts as stopped.
  // Only for chunks that take long, and between chunks where what follows depends on what they wrote.
  virtual bool cancelled() = 0;

  // Work was left out, so the outputs are not what the op computes. A cancel that comes when all the work has
  // begun stops nothing.
  virtual bool stopped() const = 0;

  virtual int threads() const = 0;
};

// Lambda front end of Exec::parallel: f(index, worker).
template <class F>
inline void parallel_for(Exec& exec, std::int64_t count, F&& f) {
  exec.parallel(
      count,
      [](void* context, std::int64_t index, int worker) {
        (*static_cast<std::remove_reference_t<F>*>(context))(index, worker);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

// Lambda front end of Exec::plan: make(memory).
template <class F>
inline const void* plan_of(Exec& exec, const PlanKey& key, std::int64_t bytes, F&& make) {
  return exec.plan(
      key, bytes,
      [](void* context, void* memory) { (*static_cast<std::remove_reference_t<F>*>(context))(memory); },
      const_cast<void*>(static_cast<const void*>(&make)));
}

}  // namespace sonotext
