#define SONOTEXT_ISA avx512
#include "vec_avx512.hpp"
#include "vec_f64_avx512.hpp"
#include "vec_u64_avx512.hpp"
#include "vec_lanes.hpp"
#include "vec_math.hpp"
#include "table.inl"
#include "../probe.inl"
