// The pieces of a send in the form that the system's own call takes them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "port/platform_socket.h"

namespace sideport {

#ifdef _WIN32

using SendPiece = WSABUF;

inline SendPiece MakePiece(uint8_t* memory, size_t size) {
  return {static_cast<ULONG>(size), reinterpret_cast<CHAR*>(memory)};
}
inline size_t SizeOf(const SendPiece& piece) { return piece.len; }
inline void Skip(SendPiece* piece, size_t bytes) {
  piece->buf += bytes;
  piece->len -= static_cast<ULONG>(bytes);
}

#else

using SendPiece = iovec;

inline SendPiece MakePiece(uint8_t* memory, size_t size) { return {memory, size}; }
inline size_t SizeOf(const SendPiece& piece) { return piece.iov_len; }
inline void Skip(SendPiece* piece, size_t bytes) {
  piece->iov_base = static_cast<uint8_t*>(piece->iov_base) + bytes;
  piece->iov_len -= bytes;
}

#endif

}  // namespace sideport
