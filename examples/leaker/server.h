// The parts of the small server that leaks. Time is counted in ticks, so that every run does the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace server {

constexpr int kTicksPerSecond = 50;
constexpr int kRequestsPerTick = 40;

/** Numbers that look random and are the same in every run (xorshift, 64 bits). */
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  /** 0 <= result < bound. */
  uint32_t Below(uint32_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>((state_ >> 32) * bound >> 32);
  }

 private:
  uint64_t state_;
};

struct Request {
  uint64_t id = 0;
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;
  char *token = nullptr;
};

/** What a handler needs; the random numbers are shared, the tick is the current time. */
struct Context {
  Random random{0x9e3779b97f4a7c15u};
  uint64_t tick = 0;
};

// request.cc: parser and handler.
std::string ComposeRequest(Context &context, uint64_t id);
Request ParseRequest(const std::string &text, uint64_t id);
void HandleRequest(Context &context, const std::string &text, uint64_t id);

// log.cc: error messages and the audit log.
char *FormatError(const Request &request, int code);
void LogLine(const char *text);
void AppendAudit(uint64_t tick, uint64_t id);

// session.cc: sessions with a time to live; events for their subscribers.
void TouchSession(Context &context, uint32_t user);
void ExpireSessions(uint64_t tick);
void PublishEvent(uint64_t tick);

// store.cc: pages that stay in memory, and a pool of buffers.
const char *FindPage(uint32_t page);
void UsePool(Context &context);

}  // namespace server
