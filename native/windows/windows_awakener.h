// The awakener on Windows is the completion port itself: a wake is a packet posted to it. So this owns
// the port's handle.
#pragma once

#include "port/awakener.h"
#include "windows/windows_api.h"

namespace sideport {

class PortAwakener final : public Awakener {
 public:
  // The completion key of a wake. Every other packet is told by its OVERLAPPED alone.
  static constexpr ULONG_PTR kKey = 1;

  // Throws std::system_error when there can be no completion port.
  PortAwakener();
  ~PortAwakener() override;

  HANDLE port() const { return port_; }

 private:
  void Signal() override;
  // The wait took the packet out. One that is taken out after its reasons makes that wait return early.
  void Unsignal() override {}

  HANDLE port_;
};

}  // namespace sideport
