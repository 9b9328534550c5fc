// The log: messages of errors, and an audit log in memory that is written out and emptied every three seconds.
#include <cstdio>
#include <cstdlib>

#include "server.h"

namespace server {
namespace {

constexpr uint64_t kFlushTicks = 3 * kTicksPerSecond;
constexpr size_t kMessageBytes = 56;

struct AuditRecord {
  uint64_t tick;
  uint64_t id;
  AuditRecord *next;
};

AuditRecord *audit = nullptr;
uint64_t lastFlush = 0;
uint64_t logged = 0;

__attribute__((noinline)) void FlushAudit() {
  while (audit != nullptr) {
    AuditRecord *next = audit->next;
    delete audit;
    audit = next;
  }
}

}  // namespace

__attribute__((noinline)) char *FormatError(const Request &request, int code) {
  auto *message = static_cast<char *>(std::malloc(kMessageBytes));
  std::snprintf(message, kMessageBytes, "error %d in %s", code, request.path.c_str());
  return message;
}

/** The log is a checksum: the demo shall not fill a disk. */
__attribute__((noinline)) void LogLine(const char *text) {
  for (; *text != '\0'; text++) logged = logged * 31 + static_cast<unsigned char>(*text);
}

__attribute__((noinline)) void AppendAudit(uint64_t tick, uint64_t id) {
  if (tick - lastFlush >= kFlushTicks) {
    FlushAudit();
    lastFlush = tick;
  }
  if (id % 4 == 0) audit = new AuditRecord{tick, id, audit};
}

}  // namespace server
