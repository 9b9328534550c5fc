/** What every random program begins with: includes, jobs, keeping and releasing blocks, healthy traffic. SEED is to be filled in. */
export const HEAD = `// A random program with known leaks, written by a generator.
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <map>
#include <new>
#include <string>
#include <vector>

struct Held { void *block; int form; unsigned long until; };
struct Job { int activity; unsigned long number; const unsigned char *route; int level; unsigned long sum; std::vector<Held> *done; };

// Calls of different activities must stay different calls: the number is part of the instruction.
#define KEEP(p, activity) __asm__ volatile("" : "+r"(p) : "i"(activity) : "memory")
#define NOINLINE __attribute__((noinline))

static unsigned long tick;
static unsigned state = SEED;
static unsigned Below(unsigned bound) {
  state ^= state << 13, state ^= state >> 17, state ^= state << 5;
  return state % bound;
}
static void Release(const Held &held) {
  if (held.form == 0) std::free(held.block);
  if (held.form == 1) ::operator delete(held.block);
  if (held.form == 2) ::operator delete[](held.block);
  if (held.form == 3) ::operator delete(held.block, std::align_val_t(64));
}
static NOINLINE void ReleaseDue(std::deque<Held> &queue) {
  for (size_t i = queue.size(); i > 0; i--) {
    Held held = queue.front();
    queue.pop_front();
    if (held.until <= tick) Release(held); else queue.push_back(held);
  }
}
static NOINLINE void ReleaseAll(std::vector<Held> &list) {
  for (const Held &held : list) Release(held);
  list.clear();
}
static NOINLINE void Keep(std::vector<Held> &list, void *block, int form) {
  list.push_back({block, form, 0});
}
static NOINLINE void KeepUntil(std::deque<Held> &queue, void *block, int form, unsigned long until) {
  queue.push_back({block, form, until});
}

// Healthy traffic: containers that are freed before their function returns.
static NOINLINE void UseString(Job &job) {
  std::string text = "a name too long for the small buffer " + std::to_string(job.number);
  job.sum += text.size();
}
static NOINLINE void UseVector(Job &job) {
  std::vector<unsigned long> numbers;
  for (unsigned long i = 0; i < job.number % 9; i++) numbers.push_back(i * job.sum);
  job.sum += numbers.size();
}
static NOINLINE void UseMap(Job &job) {
  std::map<unsigned long, std::string> index;
  for (unsigned long i = 0; i < 3; i++) index[job.number % 5 + i] = std::string(job.number % 40, 'x');
  job.sum += index.size();
}`;
