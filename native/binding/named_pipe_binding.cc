#include "binding/arguments.h"
#include "binding/socket_binding.h"
#include "named_pipe.h"

namespace sideport {
namespace {

Napi::Value CreatePipeCall(const Napi::CallbackInfo& info) {
  const std::u16string name = info[0].As<Napi::String>();
  const PipeFlags flags = {info[1].ToBoolean(), info[2].ToBoolean(), info[3].ToBoolean()};
  const int instances = IntArgument(info, 4);
  return OwnedDescriptor(info, [&] { return CreatePipeInstance(name.c_str(), flags, instances); });
}

Napi::Value OpenPipeCall(const Napi::CallbackInfo& info) {
  const std::u16string name = info[0].As<Napi::String>();
  const bool messages = info[1].ToBoolean();
  return OwnedDescriptor(info, [&] { return OpenPipe(name.c_str(), messages); });
}

template <int32_t (*kCall)(int)>
Napi::Value AdoptCall(const Napi::CallbackInfo& info) {
  const int fd = IntArgument(info, 0);
  return OwnedDescriptor(info, [fd] {
    const int32_t result = kCall(fd);
    return result < 0 ? result : fd;
  });
}

template <int32_t (*kCall)(int)>
Napi::Value AskCall(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), kCall(IntArgument(info, 0)));
}

}  // namespace

void AddNamedPipeCalls(Napi::Env env, Napi::Object calls) {
  const auto add = [&](const char* name, Napi::Value (*call)(const Napi::CallbackInfo&)) {
    calls.Set(name, Napi::Function::New(env, call, name));
  };
  add("createPipe", CreatePipeCall);
  add("openPipe", OpenPipeCall);
  add("pipeTraits", AskCall<AdoptPipe>);
  add("adoptPipe", AdoptCall<AdoptPipe>);
  add("foreignAccess", AskCall<ForeignAccess>);
  add("adoptForeign", AdoptCall<AdoptForeign>);
}

}  // namespace sideport
