// A client thread's tie to a port: `ThreadLink` in src/native.ts.
//
//   unlinked ──Tie──► linked ──detach(), or the thread ends──► unlinked
//                                  (first the doorbell goes, then the port is told)
#pragma once

#include <napi.h>

#include <memory>

#include "binding/process_state.h"

namespace sideport {

class ThreadLink : public Napi::ObjectWrap<ThreadLink> {
 public:
  static Napi::Function Define(Napi::Env env);

  explicit ThreadLink(const Napi::CallbackInfo& info);
  ~ThreadLink() override;

  // False when the port has died meanwhile.
  bool Tie(std::shared_ptr<PortRecord> port, Napi::Function doorbell);

 private:
  Napi::Value ClientId(const Napi::CallbackInfo& info);
  void Wake(const Napi::CallbackInfo& info);
  Napi::Value IsAlive(const Napi::CallbackInfo& info);
  void Reference(const Napi::CallbackInfo& info);
  void Unreference(const Napi::CallbackInfo& info);
  void Detach(const Napi::CallbackInfo& info);

  static void EnvironmentEnds(void* link);
  void Untie();

  napi_env env_;
  std::shared_ptr<PortRecord> port_;
  uint32_t client_id_ = 0;
  Doorbell* doorbell_ = nullptr;  // nullptr: unlinked
};

}  // namespace sideport
