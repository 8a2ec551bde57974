// The synchronous socket calls for JavaScript: `SocketCalls` in src/native.ts.
#pragma once

#include <napi.h>

#include <functional>

namespace sideport {

Napi::Object SocketCalls(Napi::Env env);

// -- its parts

void AddDatagramCalls(Napi::Env env, Napi::Object calls);
void AddUnixSocketCalls(Napi::Env env, Napi::Object calls);
void AddNamedPipeCalls(Napi::Env env, Napi::Object calls);

// A `Descriptor` that owns what `open` returns, or the error that it returned.
Napi::Value OwnedDescriptor(const Napi::CallbackInfo& info, const std::function<int32_t()>& open);

}  // namespace sideport
