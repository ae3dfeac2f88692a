// The only place with file system calls. Errors are FileError and name the path and the operation. Every call can be
// made to fail by index for fault tests (set_io_fault).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace graft {

// Reads a whole regular file with pread and checks the size again at the end, so that a file that shrinks or grows
// meanwhile is an error, not a signal or a mix. Not regular, larger than max_bytes: FileError.
Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes);

// Replaces `path` atomically: temporary beside it (O_EXCL | O_NOFOLLOW, mode of the file that is replaced, else 0666 & ~umask), write, fsync,
// rename, fsync of the directory. On any error the old file is whole and the temporary is gone; only when the last step
// (fsync of the directory) fails, the whole new file is in place and the message says so.
// A symbolic link is followed to its target first; a path that is neither absent nor a regular file is refused.
Status write_file_atomic(const std::string& path, std::span<const std::byte> bytes);

// Ok when write_file_atomic(path) may be expected to succeed: the parent exists and is writable, the path is absent
// or a regular file. For checks before long work.
Status check_writable(const std::string& path);

Status make_directory(const std::string& path);  // one level; exists already: ok
bool file_exists(const std::string& path);

// Fault index: the n-th system call from now (1-based) made by this file in this process fails with `error`; 0 = off.
// `error` 0: the call works, but a read or write moves only half of its bytes.
void set_io_fault(int64_t nth_call, int error);
// System calls made since the last set_io_fault.
int64_t io_calls();
// Called before every system call with its name and index (as io_calls counts), for tests that kill the process or change
// the file between two calls; nullptr: none.
using IoHook = void (*)(const char* call, int64_t index);
void set_io_hook(IoHook hook);

}  // namespace graft
