// C++ containers under load: maps of strings, vectors that grow; nearly all of its time is allocation.
#include <cstdio>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

int main() {
  std::map<std::string, std::string> names;
  std::unordered_map<int, std::vector<int>> groups;
  unsigned x = 12345;
  for (int i = 0; i < 700000; i++) {
    x = x * 1664525u + 1013904223u;
    std::string key = "key-number-" + std::to_string(x % 50000);
    names[key] = std::string(20 + x % 60, 'v');
    if (x % 5 == 0) names.erase(key);
    groups[(int)(x % 1000)].push_back(i);
  }
  std::printf("%zu %zu\n", names.size(), groups.size());
}
