/* Says what the segments in EDLEAK_DIR hold, as one line of shell assignments; the host of the test scripts. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "reader.h"

int main(void) {
  const char *directory = getenv("EDLEAK_DIR");
  DIR *d = directory ? opendir(directory) : NULL;
  unsigned long long files = 0, live = 0, allocs = 0, frees = 0, bytes = 0, overruns = 0, losses[16] = {0};
  for (struct dirent *e; d && (e = readdir(d));) {
    char path[600];
    struct reader r;
    if (e->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "%s/%s", directory, e->d_name);
    if (!reader_open_path(&r, path)) return 1;
    struct totals t = reader_all(&r);
    files++;
    live += r.header.state == EDL_STATE_LIVE;
    allocs += t.allocs;
    frees += t.frees;
    bytes += t.bytes - t.freed_bytes;
    for (uint32_t id = 0; id < r.header.allocers_issued; id++) overruns += reader_record(&r, id).overruns;
    for (int i = 0; i < 16; i++) losses[i] += r.header.losses[i];
    reader_close(&r);
  }
  printf("files=%llu running=%llu allocs=%llu frees=%llu bytes=%llu overruns=%llu unattributed=%llu unknown_frees=%llu "
         "untagged=%llu no_shard=%llu\n",
         files, live, allocs, frees, bytes, overruns, losses[EDL_LOSS_UNATTRIBUTED],
         losses[EDL_LOSS_UNKNOWN_FREES], losses[EDL_LOSS_UNTAGGED], losses[EDL_LOSS_NO_SHARD]);
  return 0;
}
