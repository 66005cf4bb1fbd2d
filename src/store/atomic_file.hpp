// Files and folders that appear under their name only when they are complete and on the disk.
#pragma once

#include <mpi.h>

#include <filesystem>
#include <string_view>

namespace tofu {

// Writes `text` beside `path`, flushes it to the disk and renames it to `path`. Throws
// Error{file_system} with the system's reason; `path` is then as it was.
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

// A name beside `final_path` to write a file or a folder to. commit() flushes what is there (for a
// folder, all that is in it) and gives it its final name, in place of what had it. Without commit()
// the destructor removes it.
class AtomicPath {
 public:
  explicit AtomicPath(std::filesystem::path final_path);
  // One name for all ranks of `communicator`. Collective, and so is commit(), before which every
  // rank has to have closed its files. Rank 0 renames or removes.
  AtomicPath(std::filesystem::path final_path, MPI_Comm communicator);
  ~AtomicPath();
  AtomicPath(const AtomicPath&) = delete;
  AtomicPath& operator=(const AtomicPath&) = delete;

  const std::filesystem::path& path() const { return temporary_path_; }
  const std::filesystem::path& final_path() const { return final_path_; }

  void commit();

 private:
  std::filesystem::path final_path_;
  std::filesystem::path temporary_path_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
  bool is_root_ = true;
  bool committed_ = false;
};

}  // namespace tofu
