// What every system does alike with a datagram received.

#include "datagram.h"

#include <cstring>

namespace sideport {

void WriteHeader(uint8_t* buffer, int32_t length, bool truncated, double arrived_ms,
                 const KernelAddress& source) {
  DatagramHeader header{};
  header.flags = truncated ? kTruncated : 0;
  header.length = length;
  header.arrived_ms = arrived_ms;
  if (source.length > 0 && source.storage.ss_family == AF_UNIX) {
    static_assert(2 + kUnixNameLimit <= sizeof(header.source));
    header.source[0] = kUnixFamily;
    header.source[1] = static_cast<uint8_t>(UnixName(source, header.source + 2));
  } else if (source.length > 0) {
    const WireAddress wire = ToWire(source);
    std::memcpy(header.source, &wire, sizeof(wire));
  }
  std::memcpy(buffer, &header, sizeof(header));
}

}  // namespace sideport
