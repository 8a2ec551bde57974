// The addon's exports: the other side of src/native.ts. Context-aware: every environment (the main
// thread, each worker) initialises it anew and keeps its own AddonData. What is process-wide is in
// process_state.h and election.h.

#include <napi.h>

#include "binding/addon_data.h"
#include "binding/arguments.h"
#include "binding/descriptor.h"
#include "binding/descriptor_count.h"
#include "binding/election.h"
#include "binding/port_binding.h"
#include "binding/process_state.h"
#include "binding/shared_object.h"
#include "binding/socket_binding.h"
#include "binding/thread_link.h"
#include "port/atomic_word.h"

namespace sideport {
namespace {

constexpr int32_t kProtocolVersion = 4;

AddonData* DataOf(const Napi::CallbackInfo& info) {
  return info.Env().GetInstanceData<AddonData>();
}

Napi::Value OpenPort(const Napi::CallbackInfo& info) {
  return DataOf(info)->port.New({info[0], info[1], info[2]});
}

Napi::Value Link(const Napi::CallbackInfo& info) {
  if (!info[1].IsFunction()) throw Napi::TypeError::New(info.Env(), "doorbell is not a function");
  auto port = ProcessState::Get().FindPort(UintArgument(info, 0));
  if (!port) return info.Env().Undefined();
  const Napi::Object object = DataOf(info)->link.New({});
  const bool tied = ThreadLink::Unwrap(object)->Tie(std::move(port), info[1].As<Napi::Function>());
  if (!tied) return info.Env().Undefined();
  return object;
}

// The swap is the twin of the one in src/atomics/doorbell.ts: sequentially consistent. Every argument
// is read before it, because from worker.terminate() on such calls into Node may fail.
Napi::Value RingDoorbell(const Napi::CallbackInfo& info) {
  const uint32_t client_id = UintArgument(info, 0);
  const uint32_t at = UintArgument(info, 2);
  const auto words =
      ViewArgument<Napi::Int32Array>(info, 1, napi_int32_array, static_cast<size_t>(at) + 1);
  int32_t* const word = const_cast<int32_t*>(words.Data()) + at;
  const int32_t from = IntArgument(info, 3);
  const int32_t to = IntArgument(info, 4);
  const bool swapped = CompareExchange(word, from, to);
  return Napi::Boolean::New(info.Env(), swapped && ProcessState::Get().Ring(client_id));
}

void WakePort(const Napi::CallbackInfo& info) {
  const int32_t reasons = IntArgument(info, 1);
  const auto port = ProcessState::Get().FindPort(UintArgument(info, 0));
  if (port) port->Wake(reasons);
}

Napi::Value ElectionClaim(const Napi::CallbackInfo& info) {
  const int64_t claim = Election::Get().Claim(UintArgument(info, 0), DataOf(info));
  return Napi::Number::New(info.Env(), static_cast<double>(claim));
}

void ElectionResolve(const Napi::CallbackInfo& info) {
  Election::Get().Resolve(UintArgument(info, 0), DataOf(info), UintArgument(info, 1));
}

void ElectionAbandon(const Napi::CallbackInfo& info) {
  Election::Get().Abandon(UintArgument(info, 0), DataOf(info));
}

void ElectionWait(const Napi::CallbackInfo& info) {
  Election::Get().Wait(UintArgument(info, 0), IntArgument(info, 1));
}

Napi::Value CountDescriptorsCall(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), CountDescriptors());
}

// A thread that ends while it starts an I/O thread lets another one try.
void EnvironmentEnds(void* data) { Election::Get().ClaimantEnds(data); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  PinSharedObject();
  auto* const data = new AddonData();
  env.SetInstanceData(data);
  data->port = Napi::Persistent(PortBinding::Define(env));
  data->link = Napi::Persistent(ThreadLink::Define(env));
  data->descriptor = Napi::Persistent(Descriptor::Define(env));
  napi_add_env_cleanup_hook(env, EnvironmentEnds, data);

  exports.Set("protocolVersion", kProtocolVersion);
  exports.Set("openPort", Napi::Function::New(env, OpenPort, "openPort"));
  exports.Set("link", Napi::Function::New(env, Link, "link"));
  exports.Set("ringDoorbell", Napi::Function::New(env, RingDoorbell, "ringDoorbell"));
  exports.Set("wakePort", Napi::Function::New(env, WakePort, "wakePort"));
  exports.Set("electionClaim", Napi::Function::New(env, ElectionClaim, "electionClaim"));
  exports.Set("electionResolve", Napi::Function::New(env, ElectionResolve, "electionResolve"));
  exports.Set("electionAbandon", Napi::Function::New(env, ElectionAbandon, "electionAbandon"));
  exports.Set("electionWait", Napi::Function::New(env, ElectionWait, "electionWait"));
  exports.Set("countDescriptors",
              Napi::Function::New(env, CountDescriptorsCall, "countDescriptors"));
  exports.Set("socket", SocketCalls(env));
  return exports;
}

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)

}  // namespace
}  // namespace sideport
