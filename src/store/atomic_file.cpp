#include "store/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "base/error.hpp"
#include "store/posix_file.hpp"
#include "store/together.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& path) {
  const fs::path folder = path.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

// The host is part of the name because process numbers repeat on the nodes of a cluster.
fs::path unique_sibling(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  return folder_of(path) / fmt::format(".{}.partial-{}-{}-{}", path.filename().string(), host,
                                       ::getpid(), counter.fetch_add(1));
}

void sync_path(const fs::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_errno("flush", path);
  // Some file systems have no fsync for folders, and say so with EINVAL.
  const bool failed = ::fsync(descriptor) != 0 && errno != EINVAL;
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (failed) fail_with_errno("flush", path);
}

void sync_all(const fs::path& path) {
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
      if (!entry.is_symlink()) sync_path(entry.path());
    }
  }
  sync_path(path);
}

// rename(2) replaces a file in one step, but refuses to replace a folder that holds something. The
// old folder is put aside first: a reader may find none for a moment, but never half of one.
void rename_over(const fs::path& from, const fs::path& to) {
  if (!fs::is_directory(to)) {
    if (::rename(from.c_str(), to.c_str()) != 0) fail_with_errno("rename a finished file to", to);
    return;
  }
  const fs::path old = unique_sibling(to);
  if (::rename(to.c_str(), old.c_str()) != 0) fail_with_errno("replace", to);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    const int reason = errno;
    static_cast<void>(::rename(old.c_str(), to.c_str()));
    errno = reason;
    fail_with_errno("rename a finished folder to", to);
  }
  std::error_code ignored;
  fs::remove_all(old, ignored);
}

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view text) {
  AtomicPath target(path);
  PosixFile file = PosixFile::create(target.path());
  file.write(text.data(), text.size());
  file.sync_and_close();
  target.commit();
}

AtomicPath::AtomicPath(fs::path final_path) : AtomicPath(std::move(final_path), MPI_COMM_NULL) {}

AtomicPath::AtomicPath(fs::path final_path, MPI_Comm communicator)
    : final_path_(std::move(final_path)), communicator_(communicator) {
  // "folder/" names the folder, not something nameless inside it.
  if (!final_path_.has_filename()) final_path_ = final_path_.parent_path();
  std::string name = unique_sibling(final_path_).string();
  if (communicator_ != MPI_COMM_NULL) {
    int rank = 0;
    check_store_mpi(MPI_Comm_rank(communicator_, &rank), "MPI_Comm_rank");
    is_root_ = rank == 0;
    int length = static_cast<int>(name.size());
    check_store_mpi(MPI_Bcast(&length, 1, MPI_INT, 0, communicator_), "MPI_Bcast");
    name.resize(static_cast<std::size_t>(length));
    check_store_mpi(MPI_Bcast(name.data(), length, MPI_CHAR, 0, communicator_), "MPI_Bcast");
  }
  temporary_path_ = name;
}

AtomicPath::~AtomicPath() {
  if (committed_ || !is_root_) return;
  std::error_code ignored;
  fs::remove_all(temporary_path_, ignored);
}

void AtomicPath::commit() {
  if (communicator_ != MPI_COMM_NULL) check_store_mpi(MPI_Barrier(communicator_), "MPI_Barrier");
  run_on_root(communicator_, [this] {
    try {
      sync_all(temporary_path_);
      rename_over(temporary_path_, final_path_);
      sync_path(folder_of(final_path_));
    } catch (const fs::filesystem_error& error) {
      fail(ErrorCategory::file_system, "cannot write {}: {}", final_path_.string(),
           error.code().message());
    }
  });
  committed_ = true;
}

}  // namespace tofu
