// A completion port as JavaScript sees it: `NativePort` in src/native.ts.
//
//   open ──close(), or the environment ends──► closed
//
// Closing: clients see the port dead, every operation is cancelled and reaped, linked clients are
// rung, and last the references to shared memory are dropped.
#pragma once

#include <napi.h>

#include <map>
#include <memory>
#include <string>

#include "binding/process_state.h"
#include "completion_port.h"

namespace sideport {

class PortBinding : public Napi::ObjectWrap<PortBinding> {
 public:
  static Napi::Function Define(Napi::Env env);

  // Arguments: backend (string or undefined), submission and completion capacity in records.
  explicit PortBinding(const Napi::CallbackInfo& info);
  ~PortBinding() override;

 private:
  Napi::Value Id(const Napi::CallbackInfo& info);
  Napi::Value Backend(const Napi::CallbackInfo& info);
  Napi::Value FallbackReason(const Napi::CallbackInfo& info);
  Napi::Value Submissions(const Napi::CallbackInfo& info);
  Napi::Value Completions(const Napi::CallbackInfo& info);
  Napi::Value Clock(const Napi::CallbackInfo& info);
  Napi::Value Turn(const Napi::CallbackInfo& info);
  Napi::Value AddSegment(const Napi::CallbackInfo& info);
  Napi::Value RemoveSegment(const Napi::CallbackInfo& info);
  void DropGroup(const Napi::CallbackInfo& info);
  Napi::Value Claim(const Napi::CallbackInfo& info);
  void DiscardSegment(const Napi::CallbackInfo& info);
  Napi::Value Started(const Napi::CallbackInfo& info);
  Napi::Value Released(const Napi::CallbackInfo& info);
  Napi::Value TakeDeadClients(const Napi::CallbackInfo& info);
  void Withdraw(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  static void EnvironmentEnds(void* binding);
  bool CloseNow();

  napi_env env_;
  std::unique_ptr<CompletionPort> port_;  // nullptr once everything was given back
  std::string backend_;
  std::string fallback_reason_;
  // As they were at the end.
  uint64_t started_ = 0;
  uint64_t released_ = 0;
  std::shared_ptr<PortRecord> record_;
  bool closed_ = false;
  bool all_released_ = true;
  uint32_t submission_capacity_ = 0;
  uint32_t completion_capacity_ = 0;
  // Memory of V8's, which does not move it; read once, kept by the references.
  Napi::Reference<Napi::Int32Array> submissions_;
  Napi::Reference<Napi::Int32Array> completions_;
  Napi::Reference<Napi::Float64Array> clock_;
  const SubmissionRecord* submission_records_ = nullptr;
  CompletionRecord* completion_records_ = nullptr;
  double* now_ms_ = nullptr;
  // Keep the segments in memory, by number.
  std::map<int32_t, Napi::Reference<Napi::Uint8Array>> segments_;
};

}  // namespace sideport
