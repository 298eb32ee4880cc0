// Float64 vocabulary, one lane: for the few kernels whose intermediate results float32 cannot hold.

namespace sonotext::SONOTEXT_ISA {
namespace {

constexpr int kLanes64 = 1;
struct Vec64 { double v; };

inline Vec64 dzero() { return {0.0}; }
inline Vec64 dset(double x) { return {x}; }
inline Vec64 dload(const double* p) { return {*p}; }
inline void dstore(double* p, Vec64 a) { *p = a.v; }
inline Vec64 operator+(Vec64 a, Vec64 b) { return {a.v + b.v}; }
inline Vec64 operator-(Vec64 a, Vec64 b) { return {a.v - b.v}; }
inline Vec64 operator*(Vec64 a, Vec64 b) { return {a.v * b.v}; }
// Not fused: without the instruction a fused product is a call.
inline Vec64 dfma(Vec64 a, Vec64 b, Vec64 c) { return {a.v * b.v + c.v}; }   // a·b + c
inline Vec64 dfnma(Vec64 a, Vec64 b, Vec64 c) { return {c.v - a.v * b.v}; }  // c - a·b
inline Vec64 dsqrt(Vec64 a) { return {__builtin_sqrt(a.v)}; }
inline void dstore_f32(float* p, Vec64 a) { *p = static_cast<float>(a.v); }
// columns[i] lane r = rows[r][i], for kLanes64 rows and columns
inline void dload_transposed(const float* const* rows, int64_t offset, Vec64* columns) {
  columns[0] = {static_cast<double>(rows[0][offset])};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
