// What the addon keeps per environment; nothing of it is static.
#pragma once

#include <napi.h>

namespace sideport {

// Constructors of the wrapped classes. Its address names the environment in the election.
struct AddonData {
  Napi::FunctionReference port;
  Napi::FunctionReference link;
  Napi::FunctionReference descriptor;
};

}  // namespace sideport
