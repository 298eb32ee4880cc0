#define SONOTEXT_ISA avx2
#include "vec_avx2.hpp"
#include "vec_f64_avx2.hpp"
#include "vec_u64_avx2.hpp"
#include "vec_lanes.hpp"
#include "vec_math.hpp"
#include "table.inl"
#include "../probe.inl"
