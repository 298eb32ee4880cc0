#include "probe.hpp"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "../cpu/probe.hpp"
#include "../core/pool.hpp"
#include "../cpu/resolve.hpp"
#include "errors.hpp"
#include "values.hpp"

namespace sonotext::napi {
namespace {

const Probe& probe_of(const Napi::Value& isa) {
  const std::string wanted = isa.IsString() ? isa.As<Napi::String>().Utf8Value() : "";
  for (const InstructionSet& set : instruction_sets()) {
    if (set.supported && wanted == set.name) return *set.probe;
  }
  throw_expected("the name of an instruction set that this CPU supports", "isa", isa);
}

double number_of(const Napi::Value& value, double least, double most, const char* what, const char* name) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1.0;
  if (!(number >= least && number <= most)) throw_expected(what, name, value);
  return number;
}

using Clock = std::chrono::steady_clock;

struct Measurement {
  const Probe& probe;
  Clock::time_point end;
  std::vector<double> rates;  // of each thread, operations per second
};

// The fastest of many bursts of some ten microseconds: what other processes take in between does not count.
void measure_one(void* context, std::int64_t index, int) {
  Measurement& m = *static_cast<Measurement*>(context);
  double& best = m.rates[static_cast<std::size_t>(index)];
  float sink;
  for (Clock::time_point before = Clock::now(); before < m.end;) {
    const double operations = m.probe.multiply_add(4000, &sink);
    const Clock::time_point after = Clock::now();
    best = std::max(best, operations / std::chrono::duration<double>(after - before).count());
    before = after;
  }
}

}  // namespace

Napi::Value fma_peak(const Napi::CallbackInfo& info) {
  const Probe& probe = probe_of(info[0]);
  const int most = ThreadPool::instance().threads();
  const int threads =
      static_cast<int>(number_of(info[1], 1, most, "a number of threads that the pool has", "threads"));
  const double span = number_of(info[2], 1, 10000, "milliseconds from 1 to 10000", "milliseconds");
  Measurement run{probe, Clock::now() + std::chrono::microseconds(static_cast<i64>(1000 * span)),
                  std::vector<double>(static_cast<std::size_t>(threads))};
  // Every body works until the same moment, so that each thread of the pool gets one while the others are busy too. One
  // that comes too late takes over the rate of the first.
  const std::atomic<bool> never{false};
  ThreadPool::instance().parallel(threads, threads, measure_one, &run, never);
  double total = 0;
  for (const double rate : run.rates) total += rate > 0 ? rate : run.rates[0];
  return Napi::Number::New(info.Env(), total / 1e9);
}

Napi::Value thread_seconds(const Napi::CallbackInfo& info) {
#if defined(CLOCK_THREAD_CPUTIME_ID)
  timespec time;
  if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time) == 0) {
    return Napi::Number::New(info.Env(),
                             static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec));
  }
#endif
  return info.Env().Null();
}

Napi::Value vector_math(const Napi::CallbackInfo& info) {
  const Probe& probe = probe_of(info[0]);
  constexpr const char* names[] = {"exp", "log", "sigmoid", "tanh"};
  const std::string name = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  int function = -1;
  for (int f = 0; f < 4; ++f) {
    if (name == names[f]) function = f;
  }
  if (function < 0) throw_expected("exp, log, sigmoid or tanh", "name", info[1]);
  refuse_resizable(info[2], nullptr, "x"), refuse_resizable(info[3], nullptr, "out");
  const ArrayMemory x = array_memory(info[2], napi_float32_array, nullptr, "x");
  const ArrayMemory out = array_memory(info[3], napi_float32_array, nullptr, "out");
  if (x.length != out.length) throw_expected("as many elements as x", "out", info[3]);
  probe.math(function, static_cast<const float*>(x.data), static_cast<float*>(out.data),
             static_cast<i64>(x.length));
  return info.Env().Undefined();
}

}  // namespace sonotext::napi
