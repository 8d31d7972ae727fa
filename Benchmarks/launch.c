// SPDX-License-Identifier: Apache-2.0
// Runs commands many times in turn (A B A B …) and tells what each run cost its process.
//
//   launch RUNS NAME COMMAND [ARGUMENT…] [-- NAME COMMAND [ARGUMENT…]]…
//
// For each command, one line of fields between tabs: the name; wall time, then processor time (user and system), each
// as median, minimum and maximum in microseconds; peak resident memory as median and maximum in KiB. What the commands
// write is thrown away; one that does not exit with 0 ends everything. The first runs of each are not counted.
//
// A child starts with its parent's peak of memory, whatever it needs itself. So this program is small, and is linked
// statically: started from a shell or from Python, every child would seem to need as much as those.
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP_RUNS = 5, MAXIMUM_RUNS = 100000 };

struct command {
  const char *name;
  char **arguments;
  long *wall, *cpu, *memory;
};

static void fail(const char *what, const char *whom, int number) {
  fprintf(stderr, "launch: %s: %s (%d)\n", whom, what, number);
  exit(1);
}

static long microseconds(struct timeval time) { return time.tv_sec * 1000000L + time.tv_usec; }

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

static void run(const struct command *command, const posix_spawn_file_actions_t *silence, int slot) {
  extern char **environ;
  pid_t child;
  int status;
  struct rusage usage;
  long start = now();
  int error = posix_spawnp(&child, command->arguments[0], silence, NULL, command->arguments, environ);
  if (error != 0) fail("cannot be started", command->arguments[0], error);
  while (wait4(child, &status, 0, &usage) < 0)
    if (errno != EINTR) fail("cannot be waited for", command->name, errno);
  long end = now();
  if (!WIFEXITED(status)) fail("ended by a signal", command->name, WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) fail("failed", command->name, WEXITSTATUS(status));
  if (slot < 0) return;
  command->wall[slot] = (end - start) / 1000;
  command->cpu[slot] = microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
  command->memory[slot] = usage.ru_maxrss;
}

static int ascending(const void *a, const void *b) {
  long x = *(const long *)a, y = *(const long *)b;
  return (x > y) - (x < y);
}

static long *slots(long count) {
  long *made = calloc((size_t)count, sizeof(long));
  if (made == NULL) fail("no memory for the results", "launch", errno);
  return made;
}

int main(int argc, char **argv) {
  long runs = argc > 3 ? strtol(argv[1], NULL, 10) : 0;
  if (runs < 1 || runs > MAXIMUM_RUNS) {
    fprintf(stderr, "usage: launch RUNS NAME COMMAND [ARGUMENT...] [-- NAME COMMAND [ARGUMENT...]]...\n");
    return 2;
  }
  struct command *commands = calloc((size_t)argc, sizeof(struct command));
  if (commands == NULL) fail("no memory for the commands", "launch", errno);
  int count = 0;
  for (int index = 2; index < argc; index++) {
    if (index + 1 >= argc) fail("names no command", argv[index], 0);
    commands[count++] = (struct command){argv[index], &argv[index + 1], slots(runs), slots(runs), slots(runs)};
    while (index < argc && strcmp(argv[index], "--") != 0) index++;
    argv[index < argc ? index : argc] = NULL;
  }

  posix_spawn_file_actions_t silence;
  posix_spawn_file_actions_init(&silence);
  posix_spawn_file_actions_addopen(&silence, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&silence, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&silence, STDOUT_FILENO, STDERR_FILENO);

  int tells = isatty(STDERR_FILENO);
  for (long round = -WARM_UP_RUNS; round < runs; round++) {
    for (int index = 0; index < count; index++) run(&commands[index], &silence, (int)round);
    if (tells && round >= 0) fprintf(stderr, "\r  %ld of %ld runs\033[K", round + 1, runs);
  }
  if (tells) fprintf(stderr, "\r\033[K");

  for (int index = 0; index < count; index++) {
    long *kinds[] = {commands[index].wall, commands[index].cpu, commands[index].memory};
    for (int kind = 0; kind < 3; kind++) qsort(kinds[kind], (size_t)runs, sizeof(long), ascending);
    printf("%s", commands[index].name);
    for (int kind = 0; kind < 2; kind++)
      printf("\t%ld\t%ld\t%ld", kinds[kind][runs / 2], kinds[kind][0], kinds[kind][runs - 1]);
    printf("\t%ld\t%ld\n", kinds[2][runs / 2], kinds[2][runs - 1]);
  }
  return 0;
}
