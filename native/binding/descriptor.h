// A socket's descriptor before the port owns it: `Descriptor` in src/native.ts.
//
//   owned ──lend()──► lent ──the port swaps the owner word──► the port's
//     │                │
//     └── close(), collected, thread ends: we close ◄── we swap it first
#pragma once

#include <napi.h>

namespace sideport {

class Descriptor : public Napi::ObjectWrap<Descriptor> {
 public:
  static Napi::Function Define(Napi::Env env);

  // Empty: the object exists before the descriptor does, so that a failure to make the object
  // leaks none.
  explicit Descriptor(const Napi::CallbackInfo& info);
  // Runs when the object is collected, and at the latest when its environment ends: Node finalises
  // what is still wrapped then, also after worker.terminate(), which runs no JavaScript.
  ~Descriptor() override;

  void Own(int fd) { fd_ = fd; }

 private:
  Napi::Value Fd(const Napi::CallbackInfo& info);
  void Lend(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);
  void CloseIfOwned();

  int fd_ = -1;
  // While lent: the shared word that decides, its two values, and the view that keeps it in memory.
  int32_t* owner_word_ = nullptr;
  int32_t mine_ = 0;
  int32_t closed_ = 0;
  Napi::Reference<Napi::Int32Array> memory_;
};

}  // namespace sideport
