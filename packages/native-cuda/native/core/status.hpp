// Result of an op. Status codes cross the op table; exceptions never do, and nothing below it prints or
// aborts.
#pragma once

#include <cstdint>

namespace sonotext {

enum class Code : int {
  ok = 0,
  invalid_argument,
  unsupported,
  cancelled,
  out_of_memory,
  device_error,
  rank_lost  // another process of the run is gone; `what` is the whole message
};

struct Status {
  static constexpr std::int64_t kNotGiven = INT64_MIN;

  Code code = Code::ok;
  const char* what = "";           // static text: what was expected; never owned
  const char* argument = nullptr;  // static name of the argument at fault, when it is one argument
  std::int64_t want = kNotGiven;   // the number behind `what` ("rows × cols values"), when there is one
  std::int64_t got = kNotGiven;    // what was there instead

  bool ok() const { return code == Code::ok; }
  static Status invalid(const char* what) { return {Code::invalid_argument, what}; }
  static Status unsupported(const char* what) { return {Code::unsupported, what}; }
};

}  // namespace sonotext
