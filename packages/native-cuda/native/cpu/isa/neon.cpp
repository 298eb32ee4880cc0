#define SONOTEXT_ISA neon
#include "vec_neon.hpp"
#include "vec_f64_neon.hpp"
#include "vec_u64_neon.hpp"
#include "vec_lanes.hpp"
#include "vec_math.hpp"
#include "table.inl"
#include "../probe.inl"
