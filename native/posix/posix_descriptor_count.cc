#include <dirent.h>
#include <sys/stat.h>

#include <cstdlib>

#include "binding/descriptor_count.h"

namespace sideport {

int32_t CountDescriptors() {
  DIR* const folder = opendir("/dev/fd");
  if (folder == nullptr) return 0;
  int32_t count = 0;
  while (const dirent* const entry = readdir(folder)) {
    struct stat status;
    if (entry->d_name[0] == '.' || fstat(std::atoi(entry->d_name), &status) != 0) continue;
    const bool named = S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ||
                       S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode);
    if (!named) count++;
  }
  closedir(folder);
  return count;
}

}  // namespace sideport
