// What holds for every op of the table, on every instruction set of this CPU: how a cancel ends it, that one
// with nothing to write does nothing, that results depend neither on the number of threads nor on the
// floating-point environment that it finds; and that products in bf16 have the bits of their definition. Prints a line per
// test; exit code 0 when all pass.
//
//   contract [test…]      all of them unless some are named
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "../core/check.hpp"
#include "../core/device.hpp"
#include "../core/host_exec.hpp"
#include "../core/pool.hpp"
#include "../cpu/resolve.hpp"
#include "every_op.hpp"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace sonotext {

namespace pairs_scalar {
extern const OpTable table_bf16;
}  // namespace pairs_scalar
#if defined(SONOTEXT_HAS_AVX2)
namespace pairs_avx2 {
extern const OpTable table_bf16;
}  // namespace pairs_avx2
#endif

namespace test {
namespace {

constexpr int kThreads = 3;

int failures = 0;

void expect(bool condition, const std::string& where, const char* what) {
  if (condition) return;
  ++failures;
  std::printf("FAILED %s: %s\n", where.c_str(), what);
}

// What a device of the CPU has, and what it has anyway.
struct NamedTable {
  std::string name;
  OpTable table, anyway;
};

// The entries of `avx512bf16` over the vocabulary of another set; null where there are none.
const OpTable* pairs_over(const char* isa) {
  if (std::strcmp(isa, "scalar") == 0) return &pairs_scalar::table_bf16;
#if defined(SONOTEXT_HAS_AVX2)
  if (std::strcmp(isa, "avx2") == 0) return &pairs_avx2::table_bf16;
#endif
  return nullptr;
}

// Of every instruction set of this CPU: its entries, those for products in bf16 over them, and over these the ones of pairs.
const std::vector<NamedTable>& tables() {
  static const auto* const all = [] {
    auto* list = new std::vector<NamedTable>;
    for (const InstructionSet& set : instruction_sets()) {
      if (!set.supported) continue;
      OpTable anyway;
      for (const bool bf16 : {false, true}) {
        OpTable table;
        const char* isa = nullptr;
        std::string reason;
        expect(resolve_cpu_table(set.name, bf16, table, isa, reason), set.name, reason.c_str());
        list->push_back({std::string(set.name) + (bf16 ? " in bf16" : ""), table, anyway});
        anyway = table;
      }
      if (const OpTable* pairs = pairs_over(set.name)) {
        OpTable table = anyway;
        table.frame_score = pairs->frame_score;
        list->push_back({std::string(set.name) + " in pairs of bf16", table, anyway});
      }
    }
    return list;
  }();
  return *all;
}

// f(table, name) for each of them.
template <class F>
void for_every_set(F f) {
  for (const NamedTable& set : tables()) f(set.table, set.name);
}

// f(entry, args, make, where) for every op and every call of every_op.hpp on every instruction set.
template <class F>
void for_every_call(F f) {
  for (const auto& [isa, table, anyway] : tables()) {
#define SONOTEXT_TEST(op, Args)                                                                \
  for (int call = 0; table.op != anyway.op; ++call) {                                          \
    const auto make = [call](Memory& memory, Args& args) { return fill(memory, args, call); }; \
    Memory memory;                                                                             \
    Args args{};                                                                               \
    if (!make(memory, args)) break;                                                            \
    const std::string where = std::string(#op) + " " + std::to_string(call) + " on " + isa;    \
    const Status status = check(args);                                                         \
    expect(status.ok(), where, status.what);                                                   \
    if (status.ok()) f(table.op, args, make, where);                                           \
  }
    SONOTEXT_OPS(SONOTEXT_TEST)
#undef SONOTEXT_TEST
  }
}

// Counts the chunks of an op and cancels it after some of them.
class CountingExec final : public HostExec {
 public:
  static constexpr std::int64_t kNever = INT64_MAX;

  CountingExec(std::atomic<bool>& flag, std::int64_t last) : HostExec(flag), flag_(flag), last_(last) {
    if (last == 0) flag = true;
  }

  void parallel(std::int64_t count, Body body, void* context) override {
    struct Counted {
      CountingExec* exec;
      Body body;
      void* context;
    } counted{this, body, context};
    HostExec::parallel(
        count,
        [](void* raw, std::int64_t index, int worker) {
          const auto* c = static_cast<Counted*>(raw);
          c->exec->late += c->exec->flag_.load();
          c->body(c->context, index, worker);
          if (++c->exec->chunks == c->exec->last_) c->exec->flag_ = true;
        },
        &counted);
  }
  bool cancelled() override {
    ++asked;
    const bool yes = HostExec::cancelled();
    told += yes;
    return yes;
  }

  std::atomic<std::int64_t> chunks{0};  // ended
  std::atomic<std::int64_t> late{0};    // begun after the cancel
  std::atomic<std::int64_t> asked{0}, told{0};

 private:
  std::atomic<bool>& flag_;
  const std::int64_t last_;
};

// Once an op is cancelled no thread begins more than the chunk it was about to begin, and the status says so
// exactly when work was left out.
void cancel() {
  std::map<std::string, std::int64_t> most;  // chunks of an op's calls
  for_every_call([&](auto entry, auto& args, auto make, const std::string& where) {
    std::atomic<bool> flag{false};
    CountingExec complete(flag, CountingExec::kNever);
    expect(call(entry, args, complete).ok(), where, "it runs");
    const Written whole(args);
    const std::int64_t all = complete.chunks;
    most[where.substr(0, where.find(' '))] = std::max(most[where.substr(0, where.find(' '))], all);
    for (const std::int64_t last :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{2}, all / 2, all - 1, all}) {
      if (last < 0 || last > all) continue;
      Memory memory;
      auto again = args;
      make(memory, again);
      std::atomic<bool> cancelled{false};
      CountingExec exec(cancelled, last);
      const Status status = call(entry, again, exec);
      const std::string at =
          where + ", cancelled after chunk " + std::to_string(last) + " of " + std::to_string(all);
      expect(exec.late <= (last == 0 ? 0 : kThreads), at, "no chunk begins after a cancel");
      const bool left_out = exec.chunks < all || exec.told > 0;
      expect(status.code == (left_out ? Code::cancelled : Code::ok), at,
             "its status says whether work was left out");
      expect(left_out || Written(again) == whole, at, "a cancel that comes too late changes nothing");
    }
  });
  std::size_t cut = 0;
  for (const auto& [op, chunks] : most) cut += chunks > 1;
  expect(4 * cut >= 3 * most.size(), "cancel", "three in four ops are drawn so large that they are cut");
}

// Cancels when it is asked for the `patience`-th time.
class Impatient final : public HostExec {
 public:
  Impatient(std::atomic<bool>& flag, int patience) : HostExec(flag), flag_(flag), patience_(patience) {}
  bool cancelled() override {
    if (++asked == patience_) flag_ = true;
    return HostExec::cancelled();
  }
  std::atomic<int> asked{0};

 private:
  std::atomic<bool>& flag_;
  const int patience_;
};

// A long transform, here of a large prime length, is one chunk.
void cancel_within_a_chunk() {
  constexpr i64 kLength = 40009;
  Memory memory;
  const LogMelArgs args{memory.in(kLength),
                        memory.in(2 * kLength),
                        memory.integers(1, [](i64) { return 0; }),
                        memory.integers(2, [](i64 i) { return i; }),
                        memory.in(1),
                        memory.out(1),
                        kLength,
                        1,
                        1,
                        1,
                        0,
                        0,
                        2,
                        0,
                        0,
                        0.0};
  for_every_set([&](const OpTable& table, const std::string& isa) {
    std::atomic<bool> flag{false};
    Impatient exec(flag, 10);
    const Status status = call(table.log_mel, args, exec);
    const std::string where = "log_mel of a large prime on " + isa;
    expect(status.code == Code::cancelled, where, "it is cancelled in the middle of its one chunk");
    expect(exec.asked >= 10 && exec.asked < 20, where, "it ends where it is told to");
  });
}

// A plan is made once and found again, as long as there is room; one whose maker was told to stop is not found.
void plans() {
  static const char kind = 0;
  const std::atomic<bool> going{false}, stopped{true};
  Arena arena;
  int made = 0;
  const auto get = [&](i64 number, i64 bytes, const std::atomic<bool>& stop) {
    const auto make = [&](void* memory) { std::memset(memory, static_cast<int>(number), 8), ++made; };
    struct Making final : HostExec {
      Making(Arena& arena, const std::atomic<bool>& stop) : HostExec(stop), arena(arena), stop(stop) {}
      const void* plan(const PlanKey& key, i64 bytes, Maker make, void* context) override {
        return arena.plan(key, bytes, make, context, stop);
      }
      Arena& arena;
      const std::atomic<bool>& stop;
    } exec(arena, stop);
    const void* plan = plan_of(exec, {&kind, number, 1}, bytes, make);
    char first = 0;
    std::memcpy(&first, plan, 1);
    expect(first == static_cast<char>(number), "plans", "what was asked for is what is given");
  };
  get(1, 64, going), arena.reset(), get(1, 64, going);
  expect(made == 1, "plans", "one is made once");
  get(2, 64, stopped), arena.reset(), get(2, 64, going), get(2, 64, going);
  expect(made == 3, "plans", "one whose maker was told to stop is made again");
  get(3, i64{3} << 20, going), get(1, 64, going), get(4, i64{3} << 20, going), arena.reset();
  expect(arena.bytes() <= i64{1} << 22, "plans", "some megabytes are kept");
  made = 0;
  get(4, i64{3} << 20, going), get(1, 64, going);
  expect(made == 0, "plans", "those that were used last are kept");
  get(3, i64{3} << 20, going);
  expect(made == 1, "plans", "those that were used longest ago are not");
}

// The transform of a prime length, told to stop while its plan is made: the next call does not meet what was left.
void cancel_within_a_plan() {
  constexpr i64 kLength = 4099;
  for_every_set([&](const OpTable& table, const std::string& isa) {
    for (const i64 precision : {0, 1}) {
      const auto run = [&](int patience) {
        Memory memory;
        const LogMelArgs args{memory.in(kLength),
                              memory.in(2 * kLength),
                              memory.integers(1, [](i64) { return 1; }),
                              memory.integers(2, [](i64 i) { return i; }),
                              memory.in(1),
                              memory.out(1),
                              kLength,
                              1,
                              1,
                              1,
                              0,
                              0,
                              2,
                              0,
                              precision,
                              0.0};
        std::atomic<bool> flag{false};
        Impatient exec(flag, patience);
        const Status status = call(table.log_mel, args, exec);
        expect(status.code == (patience > 0 ? Code::cancelled : Code::ok), isa, "a transform is cancelled where it is told to");
        return args.out[0];
      };
      trim_scratch();
      const float whole = run(0);
      trim_scratch();
      run(1);
      expect(run(0) == whole, "log_mel on " + isa, "a plan that was left unfinished is made again");
    }
  });
}

// Pairs of bfloat16 numbers in one word, and the same numbers one by one: the same sums in the same order.
void pairs() {
  int compared = 0;
  for (const auto& [isa, table, anyway] : tables()) {
    if (isa.find("pairs") == std::string::npos) continue;
    for (int call = 0;; ++call) {
      const auto scores = [&](const OpTable& entries, FrameScoreArgs& args, Memory& memory) {
        if (!fill(memory, args, call)) return false;
        const std::atomic<bool> never{false};
        HostExec exec(never);
        expect(sonotext::call(entries.frame_score, args, exec).ok(), "frame_score on " + isa, "it runs");
        return true;
      };
      Memory one, other;
      FrameScoreArgs args{}, again{};
      if (!scores(table, args, one) || !scores(anyway, again, other)) break;
      expect(Written(args) == Written(again), "frame_score " + std::to_string(call) + " on " + isa, "it has the same bits");
      ++compared;
    }
  }
  expect(compared > 4, "pairs", "some calls are compared");
}

// ---- products in bf16
// -----------------------------------------------------------------------------

// The number of eight significant bits that stands for a float.
float rounded(float x) {
  if (std::isnan(x) || std::isinf(x)) return x;
  if (std::fabs(x) < 0x1p-126f) return std::copysign(0.0f, x);
  int exponent = 0;
  const double fraction = std::frexp(static_cast<double>(x), &exponent);
  return static_cast<float>(std::ldexp(std::nearbyint(fraction * 256.0), exponent - 8));
}

struct Dot {
  float value = 0.0f;
  bool small = false, large = false;  // a product or a sum on the way is denormal; a product is beyond float32
};

// The product of two vectors as docs/numerics.md defines it, on sets that keep denormal sums or with the instruction, which does not.
Dot dot_in_bf16(const float* a, const float* b, i64 d, bool instruction) {
  Dot dot;
  for (i64 pair = 0; pair < d; pair += 2) {
    for (const i64 i : {pair + 1, pair}) {
      if (i >= d) continue;
      const float x = rounded(a[i]), y = rounded(b[i]);
      const double product = static_cast<double>(x) * y;
      dot.value = std::fma(x, y, dot.value);
      const auto small = [](double value) { return value != 0.0 && std::fabs(value) < 0x1p-126; };
      if (instruction && small(dot.value)) dot.value = std::copysign(0.0f, dot.value);
      dot.small = dot.small || small(product) || small(dot.value);
      dot.large = dot.large || (std::isfinite(product) && std::fabs(product) > 0x1.fffffep127);
    }
  }
  return dot;
}

bool same_bits(float a, float b) { return std::memcmp(&a, &b, sizeof(a)) == 0; }

// Every product of `a`'s rows with `b`'s, or 0 where it is negative: a clip of one frame, a caption of one word.
std::vector<float> single_scores(const OpTable& table, const std::vector<float>& a, const std::vector<float>& b, i64 d) {
  const i64 clips = static_cast<i64>(a.size()) / d, captions = static_cast<i64>(b.size()) / d;
  const std::vector<std::int32_t> ones(static_cast<std::size_t>(std::max(clips, captions)), 1);
  std::vector<float> out(static_cast<std::size_t>(clips * captions), NAN);
  FrameScoreArgs args{};
  args.frames = {a.data(), clips * d}, args.words = {b.data(), captions * d};
  args.frameLengths = {ones.data(), clips}, args.wordLengths = {ones.data(), captions};
  args.out = {out.data(), clips * captions};
  args.clips = clips, args.captions = captions, args.maxFrames = args.maxWords = 1, args.d = d, args.reduction = 1;
  const std::atomic<bool> never{false};
  HostExec exec(never);
  expect(call(table.frame_score, args, exec).ok(), "single scores", "they are computed");
  return out;
}

// f(table, name, whether it is the instruction itself) for every set's entries for products in bf16.
template <class F>
void for_every_bf16(F f) {
  for_every_set([&](const OpTable& table, const std::string& isa) {
    if (isa.find(" bf16") != std::string::npos)
      f(table, isa, isa.rfind("avx512bf16", 0) == 0);
  });
}

// Scores of whole clips with captions or themselves: `avx512bf16` has the bits of `avx512`, in any depth and reduction.
void bf16_clips() {
  const NamedTable *wide = nullptr, *instruction = nullptr;
  for (const NamedTable& set : tables()) {
    if (set.name == "avx512 in bf16") wide = &set;
    if (set.name == "avx512bf16 in bf16") instruction = &set;
  }
  if (instruction == nullptr) {
    std::printf("bf16 of clips: skipped: this CPU has no AVX512_BF16\n");
    return;
  }
  int compared = 0;
  for (const i64 d : {1, 7, 32, 300, 1025, 2100}) {
    for (const i64 reduction : {0, 1, 2}) {
      for (const bool itself : {false, true}) {
        constexpr i64 kClips = 5, kCaptions = 6, kFrames = 37, kWords = 21;
        Words words(static_cast<std::uint64_t>(d));
        std::vector<float> frames(kClips * kFrames * d), captions(kCaptions * kWords * d);
        for (float& value : frames) value = static_cast<float>(words.share() - 0.4);
        for (float& value : captions) value = static_cast<float>(words.share() - 0.4);
        const std::vector<std::int32_t> frame_lengths = {37, 0, 1, 36, 20}, word_lengths = {21, 1, 0, 16, 17, 9};
        const auto view = [](const auto& values) { return View{values.data(), static_cast<i64>(values.size())}; };
        const auto scores = [&](const OpTable& table) {
          std::vector<float> out(kClips * (itself ? kClips : kCaptions), NAN);
          FrameScoreArgs args{};
          args.frames = view(frames), args.frameLengths = view(frame_lengths);
          args.words = itself ? view(frames) : view(captions);
          args.wordLengths = itself ? view(frame_lengths) : view(word_lengths);
          args.out = {out.data(), static_cast<i64>(out.size())};
          args.clips = kClips, args.captions = itself ? kClips : kCaptions, args.maxFrames = kFrames;
          args.maxWords = itself ? kFrames : kWords, args.d = d, args.reduction = reduction;
          const std::atomic<bool> never{false};
          HostExec exec(never);
          expect(call(table.frame_score, args, exec).ok(), "bf16 of clips", "it runs");
          return out;
        };
        const std::vector<float> expected = scores(wide->table), got = scores(instruction->table);
        expect(std::memcmp(expected.data(), got.data(), got.size() * sizeof(float)) == 0,
               "clips of depth " + std::to_string(d) + ", reduction " + std::to_string(reduction),
               "avx512bf16 has the bits of avx512");
        compared += static_cast<int>(got.size());
      }
    }
  }
  std::printf("bf16 of clips: %d scores of avx512bf16 compared with those of avx512\n", compared);
}

// Bits of products with themselves and each other of ties, denormals, infinities and NaN, and of numbers in all sizes of blocks.
void bf16() {
  const std::vector<float> numbers = {1.0f,      -1.0f,      0x1.01p0f,  0x1.03p0f,      0x1.02p0f, -0x1.010002p0f,
                                      3.1415927f, 0.0f,      -0.0f,      0x1p-126f,      0x1p-127f, -0x1.8p-64f,
                                      0x1p-63f,   0x1.fep127f, 0x1.fffffep127f, INFINITY, NAN};
  std::vector<float> rows;
  for (const float first : numbers) {
    for (const float second : numbers) rows.push_back(first), rows.push_back(second);
  }
  long compared = 0;
  const auto compare = [&](const OpTable& table, const std::string& where, bool instruction, const std::vector<float>& a,
                           const std::vector<float>& b, i64 d) {
    const std::vector<float> scores = single_scores(table, a, b, d);
    const i64 captions = static_cast<i64>(b.size()) / d;
    long differ = 0;
    for (i64 i = 0; i < static_cast<i64>(scores.size()); ++i) {
      const float *row = a.data() + i / captions * d, *column = b.data() + i % captions * d;
      const Dot dot = dot_in_bf16(row, column, d, instruction);
      const bool stated = dot.value > -INFINITY;  // not NaN, and not what the reductions make NaN of
      if (!stated || (!instruction && (dot.small || dot.large))) continue;
      const float score = scores[static_cast<std::size_t>(i)];
      differ += dot.value > 0.0f ? !same_bits(score, dot.value) : score != 0.0f;
      ++compared;
    }
    expect(differ == 0, where, "scores have the bits of the definition");
  };
  for_every_bf16([&](const OpTable& table, const std::string& isa, bool instruction) {
    const long before = compared;
    compare(table, "special numbers on " + isa, instruction, rows, rows, 2);
    Words words(7);
    for (const i64 d : {1, 2, 3, 15, 16, 17, 63, 64, 65, 300, 384}) {
      for (const i64 clips : {1, 13, 14, 15, 33}) {
        const i64 captions = clips == 1 ? 70 : clips + 18;
        std::vector<float> a(static_cast<std::size_t>(clips * d)), b(static_cast<std::size_t>(captions * d));
        for (float& value : a) value = static_cast<float>(words.share() - 0.5);
        for (float& value : b) value = static_cast<float>(words.share() - 0.5);
        compare(table, std::to_string(clips) + "×" + std::to_string(captions) + "×" + std::to_string(d) + " on " + isa,
                instruction, a, b, d);
      }
    }
    std::printf("bf16: %s: %ld products compared with the definition\n", isa.c_str(), compared - before);
  });
  bf16_clips();
}

// Takes the elements of every output away.
struct Emptier : ArgsVisitor<Emptier> {
  template <class T>
  void view(const char*, View<T>& view) {
    if constexpr (!std::is_const_v<T>) view.size = 0;
  }
};

template <class Args>
struct Entered {
  static inline int times = 0;
  static Status entry(const Args&, Exec&) {
    ++times;
    return {};
  }
};

void nothing_to_write() {
  for_every_call([](auto, auto& args, auto, const std::string& where) {
    using Entry = Entered<std::remove_reference_t<decltype(args)>>;
    const std::atomic<bool> never{false};
    HostExec exec(never);
    Entry::times = 0;
    call(Entry::entry, args, exec);
    expect(Entry::times == 1, where, "it is called");
    auto empty = args;
    Emptier emptier;
    empty.visit(emptier);
    expect(call(Entry::entry, empty, exec).ok() && Entry::times == 1, where, "it is not called for nothing");
  });
}

// Extents may be huge where others are 0. Work is bounded by what is read and written, not by them.
void nothing_to_read() {
  constexpr i64 kHuge = INT32_MAX;
  for_every_set([](const OpTable& table, const std::string& isa) {
    const auto ends = [&](auto entry, const auto& args, const char* name) {
      const std::string where = std::string(name) + " of huge extents on " + isa;
      const Status checked = check(args);
      expect(checked.ok(), where, checked.what);
      std::atomic<bool> flag{false};
      CountingExec exec(flag, 1000);
      expect(call(entry, args, exec).ok() && exec.chunks < 1000, where, "it ends at once");
    };
    Memory m;
    const I32In none = m.integers(0, [](i64) { return 0; }), zero = m.integers(1, [](i64) { return 0; });
    const I32In longest = m.integers(1, [](i64) { return kHuge; });
    const auto all = [](F32Out view, float value) {
      for (i64 i = 0; i < view.size; ++i) {
        if (!(view[i] == value)) return false;
      }
      return true;
    };
    F32Out out = m.out(3);
    ends(table.conv2d, Conv2dArgs{m.in(0), m.in(0), out, 1, 1, 1, 0, 3, kHuge, 1, 1}, "conv2d");
    expect(all(out, 0), "conv2d of no channels", "it is 0");
    out = m.out(1);
    ends(table.frame_score, FrameScoreArgs{m.in(0), m.in(0), longest, longest, out, 1, 1, kHuge, kHuge, 0, 0},
         "frame_score");
    expect(all(out, 0), "frame_score of no dimensions", "it is 0");
    F32Out scores = m.out(3);
    const I32Out indices = m.out_integers(3);
    ends(table.top_k, TopKArgs{m.in(0), m.in(0), {}, {}, indices, scores, 1, kHuge, 0, 3, 32}, "top_k");
    expect(all(scores, 0) && indices[0] == 0 && indices[2] == 2, "top_k of no dimensions",
           "the first items are best");
    ends(table.top_k, TopKArgs{m.in(0), m.in(0), {}, {}, indices, scores, 1, 2, 0, 3, 32}, "top_k");
    expect(indices[1] == 1 && indices[2] == -1 && scores[2] == -INFINITY, "top_k of no dimensions",
           "two are there");
    F32Out sums[] = {m.out(3), m.out(3), m.out(3), m.out(3)};
    ends(table.gru_backward,
         GruBackwardArgs{m.in(0),
                         m.in(3),
                         m.in(3),
                         m.in(3),
                         m.in(0),
                         m.in(0),
                         m.in(0),
                         {},
                         sums[0],
                         sums[1],
                         sums[2],
                         sums[3],
                         kHuge,
                         0,
                         1,
                         1,
                         1},
         "gru_backward");
    for (const F32Out& sum : sums) expect(all(sum, 0), "gru_backward of no steps", "it is 0");

    const F32In no = m.in(0);
    const F32Out nothing = m.out(0);
    ends(table.similarity, SimilarityArgs{no, no, nothing, kHuge, 0, 0, kHuge, 1}, "similarity");
    ends(table.batch_norm,
         BatchNormArgs{no, no, no, nothing, nothing, nothing, nothing, nothing, kHuge, 0, 1, 0, 0.1},
         "batch_norm");
    ends(table.gemm, GemmArgs{no, no, {}, nothing, kHuge, 0, 0, 0, 0, 1, 0, 1}, "gemm");
    ends(table.interpolate, InterpolateArgs{no, nothing, kHuge, 1, kHuge / 8, 0}, "interpolate");
    ends(table.lp_pool, LpPoolArgs{no, nothing, kHuge, 1 << 20, 1, 0, 1, 1, 2}, "lp_pool");
    ends(table.gru, GruArgs{no, no, no, no, no, nothing, nothing, kHuge, 1 << 20, 0, 0, 2}, "gru");
    ends(table.embedding_backward, EmbeddingBackwardArgs{none, no, nothing, kHuge, 0, 0},
         "embedding_backward");
    ends(table.log_mel,
         LogMelArgs{no, m.in(4), none, zero, no, nothing, 2, kHuge, kHuge, 0, kHuge, 0, 1, 0, 0, 0}, "log_mel");
  });
}

// ---- the floating-point environment
// -----------------------------------------------------------------------------

#if defined(__x86_64__)
constexpr unsigned kStrange = 0x1f80 | 0x8040 | 0x6000;  // denormals flushed and read as 0, round towards 0
void set_environment(unsigned word) { _mm_setcsr(word); }
unsigned environment() { return _mm_getcsr() & ~0x3fu; }
constexpr unsigned kPlain = 0x1f80;
#elif defined(__aarch64__)
constexpr std::uint64_t kStrange = (1u << 24) | (3u << 22);
void set_environment(std::uint64_t word) { asm volatile("msr fpcr, %0" : : "r"(word)); }
std::uint64_t environment() {
  std::uint64_t word;
  asm volatile("mrs %0, fpcr" : "=r"(word));
  return word;
}
constexpr std::uint64_t kPlain = 0;
#endif

#if defined(__x86_64__) || defined(__aarch64__)
void float_environment() {
  int would_differ = 0, calls = 0;
  for_every_call([&](auto entry, auto& args, auto make, const std::string& where) {
    const auto bits = [&](auto found, int threads, bool through_call) {
      Memory memory;
      auto mine = args;
      make(memory, mine);
      const std::atomic<bool> never{false};
      set_environment(found);
      ThreadPool::instance().set_threads(threads);  // new ones begin with it
      HostExec exec(never);
      const Status status = through_call ? call(entry, mine, exec) : entry(mine, exec);
      expect(environment() == found, where, "the caller's environment is as before");
      set_environment(kPlain);
      expect(status.ok(), where, "it runs");
      return Written(mine);
    };
    const Written plain = bits(kPlain, 1, true);
    would_differ += !(bits(kStrange, 1, false) == plain);
    for (const int threads : {1, 2, kThreads}) {
      expect(bits(kStrange, threads, true) == plain, where,
             "it computes the same in any environment on any thread");
    }
    ++calls;
  });
  expect(would_differ > calls / 2, "float environment", "the calls of this test notice another one");
}
#else
void float_environment() { std::printf("float environment: skipped: it cannot be set on this CPU\n"); }
#endif

// Parameters without a gradient must not make later steps slow.
void moments() {
  for_every_set([](const OpTable& table, const std::string& isa) {
    constexpr i64 kValues = 37;
    std::vector<float> param(kValues, 0.5f), m(kValues, 1e-3f), v(kValues, 1e-6f), grad(kValues, 0.0f);
    m[7] = -1e-3f, m[9] = NAN;
    const std::atomic<bool> never{false};
    for (i64 step = 1; step <= 2000; ++step) {
      HostExec exec(never);
      AdamArgs args{};
      args.param = {param.data(), kValues}, args.grad = {grad.data(), kValues};
      args.m = {m.data(), kValues}, args.v = {v.data(), kValues};
      args.step = step, args.lr = 1e-3, args.beta1 = 0.9, args.beta2 = 0.95, args.eps = 1e-8;
      call(table.adam, args, exec);
    }
    const std::string where = "adam on " + isa;
    for (i64 i = 0; i < kValues; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const bool faded = m[at] == 0.0f && v[at] == 0.0f;
      expect(i == 9 ? std::isnan(m[at]) : faded, where, "moments that fade become 0, others do not");
    }
  });
}

// Parts of a search tell each other what an item has to reach. Whoever of them comes first: of equal items the first ones are kept.
void parts_in_any_order() {
  struct Backwards final : HostExec {
    using HostExec::HostExec;
    void parallel(std::int64_t count, Body body, void* context) override {
      for (std::int64_t i = count; i-- > 0;) body(context, i, 0);
    }
  };
  const std::atomic<bool> never{false};
  constexpr i64 kQueries = 20, kItems = 9000, kKept = 1000;
  for_every_set([&](const OpTable& table, const std::string& isa) {
    for (const float value : {1.0f, 0.0f, -1.0f}) {
      const std::vector<float> queries(kQueries, 1.0f), items(kItems, value);
      std::vector<std::int32_t> indices(kQueries * kKept);
      std::vector<float> scores(kQueries * kKept);
      TopKArgs args{};
      args.queries = {queries.data(), kQueries}, args.items = {items.data(), kItems};
      args.outIndices = {indices.data(), kQueries * kKept}, args.outScores = {scores.data(), kQueries * kKept};
      args.q = kQueries, args.n = kItems, args.d = 1, args.k = kKept, args.bits = 32;
      Backwards exec(never);
      expect(check(args).ok() && table.top_k(args, exec).ok(), isa, "top_k runs");
      bool first = true;
      for (i64 i = 0; i < kQueries * kKept; ++i) first = first && indices[i] == i % kKept && scores[i] == value;
      expect(first, isa, "the first of equal items");
    }
  });
}

}  // namespace
}  // namespace test
}  // namespace sonotext

int main(int count, char** arguments) {
  using namespace sonotext::test;
  const std::vector<std::string> wanted(arguments + 1, arguments + count);
  sonotext::ThreadPool::instance().set_threads(kThreads);
  const struct {
    const char* name;
    void (*run)();
  } tests[] = {{"cancel", cancel},
               {"cancel within a chunk", cancel_within_a_chunk},
               {"plans", plans},
               {"cancel within a plan", cancel_within_a_plan},
               {"pairs", pairs},
               {"bf16", bf16},
               {"nothing to write", nothing_to_write},
               {"nothing to read", nothing_to_read},
               {"float environment", float_environment},
               {"moments", moments},
               {"parts in any order", parts_in_any_order}};
  for (const auto& test : tests) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), test.name) == wanted.end()) continue;
    const int before = failures;
    test.run();
    std::printf("%s: %s\n", test.name, failures == before ? "passed" : "failed");
    std::fflush(stdout);
  }
  return failures == 0 ? 0 : 1;
}
