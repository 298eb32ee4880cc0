#include "table.hpp"

#include "info_nce.cuh"
#include "log_mel.cuh"
#include "similarity.cuh"

namespace sonotext::cuda {

OpTable make_table() {
  OpTable table;
  table.log_mel = log_mel;
  table.similarity = similarity;
  table.info_nce = info_nce;
  return table;
}

}  // namespace sonotext::cuda
