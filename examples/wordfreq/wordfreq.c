// Counts the words of all files below the given directories and prints the most frequent ones.
//
// It reads nothing but what it was granted: `--dir HOST::GUEST` of `rusm run` is its whole file
// system. A word is a run of letters, with apostrophes inside; bytes above 127 count as letters, so
// UTF-8 text stays whole. Upper-case ASCII is folded.
//
//   wordfreq [-n TOP] [-o FILE] [DIRECTORY...]     default: the 10 most frequent words of `/`

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
  word_bytes_max = 64,   // a longer run of letters is not a word, it is skipped
  path_bytes_max = 1024, // with the directory
  depth_max = 32,        // of nested directories: also ends loops
};

struct entry {
  char *word;
  uint32_t hash;
  uint64_t count;
};

// Open addressing, linear probing, never more than half full; the capacity is a power of two.
struct table {
  struct entry *entries;
  size_t capacity;
  size_t distinct;
  uint64_t words;
  uint64_t bytes;
  uint64_t files;
  uint64_t failures;
};

static void *checked(void *memory) {
  if (!memory) {
    fputs("wordfreq: out of memory\n", stderr);
    exit(1);
  }
  return memory;
}

static void complain(struct table *table, const char *path) {
  fprintf(stderr, "wordfreq: cannot read `%s`: %s\n", path, strerror(errno));
  table->failures++;
}

static struct entry *slot(struct entry *entries, size_t capacity, uint32_t hash, const char *word) {
  size_t i = hash & (capacity - 1);
  while (entries[i].word && (entries[i].hash != hash || strcmp(entries[i].word, word) != 0)) i = (i + 1) & (capacity - 1);
  return &entries[i];
}

static void grow(struct table *table) {
  size_t capacity = table->capacity ? 2 * table->capacity : 1024;
  struct entry *entries = checked(calloc(capacity, sizeof *entries));
  for (size_t i = 0; i < table->capacity; i++)
    if (table->entries[i].word) *slot(entries, capacity, table->entries[i].hash, table->entries[i].word) = table->entries[i];
  free(table->entries);
  table->entries = entries;
  table->capacity = capacity;
}

static void count(struct table *table, const char *word) {
  uint32_t hash = 2166136261u;
  for (const char *c = word; *c; c++) hash = (hash ^ (uint8_t)*c) * 16777619u;
  if (2 * (table->distinct + 1) > table->capacity) grow(table);
  struct entry *entry = slot(table->entries, table->capacity, hash, word);
  if (!entry->word) {
    *entry = (struct entry){checked(strdup(word)), hash, 0};
    table->distinct++;
  }
  entry->count++;
  table->words++;
}

// One word as it is being read; it may begin in one buffer and end in the next.
struct scanner {
  char word[word_bytes_max + 1];
  size_t length; // beyond word_bytes_max: too long to be a word
};

static void end_word(struct table *table, struct scanner *scanner) {
  while (scanner->length && scanner->length <= word_bytes_max && scanner->word[scanner->length - 1] == '\'') scanner->length--;
  if (scanner->length && scanner->length <= word_bytes_max) {
    scanner->word[scanner->length] = 0;
    count(table, scanner->word);
  }
  scanner->length = 0;
}

static void feed(struct table *table, struct scanner *scanner, const uint8_t *bytes, size_t length) {
  for (size_t i = 0; i < length; i++) {
    uint8_t c = bytes[i];
    if (c >= 'A' && c <= 'Z') c += 'a' - 'A';
    bool inside = (c >= 'a' && c <= 'z') || c >= 0x80 || (c == '\'' && scanner->length);
    if (!inside) {
      end_word(table, scanner);
    } else {
      if (scanner->length < word_bytes_max) scanner->word[scanner->length] = (char)c;
      scanner->length++;
    }
  }
}

static void read_file(struct table *table, const char *path) {
  static uint8_t buffer[16 * 1024];
  FILE *file = fopen(path, "rb");
  if (!file) {
    complain(table, path);
    return;
  }
  struct scanner scanner = {.length = 0};
  for (size_t length; (length = fread(buffer, 1, sizeof buffer, file)) > 0;) {
    feed(table, &scanner, buffer, length);
    table->bytes += length;
  }
  if (ferror(file)) complain(table, path);
  end_word(table, &scanner);
  fclose(file);
  table->files++;
}

static int by_name(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

// The names in a directory in rising order, so that a run does not depend on the host's order.
static char **list(DIR *directory, size_t *count) {
  char **names = NULL;
  *count = 0;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    names = checked(realloc(names, (*count + 1) * sizeof *names));
    names[(*count)++] = checked(strdup(entry->d_name));
  }
  if (names) qsort(names, *count, sizeof *names, by_name);
  return names;
}

static void walk(struct table *table, const char *path, int depth) {
  struct stat status;
  if (stat(path, &status) != 0) {
    complain(table, path);
    return;
  }
  if (!S_ISDIR(status.st_mode)) {
    if (S_ISREG(status.st_mode)) read_file(table, path);
    return;
  }
  DIR *directory = depth < depth_max ? opendir(path) : (errno = ELOOP, NULL);
  if (!directory) {
    complain(table, path);
    return;
  }
  size_t count;
  char **names = list(directory, &count);
  closedir(directory);
  for (size_t i = 0; i < count; i++) {
    char child[path_bytes_max];
    const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
    if ((size_t)snprintf(child, sizeof child, "%s%s%s", path, slash, names[i]) < sizeof child) {
      walk(table, child, depth + 1);
    } else {
      errno = ENAMETOOLONG;
      complain(table, names[i]);
    }
    free(names[i]);
  }
  free(names);
}

static int by_count(const void *a, const void *b) {
  const struct entry *left = a, *right = b;
  if (left->count != right->count) return left->count < right->count ? 1 : -1;
  return strcmp(left->word, right->word);
}

static void report(struct table *table, FILE *out, size_t top) {
  size_t kept = 0;
  for (size_t i = 0; i < table->capacity; i++)
    if (table->entries[i].word) table->entries[kept++] = table->entries[i];
  if (kept) qsort(table->entries, kept, sizeof *table->entries, by_count);
  fprintf(out, "%llu files, %llu bytes, %llu words, %zu of them distinct\n", (unsigned long long)table->files,
          (unsigned long long)table->bytes, (unsigned long long)table->words, table->distinct);
  for (size_t i = 0; i < kept && i < top; i++)
    fprintf(out, "%8llu  %s\n", (unsigned long long)table->entries[i].count, table->entries[i].word);
}

static int usage(void) {
  fputs("usage: wordfreq [-n TOP] [-o FILE] [DIRECTORY...]\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  size_t top = 10;
  const char *output = NULL;
  int next = 1;
  for (; next < argc && argv[next][0] == '-'; next += 2) {
    if (next + 1 == argc) return usage();
    char *end = NULL;
    if (strcmp(argv[next], "-n") == 0) top = strtoul(argv[next + 1], &end, 10);
    else if (strcmp(argv[next], "-o") == 0) output = argv[next + 1];
    else return usage();
    if (end && (*end || end == argv[next + 1])) return usage();
  }

  struct table table = {0};
  if (next == argc) walk(&table, "/", 0);
  for (; next < argc; next++) walk(&table, argv[next], 0);

  FILE *out = output ? fopen(output, "w") : stdout;
  if (!out) {
    fprintf(stderr, "wordfreq: cannot write `%s`: %s\n", output, strerror(errno));
    return 1;
  }
  report(&table, out, top);
  if (fclose(out) != 0) {
    fprintf(stderr, "wordfreq: cannot write `%s`: %s\n", output ? output : "stdout", strerror(errno));
    return 1;
  }
  return table.failures ? 1 : 0;
}
