// Visitors over the Args structs of core/ops.hpp: one reads a JavaScript object into a struct, one describes
// a struct.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "../core/device.hpp"
#include "errors.hpp"
#include "handles.hpp"

namespace sonotext::napi {

template <class T>
constexpr bool kIsFloat = std::is_floating_point_v<std::remove_const_t<T>>;

// Fills an Args struct from the properties of an object, without copies. Typed arrays are taken as they are
// (also parts of a larger ArrayBuffer); float arguments of a device with its own memory must be its buffers.
class ArgsReader {
 public:
  ArgsReader(const char* op, Device& device, const Napi::Object& object)
      : op_(op), device_(device), object_(object) {}

  template <class T>
  void in(const char* name, View<T>& view) {
    read(name, view, false);
  }
  template <class T>
  void out(const char* name, View<T>& view) {
    read(name, view, false);
  }
  template <class T>
  void inout(const char* name, View<T>& view) {
    read(name, view, false);
  }
  template <class T>
  void opt_in(const char* name, View<T>& view) {
    read(name, view, true);
  }
  template <class T>
  void opt_out(const char* name, View<T>& view) {
    read(name, view, true);
  }
  void integer(const char* name, i64& value);
  void number(const char* name, double& value);

  // Refuses properties that the op does not have.
  void finish();

  // What must stay alive while an asynchronous call runs.
  std::vector<napi_value> arrays;
  std::vector<std::shared_ptr<DeviceMemory>> memories;

 private:
  Napi::Value get(const char* name);
  std::string path(const char* name) const { return std::string(op_) + "." + name; }

  template <class T>
  void read(const char* name, View<T>& view, bool optional) {
    const Napi::Value value = get(name);
    if (optional && (value.IsNull() || value.IsUndefined())) return;
    if (kIsFloat<T> && !device_.host_memory()) {
      void* data = read_buffer(name, value);
      view = {static_cast<T*>(data), memories.back()->length};
    } else {
      void* data = nullptr;
      const std::size_t length = read_array(name, value, kIsFloat<T>, &data);
      view = {static_cast<T*>(data), static_cast<i64>(length)};
    }
  }

  std::size_t read_array(const char* name, const Napi::Value& value, bool wants_float, void** data);
  void* read_buffer(const char* name, const Napi::Value& value);

  const char* op_;
  Device& device_;
  const Napi::Object& object_;
  std::vector<const char*> names_;
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
    return kIsFloat<T> ? "float32" : "int32";
  }
  void add(const char* name, const char* direction, const char* type, bool optional);
};

}  // namespace sonotext::napi
