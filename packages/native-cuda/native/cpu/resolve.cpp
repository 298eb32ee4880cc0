#include "resolve.hpp"

#include <cstdlib>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace sonotext {

namespace scalar {
extern const OpTable table, table_bf16;
extern const Probe probe;
}  // namespace scalar
#if defined(SONOTEXT_HAS_AVX2)
namespace avx2 {
extern const OpTable table, table_bf16;
extern const Probe probe;
}  // namespace avx2
#endif
#if defined(SONOTEXT_HAS_AVX512)
namespace avx512 {
extern const OpTable table, table_bf16;
extern const Probe probe;
}  // namespace avx512
#endif
#if defined(SONOTEXT_HAS_AVX512BF16)
namespace avx512bf16 {
extern const OpTable table_bf16;
}  // namespace avx512bf16
#endif
#if defined(SONOTEXT_HAS_NEON)
namespace neon {
extern const OpTable table, table_bf16;
extern const Probe probe;
}  // namespace neon
#endif

namespace {

struct CpuFeatures {
  bool avx2 = false;    // AVX2, FMA, F16C and the operating system saves 256-bit registers
  bool avx512 = false;  // F, DQ, BW, VL and the operating system saves 512-bit registers
  bool avx512bf16 = false;
  bool amx_bf16 = false;
};

CpuFeatures detect() {
  CpuFeatures features;
#if defined(__x86_64__)
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return features;
  const bool fma = c & (1u << 12), osxsave = c & (1u << 27), avx = c & (1u << 28), f16c = c & (1u << 29);
  if (!osxsave || !avx) return features;
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  const bool ymm = (low & 0x06) == 0x06, zmm = (low & 0xe6) == 0xe6;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return features;
  const bool avx2 = b & (1u << 5), f = b & (1u << 16), dq = b & (1u << 17), bw = b & (1u << 30),
             vl = b & (1u << 31);
  features.avx2 = ymm && avx2 && fma && f16c;
  features.avx512 = features.avx2 && zmm && f && dq && bw && vl;
  features.amx_bf16 = d & (1u << 22);
  const unsigned subleaves = a;
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d)) {
    features.avx512bf16 = features.avx512 && (a & (1u << 5));
  }
#endif
  return features;
}

void overlay(OpTable& target, const OpTable* layer) {
  if (layer == nullptr) return;
#define SONOTEXT_OVERLAY(name, Args) \
  if (layer->name != nullptr) target.name = layer->name;
  SONOTEXT_OPS(SONOTEXT_OVERLAY)
#undef SONOTEXT_OVERLAY
}

std::string names(bool supported_only) {
  std::string list;
  for (const InstructionSet& set : instruction_sets()) {
    if (supported_only && !set.supported) continue;
    list += (list.empty() ? "" : ", ") + std::string(set.name);
  }
  return list;
}

}  // namespace

const std::vector<InstructionSet>& instruction_sets() {
  static const auto* const sets = [] {
    [[maybe_unused]] const CpuFeatures cpu = detect();
    auto* list = new std::vector<InstructionSet>;
    list->push_back({"scalar", &scalar::table, &scalar::table_bf16, &scalar::probe, true});
#if defined(SONOTEXT_HAS_AVX2)
    list->push_back({"avx2", &avx2::table, &avx2::table_bf16, &avx2::probe, cpu.avx2});
#endif
#if defined(SONOTEXT_HAS_AVX512)
    list->push_back({"avx512", &avx512::table, &avx512::table_bf16, &avx512::probe, cpu.avx512});
#endif
#if defined(SONOTEXT_HAS_AVX512BF16)
    // CPUs with AMX (Sapphire Rapids and after) have VDPBF16PS in microcode: others measured half the speed of float32.
    list->push_back({"avx512bf16", nullptr, &avx512bf16::table_bf16, &avx512::probe, cpu.avx512bf16, !cpu.amx_bf16});
#endif
#if defined(SONOTEXT_HAS_NEON)
    list->push_back({"neon", &neon::table, &neon::table_bf16, &neon::probe, true});  // part of every 64-bit Arm CPU
#endif
    return list;
  }();
  return *sets;
}

bool resolve_cpu_table(const std::string& isa, bool bf16, OpTable& table, const char*& name, std::string& reason) {
  std::string wanted = isa;
  std::string origin;
  if (wanted.empty()) {
    if (const char* forced = std::getenv("SONOTEXT_ISA"); forced != nullptr && *forced != '\0') {
      wanted = forced;
      origin = " in SONOTEXT_ISA";
    }
  }
  const InstructionSet* chosen = nullptr;
  for (const InstructionSet& set : instruction_sets()) {
    const bool useful = set.supported && set.preferred && (bf16 || set.table != nullptr);
    if (wanted.empty() ? useful : wanted == set.name) chosen = &set;
  }
  if (chosen == nullptr) {
    reason = "Unknown instruction set \"" + wanted + "\"" + origin + ": this build has " + names(false) + ".";
    return false;
  }
  if (!chosen->supported) {
    reason = "This CPU or operating system does not support the instruction set \"" + wanted + "\"" + origin +
             "; it supports " + names(true) + ".";
    return false;
  }
  table = OpTable{};
  const auto up_to_chosen = [&](const OpTable* InstructionSet::*entries) {
    for (const InstructionSet& set : instruction_sets()) {
      overlay(table, set.*entries);
      if (&set == chosen) break;
    }
  };
  up_to_chosen(&InstructionSet::table);
  if (bf16) up_to_chosen(&InstructionSet::bf16);
  name = chosen->name;
  return true;
}

}  // namespace sonotext
