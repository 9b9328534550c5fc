/* A C program that loads a C++ library privately: its operator new must still throw (library/late.cc). */
#include <dlfcn.h>
#include <stdio.h>

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
  int (*late)(void) = library ? (int (*)(void))dlsym(library, "late") : NULL;
  printf("late: %d\n", late ? late() : -1);
  return 0;
}
