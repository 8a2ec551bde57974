#include "binding/thread_link.h"

#include "binding/arguments.h"

namespace sideport {

Napi::Function ThreadLink::Define(Napi::Env env) {
  return DefineClass(env, "ThreadLink",
                     {
                         InstanceAccessor<&ThreadLink::ClientId>("clientId"),
                         InstanceMethod<&ThreadLink::Wake>("wake"),
                         InstanceMethod<&ThreadLink::IsAlive>("isAlive"),
                         InstanceMethod<&ThreadLink::Reference>("ref"),
                         InstanceMethod<&ThreadLink::Unreference>("unref"),
                         InstanceMethod<&ThreadLink::Detach>("detach"),
                     });
}

ThreadLink::ThreadLink(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ThreadLink>(info), env_(info.Env()) {}

bool ThreadLink::Tie(std::shared_ptr<PortRecord> port, Napi::Function doorbell) {
  ProcessState& process = ProcessState::Get();
  port_ = std::move(port);
  client_id_ = process.NewClientId();
  doorbell_ = Doorbell::Open(env_, doorbell);
  // Registered before it is linked: a port that dies from then on finds a bell to ring.
  process.AddDoorbell(client_id_, doorbell_);
  // Hooks run in reverse order and the doorbell has added its own: ours takes it out of the registry
  // before it is closed.
  napi_add_env_cleanup_hook(env_, EnvironmentEnds, this);
  if (port_->Link(client_id_)) return true;
  napi_remove_env_cleanup_hook(env_, EnvironmentEnds, this);
  Untie();
  return false;
}

// The doorbell keeps the callback alive, which in general keeps this object; so it is collected
// while linked only if the callback does not refer to it.
ThreadLink::~ThreadLink() {
  if (doorbell_ == nullptr) return;
  napi_remove_env_cleanup_hook(env_, EnvironmentEnds, this);
  Untie();
}

void ThreadLink::EnvironmentEnds(void* link) { static_cast<ThreadLink*>(link)->Untie(); }

// After this nobody rings, and the port learns that this thread touches its rings no more.
void ThreadLink::Untie() {
  if (doorbell_ == nullptr) return;
  ProcessState::Get().RemoveDoorbell(client_id_);
  doorbell_->Close();
  doorbell_ = nullptr;
  port_->ClientDied(client_id_);
}

Napi::Value ThreadLink::ClientId(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), client_id_);
}

void ThreadLink::Wake(const Napi::CallbackInfo& info) {
  const int32_t reasons = IntArgument(info, 0);
  if (port_) port_->Wake(reasons);
}

Napi::Value ThreadLink::IsAlive(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), port_ && port_->IsAlive());
}

void ThreadLink::Reference(const Napi::CallbackInfo&) {
  if (doorbell_ != nullptr) doorbell_->Reference();
}

void ThreadLink::Unreference(const Napi::CallbackInfo&) {
  if (doorbell_ != nullptr) doorbell_->Unreference();
}

void ThreadLink::Detach(const Napi::CallbackInfo&) {
  if (doorbell_ == nullptr) return;
  napi_remove_env_cleanup_hook(env_, EnvironmentEnds, this);
  Untie();
}

}  // namespace sideport
