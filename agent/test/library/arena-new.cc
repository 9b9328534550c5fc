// Operators new and delete of a library, over an arena: their blocks are none of malloc's and have no header.
#include <cstddef>
#include <cstdlib>
#include <new>

static char arena[4 << 20];
static std::size_t used;
static int live, strangers;

static void *take(std::size_t n) {
  std::size_t at = (used + 15) & ~std::size_t(15);
  if (n > sizeof arena - at) throw std::bad_alloc();
  used = at + n;
  live++;
  return arena + at;
}

static void give_back(void *p) {
  if (!p) return;
  char *c = static_cast<char *>(p);
  if (c >= arena && c < arena + sizeof arena) live--;
  else strangers++;
}

void *operator new(std::size_t n) { return take(n); }
void *operator new[](std::size_t n) { return take(n); }
void operator delete(void *p) noexcept { give_back(p); }
void operator delete[](void *p) noexcept { give_back(p); }
void operator delete(void *p, std::size_t) noexcept { give_back(p); }
void operator delete[](void *p, std::size_t) noexcept { give_back(p); }
extern "C" int arena_live() { return live; }
extern "C" int arena_strangers() { return strangers; }
