// Winsock: descriptors as handles, its start, and the calls that it gives out by pointer only.
#pragma once

#include "kernel_address.h"
#include "windows/windows_api.h"

namespace sideport {

// A descriptor is a SOCKET or HANDLE cut to 32 bits. Microsoft ("Interprocess Communication Between
// 32-bit and 64-bit Applications"): handles have 32 significant bits, so it is safe to truncate one
// and to sign-extend it again. -1 is INVALID_SOCKET and INVALID_HANDLE_VALUE.
inline SOCKET ToSocket(int fd) { return static_cast<SOCKET>(static_cast<INT_PTR>(fd)); }
inline HANDLE ToHandle(int fd) { return reinterpret_cast<HANDLE>(static_cast<INT_PTR>(fd)); }
inline int FromSocket(SOCKET socket) { return static_cast<int>(socket); }
inline int FromHandle(HANDLE handle) { return static_cast<int>(reinterpret_cast<INT_PTR>(handle)); }

// Process-wide, once, and never undone: sockets may outlive every port.
void StartWinsock();

// Other systems send to themselves when told "any address"; Windows says WSAEADDRNOTAVAIL.
void LocalhostForAny(KernelAddress* remote);

// The pointers belong to a provider. Every socket of ours is made by the system's default one, whose
// they are; as libuv does, they are asked for once.
struct WinsockExtensions {
  LPFN_ACCEPTEX accept_ex = nullptr;
  LPFN_GETACCEPTEXSOCKADDRS get_accept_ex_sockaddrs = nullptr;
  LPFN_CONNECTEX connect_ex = nullptr;

  static const WinsockExtensions& Get();
};

}  // namespace sideport
