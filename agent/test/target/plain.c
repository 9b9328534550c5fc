/* Some allocations of all sizes, a line of output, exit status 3. A word on the command line is printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  long sum = 0;
  for (size_t n = 1; n < 1000000; n = n * 3 / 2 + 1) {
    unsigned char *p = malloc(n), *q = calloc(1, n);
    if (!p || !q) return 9;
    memset(p, 1, n);
    p = realloc(p, n * 2);
    sum += p ? p[n - 1] + q[n / 2] : 0;
    free(p), free(q);
  }
  printf("%s %ld\n", argc > 1 ? argv[1] : "plain", sum);
  return 3;
}
