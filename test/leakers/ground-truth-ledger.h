// The ground-truth program's own log: what each call site allocated and freed, by step; static, so that it allocates nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace ledger {

constexpr int kMaxSteps = 512;

/** Blocks and the bytes asked for by them. Added to by all threads and by signal handlers. */
struct Amount {
  std::atomic<int64_t> blocks;
  std::atomic<int64_t> bytes;

  void Add(int64_t moreBlocks, int64_t moreBytes) {
    blocks.fetch_add(moreBlocks, std::memory_order_relaxed);
    bytes.fetch_add(moreBytes, std::memory_order_relaxed);
  }
};

/** One call site. */
struct Account {
  Amount allocated;
  Amount freed;
  /** By the step in which the blocks were born. */
  Amount births[kMaxSteps];
  Amount live[kMaxSteps];
  /** Blocks freed, by their age in steps. */
  std::atomic<int64_t> ages[kMaxSteps];

  void Born(int step, size_t bytes) {
    const auto size = static_cast<int64_t>(bytes);
    allocated.Add(1, size);
    births[step].Add(1, size);
    live[step].Add(1, size);
  }

  void Died(int born, int now, size_t bytes) {
    const auto size = static_cast<int64_t>(bytes);
    freed.Add(1, size);
    live[born].Add(-1, -size);
    ages[now - born].fetch_add(1, std::memory_order_relaxed);
  }
};

}  // namespace ledger
