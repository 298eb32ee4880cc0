// Times the ops of a GPU, each beside its floor: the bytes an op must move as a share of a copy, its
// operations as a share of the multiply-add peak, both measured in the same process. Needs no Node.
//
//   gpu_bench [--device cuda:0] [--json FILE] [filter,…]      rows whose "op shape" contains one of them
//
// A time is the median over samples between two events on the device's stream; a sample is as many calls as
// take some milliseconds, so that enqueueing is seen only where the device waits for it.
// tools/gpu/torch_bench.py times rows of the same names in PyTorch and puts both side by side.
#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "../core/device.hpp"
#include "../cuda/exec.hpp"
#include "gpu_peak.hpp"
#include "gpu_rows.hpp"
#include "layer_rows.hpp"
#include "score_rows.hpp"

namespace sonotext {
namespace {

using namespace timing;

void product_rows(Rows& rows) {
  for (const auto& [batch, n, m, d] :
       {std::array<i64, 4>{1, 8192, 8192, 512}, {1, 32768, 32768, 512}, {32, 500, 500, 300}}) {
    const double cells = 1.0 * batch * n * m;
    rows.add(
        "similarity", &OpTable::similarity, shape_of(batch, n, m, d), 2.0 * cells * d,
        4.0 * (batch * (n + m) * d + cells), [=](Data& data) {
          return SimilarityArgs{
              data.in(batch * n * d), data.in(batch * m * d), data.out(batch * n * m), batch, n, m, d, 1.0};
        });
  }
  // Scores of attention, eight heads of 32 clips, and what they mix.
  for (const auto& [n, k, trans_b] : {std::array<i64, 3>{500, 64, 1}, {64, 500, 0}}) {
    constexpr i64 batch = 256, m = 500;
    rows.add("batched_gemm", &OpTable::batched_gemm, shape_of(batch, m, n, k), 2.0 * batch * m * n * k,
             4.0 * batch * (m * k + k * n + m * n), [=, n = n, k = k, trans_b = trans_b](Data& data) {
               return BatchedGemmArgs{data.in(batch * m * k),
                                      data.in(batch * k * n),
                                      data.out(batch * m * n),
                                      batch,
                                      m,
                                      n,
                                      k,
                                      0,
                                      trans_b,
                                      1.0};
             });
  }
  struct Gemm {
    i64 m, n, k, trans_a, trans_b;
    const char* name;
  };
  // A square product, then layers of training and their gradients by input and by weight.
  for (const auto& g : {Gemm{4096, 4096, 4096, 0, 0, ""}, Gemm{4096, 4096, 4096, 0, 1, " NT"},
                        Gemm{4096, 4096, 4096, 1, 0, " TN"}, Gemm{8192, 8192, 8192, 0, 0, ""},
                        Gemm{16000, 300, 300, 0, 0, ""}, Gemm{16000, 300, 300, 0, 1, " NT"},
                        Gemm{300, 300, 16000, 1, 0, " TN"}, Gemm{16000, 768, 256, 0, 1, " NT"},
                        Gemm{512, 512, 32768, 1, 0, " TN"}}) {
    rows.add("gemm", &OpTable::gemm, shape_of(g.m, g.n, g.k) + g.name, 2.0 * g.m * g.n * g.k,
             4.0 * (g.m * g.k + g.k * g.n + g.m * g.n), [=](Data& data) {
               return GemmArgs{data.in(g.m * g.k),
                               data.in(g.k * g.n),
                               data.in(g.n),
                               data.out(g.m * g.n),
                               g.m,
                               g.n,
                               g.k,
                               g.trans_a,
                               g.trans_b,
                               1.0,
                               0.0,
                               1.0};
             });
  }
}

void conv_rows(Rows& rows) {
  struct Layer {
    i64 n, h, w, cin, cout;
  };
  for (const auto& c :
       {Layer{32, 500, 64, 1, 32}, Layer{32, 250, 16, 32, 128}, Layer{32, 250, 16, 128, 128}}) {
    const double pixels = 1.0 * c.n * c.h * c.w, taps = 9.0 * c.cin * c.cout;
    const std::string shape = shape_of(c.n, c.h, c.w, c.cin, c.cout) + " 3×3";
    const i64 ins = c.n * c.h * c.w * c.cin, outs = c.n * c.h * c.w * c.cout, weights = 9 * c.cin * c.cout;
    rows.add("conv2d", &OpTable::conv2d, shape, 2.0 * pixels * taps, 4.0 * (ins + outs), [=](Data& data) {
      return Conv2dArgs{data.in(ins), data.in(weights), data.out(outs), c.n, c.h, c.w, c.cin, c.cout, 3, 3,
                        1.0};
    });
    rows.add("conv2d_backward", &OpTable::conv2d_backward, shape, 4.0 * pixels * taps, 4.0 * (2 * ins + outs),
             [=](Data& data) {
               Conv2dBackwardArgs args{};
               args.x = data.in(ins), args.weight = data.in(weights), args.gradOut = data.in(outs);
               args.gradX = data.out(ins), args.gradWeight = data.out(weights);
               args.n = c.n, args.h = c.h, args.w = c.w, args.cin = c.cin, args.cout = c.cout,
               args.kh = args.kw = 3, args.slope = 1.0;
               return args;
             });
  }
}

void loss_rows(Rows& rows) {
  for (const auto& [n, d] : {std::array<i64, 2>{2048, 512}, {32768, 512}, {262144, 512}}) {
    // The scores and two gradients, once each; what an implementation computes again is not counted.
    rows.add("info_nce", &OpTable::info_nce, shape_of(n, d), 6.0 * n * n * d, 4.0 * 4.0 * n * d,
             [=](Data& data) {
               InfoNceArgs args{};
               const double unit = std::sqrt(3.0 / static_cast<double>(d));
               args.audio = data.in(n * d, unit), args.text = data.in(n * d, unit);
               args.groups = data.integers(n, [](i64 i) { return i; });
               args.logTemperature = data.floats({-2.659f});
               args.gradAudio = data.out(n * d), args.gradText = data.out(n * d);
               args.gradLogTemperature = data.out(1), args.stats = data.out(4);
               args.n = n, args.d = d, args.hard = args.toText = args.toAudio = 1.0;
               return args;
             });
    if (n > 32768) continue;
    rows.add("sigmoid_pair", &OpTable::sigmoid_pair, shape_of(n, d), 6.0 * n * n * d, 4.0 * 4.0 * n * d,
             [=](Data& data) {
               SigmoidPairArgs args{};
               const double unit = std::sqrt(3.0 / static_cast<double>(d));
               args.audio = data.in(n * d, unit), args.text = data.in(n * d, unit);
               args.groups = data.integers(n, [](i64 i) { return i; });
               args.logTemperature = data.floats({-2.659f}), args.bias = data.floats({-5.0f});
               args.gradAudio = data.out(n * d), args.gradText = data.out(n * d);
               args.gradLogTemperature = data.out(1), args.gradBias = data.out(1), args.stats = data.out(4);
               args.n = n, args.d = d;
               return args;
             });
  }
  // Soft targets, and the matrix of scores in place of clips and captions.
  constexpr i64 n = 2048, d = 512;
  rows.add("info_nce", &OpTable::info_nce, shape_of(n, d) + " soft", 6.0 * n * n * d,
           4.0 * (4.0 * n * d + n * n), [=](Data& data) {
             InfoNceArgs args{};
             const double unit = std::sqrt(3.0 / static_cast<double>(d));
             args.audio = data.in(n * d, unit), args.text = data.in(n * d, unit),
             args.targets = data.in(n * n);
             args.groups = data.integers(n, [](i64 i) { return i; });
             args.logTemperature = data.floats({-2.659f});
             args.gradAudio = data.out(n * d), args.gradText = data.out(n * d);
             args.gradLogTemperature = data.out(1), args.stats = data.out(4);
             args.n = n, args.d = d, args.toText = args.toAudio = 0.5;
             return args;
           });
  rows.add("info_nce", &OpTable::info_nce, shape_of(n) + " scores", 0, 2 * 4.0 * n * n, [=](Data& data) {
    InfoNceArgs args{};
    args.audio = data.in(n * n), args.groups = data.integers(n, [](i64 i) { return i; });
    args.logTemperature = data.floats({-2.659f}), args.gradAudio = data.out(n * n);
    args.gradLogTemperature = data.out(1), args.stats = data.out(4);
    args.n = args.d = n, args.hard = args.toText = args.toAudio = 1.0;
    return args;
  });
}

// Triangular filters of equal width, close enough to a mel bank for the time.
void feature_rows(Rows& rows) {
  struct Features {
    i64 seconds, rate, n_fft, hop, bands;
    const char* name;
  };
  for (const auto& f : {Features{10, 32000, 1024, 320, 64, "10 s at 32 kHz, 1024/320, 64 bands"},
                        Features{7200, 32000, 1024, 320, 64, "7200 s at 32 kHz, 1024/320, 64 bands"},
                        Features{7200, 44100, 2048, 882, 64, "7200 s at 44.1 kHz, 2048/882, 64 bands"},
                        Features{7200, 16000, 400, 160, 80, "7200 s at 16 kHz, 400/160, 80 bands"}}) {
    const i64 samples = f.rate * f.seconds, frames = samples / f.hop + 1;
    const i64 width = 2 * (f.n_fft / 2) / (f.bands + 1);
    rows.add("log_mel", &OpTable::log_mel, f.name,
             2.5 * f.n_fft * std::log2(f.n_fft) * static_cast<double>(frames),
             4.0 * static_cast<double>(samples + frames * f.bands), [=](Data& data) {
               std::vector<float> window(static_cast<std::size_t>(2 * f.n_fft), 0.0f);
               for (i64 i = 0; i < f.n_fft; ++i) {
                 window[static_cast<std::size_t>(i)] =
                     static_cast<float>(0.5 - 0.5 * std::cos(2.0 * M_PI * static_cast<double>(i) /
                                                             static_cast<double>(f.n_fft)));
               }
               LogMelArgs args{};
               args.pcm = data.in(samples), args.window = data.floats(window);
               args.filterStart = data.integers(f.bands, [=](i64 b) { return b * width / 2; });
               args.filterOffset = data.integers(f.bands + 1, [=](i64 b) { return b * width; });
               args.filterWeights = data.in(f.bands * width);
               args.out = data.out(frames * f.bands);
               args.nFft = f.n_fft, args.hop = f.hop, args.frames = frames, args.bands = f.bands,
               args.pad = f.n_fft / 2;
               args.padMode = 1, args.power = 2, args.logKind = 2, args.offset = 1e-10;
               return args;
             });
  }
}

Rows all_rows() {
  Rows rows;
  product_rows(rows);
  conv_rows(rows);
  loss_rows(rows);
  feature_rows(rows);
  layer_rows(rows);
  score_rows(rows);
  return rows;
}

// ---- timing

class Clock {
 public:
  explicit Clock(cudaStream_t stream) : stream_(stream) {
    cudaEventCreate(&from_);
    cudaEventCreate(&to_);
  }
  ~Clock() {
    cudaEventDestroy(from_);
    cudaEventDestroy(to_);
  }
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  // Milliseconds of one call.
  Status median(const std::function<Status()>& call, double& ms) {
    constexpr double kSample = 4.0, kAll = 400.0;
    double once = 0.0;
    for (int warm = 0; warm < 2 && once < kAll; ++warm) {
      if (const Status status = sample(call, 1, once); !status.ok()) return status;
    }
    const int calls = static_cast<int>(std::clamp(kSample / once, 1.0, 100.0));
    const int samples = static_cast<int>(std::clamp(kAll / (once * calls), once < kAll ? 3.0 : 1.0, 25.0));
    std::vector<double> times(static_cast<std::size_t>(samples));
    for (double& time : times) {
      if (const Status status = sample(call, calls, time); !status.ok()) return status;
    }
    std::sort(times.begin(), times.end());
    ms = times[times.size() / 2];
    return {};
  }

 private:
  Status sample(const std::function<Status()>& call, int calls, double& ms) {
    cudaEventRecord(from_, stream_);
    for (int i = 0; i < calls; ++i) {
      if (const Status status = call(); !status.ok()) return status;
    }
    cudaEventRecord(to_, stream_);
    if (const Status status = cuda::status_of(cudaEventSynchronize(to_)); !status.ok()) return status;
    float time = 0.0f;
    cudaEventElapsedTime(&time, from_, to_);
    ms = std::max(1e-6, static_cast<double>(time) / calls);
    return {};
  }

  const cudaStream_t stream_;
  cudaEvent_t from_ = nullptr, to_ = nullptr;
};

struct Peaks {
  double bytes = 0.0, flop = 0.0;  // a second
};

Status measure_peaks(Device& device, Clock& clock, cudaStream_t stream, Peaks& peaks) {
  constexpr i64 kCopied = 1 << 28;
  Data data(device);
  const F32Out from = data.inout(kCopied), to = data.out(kCopied);
  if (!data.status.ok()) return data.status;
  double ms = 0.0;
  Status status = clock.median([&] { return device.copy(from.data, to.data, kCopied); }, ms);
  if (!status.ok()) return status;
  peaks.bytes = 8.0 * kCopied / (ms * 1e-3);
  const double flop = multiply_adds(to.data, stream);
  status = clock.median([&] { return multiply_adds(to.data, stream), Status{}; }, ms);
  peaks.flop = flop / (ms * 1e-3);
  return status;
}

struct Options {
  std::string device = "cuda:0", json, filter;
};

// Whether the row's name has one of the filters in it, or there are none.
bool is_wanted(const std::string& name, const std::string& filters) {
  if (filters.empty()) return true;
  for (std::size_t begin = 0, end; begin < filters.size(); begin = end + 1) {
    end = std::min(filters.find(',', begin), filters.size());
    if (name.find(filters.substr(begin, end - begin)) != std::string::npos) return true;
  }
  return false;
}

int bench(const Options& options) {
  std::string reason;
  Device* device = open_device(options.device, {}, reason);
  if (device == nullptr || device->host_memory()) {
    std::printf("%s: skipped: %s\n", options.device.c_str(), device ? "not a GPU" : reason.c_str());
    return 0;
  }
  cudaStream_t stream = nullptr;
  device->execute(
      [](void* to, Exec& exec) {
        *static_cast<cudaStream_t*>(to) = static_cast<cuda::CudaExec&>(exec).stream;
        return Status{};
      },
      &stream, never);
  std::string card;
  for (const DeviceSummary& summary : list_devices()) {
    if (summary.name == options.device) card = summary.detail;
  }
  Clock clock(stream);
  Peaks peaks;
  if (const Status status = measure_peaks(*device, clock, stream, peaks); !status.ok()) {
    std::printf("peaks: FAILED: %s\n", status.what);
    return 1;
  }
  const std::string matmul = device->matmul(), cores = device->tensor_cores();
  const std::string how = matmul == "fp32" ? matmul : matmul + " by " + cores;
  std::printf("%s\nproducts in %s; copy %.0f GB/s, multiply-adds %.1f TFLOP/s in FP32\n\n", card.c_str(),
              how.c_str(), peaks.bytes / 1e9, peaks.flop / 1e12);
  std::string json = "{\n  \"card\": \"" + card + "\",\n  \"matmul\": \"" + matmul +
                     "\",\n  \"tensorCores\": \"" + cores + "\",\n  \"copyGBs\": " + std::to_string(peaks.bytes / 1e9) +
                     ",\n  \"peakTflops\": " + std::to_string(peaks.flop / 1e12) + ",\n  \"rows\": [";
  std::printf("%-20s %-44s %10s %9s %7s %9s %7s\n", "op", "shape", "ms", "GB/s", "copy", "TFLOP/s", "peak");
  int failed = 0;
  bool first = true;
  for (const Row& row : all_rows().list) {
    if (!is_wanted(row.op + " " + row.shape, options.filter)) continue;
    double ms = 0.0;
    const Status status =
        row.run(*device, [&](const std::function<Status()>& call) { return clock.median(call, ms); });
    // "×" is two bytes wide and one column.
    int width = 44;
    for (const char c : row.shape) width += (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    std::printf("%-20s %-*s ", row.op.c_str(), width, row.shape.c_str());
    if (!status.ok()) {
      std::printf("%s: %s\n", status.code == Code::unsupported ? "left out" : "FAILED", status.what);
      failed += status.code != Code::unsupported;
      continue;
    }
    const double bytes = row.bytes / (ms * 1e-3), flop = row.flop / (ms * 1e-3);
    std::printf("%10.4f %9.1f %6.1f%% %9.2f %6.1f%%\n", ms, bytes / 1e9, 100.0 * bytes / peaks.bytes,
                flop / 1e12, 100.0 * flop / peaks.flop);
    std::fflush(stdout);
    char line[512];
    std::snprintf(line, sizeof line,
                  "%s\n    { \"op\": \"%s\", \"shape\": \"%s\", \"ms\": %.6g, \"GBs\": %.6g, \"copyShare\": "
                  "%.4g, \"tflops\": "
                  "%.6g, \"peakShare\": %.4g }",
                  first ? "" : ",", row.op.c_str(), row.shape.c_str(), ms, bytes / 1e9, bytes / peaks.bytes,
                  flop / 1e12, flop / peaks.flop);
    json += line;
    first = false;
  }
  json += "\n  ]\n}\n";
  if (!options.json.empty()) {
    std::FILE* file = std::fopen(options.json.c_str(), "w");
    if (file == nullptr || std::fputs(json.c_str(), file) < 0 || std::fclose(file) != 0) {
      std::fprintf(stderr, "%s cannot be written\n", options.json.c_str());
      return 1;
    }
  }
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace sonotext

int main(int count, char** arguments) {
  setenv("SONOTEXT_CUDA_GRAPHS", "0", 1);  // times are of kernels that go at once
  sonotext::Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    if ((argument == "--json" || argument == "--device") && i + 1 < count) {
      (argument == "--json" ? options.json : options.device) = arguments[++i];
    } else if (argument.rfind("-", 0) == 0 || !options.filter.empty()) {
      std::fprintf(stderr, "Use: gpu_bench [--device cuda:0] [--json FILE] [filter,…]\n");
      return 2;
    } else {
      options.filter = argument;
    }
  }
  return sonotext::bench(options);
}
