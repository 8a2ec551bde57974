#include "binding/descriptor.h"

#include "binding/arguments.h"
#include "port/atomic_word.h"
#include "socket.h"

namespace sideport {

Napi::Function Descriptor::Define(Napi::Env env) {
  return DefineClass(env, "Descriptor",
                     {
                         InstanceAccessor<&Descriptor::Fd>("fd"),
                         InstanceMethod<&Descriptor::Lend>("lend"),
                         InstanceMethod<&Descriptor::Close>("close"),
                     });
}

Descriptor::Descriptor(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Descriptor>(info) {}

Descriptor::~Descriptor() { CloseIfOwned(); }

Napi::Value Descriptor::Fd(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), fd_);
}

void Descriptor::Lend(const Napi::CallbackInfo& info) {
  const uint32_t index = UintArgument(info, 1);
  const auto words =
      ViewArgument<Napi::Int32Array>(info, 0, napi_int32_array, static_cast<size_t>(index) + 1);
  mine_ = IntArgument(info, 2);
  closed_ = IntArgument(info, 3);
  memory_ = Napi::Persistent(words);
  owner_word_ = const_cast<int32_t*>(words.Data()) + index;
}

void Descriptor::Close(const Napi::CallbackInfo&) {
  CloseIfOwned();
  memory_.Reset();
}

// The twin of src/atomics/ownership.ts: sequentially consistent as JavaScript's Atomics are, and
// whoever swaps first closes.
void Descriptor::CloseIfOwned() {
  if (fd_ < 0) return;
  const bool owned = owner_word_ == nullptr || CompareExchange(owner_word_, mine_, closed_);
  if (owned) CloseDescriptor(fd_);
  fd_ = -1;
  owner_word_ = nullptr;
}

}  // namespace sideport
