#include "../../core/ops.hpp"

namespace sonotext::SONOTEXT_ISA {
namespace {

inline Status frame_score(const FrameScoreArgs&, Exec&) { return Status::unsupported("frame_score: kernel missing"); }

inline Status frame_score_backward(const FrameScoreBackwardArgs&, Exec&) { return Status::unsupported("frame_score_backward: kernel missing"); }

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
