// Values as they come from JavaScript, for all exports: texts, integers, typed arrays.
//
// A typed array is looked at in two steps. `refuse_resizable` reads a property, which may run code of the
// caller; what `array_memory` finds then holds only as long as no JavaScript runs.
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>

#include "../core/views.hpp"

namespace sonotext::napi {

struct ArrayMemory {
  void* data;  // never null: an empty array has memory too, a view's null means "not given"
  std::size_t length;
};

bool is_absent(const Napi::Value& value);

// Each throws INVALID_ARGUMENT naming `name`.
std::string text_of(const Napi::Value& value, const char* name);
i64 integer_of(const Napi::Value& value, double least, double most, const char* what, const char* name);

// Refuses a typed array over an ArrayBuffer that can be resized: its memory could go while an op uses it. (A
// growable SharedArrayBuffer never gives memory back.) Other values pass.
void refuse_resizable(const Napi::Value& value, const char* op, const char* name);

// Where a Float32Array, Int32Array or Uint8Array lies; other values and detached arrays are refused. `op` may be null.
// Runs no JavaScript unless it throws.
ArrayMemory array_memory(const Napi::Value& value, napi_typedarray_type type, const char* op,
                         const char* name);

// A Float32Array of `length` elements.
float* floats_of(const Napi::Value& value, i64 length, const char* name);

}  // namespace sonotext::napi
