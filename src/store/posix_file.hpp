// Reading and writing plain files, with errors that name the file and the system's reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tofu {

// An open file, closed by its destructor. Errors are Error{file_system}.
class PosixFile {
 public:
  static PosixFile open_to_read(const std::filesystem::path& path);
  // Fails if the file is there already.
  static PosixFile create(const std::filesystem::path& path);

  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&& other) noexcept;
  ~PosixFile();

  const std::filesystem::path& path() const { return path_; }
  std::int64_t size() const;

  // Reads exactly `count` bytes at `offset`; fails when the file ends before.
  void read_at(std::int64_t offset, void* data, std::size_t count) const;
  // Appends.
  void write(const void* data, std::size_t count);
  // Flushes to the disk and closes.
  void sync_and_close();

 private:
  PosixFile(int descriptor, std::filesystem::path path);

  int descriptor_ = -1;
  std::filesystem::path path_;
};

// The whole content of a file.
std::string read_file(const std::filesystem::path& path);

// What a file is that holds something else than data, judged by its first bytes: a git-lfs pointer,
// an HTML page, an archive. For messages: "a git-lfs pointer, not the data (run `git lfs pull`)".
std::optional<std::string> describe_foreign_content(std::string_view head);

// Throws Error{file_system}: "cannot OPERATION PATH: REASON", the reason being errno's.
[[noreturn]] void fail_with_errno(const std::string& operation, const std::filesystem::path& path);

}  // namespace tofu
