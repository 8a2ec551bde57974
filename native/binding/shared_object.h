// The shared object that this code is in.
#pragma once

namespace sideport {

// Keeps it loaded for the life of the process. Node unloads an addon with the last environment that
// loaded it; if that was a worker, what is process-wide would be lost and ids would be used again.
void PinSharedObject();

}  // namespace sideport
