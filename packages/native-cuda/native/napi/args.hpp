// Visitors over the Args structs of core/ops.hpp: one fills a struct from JavaScript values, one describes a
// struct.
#pragma once

#include <napi.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "../core/device.hpp"
#include "../core/visitor.hpp"
#include "handles.hpp"
#include "operation.hpp"

namespace sonotext::napi {

template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<std::remove_const_t<T>>;

// Fills a struct from the values that the Collector took; runs no JavaScript unless it throws. Arrays are
// taken as they are, without copies (also parts of a larger buffer); on a device with its own memory float
// arguments must be its buffers.
class ArgsReader : public ArgsVisitor<ArgsReader> {
 public:
  ArgsReader(const char* op, Device& device, Napi::Env env, const std::vector<napi_value>& values)
      : op_(op), device_(device), env_(env), next_(values.data()) {}

  template <class T>
  void view(const char* name, View<T>& view) {
    const napi_value value = *next_++;
    if (kIsFloat<T> && !device_.host_memory()) {
      const DeviceMemory& memory = read_buffer(name, value);
      view = {reinterpret_cast<T*>(memory.data), memory.length};
    } else {
      view = array_view<T>(name, value);
    }
  }
  template <class T>
  void opt_in(const char* name, View<T>& given) {
    if (is_absent(*next_))
      ++next_;
    else
      view(name, given);
  }
  template <class T>
  void opt_out(const char* name, View<T>& given) {
    opt_in(name, given);
  }
  void integer(const char* name, i64& value);
  void number(const char* name, double& value);

  // What must stay alive while the op runs.
  std::vector<HeldArray> arrays;
  std::vector<std::shared_ptr<DeviceMemory>> memories;

 private:
  template <class T>
  View<T> array_view(const char* name, napi_value value);
  const DeviceMemory& read_buffer(const char* name, napi_value value);
  bool is_absent(napi_value value) const;
  std::string path(const char* name) const { return std::string(op_) + "." + name; }

  const char* op_;
  Device& device_;
  const Napi::Env env_;
  const napi_value* next_;
};

// Moves the integers that an op reads into memory of its own: they are indices and lengths, and what is
// checked must be what is used, whoever else can write the caller's arrays meanwhile. Packed words and bytes stay where
// they are: nothing is looked up by them, and there may be gigabytes.
class IntegerCopies : public ArgsVisitor<IntegerCopies> {
 public:
  template <class T>
  void view(const char*, View<T>& view) {
    if constexpr (std::is_same_v<T, const std::int32_t>) {
      if (!view) return;
      const auto size = static_cast<std::size_t>(view.size);
      copies.emplace_back(new std::int32_t[size]);
      std::memcpy(copies.back().get(), view.data, size * sizeof(std::int32_t));
      view.data = copies.back().get();
    }
  }

  std::vector<std::unique_ptr<std::int32_t[]>> copies;
};

// Lists the arguments of an op: [{ name, direction, type, optional }].
class ArgsDescriber {
 public:
  explicit ArgsDescriber(Napi::Env env) : list(Napi::Array::New(env)) {}

  template <class T>
  void in(const char* name, View<T>&) {
    add(name, "in", type<T>(), false);
  }
  template <class T>
  void out(const char* name, View<T>&) {
    add(name, "out", type<T>(), false);
  }
  template <class T>
  void inout(const char* name, View<T>&) {
    add(name, "inout", type<T>(), false);
  }
  template <class T>
  void opt_in(const char* name, View<T>&) {
    add(name, "in", type<T>(), true);
  }
  template <class T>
  void opt_out(const char* name, View<T>&) {
    add(name, "out", type<T>(), true);
  }
  void integer(const char* name, i64&) { add(name, "in", "integer", false); }
  void number(const char* name, double&) { add(name, "in", "number", false); }

  Napi::Array list;

 private:
  template <class T>
  static const char* type() {
    return kIsFloat<T> ? "float32" : sizeof(T) == 1 ? "uint8" : "int32";
  }
  void add(const char* name, const char* direction, const char* type, bool optional);
};

}  // namespace sonotext::napi
