// Sessions: one per user, gone when it has been idle for a while; and events, copied for every subscription there is.
#include <cstdlib>
#include <unordered_map>

#include "server.h"

namespace server {
namespace {

constexpr uint64_t kIdleTicks = 2 * kTicksPerSecond;
/** Users come in waves: they sign in during the first half of each, and leave in the second. */
constexpr uint64_t kWaveTicks = 6 * kTicksPerSecond;
constexpr uint64_t kSubscribeTicks = 25;
constexpr uint64_t kEventTicks = 10;
constexpr uint64_t kMaxSubscriptions = 120;

struct Session {
  uint32_t user;
  uint64_t expires;
  std::vector<uint64_t> history;
};

struct Event {
  uint64_t tick;
  uint64_t subscription;
  Event *next;
  char text[16];
};

std::unordered_map<uint32_t, Session *> sessions;
Event *undelivered = nullptr;

__attribute__((noinline)) Session *OpenSession(Context &context, uint32_t user) {
  const uint64_t idle = kIdleTicks + context.random.Below(kIdleTicks / 2);
  return new Session{user, context.tick + idle, {}};
}

__attribute__((noinline)) void QueueEvent(uint64_t tick, uint64_t subscription) {
  undelivered = new Event{tick, subscription, undelivered, "changed"};
}

}  // namespace

__attribute__((noinline)) void TouchSession(Context &context, uint32_t user) {
  if (context.tick % kWaveTicks >= kWaveTicks / 2) return;
  Session *&session = sessions[user];
  if (session == nullptr) session = OpenSession(context, user);
  session->history.push_back(context.tick);
}

__attribute__((noinline)) void ExpireSessions(uint64_t tick) {
  for (auto it = sessions.begin(); it != sessions.end();) {
    if (it->second->expires > tick) {
      ++it;
      continue;
    }
    delete it->second;
    it = sessions.erase(it);
  }
}

/** Reconnecting clients subscribe again without ending the old subscription: each event costs more than the last. */
__attribute__((noinline)) void PublishEvent(uint64_t tick) {
  if (tick % kEventTicks != 0) return;
  const uint64_t subscriptions = 1 + tick / kSubscribeTicks;
  for (uint64_t i = 0; i < subscriptions && i < kMaxSubscriptions; i++) QueueEvent(tick, i);
}

}  // namespace server
