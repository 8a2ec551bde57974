#include "binding/port_binding.h"

#include <cstdio>
#include <string>
#include <system_error>

#include "backends.h"
#include "binding/arguments.h"
#include "binding/election.h"
#include "datagram.h"
#include "port/atomic_word.h"
#include "port/pages.h"

namespace sideport {
namespace {

constexpr int32_t kShutdownTimeoutMs = 1000;
constexpr size_t kRecordWords = sizeof(SubmissionRecord) / sizeof(int32_t);
static_assert(sizeof(SubmissionRecord) == sizeof(CompletionRecord));
constexpr uint32_t kMaximumRecords = 1 << 20;

Napi::Error CodedError(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", code);
  return error;
}

OpenedPort OpenOrThrow(Napi::Env env, const std::string& name) {
  OpenedPort opened;
  try {
    opened = OpenBackend(name);
  } catch (const std::system_error& error) {
    const bool denied = name == "io_uring";
    const std::string message =
        denied ? std::string("io_uring is not available here: ") + error.what() : error.what();
    // Any other backend exists wherever it is compiled in; a descriptor or memory is wanting.
    throw CodedError(env, denied ? "ERR_SIDEPORT_BACKEND" : "ERR_SIDEPORT_START_FAILED", message);
  }
  if (opened.port) return opened;
  throw CodedError(env, "ERR_SIDEPORT_BACKEND", "This system has no backend named '" + name + "'");
}

uint32_t CapacityArgument(const Napi::CallbackInfo& info, size_t at) {
  const int64_t capacity = info[at].As<Napi::Number>().Int64Value();
  if (capacity >= 1 && capacity <= kMaximumRecords) return static_cast<uint32_t>(capacity);
  throw Napi::RangeError::New(info.Env(), "a capacity is 1 to 1048576 records");
}

}  // namespace

Napi::Function PortBinding::Define(Napi::Env env) {
  return DefineClass(env, "NativePort",
                     {
                         InstanceAccessor<&PortBinding::Id>("id"),
                         InstanceAccessor<&PortBinding::Backend>("backend"),
                         InstanceAccessor<&PortBinding::FallbackReason>("fallbackReason"),
                         InstanceAccessor<&PortBinding::Submissions>("submissions"),
                         InstanceAccessor<&PortBinding::Completions>("completions"),
                         InstanceAccessor<&PortBinding::Clock>("clock"),
                         InstanceMethod<&PortBinding::Turn>("turn"),
                         InstanceMethod<&PortBinding::AddSegment>("addSegment"),
                         InstanceMethod<&PortBinding::RemoveSegment>("removeSegment"),
                         InstanceMethod<&PortBinding::DropGroup>("dropGroup"),
                         InstanceMethod<&PortBinding::DiscardSegment>("discardSegment"),
                         InstanceMethod<&PortBinding::Claim>("claim"),
                         InstanceMethod<&PortBinding::Started>("started"),
                         InstanceMethod<&PortBinding::Released>("released"),
                         InstanceMethod<&PortBinding::TakeDeadClients>("takeDeadClients"),
                         InstanceMethod<&PortBinding::Withdraw>("withdraw"),
                         InstanceMethod<&PortBinding::Close>("close"),
                     });
}

PortBinding::PortBinding(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PortBinding>(info), env_(info.Env()) {
  const std::string backend = info[0].IsUndefined() ? "" : info[0].As<Napi::String>().Utf8Value();
  submission_capacity_ = CapacityArgument(info, 1);
  completion_capacity_ = CapacityArgument(info, 2);
  const auto submissions = Napi::Int32Array::New(env_, submission_capacity_ * kRecordWords);
  const auto completions = Napi::Int32Array::New(env_, completion_capacity_ * kRecordWords);
  submissions_ = Napi::Persistent(submissions);
  completions_ = Napi::Persistent(completions);
  const auto clock = Napi::Float64Array::New(env_, 1);
  clock_ = Napi::Persistent(clock);
  submission_records_ = reinterpret_cast<const SubmissionRecord*>(submissions.Data());
  completion_records_ =
      reinterpret_cast<CompletionRecord*>(const_cast<int32_t*>(completions.Data()));
  now_ms_ = const_cast<double*>(clock.Data());
  *now_ms_ = NowMs();
  OpenedPort opened = OpenOrThrow(env_, backend);
  port_ = std::move(opened.port);
  backend_ = port_->name();
  fallback_reason_ = std::move(opened.fallback_reason);
  record_ = ProcessState::Get().AddPort(std::move(opened.awakener));
  napi_add_env_cleanup_hook(env_, EnvironmentEnds, this);
}

// Without a record the constructor threw; closed, the hook has gone or has run.
PortBinding::~PortBinding() {
  if (record_ && !closed_) {
    napi_remove_env_cleanup_hook(env_, EnvironmentEnds, this);
    CloseNow();
  }
  // Leaked on purpose: the kernel may still write to what it owns.
  if (!all_released_) static_cast<void>(port_.release());
}

// Reached by the thread's natural end, process.exit() in it, an uncaught exception and terminate()
// alike, once the turn that it is in has returned.
void PortBinding::EnvironmentEnds(void* binding) { static_cast<PortBinding*>(binding)->CloseNow(); }

bool PortBinding::CloseNow() {
  if (closed_) return all_released_;
  closed_ = true;
  // First, so that whoever looks from here on looks for another one.
  record_->MarkDead();
  ProcessState::Get().RemovePort(record_->id);
  Election::Get().PortDies(record_->id);
  all_released_ = port_->Shutdown(kShutdownTimeoutMs);
  // Those who wait may rely on every descriptor being closed.
  record_->RingAll();
  started_ = port_->started();
  released_ = port_->released();
  if (all_released_) {
    // Now, and not when the object is collected: it has a descriptor or two of its own.
    port_.reset();
    segments_.clear();
    return true;
  }
  // Never with a readiness kernel, which holds nothing. io_uring, whose work for us is deferred to our
  // own calls, touches no buffer after the last one, and IOCP writes to none at any time: so the segments
  // may go with the environment. A kernel that did write would need a reference that outlives it.
  std::fprintf(stderr, "sideport: the kernel holds on to operations; leaking their memory\n");
  return false;
}

Napi::Value PortBinding::Id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), record_->id);
}

Napi::Value PortBinding::Backend(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), backend_);
}

Napi::Value PortBinding::FallbackReason(const Napi::CallbackInfo& info) {
  if (fallback_reason_.empty()) return info.Env().Undefined();
  return Napi::String::New(info.Env(), fallback_reason_);
}

Napi::Value PortBinding::Submissions(const Napi::CallbackInfo&) { return submissions_.Value(); }

Napi::Value PortBinding::Completions(const Napi::CallbackInfo&) { return completions_.Value(); }

Napi::Value PortBinding::Clock(const Napi::CallbackInfo&) { return clock_.Value(); }

Napi::Value PortBinding::Turn(const Napi::CallbackInfo& info) {
  const uint32_t count = UintArgument(info, 0);
  const int32_t timeout_ms = IntArgument(info, 1);
  if (closed_) throw Napi::Error::New(env_, "the port is closed");
  if (count > submission_capacity_) throw Napi::RangeError::New(env_, "too many submissions");
  const size_t completions = port_->Turn(submission_records_, count, completion_records_,
                                         completion_capacity_, timeout_ms);
  *now_ms_ = NowMs();
  return Napi::Number::New(env_, static_cast<double>(completions));
}

Napi::Value PortBinding::AddSegment(const Napi::CallbackInfo& info) {
  const auto view = ViewArgument<Napi::Uint8Array>(info, 0, napi_uint8_array, 1);
  const uint32_t buffer_size = UintArgument(info, 1);
  if (closed_) throw Napi::Error::New(env_, "the port is closed");
  if (buffer_size == 0 || buffer_size > INT32_MAX || view.ElementLength() < buffer_size) {
    throw Napi::RangeError::New(env_, "a segment holds at least one buffer");
  }
  // The least number that is free: segments come and go with clients.
  int32_t number = 0;
  for (const auto& [used, memory] : segments_) {
    if (used != number) break;
    number++;
  }
  segments_[number] = Napi::Persistent(view);
  port_->AddSegment(number, const_cast<uint8_t*>(view.Data()), buffer_size,
                    view.ElementLength() / buffer_size);
  return Napi::Number::New(env_, number);
}

Napi::Value PortBinding::RemoveSegment(const Napi::CallbackInfo& info) {
  const int32_t number = IntArgument(info, 0);
  const bool removed = closed_ ? all_released_ : port_->RemoveSegment(number);
  if (removed) segments_.erase(number);
  return Napi::Boolean::New(env_, removed);
}

void PortBinding::DropGroup(const Napi::CallbackInfo& info) {
  const int32_t group = IntArgument(info, 0);
  if (!closed_) port_->DropGroup(group);
}

// The swap is the twin of the client's in descriptor.cc: sequentially consistent, and whoever swaps
// first closes. In one call with the claim, because a thread that is terminated between the two
// would leave a descriptor that nobody closes.
Napi::Value PortBinding::Claim(const Napi::CallbackInfo& info) {
  const uint32_t at = UintArgument(info, 1);
  const auto words =
      ViewArgument<Napi::Int32Array>(info, 0, napi_int32_array, static_cast<size_t>(at) + 1);
  int32_t* const word = const_cast<int32_t*>(words.Data()) + at;
  const int32_t from = IntArgument(info, 2);
  const int32_t to = IntArgument(info, 3);
  const int fd = IntArgument(info, 4);
  const bool claimed = !closed_ && CompareExchange(word, from, to);
  if (claimed) port_->Claim(fd);
  return Napi::Boolean::New(env_, claimed);
}

void PortBinding::DiscardSegment(const Napi::CallbackInfo& info) {
  const auto found = segments_.find(IntArgument(info, 0));
  if (found == segments_.end()) return;
  const Napi::Uint8Array view = found->second.Value();
  DiscardPages(const_cast<uint8_t*>(view.Data()), view.ElementLength());
}

Napi::Value PortBinding::Started(const Napi::CallbackInfo&) {
  return Napi::Number::New(env_, static_cast<double>(closed_ ? started_ : port_->started()));
}

Napi::Value PortBinding::Released(const Napi::CallbackInfo&) {
  return Napi::Number::New(env_, static_cast<double>(closed_ ? released_ : port_->released()));
}

Napi::Value PortBinding::TakeDeadClients(const Napi::CallbackInfo&) {
  const auto clients = Napi::Array::New(env_);
  uint32_t at = 0;
  for (uint32_t client : record_->TakeDeadClients()) clients.Set(at++, client);
  return clients;
}

void PortBinding::Withdraw(const Napi::CallbackInfo&) {
  record_->Withdraw();
  Election::Get().PortDies(record_->id);
}

Napi::Value PortBinding::Close(const Napi::CallbackInfo&) {
  if (!closed_) napi_remove_env_cleanup_hook(env_, EnvironmentEnds, this);
  return Napi::Boolean::New(env_, CloseNow());
}

}  // namespace sideport
