// A program that replaces operator new and delete, but not the array, nothrow and sized forms, which hand on to them.
#include <cstdio>
#include <cstdlib>
#include <new>

static int made, gone;

void *operator new(std::size_t n) {
  made++;
  void *p = std::malloc(n + 16);
  if (!p) throw std::bad_alloc();
  static_cast<long *>(p)[0] = 0x600d;
  return static_cast<char *>(p) + 16;
}

void operator delete(void *p) noexcept {
  if (!p) return;
  long *block = reinterpret_cast<long *>(static_cast<char *>(p) - 16);
  if (block[0] != 0x600d) {
    std::puts("delete of what new did not make");
    std::abort();
  }
  gone++;
  std::free(block);
}

int main() {
  for (int i = 1; i < 100; i++) {
    delete[] new char[static_cast<std::size_t>(i * 37)];
    delete new int(i);
    ::operator delete(::operator new(10, std::nothrow), std::nothrow);
    ::operator delete[](::operator new[](10, std::nothrow), std::nothrow);
    ::operator delete[](new char[70000], std::size_t(70000));
    ::operator delete(::operator new(64, std::align_val_t(64)), std::align_val_t(64));
  }
  std::printf("made %d, gone %d\n", made, gone);
}
