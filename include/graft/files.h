// File access of the library, for its fronts. Errors are FileError and name the path and the
// operation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graft/rope.h"
#include "graft/status.h"

namespace graft {

// Reads a whole regular file with pread and checks the size again at the end, so that a file that
// shrinks or grows meanwhile is an error, not a signal or a mix. Not regular, larger than
// max_bytes: FileError.
Result<std::vector<std::byte>> read_file(const std::string& path, int64_t max_bytes);

// Replaces `path` atomically: temporary beside it (O_EXCL | O_NOFOLLOW, mode of the file that is
// replaced, else 0666 & ~umask), write, fsync, rename, fsync of the directory. On any error the old
// file is whole and the temporary is gone. A symbolic link is followed to its target first; a path
// that is neither absent nor a regular file is refused.
Status write_file_atomic(const std::string& path, std::span<const std::byte> bytes);
// The same, piece after piece.
Status write_file_atomic(const std::string& path, const Rope& bytes);

// Ok when write_file_atomic(path) may be expected to succeed: the parent exists and is writable,
// the path is absent or a regular file. For checks before long work.
Status check_writable(const std::string& path);

}  // namespace graft
