#include "binding/socket_binding.h"

#include <cstring>

#include "binding/addon_data.h"
#include "binding/arguments.h"
#include "binding/descriptor.h"
#include "socket.h"

namespace sideport {
namespace {

Napi::Value Result(const Napi::CallbackInfo& info, int32_t result) {
  return Napi::Number::New(info.Env(), result);
}

Napi::Value OpenCall(const Napi::CallbackInfo& info) {
  const int32_t family = IntArgument(info, 0);
  return OwnedDescriptor(info, [family] { return OpenStreamSocket(family); });
}

Napi::Value BindCall(const Napi::CallbackInfo& info) {
  WireAddress address;
  std::memcpy(&address, AddressArgument(info, 1).Data(), sizeof(address));
  const BindFlags flags = {info[2].ToBoolean(), info[3].ToBoolean(), info[4].ToBoolean()};
  return Result(info, Bind(IntArgument(info, 0), address, flags));
}

Napi::Value ListenCall(const Napi::CallbackInfo& info) {
  return Result(info, Listen(IntArgument(info, 0), IntArgument(info, 1)));
}

template <int32_t (*kCall)(int, WireAddress*)>
Napi::Value AddressCall(const Napi::CallbackInfo& info) {
  auto into = AddressArgument(info, 1);
  WireAddress address{};
  const int32_t result = kCall(IntArgument(info, 0), &address);
  if (result >= 0) std::memcpy(const_cast<uint8_t*>(into.Data()), &address, sizeof(address));
  return Result(info, result);
}

template <int32_t (*kCall)(int)>
Napi::Value GetCall(const Napi::CallbackInfo& info) {
  return Result(info, kCall(IntArgument(info, 0)));
}

Napi::Value SetNoDelayCall(const Napi::CallbackInfo& info) {
  return Result(info, SetNoDelay(IntArgument(info, 0), info[1].ToBoolean()));
}

Napi::Value SetTtlCall(const Napi::CallbackInfo& info) {
  return Result(info, SetTtl(IntArgument(info, 0), IntArgument(info, 1)));
}

}  // namespace

Napi::Value OwnedDescriptor(const Napi::CallbackInfo& info, const std::function<int32_t()>& open) {
  const Napi::Object object = info.Env().GetInstanceData<AddonData>()->descriptor.New({});
  // Looked up first: from worker.terminate() on, such calls into Node fail, also amid this function,
  // and would leave the descriptor to nobody.
  Descriptor* const owner = Descriptor::Unwrap(object);
  const int32_t fd = open();
  if (fd < 0) return Result(info, fd);
  owner->Own(fd);
  return object;
}

Napi::Object SocketCalls(Napi::Env env) {
  auto calls = Napi::Object::New(env);
  const auto add = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    calls.Set(name, Napi::Function::New(env, call, name));
  };
  add("open", OpenCall);
  add("bind", BindCall);
  add("listen", ListenCall);
  add("localAddress", AddressCall<LocalAddress>);
  add("peerAddress", AddressCall<PeerAddress>);
  add("setNoDelay", SetNoDelayCall);
  add("getNoDelay", GetCall<GetNoDelay>);
  add("setTtl", SetTtlCall);
  add("getTtl", GetCall<GetTtl>);
  AddDatagramCalls(env, calls);
  AddUnixSocketCalls(env, calls);
  AddNamedPipeCalls(env, calls);
  return calls;
}

}  // namespace sideport
