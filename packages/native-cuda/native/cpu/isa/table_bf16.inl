// The entries that a device opened for products in bf16 has instead of those of `table`.
namespace sonotext::SONOTEXT_ISA {

extern const OpTable table_bf16;
const OpTable table_bf16 = {.frame_score = frame_score_bf16};

}  // namespace sonotext::SONOTEXT_ISA
