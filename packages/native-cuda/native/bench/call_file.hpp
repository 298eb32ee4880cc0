// Calls of ops read from a file, as packages/bench/src/check/call-file.ts writes it. A call is a line `call <op> <name>`, a line for
// each argument, and a line `end`:
//
//   integer <argument> <value>
//   number <argument> <value>
//   floats <argument> <count>      and then the values' bytes and a line break
//   integers <argument> <count>    the same
//   bytes <argument> <count>       the same
//
// An argument that is not there is null. The bytes are this machine's own.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <type_traits>

#include "../core/aligned.hpp"
#include "../core/visitor.hpp"

namespace sonotext::bench {

// The arguments of one call and the memory they lie in.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() {
    for (auto& [name, array] : arrays_) aligned_release(array.data);
  }

  std::string op, name;

  // False at the end of the file. What does not follow the format ends the program.
  bool read(std::FILE* file) {
    char word[64], argument[64];
    if (std::fscanf(file, " call %63s", word) != 1) return false;
    op = word;
    char line[512];
    if (std::fgets(line, sizeof line, file) == nullptr) fail("a name of the call");
    name = line + std::strspn(line, " ");
    name.erase(name.find_last_not_of("\n") + 1);
    for (;;) {
      if (std::fscanf(file, " %63s", word) != 1) fail("an argument or `end`");
      const std::string kind = word;
      if (kind == "end") return true;
      if (std::fscanf(file, "%63s", argument) != 1) fail("the name of an argument");
      if (kind == "integer" || kind == "number") {
        if (std::fscanf(file, "%lf", &numbers_[argument]) != 1) fail("a number");
      } else if (kind == "floats" || kind == "integers" || kind == "bytes") {
        long long count = 0;
        if (std::fscanf(file, "%lld", &count) != 1 || count < 0) fail("a count");
        std::fgetc(file);
        const std::size_t bytes = (kind == "bytes" ? 1 : 4) * static_cast<std::size_t>(count);
        Array& array = arrays_[argument];
        array = {static_cast<char*>(aligned_allocate(static_cast<i64>(bytes + 4))), count};
        if (array.data == nullptr || std::fread(array.data, 1, bytes, file) != bytes) fail("all bytes");
      } else {
        fail("a kind of argument");
      }
    }
  }

  template <class Args>
  Args arguments() const {
    Args args{};
    Filler filler(*this);
    args.visit(filler);
    return args;
  }

 private:
  struct Array {
    char* data = nullptr;
    i64 count = 0;
  };

  struct Filler : ArgsVisitor<Filler> {
    const Call& call;
    Filler(const Call& of) : call(of) {}

    template <class T>
    void view(const char* name, View<T>& view) {
      const auto found = call.arrays_.find(name);
      if (found == call.arrays_.end()) return;
      view = {reinterpret_cast<T*>(found->second.data), found->second.count};
    }
    void integer(const char* name, i64& value) { value = static_cast<i64>(call.number_of(name)); }
    void number(const char* name, double& value) { value = call.number_of(name); }
  };

  double number_of(const char* argument) const {
    const auto found = numbers_.find(argument);
    if (found == numbers_.end()) fail(argument);
    return found->second;
  }

  [[noreturn]] void fail(const char* expected) const {
    std::fprintf(stderr, "the file of calls: expected %s in `%s %s`\n", expected, op.c_str(), name.c_str());
    std::exit(2);
  }

  std::map<std::string, double> numbers_;
  std::map<std::string, Array> arrays_;
};

}  // namespace sonotext::bench
