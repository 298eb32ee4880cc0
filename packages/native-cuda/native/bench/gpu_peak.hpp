// The most multiply-adds a GPU can do: what a product's rate is compared with.
#pragma once

#include <cuda_runtime.h>

namespace sonotext {

// Enqueues independent chains of FP32 multiply-adds in every thread the GPU can hold, and returns how many
// operations (two for each) that is. `out` holds 1024 floats or more.
double multiply_adds(float* out, cudaStream_t stream);

}  // namespace sonotext
