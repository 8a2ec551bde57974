// The Windows headers, in the order that they demand.
#pragma once

// First winsock2.h: windows.h would bring the first version's declarations.
#include "port/platform_socket.h"
// clang-format off
#include <windows.h>
#include <mswsock.h>
#include <mstcpip.h>
// clang-format on
