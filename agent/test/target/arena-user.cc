// Uses operators new and delete that a library replaces by an arena of its own (library/arena-new.cc).
#include <cstdio>
#include <map>
#include <new>
#include <string>

extern "C" int arena_live();
extern "C" int arena_strangers();

int main() {
  {
    std::map<int, std::string> map;
    for (int i = 0; i < 2000; i++) map[i] = std::string(static_cast<std::size_t>(i % 200), 'x');
    for (int i = 0; i < 200; i++) {
      delete[] new char[static_cast<std::size_t>(i + 1)];
      ::operator delete(::operator new(100, std::nothrow), std::nothrow);
    }
    std::printf("live %d\n", arena_live());
  }
  std::printf("live %d, strangers %d\n", arena_live(), arena_strangers());
}
