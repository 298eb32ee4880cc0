// Sizes, ranges and indices of every op, checked before an entry of the table is called: kernels may rely on
// them.
//
// What an entry may assume after its check: extents are in [0, 2^31), element counts do not overflow and
// equal the views' sizes, integers and offsets point inside what they index, numbers are finite, outputs
// overlap neither inputs nor each other (except that element-wise ops accept out == x).
#pragma once

#include "ops.hpp"

namespace sonotext {

#define SONOTEXT_CHECK(name, Args) Status check(const Args& args);
SONOTEXT_OPS(SONOTEXT_CHECK)
#undef SONOTEXT_CHECK

}  // namespace sonotext
