#include "binding/doorbell.h"

namespace sideport {

Doorbell* Doorbell::Open(Napi::Env env, Napi::Function callback) {
  return new Doorbell(env, callback);
}

Doorbell::Doorbell(Napi::Env env, Napi::Function callback)
    : env_(env), callback_(Napi::Persistent(callback)) {
  uv_loop_t* loop = nullptr;
  const bool made = napi_get_uv_event_loop(env, &loop) == napi_ok &&
                    napi_async_init(env, nullptr, Napi::String::New(env, "sideport doorbell"),
                                    &context_) == napi_ok &&
                    uv_async_init(loop, &async_, Rung) == 0;
  if (!made) throw Napi::Error::New(env, "the doorbell cannot be made");
  async_.data = this;
  Unreference();
  napi_add_async_cleanup_hook(env, EnvironmentEnds, this, &hook_);
}

void Doorbell::Rung(uv_async_t* async) { static_cast<Doorbell*>(async->data)->Call(); }

void Doorbell::Call() {
  const Napi::HandleScope scope(env_);
  const napi_status status =
      napi_make_callback(env_, context_, env_.Global(), callback_.Value(), 0, nullptr, nullptr);
  // What the callback throws is an uncaught exception, as from any callback of Node's. Other
  // failures are the environment's end.
  napi_value exception = nullptr;
  if (status == napi_pending_exception &&
      napi_get_and_clear_last_exception(env_, &exception) == napi_ok) {
    napi_fatal_exception(env_, exception);
  }
}

void Doorbell::Close() {
  if (closing_) return;
  closing_ = true;
  callback_.Reset();
  napi_async_destroy(env_, context_);
  uv_close(Handle(), Closed);
}

void Doorbell::Closed(uv_handle_t* handle) {
  auto* const doorbell = static_cast<Doorbell*>(handle->data);
  napi_remove_async_cleanup_hook(doorbell->hook_);
  delete doorbell;
}

void Doorbell::EnvironmentEnds(napi_async_cleanup_hook_handle, void* doorbell) {
  static_cast<Doorbell*>(doorbell)->Close();
}

}  // namespace sideport
