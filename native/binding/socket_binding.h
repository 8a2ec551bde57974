// The synchronous socket calls for JavaScript: `SocketCalls` in src/native.ts.
#pragma once

#include <napi.h>

namespace sideport {

Napi::Object SocketCalls(Napi::Env env);

}  // namespace sideport
