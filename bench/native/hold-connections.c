// Connections that do nothing: `hold-connections PORT COUNT`. Prints "connected" when all are, and
// holds them until its standard input ends.
#define _GNU_SOURCE
#include "support.h"

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  EndByItself(120);
  RaiseDescriptorLimit();
  const int count = atoi(argv[2]);
  for (int i = 0; i < count; i++) ConnectFrom(i % 4, atoi(argv[1]));
  printf("connected\n");
  fflush(stdout);
  char end;
  while (read(STDIN_FILENO, &end, 1) > 0) continue;
  return 0;
}
