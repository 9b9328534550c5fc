// The bundled leaker: a small server with three leaks among 60 000 healthy allocations per second.
//
// What it does is known exactly, and tests read it here. One tick is 1/50 s. Columns: state it deserves
// after 20 s, function, file and line of the call that allocates, class, bytes per second, what it is.
//
// truth: confirmed  CopyToken    request.cc:25  linear  4800  tokens of upgraded connections, one in 40 of all tokens
// truth: confirmed  FormatError  log.cc:34      linear  700   messages of too large requests, one in 3 of all messages
// truth: confirmed  QueueEvent   session.cc:39  exp     -     events for subscriptions, of which there are ever more
// truth: filling    LoadPage     store.cc:23    log     -     150 pages that are loaded once, most of them early
// truth: filling    GrowPool     store.cc:30    log     -     a pool that grows to at most 24 buffers
// truth: stable     OpenSession  session.cc:35  const   -     sessions of users who come in waves, gone when idle for 2 to 3 s
// truth: stable     AppendAudit  log.cc:49      const   -     an audit log that is emptied every 3 s
//
// usage: leaker [SECONDS]              runs for so long, or until it is killed
//        leaker --steps-from-fd FD     reads "N\n", does N ticks without waiting, answers "ok N\n"
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "server.h"

namespace {

/** One tick: its requests, and what a server does between them. */
void Tick(server::Context &context) {
  context.tick++;
  for (int i = 0; i < server::kRequestsPerTick; i++) {
    const uint64_t id = context.tick * server::kRequestsPerTick + static_cast<uint64_t>(i);
    server::HandleRequest(context, server::ComposeRequest(context, id), id);
  }
  server::UsePool(context);
  server::ExpireSessions(context.tick);
  server::PublishEvent(context.tick);
}

/** Ticks at the pace of the clock; a late tick is not made up for. */
void RunByClock(server::Context &context, double seconds) {
  constexpr long kTickNanos = 1'000'000'000L / server::kTicksPerSecond;
  const timespec pause{0, kTickNanos};
  const auto ticks = static_cast<uint64_t>(seconds * server::kTicksPerSecond);
  while (seconds == 0 || context.tick < ticks) {
    Tick(context);
    nanosleep(&pause, nullptr);
  }
}

int RunBySteps(server::Context &context, int fd) {
  FILE *commands = fdopen(fd, "r");
  if (commands == nullptr) {
    std::perror("leaker: --steps-from-fd");
    return 2;
  }
  char line[32];
  while (std::fgets(line, sizeof line, commands) != nullptr) {
    const long steps = std::strtol(line, nullptr, 10);
    for (long i = 0; i < steps; i++) Tick(context);
    std::printf("ok %ld\n", steps);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char **argv) {
  server::Context context;
  if (argc == 3 && std::strcmp(argv[1], "--steps-from-fd") == 0) {
    return RunBySteps(context, std::atoi(argv[2]));
  }
  char *end = nullptr;
  const double seconds = argc > 1 ? std::strtod(argv[1], &end) : 0;
  if (argc > 2 || (argc > 1 && (*end != '\0' || seconds <= 0))) {
    std::fprintf(stderr, "usage: leaker [SECONDS] | leaker --steps-from-fd FD\n");
    return 2;
  }
  RunByClock(context, seconds);
  return 0;
}
