/* A disk that loses what was not synced: preloaded into a process, it notes before each change of a file or a name
 * how to undo it, and at each fsync that the changes of that file (or of the names in that folder) are safe.
 *
 * UNSYNCED_ROOTS  the folders that are watched, with ':' between them
 * UNSYNCED_NOTES  a folder outside them, on the same volume: `log` takes the notes, and what loses its name is kept
 *                 there under a number
 * UNSYNCED_DIES   the number of notes after which the process is killed, if not empty
 * UNSYNCED_LIES   if not empty, syncs make nothing safe
 *
 * A note is written before its change, under one lock, so that their order is that of the changes; a crash between
 * the two leaves a note whose undoing changes nothing. Nothing is really synced: only power cuts, not kills, lose what
 * the kernel holds. SQLite's -shm is memory, not data, and is left out. What takes the notes back is disk.rs. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* Eight numbers, then `paths` bytes of names, then `bytes` old bytes. disk.rs reads the same. */
struct note {
    uint64_t kind;   /* W write, T truncate, C create, M mkdir, U unlink, R rename, S sync, X the last one failed */
    uint64_t inode;  /* of the file (W, T, S), or of the folder that holds the name (C, M, U, R) */
    uint64_t offset; /* W: where; T: the new size; U, R: number of what lost its name, or 0 */
    uint64_t length; /* W: how much */
    uint64_t size;   /* W, T: the size before */
    uint64_t inode2; /* R: of the folder that held the old name */
    uint64_t paths;
    uint64_t bytes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const char *roots, *notes;
static int notes_fd = -1, lies;
static uint64_t kept, noted, dies;

static int open_raw(const char *path, int flags, mode_t mode) {
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode);
}

__attribute__((constructor)) static void begin(void) {
    char path[PATH_MAX];
    roots = getenv("UNSYNCED_ROOTS");
    notes = getenv("UNSYNCED_NOTES");
    const char *lying = getenv("UNSYNCED_LIES");
    const char *dying = getenv("UNSYNCED_DIES");
    lies = lying && *lying;
    dies = dying ? strtoull(dying, NULL, 10) : 0;
    if (!roots || !notes) {
        roots = NULL;
        return;
    }
    snprintf(path, sizeof path, "%s/log", notes);
    notes_fd = open_raw(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (notes_fd < 0) {
        fprintf(stderr, "unsynced: cannot open %s\n", path);
        abort();
    }
}

static int watched(const char *path) {
    size_t length = strlen(path);
    if (!roots || (length > 4 && !strcmp(path + length - 4, "-shm"))) return 0;
    for (const char *root = roots; *root;) {
        size_t end = strcspn(root, ":");
        if (!strncmp(path, root, end) && (path[end] == '/' || !path[end])) return 1;
        root += end + (root[end] == ':');
    }
    return 0;
}

static int watched_fd(int fd) {
    char link[64], path[PATH_MAX];
    int saved = errno;
    if (!roots) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = saved;
    if (length < 0) return 0;
    path[length] = 0;
    return watched(path);
}

/* The whole path of a name; 0 if it is not watched. */
static int whole(int folder, const char *name, char *path) {
    if (!roots || !name) return 0;
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
    } else {
        char link[64];
        snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, path, PATH_MAX / 2);
        if (length < 0) return 0;
        snprintf(path + length, PATH_MAX / 2, "/%s", name);
    }
    return watched(path);
}

static uint64_t folder_of(const char *path) {
    char folder[PATH_MAX];
    struct stat found;
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) *slash = 0;
    return stat(folder, &found) ? 0 : found.st_ino;
}

static void put(struct note note, const char *path, const char *path2, const void *bytes) {
    size_t first = path ? strlen(path) + 1 : 0, second = path2 ? strlen(path2) + 1 : 0;
    note.paths = first + second;
    size_t size = sizeof note + note.paths + note.bytes;
    char *whole_note = malloc(size);
    if (!whole_note) abort();
    memcpy(whole_note, &note, sizeof note);
    if (path) memcpy(whole_note + sizeof note, path, first);
    if (path2) memcpy(whole_note + sizeof note + first, path2, second);
    if (note.bytes) memcpy(whole_note + sizeof note + note.paths, bytes, note.bytes);
    if (syscall(SYS_write, notes_fd, whole_note, size) != (long)size) abort();
    free(whole_note);
    if (++noted == dies) kill(getpid(), SIGKILL);
}

/* Called under the lock, after a change: one that failed has changed nothing. */
static void after_change(uint64_t before, int failed) {
    if (failed && noted > before) put((struct note){.kind = 'X'}, NULL, NULL, NULL);
}

/* Notes what stands in a range of a file before it is written over (or cut off: 'T', from `offset` on). */
static void before_change(char kind, int fd, uint64_t offset, uint64_t length) {
    char link[64];
    struct stat file;
    if (fstat(fd, &file) || !S_ISREG(file.st_mode)) return;
    uint64_t size = (uint64_t)file.st_size;
    uint64_t end = kind == 'T' || offset + length > size ? size : offset + length;
    struct note note = {.kind = (uint64_t)kind, .inode = file.st_ino, .offset = offset, .length = length, .size = size};
    char *old = NULL;
    if (offset < end) {
        /* A descriptor of our own: theirs may be for writing alone. */
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int reading = open_raw(link, O_RDONLY, 0);
        old = malloc(end - offset);
        if (reading < 0 || !old || pread(reading, old, end - offset, (off_t)offset) != (ssize_t)(end - offset)) abort();
        close(reading);
        note.bytes = end - offset;
    }
    put(note, NULL, NULL, old);
    free(old);
}

/* Keeps what a path names under a number, so that the name can be given back. */
static uint64_t keep(const char *path) {
    char link[PATH_MAX];
    struct stat found;
    if (lstat(path, &found)) return 0;
    do {
        snprintf(link, sizeof link, "%s/%llu", notes, (unsigned long long)++kept);
    } while (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, link, 0) && errno == EEXIST);
    return kept;
}

static int opened(int folder, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    struct stat found;
    if (!(flags & (O_CREAT | O_TRUNC)) || (flags & O_TMPFILE) == O_TMPFILE || !whole(folder, name, path))
        return (int)syscall(SYS_openat, folder, name, flags, mode);
    pthread_mutex_lock(&lock);
    uint64_t before = noted;
    if (lstat(path, &found)) {
        if (flags & O_CREAT) put((struct note){.kind = 'C', .inode = folder_of(path)}, path, NULL, NULL);
    } else if ((flags & O_TRUNC) && found.st_size) {
        int reading = open_raw(path, O_RDONLY, 0);
        if (reading >= 0) before_change('T', reading, 0, 0);
        if (reading >= 0) close(reading);
    }
    int result = (int)syscall(SYS_openat, folder, name, flags, mode);
    int saved = errno;
    after_change(before, result < 0);
    pthread_mutex_unlock(&lock);
    errno = saved;
    return result;
}

#define MODE(flags, mode)                                                                                              \
    mode_t mode = 0;                                                                                                   \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                                             \
        va_list rest;                                                                                                  \
        va_start(rest, flags);                                                                                         \
        mode = va_arg(rest, mode_t);                                                                                   \
        va_end(rest);                                                                                                  \
    }

int open(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags, mode) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags, mode) return opened(at, path, flags, mode); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* Does one change under the lock, after the note of what it changes. */
#define CHANGE(fd, note, change)                                                                                       \
    if (!watched_fd(fd)) return change;                                                                                \
    pthread_mutex_lock(&lock);                                                                                         \
    uint64_t before = noted;                                                                                           \
    note;                                                                                                              \
    __typeof__(change) result = change;                                                                                \
    int saved = errno;                                                                                                 \
    after_change(before, result < 0);                                                                                  \
    pthread_mutex_unlock(&lock);                                                                                       \
    errno = saved;                                                                                                     \
    return result;

static uint64_t position(int fd) {
    struct stat file;
    if ((fcntl(fd, F_GETFL) & O_APPEND) && !fstat(fd, &file)) return (uint64_t)file.st_size;
    return (uint64_t)lseek(fd, 0, SEEK_CUR);
}

static uint64_t total(const struct iovec *parts, int count) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    CHANGE(fd, before_change('W', fd, position(fd), length), (ssize_t)syscall(SYS_write, fd, bytes, length))
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    CHANGE(fd, before_change('W', fd, position(fd), total(parts, count)), (ssize_t)syscall(SYS_writev, fd, parts, count))
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
    CHANGE(fd, before_change('W', fd, (uint64_t)at, length), (ssize_t)syscall(SYS_pwrite64, fd, bytes, length, at))
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
    CHANGE(fd, before_change('W', fd, (uint64_t)at, total(parts, count)),
           (ssize_t)syscall(SYS_pwritev, fd, parts, count, at, 0))
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }
int ftruncate64(int fd, off64_t size) {
    CHANGE(fd, before_change('T', fd, (uint64_t)size, 0), (int)syscall(SYS_ftruncate, fd, size))
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

/* The kernel's own ways to copy would go past us: programs then copy by hand. */
ssize_t copy_file_range(int from, off64_t *at, int to, off64_t *into, size_t length, unsigned flags) {
    CHANGE(to, errno = 0, (errno = ENOSYS, (ssize_t)-1))
    (void)from, (void)at, (void)into, (void)length, (void)flags;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t length) {
    (void)to, (void)from, (void)at, (void)length;
    errno = ENOSYS;
    return -1;
}

static int safe(int fd) {
    struct stat file;
    if (!lies && !fstat(fd, &file)) put((struct note){.kind = 'S', .inode = file.st_ino}, NULL, NULL, NULL);
    return 0;
}
int fsync(int fd) { CHANGE(fd, (void)0, safe(fd)) }
int fdatasync(int fd) { CHANGE(fd, (void)0, safe(fd)) }

/* Changes of names. The note says in which folder: until that is synced, the change may be lost. */
#define RENAMED(at, name, path, note, change)                                                                          \
    char path[PATH_MAX];                                                                                               \
    if (!whole(at, name, path)) return (int)change;                                                                    \
    pthread_mutex_lock(&lock);                                                                                         \
    uint64_t before = noted;                                                                                           \
    note;                                                                                                              \
    int result = (int)change, saved = errno;                                                                           \
    after_change(before, result < 0);                                                                                  \
    pthread_mutex_unlock(&lock);                                                                                       \
    errno = saved;                                                                                                     \
    return result;

static void going(const char *path) {
    struct stat found;
    if (lstat(path, &found) || S_ISDIR(found.st_mode)) return;
    uint64_t number = keep(path);
    put((struct note){.kind = 'U', .inode = folder_of(path), .offset = number}, path, NULL, NULL);
}
static void coming(char kind, const char *path) {
    struct stat found;
    if (lstat(path, &found)) put((struct note){.kind = (uint64_t)kind, .inode = folder_of(path)}, path, NULL, NULL);
}
static void moving(int at, const char *from, const char *to) {
    char old[PATH_MAX];
    if (!whole(at, from, old)) return;
    uint64_t number = keep(to);
    put((struct note){.kind = 'R', .inode = folder_of(to), .offset = number, .inode2 = folder_of(old)}, old, to, NULL);
}

int unlinkat(int at, const char *name, int flags) {
    RENAMED(at, name, path, going(path), syscall(SYS_unlinkat, at, name, flags))
}
int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }
int mkdirat(int at, const char *name, mode_t mode) {
    RENAMED(at, name, path, coming('M', path), syscall(SYS_mkdirat, at, name, mode))
}
int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }
int linkat(int from_at, const char *from, int at, const char *name, int flags) {
    RENAMED(at, name, path, coming('C', path), syscall(SYS_linkat, from_at, from, at, name, flags))
}
int link(const char *from, const char *name) { return linkat(AT_FDCWD, from, AT_FDCWD, name, 0); }
int renameat2(int from_at, const char *from, int at, const char *name, unsigned flags) {
    RENAMED(at, name, path, moving(from_at, from, path), syscall(SYS_renameat2, from_at, from, at, name, flags))
}
int renameat(int from_at, const char *from, int at, const char *name) { return renameat2(from_at, from, at, name, 0); }
int rename(const char *from, const char *name) { return renameat2(AT_FDCWD, from, AT_FDCWD, name, 0); }
