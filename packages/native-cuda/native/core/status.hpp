// Result of an op. Status codes cross the op table; exceptions never do, and nothing below it prints or aborts.
#pragma once

namespace sonotext {

enum class Code : int { ok = 0, invalid_argument, unsupported, cancelled, out_of_memory, device_error };

struct Status {
  Code code = Code::ok;
  const char* what = "";  // static text: what was expected; never owned

  bool ok() const { return code == Code::ok; }
  static Status invalid(const char* what) { return {Code::invalid_argument, what}; }
  static Status unsupported(const char* what) { return {Code::unsupported, what}; }
};

}  // namespace sonotext
