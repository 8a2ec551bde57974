// The system's own socket types: sockaddr and its kin, socklen_t, what a vectored send takes.
#pragma once

#ifdef _WIN32
// In this order: winsock2.h must precede windows.h, which else brings the first version's twins.
#include <winsock2.h>
#include <ws2tcpip.h>
#else
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#endif
