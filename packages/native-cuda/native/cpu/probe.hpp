// What benchmarks and accuracy tests want to know of an instruction set besides its ops. Not part of the op table.
#pragma once

#include "../core/views.hpp"

namespace sonotext {

struct Probe {
  // Runs `steps` rounds of independent multiply-adds that need no memory, and returns how many floating-point operations
  // that were. `sink` gets a result nobody needs, so that the work is not optimised away.
  double (*multiply_add)(i64 steps, float* sink);

  // out[i] = f(x[i]) with the vector polynomials: 0 exp, 1 log, 2 sigmoid, 3 tanh.
  void (*math)(int function, const float* x, float* out, i64 count);
};

}  // namespace sonotext
