// The store: pages that are loaded once and stay, and a pool of buffers that grows to what is needed at the same time.
#include <cstdlib>
#include <cstring>

#include "server.h"

namespace server {
namespace {

constexpr size_t kPageBytes = 2048;
constexpr size_t kBufferBytes = 16384;
constexpr size_t kMaxBuffers = 24;

struct Buffer {
  char *bytes;
  uint64_t busyUntil;
};

std::map<uint32_t, char *> pages;
std::vector<Buffer> pool;

__attribute__((noinline)) char *LoadPage(uint32_t page) {
  auto *body = static_cast<char *>(std::malloc(kPageBytes));
  std::memset(body, static_cast<int>('a' + page % 26), kPageBytes - 1);
  body[kPageBytes - 1] = '\0';
  return body;
}

__attribute__((noinline)) Buffer &GrowPool() {
  pool.push_back({static_cast<char *>(std::malloc(kBufferBytes)), 0});
  return pool.back();
}

__attribute__((noinline)) Buffer *TakeBuffer(uint64_t tick) {
  for (Buffer &buffer : pool) {
    if (buffer.busyUntil <= tick) return &buffer;
  }
  return pool.size() < kMaxBuffers ? &GrowPool() : nullptr;
}

}  // namespace

__attribute__((noinline)) const char *FindPage(uint32_t page) {
  char *&body = pages[page];
  if (body == nullptr) body = LoadPage(page);
  return body;
}

/** Two jobs per tick, each of which holds a buffer for some ticks. */
__attribute__((noinline)) void UsePool(Context &context) {
  for (int job = 0; job < 2; job++) {
    Buffer *buffer = TakeBuffer(context.tick);
    if (buffer == nullptr) return;
    buffer->busyUntil = context.tick + 1 + context.random.Below(16);
    std::memset(buffer->bytes, job, 256);
  }
}

}  // namespace server
