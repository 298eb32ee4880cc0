// Picks the CPU's op table: the entries of every instruction set up to the chosen one, the widest winning.
#pragma once

#include <string>
#include <vector>

#include "probe.hpp"
#include "../core/ops.hpp"

namespace sonotext {

struct InstructionSet {
  const char* name;
  const OpTable* table;  // only the entries it has; null where it has none but those of `bf16`
  const OpTable* bf16;   // entries that round operands of products to bfloat16
  const Probe* probe;
  bool supported;  // by this CPU and operating system
  bool preferred = true;  // to the plainer ones, where none is named
};

// From the plainest to the widest of those compiled in.
const std::vector<InstructionSet>& instruction_sets();

// Overlays the tables up to `isa` (empty: SONOTEXT_ISA, else the widest preferred one that has some), over them the entries for bf16 where these are
// asked for, and sets `name` to its static name. False with a reason when it is unknown or this CPU lacks it.
bool resolve_cpu_table(const std::string& isa, bool bf16, OpTable& table, const char*& name, std::string& reason);

}  // namespace sonotext
