// What a visitor of the Args structs (ops.hpp) does where it does not say otherwise, so that each states only
// what it is for: every view comes to view(), and numbers are passed over. An input is a view of const
// elements.
#pragma once

#include "views.hpp"

namespace sonotext {

template <class Self>
class ArgsVisitor {
 public:
  template <class T>
  constexpr void in(const char* name, View<T>& view) {
    self().view(name, view);
  }
  template <class T>
  constexpr void out(const char* name, View<T>& view) {
    self().view(name, view);
  }
  template <class T>
  constexpr void inout(const char* name, View<T>& view) {
    self().view(name, view);
  }
  template <class T>
  constexpr void opt_in(const char* name, View<T>& view) {
    self().view(name, view);
  }
  template <class T>
  constexpr void opt_out(const char* name, View<T>& view) {
    self().view(name, view);
  }
  constexpr void integer(const char*, i64&) {}
  constexpr void number(const char*, double&) {}

 private:
  constexpr Self& self() { return static_cast<Self&>(*this); }
};

}  // namespace sonotext
