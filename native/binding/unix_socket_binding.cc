#include "binding/arguments.h"
#include "binding/socket_binding.h"
#include "completion_port.h"
#include "unix_socket.h"

namespace sideport {
namespace {

Napi::Value Result(const Napi::CallbackInfo& info, int32_t result) {
  return Napi::Number::New(info.Env(), result);
}

UnixSocketType TypeArgument(const Napi::CallbackInfo& info, size_t at) {
  const int32_t type = IntArgument(info, at);
  if (type == 1 || type == 2) return static_cast<UnixSocketType>(type);
  throw Napi::RangeError::New(info.Env(), "a type is 1 (stream) or 2 (datagram)");
}

Napi::Value OpenUnixCall(const Napi::CallbackInfo& info) {
  const UnixSocketType type = TypeArgument(info, 0);
  return OwnedDescriptor(info, [type] { return OpenUnixSocket(type); });
}

template <int32_t (*kCall)(int, const uint8_t*, size_t)>
Napi::Value NameCall(const Napi::CallbackInfo& info) {
  const auto name = ViewArgument<Napi::Uint8Array>(info, 1, napi_uint8_array, 1);
  return Result(info, kCall(IntArgument(info, 0), name.Data(), name.ElementLength()));
}

// Both objects first: a descriptor that is open has an owner.
Napi::Value OpenUnixPairCall(const Napi::CallbackInfo& info) {
  const UnixSocketType type = TypeArgument(info, 0);
  int fds[2] = {-1, -1};
  int32_t error = 0;
  Napi::Value second;
  const Napi::Value first = OwnedDescriptor(info, [&] {
    second = OwnedDescriptor(info, [&] {
      error = OpenUnixPair(type, fds);
      return error < 0 ? error : fds[1];
    });
    return error < 0 ? error : fds[0];
  });
  if (error < 0) return first;
  auto pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, first);
  pair.Set(1u, second);
  return pair;
}

Napi::Value UnixNameCall(const Napi::CallbackInfo& info) {
  const auto into = ViewArgument<Napi::Uint8Array>(info, 2, napi_uint8_array, kUnixNameLimit);
  return Result(info, UnixSocketName(IntArgument(info, 0), info[1].ToBoolean(),
                                     const_cast<uint8_t*>(into.Data())));
}

}  // namespace

void AddUnixSocketCalls(Napi::Env env, Napi::Object calls) {
  const auto add = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    calls.Set(name, Napi::Function::New(env, call, name));
  };
  add("openUnix", OpenUnixCall);
  add("bindUnix", NameCall<BindUnixSocket>);
  add("connectUnix", NameCall<ConnectUnixSocket>);
  add("openUnixPair", OpenUnixPairCall);
  add("unixName", UnixNameCall);
}

}  // namespace sideport
