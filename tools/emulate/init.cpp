// The only process that the emulated machine starts: runs the program that its arguments name, says how it ended and turns the machine
// off by a port that Bochs has for it.
#include <sys/io.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <initializer_list>

int main(int, char** arguments) {
  if (fork() == 0) {
    execv(arguments[1], arguments + 1);
    std::perror(arguments[1]);
    _exit(127);
  }
  int status = 0;
  wait(&status);
  std::printf("ended with %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  std::fflush(stdout);
  sleep(1);  // until the serial line has it all
  iopl(3);
  for (const char letter : {'S', 'h', 'u', 't', 'd', 'o', 'w', 'n'}) outb(static_cast<unsigned char>(letter), 0x8900);
  for (;;) pause();
}
