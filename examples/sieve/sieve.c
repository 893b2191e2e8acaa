// Counts primes with a segmented sieve: the CPU hog of the examples.
//
// It never sleeps and hardly ever calls the host, so it runs for as long as it likes unless the
// runtime interrupts it. Memory stays small whatever the limit: one segment of odd numbers fits a
// level-one cache, and only the primes up to the square root of the limit are kept.
//
//   sieve [LIMIT [ROUNDS]]     default 10000000 1; ROUNDS 0 means for ever

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  segment_odds = 32 * 1024, // odd numbers a segment stands for, one byte each
  tail_max = 5,             // how many of the last primes are printed
};

static const uint64_t limit_max = 1000000000000; // the base primes of a larger one need too much memory

// The odd primes up to the square root of the limit, and for each the next odd multiple to strike.
struct base {
  uint64_t *prime;
  uint64_t *next;
  size_t count;
};

struct result {
  uint64_t count;
  uint64_t checksum; // FNV-1a over the primes, in rising order
  uint64_t tail[tail_max];
};

static void *checked(void *memory) {
  if (!memory) {
    fputs("sieve: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

static uint64_t square_root(uint64_t n) {
  uint64_t root = 0;
  for (uint64_t bit = UINT64_C(1) << 20; bit; bit >>= 1)
    if ((root + bit) * (root + bit) <= n) root += bit;
  return root;
}

static struct base find_base(uint64_t limit) {
  uint64_t root = square_root(limit);
  uint8_t *composite = checked(calloc(root + 1, 1));
  struct base base = {checked(malloc((root + 1) * sizeof(uint64_t))), checked(malloc((root + 1) * sizeof(uint64_t))), 0};
  for (uint64_t n = 3; n <= root; n += 2) {
    if (composite[n]) continue;
    for (uint64_t multiple = n * n; multiple <= root; multiple += 2 * n) composite[multiple] = 1;
    base.prime[base.count] = n;
    base.next[base.count] = n * n;
    base.count++;
  }
  free(composite);
  return base;
}

static void found(struct result *result, uint64_t prime) {
  result->tail[result->count % tail_max] = prime;
  result->count++;
  for (int byte = 0; byte < 8; byte++) {
    result->checksum ^= prime >> (8 * byte) & 0xff;
    result->checksum *= UINT64_C(1099511628211);
  }
}

// Strikes the multiples of the base primes in the segment that starts at the odd number `low`.
static void strike(struct base *base, uint8_t *composite, uint64_t low, uint64_t odds) {
  uint64_t end = low + 2 * odds;
  memset(composite, 0, odds);
  for (size_t i = 0; i < base->count && base->prime[i] * base->prime[i] < end; i++) {
    uint64_t multiple = base->next[i];
    for (; multiple < end; multiple += 2 * base->prime[i]) composite[(multiple - low) / 2] = 1;
    base->next[i] = multiple;
  }
}

static struct result sieve(uint64_t limit) {
  static uint8_t composite[segment_odds];
  struct result result = {.checksum = UINT64_C(14695981039346656037)};
  struct base base = find_base(limit);
  if (limit >= 2) found(&result, 2);
  for (uint64_t low = 3; low <= limit; low += 2 * segment_odds) {
    uint64_t odds = (limit - low) / 2 + 1;
    if (odds > segment_odds) odds = segment_odds;
    strike(&base, composite, low, odds);
    for (uint64_t i = 0; i < odds; i++)
      if (!composite[i]) found(&result, low + 2 * i);
  }
  free(base.prime);
  free(base.next);
  return result;
}

static void print(uint64_t limit, const struct result *result) {
  printf("primes up to %" PRIu64 ": %" PRIu64 "\n", limit, result->count);
  printf("the last ones:");
  uint64_t first = result->count > tail_max ? result->count - tail_max : 0;
  for (uint64_t i = first; i < result->count; i++) printf(" %" PRIu64, result->tail[i % tail_max]);
  printf("\nchecksum: %016" PRIx64 "\n", result->checksum);
  fflush(stdout);
}

static bool parse(const char *text, uint64_t *number) {
  char *end;
  if (*text < '0' || *text > '9') return false;
  *number = strtoull(text, &end, 10);
  return *end == 0;
}

int main(int argc, char **argv) {
  uint64_t limit = 10000000, rounds = 1;
  if (argc > 3 || (argc > 1 && !parse(argv[1], &limit)) || (argc > 2 && !parse(argv[2], &rounds)) || limit > limit_max) {
    fprintf(stderr, "usage: sieve [LIMIT [ROUNDS]], LIMIT at most %" PRIu64 "; 0 rounds means for ever\n", limit_max);
    return 2;
  }
  for (uint64_t round = 0; rounds == 0 || round < rounds; round++) {
    struct result result = sieve(limit);
    print(limit, &result);
  }
  return 0;
}
