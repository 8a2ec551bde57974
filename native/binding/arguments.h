// Arguments from JavaScript, checked: a wrong type throws TypeError. Numbers need no help here:
// Napi::Number throws it by itself.
#pragma once

#include <napi.h>

#include "completion_port.h"

namespace sideport {

inline int32_t IntArgument(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Int32Value();
}

inline uint32_t UintArgument(const Napi::CallbackInfo& info, size_t at) {
  return info[at].As<Napi::Number>().Uint32Value();
}

// A view of `type` with at least `length` elements. Always a view, never the buffer behind it: on
// Node 20 napi_get_arraybuffer_info fails on a SharedArrayBuffer.
template <typename View>
View ViewArgument(const Napi::CallbackInfo& info, size_t at, napi_typedarray_type type,
                  size_t length) {
  if (!info[at].IsTypedArray() || info[at].As<Napi::TypedArray>().TypedArrayType() != type) {
    throw Napi::TypeError::New(info.Env(), "argument " + std::to_string(at) + " is of wrong type");
  }
  const auto view = info[at].As<View>();
  if (view.ElementLength() < length) {
    throw Napi::RangeError::New(info.Env(), "argument " + std::to_string(at) + " is too short");
  }
  return view;
}

inline Napi::Uint8Array AddressArgument(const Napi::CallbackInfo& info, size_t at) {
  return ViewArgument<Napi::Uint8Array>(info, at, napi_uint8_array, sizeof(WireAddress));
}

}  // namespace sideport
