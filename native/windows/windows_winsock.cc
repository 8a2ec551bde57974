#include "windows/windows_winsock.h"

namespace sideport {
namespace {

template <typename Function>
void Ask(SOCKET socket, GUID name, Function* into) {
  DWORD size = 0;
  WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &name, sizeof(name), into, sizeof(*into),
           &size, nullptr, nullptr);
}

WinsockExtensions Load() {
  StartWinsock();
  WinsockExtensions extensions;
  const SOCKET socket = WSASocketW(AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                                   WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return extensions;
  Ask(socket, WSAID_ACCEPTEX, &extensions.accept_ex);
  Ask(socket, WSAID_GETACCEPTEXSOCKADDRS, &extensions.get_accept_ex_sockaddrs);
  Ask(socket, WSAID_CONNECTEX, &extensions.connect_ex);
  closesocket(socket);
  return extensions;
}

}  // namespace

void StartWinsock() {
  static const bool started = [] {
    WSADATA data;
    return WSAStartup(MAKEWORD(2, 2), &data) == 0;
  }();
  static_cast<void>(started);
}

void LocalhostForAny(KernelAddress* remote) {
  if (remote->storage.ss_family == AF_INET) {
    auto* const v4 = reinterpret_cast<sockaddr_in*>(&remote->storage);
    if (v4->sin_addr.s_addr == htonl(INADDR_ANY)) v4->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  } else {
    auto* const v6 = reinterpret_cast<sockaddr_in6*>(&remote->storage);
    if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr)) v6->sin6_addr.s6_addr[15] = 1;
  }
}

const WinsockExtensions& WinsockExtensions::Get() {
  static const WinsockExtensions extensions = Load();
  return extensions;
}

}  // namespace sideport
