// Prints what operator new and delete do when memory fails, in every form. Compared with a bare run.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

static volatile std::size_t huge = SIZE_MAX / 4;

template <class Action> static void attempt(const char *what, Action action) {
  try {
    void *p = action();
    std::printf("%s: %s\n", what, p ? "memory" : "NULL");
  } catch (const std::bad_array_new_length &) {
    std::printf("%s: bad_array_new_length\n", what);
  } catch (const std::bad_alloc &) {
    std::printf("%s: bad_alloc\n", what);
  } catch (const std::exception &e) {
    std::printf("%s: %s\n", what, e.what());
  }
}

// Allocates, gives up after three calls by an exception of its own.
static int handler_calls;
static void throwing_handler() {
  void *p = std::malloc(100);
  std::unique_ptr<std::string> text(new std::string(200, 'x'));
  std::free(p);
  if (++handler_calls == 3) {
    std::set_new_handler(nullptr);
    throw std::runtime_error("handler gave up");
  }
}

static void leaving_handler() {
  std::set_new_handler(nullptr);
  ++handler_calls;
}

static void failures() {
  attempt("new", [] { return ::operator new(huge); });
  attempt("new[]", [] { return ::operator new[](huge); });
  attempt("new nothrow", [] { return ::operator new(huge, std::nothrow); });
  attempt("new[] nothrow", [] { return ::operator new[](huge, std::nothrow); });
  attempt("new aligned", [] { return ::operator new(huge, std::align_val_t(8192)); });
  attempt("new[] aligned", [] { return ::operator new[](huge, std::align_val_t(8192)); });
  attempt("new aligned nothrow", [] { return ::operator new(huge, std::align_val_t(64), std::nothrow); });
  attempt("new[] aligned nothrow", [] { return ::operator new[](huge, std::align_val_t(64), std::nothrow); });
  attempt("new aligned to 24", [] { return ::operator new(100, std::align_val_t(24)); });
  attempt("new of SIZE_MAX", [] { return ::operator new(huge * 4 + 3); });
  attempt("array too long", [] { return new std::uint64_t[huge * 2]; });
  attempt("array too long, nothrow", [] { return new (std::nothrow) std::uint64_t[huge * 2]; });
  attempt("vector", []() -> void * { std::vector<char> v; v.reserve(huge); return nullptr; });
}

static void handlers() {
  handler_calls = 0;
  std::set_new_handler(throwing_handler);
  attempt("handler that throws", [] { return ::operator new(huge); });
  std::printf("called %d times\n", handler_calls);
  handler_calls = 0;
  std::set_new_handler(throwing_handler);
  try {
    attempt("handler that throws, nothrow", [] { return ::operator new(huge, std::nothrow); });
  } catch (...) {
    std::printf("passed nothrow\n");
  }
  std::printf("called %d times\n", handler_calls);
  handler_calls = 0;
  std::set_new_handler(leaving_handler);
  attempt("handler that leaves", [] { return ::operator new[](huge, std::align_val_t(128)); });
  std::printf("called %d times\n", handler_calls);
}

struct Own {
  static int made;
  char bytes[40];
  static void *operator new(std::size_t n) { ++made; return std::malloc(n); }
  static void operator delete(void *p) { --made; std::free(p); }
};
int Own::made;
struct alignas(8192) Wide { char bytes[8192]; };
struct Sized { virtual ~Sized() {} char bytes[100]; };
struct SizedMore : Sized { char more[1000]; };

static void uses() {
  Own *own = new Own;
  std::printf("own new %d\n", Own::made);
  delete own;
  std::printf("own delete %d\n", Own::made);
  int misaligned = 0;
  for (int i = 0; i < 50; i++) {
    Wide *wide = new Wide[3];
    misaligned += reinterpret_cast<std::uintptr_t>(wide) % 8192 != 0;
    delete[] wide;
    Sized *sized = new SizedMore;
    delete sized;
    for (std::size_t n = 1; n < 100000; n = n * 2 + 1) {
      char *a = new char[n];
      std::memset(a, 1, n);
      ::operator delete[](a, n);
      ::operator delete(::operator new(n), n);
      ::operator delete(::operator new(n, std::align_val_t(256)), n, std::align_val_t(256));
      ::operator delete(::operator new(n, std::nothrow), std::nothrow);
    }
  }
  std::printf("misaligned %d\n", misaligned);
  std::map<int, std::string> map;
  for (int i = 0; i < 5000; i++) map[i] = std::string(std::size_t(i % 90), 'y');
  for (int i = 0; i < 5000; i += 2) map.erase(i);
  std::printf("map %zu\n", map.size());
  ::operator delete(nullptr);
  delete[] static_cast<char *>(nullptr);
}

int main() {
  failures();
  handlers();
  uses();
  std::fflush(stdout);
  throw std::logic_error("the end, uncaught");
}
