// Picks the CPU's op table: the entries of every instruction set up to the chosen one, the widest winning.
#pragma once

#include <string>
#include <vector>

#include "probe.hpp"
#include "../core/ops.hpp"

namespace sonotext {

struct InstructionSet {
  const char* name;
  const OpTable* table;  // only the entries it has
  const Probe* probe;
  bool supported;  // by this CPU and operating system
};

// From the plainest to the widest of those compiled in.
const std::vector<InstructionSet>& instruction_sets();

// Overlays the tables up to `isa` (empty: SONOTEXT_ISA, else the widest supported) and sets `name` to its
// static name. False with a reason when it is unknown or this CPU lacks it.
bool resolve_cpu_table(const std::string& isa, OpTable& table, const char*& name, std::string& reason);

}  // namespace sonotext
