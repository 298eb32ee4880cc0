// Vocabulary of 64-bit words, one lane: for generators of random numbers.

namespace sonotext::SONOTEXT_ISA {
namespace {

struct Words { uint64_t v; };

inline Words wset(uint64_t x) { return {x}; }
inline Words operator^(Words a, Words b) { return {a.v ^ b.v}; }
inline Words wxor3(Words a, Words b, Words c) { return {a.v ^ b.v ^ c.v}; }
inline Words wmul(Words a, Words b) { return {(a.v & 0xffffffffu) * (b.v & 0xffffffffu)}; }  // lower halves, whole products
inline Words wupper(Words a) { return {a.v >> 32}; }
// first, first + 1, …, one a lane, in the order that wuniform() wants
inline Words wcount(uint64_t first) { return {first}; }
// Four words a lane, in their lower halves, as 4 · kLanes64 numbers in their order: the upper 24 bits of each word.
inline void wuniform(const Words (&w)[4], Vec* out) {
  for (int i = 0; i < 4; i++) out[i] = {static_cast<float>(static_cast<uint32_t>(w[i].v) >> 8)};
}

}  // namespace
}  // namespace sonotext::SONOTEXT_ISA
