// A C++ library that is loaded late and privately: counts what its allocations throw.
#include <cstddef>
#include <new>
#include <string>
#include <vector>

extern "C" int late() {
  int thrown = 0;
  volatile std::size_t huge = std::size_t(-1) / 4;
  for (int i = 0; i < 3; i++) {
    try {
      ::operator delete(i == 0 ? ::operator new(huge) : i == 1 ? ::operator new[](huge) : ::operator new(huge, std::align_val_t(64)));
    } catch (const std::bad_alloc &) {
      thrown++;
    }
  }
  std::vector<std::string> words(100, std::string(100, 'x'));
  return thrown * 1000 + static_cast<int>(words.size());
}
