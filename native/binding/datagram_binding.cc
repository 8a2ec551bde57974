// Socket options, and the calls that only datagram sockets know.

#include <cstring>

#include "binding/arguments.h"
#include "binding/socket_binding.h"
#include "datagram.h"
#include "socket.h"
#include "socket_options.h"

namespace sideport {
namespace {

Napi::Value Result(const Napi::CallbackInfo& info, int32_t result) {
  return Napi::Number::New(info.Env(), result);
}

WireAddress ReadAddress(const Napi::CallbackInfo& info, size_t at) {
  WireAddress address;
  std::memcpy(&address, AddressArgument(info, at).Data(), sizeof(address));
  return address;
}

Napi::Value OpenDatagramCall(const Napi::CallbackInfo& info) {
  const int32_t family = IntArgument(info, 0);
  return OwnedDescriptor(info, [family] { return OpenDatagramSocket(family); });
}

Napi::Value AdoptCall(const Napi::CallbackInfo& info) {
  const int32_t fd = IntArgument(info, 0);
  return OwnedDescriptor(info, [fd] {
    const int32_t error = AdoptDescriptor(fd);
    return error < 0 ? error : fd;
  });
}

Napi::Value ConnectDatagramCall(const Napi::CallbackInfo& info) {
  return Result(info, ConnectDatagram(IntArgument(info, 0), ReadAddress(info, 1)));
}

Napi::Value SendDatagramCall(const Napi::CallbackInfo& info) {
  const auto bytes = ViewArgument<Napi::Uint8Array>(info, 1, napi_uint8_array, 0);
  KernelAddress destination{};
  if (!info[2].IsUndefined() && !ToKernel(ReadAddress(info, 2), &destination)) {
    throw Napi::TypeError::New(info.Env(), "argument 2 is no address");
  }
  return Result(info, SendDatagram(IntArgument(info, 0), bytes.Data(), bytes.ElementLength(),
                                   destination.length > 0 ? &destination : nullptr));
}

Napi::Value SetOptionCall(const Napi::CallbackInfo& info) {
  const auto option = static_cast<SocketOption>(IntArgument(info, 1));
  return Result(info, SetOption(IntArgument(info, 0), option, IntArgument(info, 2)));
}

Napi::Value GetOptionCall(const Napi::CallbackInfo& info) {
  const auto option = static_cast<SocketOption>(IntArgument(info, 1));
  const auto into = ViewArgument<Napi::Int32Array>(info, 2, napi_int32_array, 1);
  return Result(info, GetOption(IntArgument(info, 0), option, const_cast<int32_t*>(into.Data())));
}

Napi::Value MembershipCall(const Napi::CallbackInfo& info) {
  const bool join = info[1].ToBoolean();
  const WireAddress group = ReadAddress(info, 2);
  const WireAddress via = ReadAddress(info, 3);
  if (info[4].IsUndefined()) {
    return Result(info, ChangeMembership(IntArgument(info, 0), join, group, via, nullptr));
  }
  const WireAddress source = ReadAddress(info, 4);
  return Result(info, ChangeMembership(IntArgument(info, 0), join, group, via, &source));
}

Napi::Value SetMulticastInterfaceCall(const Napi::CallbackInfo& info) {
  return Result(info, SetMulticastInterface(IntArgument(info, 0), ReadAddress(info, 1)));
}

}  // namespace

void AddDatagramCalls(Napi::Env env, Napi::Object calls) {
  const auto add = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    calls.Set(name, Napi::Function::New(env, call, name));
  };
  add("openDatagram", OpenDatagramCall);
  add("adopt", AdoptCall);
  add("connectDatagram", ConnectDatagramCall);
  add("sendDatagram", SendDatagramCall);
  add("setOption", SetOptionCall);
  add("getOption", GetOptionCall);
  add("changeMembership", MembershipCall);
  add("setMulticastInterface", SetMulticastInterfaceCall);
}

}  // namespace sideport
