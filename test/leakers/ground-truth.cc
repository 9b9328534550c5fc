// Ninety threads that allocate in every way there is, and a log of their own to compare edleak's counts with, bit for bit.
//
// Truth: printed by the program itself, one JSON line per call site (fields of ledger::Account).
// Driven by steps on stdin, always at rest between two answers on stdout:
//   "N\n"         does N steps, each a pseudo-random batch of operations in all threads; "ok N"
//   "report\n"    prints the log, one line per call site; "ok report"
// usage: ground-truth [--without=FUNCTION]... [--any-alignment]
//   --without=FUNCTION   leaves out what the allocator can't do even alone: a function that it does not
//                        replace (jemalloc: pvalloc), or fails at (mimalloc 2.0: realloc_impossible)
//   --any-alignment      does not insist on alignments (mimalloc 2.0 gets some wrong by itself)
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <iterator>

#include "ground-truth-ledger.h"
#include "ground-truth-sites.h"

namespace {

constexpr int kThreads = 90;
constexpr int kSlots = 40;
constexpr int kMailbox = 8;
constexpr int kOperations = 72;
constexpr int kSignalsSent = 3;
constexpr int kSignalsRaised = 2;
/** One thread in so many ends after each step and is replaced by a new one. */
constexpr int kMortality = 15;
constexpr size_t kBig = 65536;

struct Block {
  unsigned char *bytes = nullptr;
  size_t size = 0;
  size_t alignment = 16;
  Release release = Release::kFree;
  Site site = kSites;
  int born = 0;
};

class Random {
 public:
  explicit Random(uint64_t seed) : state_((seed + 1) * 0x9e3779b97f4a7c15u) {}
  uint32_t Below(uint32_t bound) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return static_cast<uint32_t>((state_ >> 32) * bound >> 32);
  }

 private:
  uint64_t state_;
};

struct Worker {
  pthread_t thread;
  int index;
  Block slots[kSlots];
  /** Filled by one other thread in the first half of a step, emptied by this one in the second. */
  Block mailbox[kMailbox];
  /** Touched by this thread's signal handler, and by nobody else. */
  Block signalSlots[8];
  unsigned signalsHandled;
};

ledger::Account accounts[kSites];
Worker workers[kThreads];
pthread_barrier_t startOfStep, halfOfStep, endOfStep;
pthread_key_t threadEnd;
sigset_t testSignal;
int testSignalNumber;
std::atomic<int> currentStep{0};
bool leftOut[kSites];
bool checkAlignment = true;
thread_local Worker *self;

[[noreturn]] void Fail(const char *what, const Block &block) {
  std::fprintf(stderr, "ground-truth: %s: %s of %zu bytes, born in step %d\n", what,
               block.site < kSites ? kSiteNames[block.site] : "?", block.size, block.born);
  _exit(3);
}

unsigned char Pattern(const Block &block) {
  return static_cast<unsigned char>(0xa0 ^ block.born ^ block.site ^ block.size);
}

/** Writes the whole block when it is small, its ends when it is big. */
void Fill(Block &block) {
  const size_t end = block.size < 256 ? block.size : 128;
  std::memset(block.bytes, Pattern(block), end);
  std::memset(block.bytes + block.size - end, Pattern(block), end);
}

/** The program's data must be what it wrote: nobody may have put anything between first and last byte. */
void Check(const Block &block, size_t upTo) {
  const size_t end = block.size < 256 ? block.size : 128;
  for (size_t i = 0; i < end && i < upTo; i++) {
    if (block.bytes[i] != Pattern(block)) Fail("changed at its start", block);
    const size_t j = block.size - 1 - i;
    if (j < upTo && block.bytes[j] != Pattern(block)) Fail("changed at its end", block);
  }
}

/** Enters a block that a call has just returned into the log. */
Block Enter(void *made, size_t size, size_t alignment, Release release, Site site) {
  Block block{static_cast<unsigned char *>(made), size, alignment, release, site, currentStep};
  if (made == nullptr) Fail("no memory", block);
  const bool aligned = reinterpret_cast<uintptr_t>(made) % alignment == 0;
  if (checkAlignment && !aligned) Fail("not aligned", block);
  if ((site == at_calloc_id || site == at_calloc_many_id) && size > 0 &&
      (block.bytes[0] != 0 || block.bytes[size - 1] != 0 || block.bytes[size / 2] != 0)) {
    Fail("not zero", block);
  }
  accounts[site].Born(block.born, size);
  Fill(block);
  return block;
}

void Leave(const Block &block) { accounts[block.site].Died(block.born, currentStep, block.size); }

void Free(Block &block, unsigned way) {
  Check(block, block.size);
  Leave(block);
  GiveBack(block.bytes, block.size, block.alignment, block.release, way);
  block = Block{};
}

/** Mostly small, sometimes some kilobytes, now and then around the border of big blocks, always a multiple of 4. */
size_t PickSize(Random &random) {
  const uint32_t kind = random.Below(64);
  if (kind < 44) return random.Below(40) * 4;
  if (kind < 58) return random.Below(1000) * 4;
  if (kind < 62) return 4096 + random.Below(8192) * 4;
  return kind == 62 ? kBig - 64 + random.Below(32) * 4 : kBig + random.Below(30000) * 4;
}

size_t PickAlignment(const NewSite &site, Random &random) {
  switch (site.id) {
    case at_memalign_id:
    case at_aligned_alloc_id:
    case at_posix_memalign_id:
    case at_new_aligned_id:
    case at_new_array_aligned_id: return size_t{32} << random.Below(8);
    case at_valloc_id:
    case at_pvalloc_id: return 4096;
    default: return 8;
  }
}

Block Allocate(Random &random) {
  const NewSite *chosen;
  do {
    chosen = &kNewSites[random.Below(std::size(kNewSites))];
  } while (leftOut[chosen->id]);
  const size_t alignment = PickAlignment(*chosen, random);
  size_t n = chosen->id == at_malloc_big_id ? kBig - 32 + random.Below(20000) * 4 : PickSize(random);
  // An aligned block of no bytes, deleted with its size, corrupts jemalloc's heap without edleak too.
  if (alignment > 8) n += 4;
  void *made = chosen->make(n, alignment);
  return Enter(made, AskedFor(chosen->id, n, alignment), alignment, chosen->release, chosen->id);
}

/** A call that can't succeed: the old block stays what it was. */
void ReallocImpossible(Block &block) {
  if (leftOut[at_realloc_impossible_id]) return;
  if (at_realloc_impossible(block.bytes, SIZE_MAX / 2 + 4096) != nullptr) Fail("impossible realloc", block);
  Check(block, block.size);
}

void ReallocToNothing(Block &block) {
  Check(block, block.size);
  Leave(block);
  void *made = at_realloc_nothing(block.bytes, 0);
  // Allocators differ: no block, or a block of no bytes.
  block = made == nullptr ? Block{} : Enter(made, 0, 1, Release::kFree, at_realloc_nothing_id);
}

void ReallocTo(Block &block, Site site, void *(*call)(void *, size_t), size_t size) {
  Check(block, block.size);
  Leave(block);
  Block moved = block;
  moved.bytes = static_cast<unsigned char *>(call(block.bytes, size));
  if (moved.bytes == nullptr) Fail("no memory", block);
  const size_t kept = block.size < size ? block.size : size;
  for (size_t i = 0; i < kept && i < 128; i++) {
    if (moved.bytes[i] != Pattern(block)) Fail("lost by realloc", block);
  }
  block = Enter(moved.bytes, size, 1, Release::kFree, site);
}

void Reallocate(Block &block, Random &random) {
  switch (random.Below(8)) {
    case 0: return ReallocImpossible(block);
    case 1: return ReallocToNothing(block);
    case 2:
    case 3: return ReallocTo(block, at_realloc_shrink_id, at_realloc_shrink, block.size / 8 * 4 + 4);
    case 4: return ReallocTo(block, at_realloc_border_id, at_realloc_border, kBig - 40 + random.Below(20) * 4);
    case 5: return ReallocTo(block, at_reallocarray_id, at_reallocarray, PickSize(random) + 4);
    default:
      return ReallocTo(block, at_realloc_grow_id, at_realloc_grow, block.size / 4 * 4 + 4 + random.Below(400) * 4);
  }
}

void HandleSignal(int) {
  Worker &worker = *self;
  const unsigned count = worker.signalsHandled++;
  Block &slot = worker.signalSlots[count % std::size(worker.signalSlots)];
  if (slot.bytes != nullptr) Free(slot, count);
  const size_t n = (count * 52) % 4096;
  slot = count % 3 == 0
             ? Enter(at_signal_new(n, 8), n, 8, Release::kDelete, at_signal_new_id)
             : Enter(at_signal_malloc(n, 8), n, 8, Release::kFree, at_signal_malloc_id);
}

/** The only place where a signal is taken: a loop of the program's own, never inside an allocator. */
void TakeSignals(unsigned rounds) {
  pthread_sigmask(SIG_UNBLOCK, &testSignal, nullptr);
  unsigned sum = 0;
  for (unsigned i = 0; i < rounds; i++) {
    sum = sum * 31 + i;
    __asm__ volatile("" : "+r"(sum));
  }
  pthread_sigmask(SIG_BLOCK, &testSignal, nullptr);
}

void FirstHalf(Worker &worker, int step, Random &random) {
  const Worker &neighbour = workers[(worker.index + 1) % kThreads];
  for (int i = 0; i < kOperations; i++) {
    Block &slot = worker.slots[random.Below(kSlots)];
    if (slot.bytes == nullptr) {
      slot = Allocate(random);
    } else if (slot.release == Release::kFree && random.Below(3) == 0) {
      Reallocate(slot, random);
    } else if (random.Below(4) != 0) {
      Free(slot, random.Below(6));
    }
    if (i % (kOperations / kSignalsSent) == 0) pthread_kill(neighbour.thread, testSignalNumber);
    if (i % (kOperations / kSignalsRaised) == 8) pthread_kill(worker.thread, testSignalNumber);
    if (i % 16 == 8) TakeSignals(500);
  }
  // Every step another thread gets this one's blocks.
  Worker &receiver = workers[(worker.index + 1 + step % (kThreads - 1)) % kThreads];
  for (int i = 0; i < kMailbox; i++) {
    receiver.mailbox[i] = worker.slots[i];
    worker.slots[i] = Block{};
  }
}

void SecondHalf(Worker &worker, int step, Random &random) {
  TakeSignals(0);
  if (worker.signalsHandled % (kSignalsSent + kSignalsRaised) != 0) Fail("signals missing", Block{});
  for (Block &received : worker.mailbox) {
    Block &slot = worker.slots[random.Below(kSlots)];
    if (received.bytes == nullptr) continue;
    if (slot.bytes == nullptr && (received.born + step) % 2 == 0) {
      slot = received;
    } else {
      Free(received, random.Below(6));
    }
    received = Block{};
  }
}

/** Runs when a thread ends, after or before the agent has taken leave of it: one block changes hands. */
void AtThreadEnd(void *value) {
  Worker &worker = *static_cast<Worker *>(value);
  Block &slot = worker.slots[0];
  if (slot.bytes != nullptr) Free(slot, 0);
  const size_t n = 16 + static_cast<size_t>(worker.index) * 4;
  slot = Enter(at_thread_end(n, 8), n, 8, Release::kFree, at_thread_end_id);
}

bool EndsAfter(const Worker &worker, int step) { return (worker.index + step) % kMortality == 0; }

void *Work(void *argument) {
  self = static_cast<Worker *>(argument);
  pthread_setspecific(threadEnd, self);
  for (;;) {
    pthread_barrier_wait(&startOfStep);
    const int step = currentStep;
    Random random(static_cast<uint64_t>(step) * kThreads + static_cast<uint64_t>(self->index));
    FirstHalf(*self, step, random);
    pthread_barrier_wait(&halfOfStep);
    SecondHalf(*self, step, random);
    pthread_barrier_wait(&endOfStep);
    if (EndsAfter(*self, step)) return nullptr;
  }
}

void Start(Worker &worker) {
  if (pthread_create(&worker.thread, nullptr, Work, &worker) != 0) Fail("no thread", Block{});
}

bool Step() {
  if (currentStep + 1 >= ledger::kMaxSteps) return false;
  currentStep++;
  pthread_barrier_wait(&startOfStep);
  pthread_barrier_wait(&halfOfStep);
  pthread_barrier_wait(&endOfStep);
  for (Worker &worker : workers) {
    if (!EndsAfter(worker, currentStep)) continue;
    pthread_join(worker.thread, nullptr);
    Start(worker);
  }
  return true;
}

void PrintAmounts(const char *name, const ledger::Amount *amounts) {
  std::printf(",\"%s\":[", name);
  const char *comma = "";
  for (int step = 0; step <= currentStep; step++) {
    const int64_t blocks = amounts[step].blocks, bytes = amounts[step].bytes;
    if (blocks == 0 && bytes == 0) continue;
    std::printf("%s[%d,%lld,%lld]", comma, step, static_cast<long long>(blocks), static_cast<long long>(bytes));
    comma = ",";
  }
  std::printf("]");
}

void Report() {
  for (int site = 0; site < kSites; site++) {
    const ledger::Account &account = accounts[site];
    const auto number = [](const std::atomic<int64_t> &n) { return static_cast<long long>(n.load()); };
    std::printf("{\"site\":\"%s\",\"allocs\":%lld,\"allocBytes\":%lld,\"frees\":%lld,\"freedBytes\":%lld",
                kSiteNames[site], number(account.allocated.blocks), number(account.allocated.bytes),
                number(account.freed.blocks), number(account.freed.bytes));
    PrintAmounts("births", account.births);
    PrintAmounts("live", account.live);
    std::printf(",\"ages\":[");
    const char *comma = "";
    for (int age = 0; age <= currentStep; age++) {
      if (account.ages[age] == 0) continue;
      std::printf("%s[%d,%lld]", comma, age, number(account.ages[age]));
      comma = ",";
    }
    std::printf("]}\n");
  }
}

int Serve() {
  static char input[4096], output[65536];
  std::setvbuf(stdin, input, _IOFBF, sizeof input);
  std::setvbuf(stdout, output, _IOFBF, sizeof output);
  char line[64];
  while (std::fgets(line, sizeof line, stdin) != nullptr) {
    line[std::strcspn(line, "\n")] = '\0';
    if (std::strcmp(line, "report") == 0) {
      Report();
    } else {
      for (int n = std::atoi(line); n > 0; n--) {
        if (!Step()) return 4;
      }
    }
    std::printf("ok %s\n", line);
    std::fflush(stdout);
  }
  return 0;
}

void ReadArgument(const char *argument) {
  if (std::strcmp(argument, "--any-alignment") == 0) checkAlignment = false;
  if (std::strncmp(argument, "--without=", 10) != 0) return;
  for (int site = 0; site < kSites; site++) {
    const char *function = kSiteNames[site] + std::strlen("at_");
    if (std::strcmp(argument + 10, function) == 0) leftOut[site] = true;
  }
}

}  // namespace

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) ReadArgument(argv[i]);
  testSignalNumber = SIGRTMIN + 3;  // a real-time signal: each one sent arrives
  sigemptyset(&testSignal);
  sigaddset(&testSignal, testSignalNumber);
  pthread_sigmask(SIG_BLOCK, &testSignal, nullptr);
  struct sigaction action {};
  action.sa_handler = HandleSignal;
  sigaction(testSignalNumber, &action, nullptr);
  pthread_key_create(&threadEnd, AtThreadEnd);
  for (pthread_barrier_t *barrier : {&startOfStep, &halfOfStep, &endOfStep}) {
    pthread_barrier_init(barrier, nullptr, kThreads + 1);
  }
  for (int i = 0; i < kThreads; i++) {
    workers[i].index = i;
    Start(workers[i]);
  }
  const int status = Serve();
  std::fflush(stdout);
  _exit(status);
}
