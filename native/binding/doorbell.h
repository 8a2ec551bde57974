// A client thread's doorbell: any thread rings it, and a callback runs on the thread's event loop.
//
//   open ──Close(), or the environment ends──► closing ──the loop has closed the handle──► deleted
//
// A uv_async, whose ABI libuv keeps throughout its version 1, and not a threadsafe function: that one
// holds its mutex over the write that wakes the receiver, who then blocks on it (an eighth of a busy
// main thread's time, and two more context switches).
//
// Rings coalesce until the callback runs, which the doorbell protocol (src/atomics/doorbell.ts) allows:
// it has at most one in flight, and the port's end may add one.
#pragma once

#include <napi.h>
#include <uv.h>

namespace sideport {

class Doorbell {
 public:
  // It does not keep the event loop alive until Reference is called. It owns itself from here on and
  // is valid until Close.
  static Doorbell* Open(Napi::Env env, Napi::Function callback);

  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // From any thread; the caller knows that Close has not begun.
  void Ring() { uv_async_send(&async_); }

  // The rest on the doorbell's own thread.
  void Reference() { uv_ref(Handle()); }
  void Unreference() { uv_unref(Handle()); }
  void Close();

 private:
  Doorbell(Napi::Env env, Napi::Function callback);
  ~Doorbell() = default;

  static void Rung(uv_async_t* async);
  static void Closed(uv_handle_t* handle);
  static void EnvironmentEnds(napi_async_cleanup_hook_handle hook, void* doorbell);

  uv_handle_t* Handle() { return reinterpret_cast<uv_handle_t*>(&async_); }
  void Call();

  uv_async_t async_;
  Napi::Env env_;
  Napi::FunctionReference callback_;
  napi_async_context context_ = nullptr;
  // Holds the environment's end back until the loop has closed the handle.
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
};

}  // namespace sideport
