#define SONOTEXT_ISA scalar
#include "vec_scalar.hpp"
#include "vec_f64_scalar.hpp"
#include "vec_u64_scalar.hpp"
#include "vec_lanes.hpp"
#include "vec_math.hpp"
#include "table.inl"
#include "../probe.inl"
