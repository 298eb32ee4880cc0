// Every CPU kernel, compiled once per instruction set: the including file has set SONOTEXT_ISA and its vocabulary.
#include "../../core/ops.hpp"
#include "../kernels/log_mel.inl"
#include "../kernels/resample.inl"
#include "../kernels/gemm.inl"
#include "../kernels/l2_normalize.inl"
#include "../kernels/similarity.inl"
#include "../kernels/frame_score.inl"
#include "../kernels/top_k.inl"
#include "../kernels/triplet.inl"
#include "../kernels/info_nce.inl"
#include "../kernels/conv2d.inl"
#include "../kernels/batch_norm.inl"
#include "../kernels/leaky_relu.inl"
#include "../kernels/lp_pool.inl"
#include "../kernels/dropout.inl"
#include "../kernels/gru.inl"
#include "../kernels/interpolate.inl"
#include "../kernels/embedding.inl"
#include "../kernels/masked_mean.inl"
#include "../kernels/add.inl"
#include "../kernels/scale.inl"
#include "../kernels/adam.inl"
#include "../kernels/grad_norm.inl"

namespace sonotext::SONOTEXT_ISA {

// clang-format off
extern const OpTable table;
const OpTable table = {
#define SONOTEXT_ENTRY(name, Args) .name = name,
    SONOTEXT_OPS(SONOTEXT_ENTRY)
#undef SONOTEXT_ENTRY
};
// clang-format on

}  // namespace sonotext::SONOTEXT_ISA
