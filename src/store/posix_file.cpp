#include "store/posix_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.hpp"

namespace tofu {
namespace {

// Linux moves at most 2 GiB in a call.
constexpr std::size_t kBytesPerCall = std::size_t{1} << 30;

}  // namespace

void fail_with_errno(const std::string& operation, const std::filesystem::path& path) {
  const int reason = errno;
  fail(ErrorCategory::file_system, "cannot {} {}: {}", operation, path.string(),
       std::strerror(reason));
}

PosixFile::PosixFile(int descriptor, std::filesystem::path path)
    : descriptor_(descriptor), path_(std::move(path)) {}

PosixFile PosixFile::open_to_read(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_with_errno("read", path);
  PosixFile file(descriptor, path);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) fail_with_errno("read", path);
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    fail_with_errno("read", path);
  }
  return file;
}

PosixFile PosixFile::create(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor < 0) fail_with_errno("create", path);
  return PosixFile(descriptor, path);
}

PosixFile::PosixFile(PosixFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

PosixFile& PosixFile::operator=(PosixFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::int64_t PosixFile::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail_with_errno("read", path_);
  return status.st_size;
}

void PosixFile::read_at(std::int64_t offset, void* data, std::size_t count) const {
  auto* bytes = static_cast<char*>(data);
  while (count > 0) {
    const ssize_t done = ::pread(descriptor_, bytes, std::min(count, kBytesPerCall), offset);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_with_errno("read", path_);
    if (done == 0) {
      fail(ErrorCategory::file_system, "{}: the file ended while it was being read",
           path_.string());
    }
    bytes += done;
    offset += done;
    count -= static_cast<std::size_t>(done);
  }
}

void PosixFile::write(const void* data, std::size_t count) {
  const auto* bytes = static_cast<const char*>(data);
  while (count > 0) {
    const ssize_t done = ::write(descriptor_, bytes, std::min(count, kBytesPerCall));
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_with_errno("write", path_);
    bytes += done;
    count -= static_cast<std::size_t>(done);
  }
}

void PosixFile::sync_and_close() {
  if (::fsync(descriptor_) != 0) fail_with_errno("write", path_);
  // Some network file systems report a full disk only here.
  if (::close(std::exchange(descriptor_, -1)) != 0) fail_with_errno("write", path_);
}

std::string read_file(const std::filesystem::path& path) {
  const PosixFile file = PosixFile::open_to_read(path);
  std::string content(static_cast<std::size_t>(file.size()), '\0');
  file.read_at(0, content.data(), content.size());
  return content;
}

std::optional<std::string> describe_foreign_content(std::string_view head) {
  using namespace std::string_view_literals;
  if (head.starts_with("version https://git-lfs"sv)) {
    return "a git-lfs pointer, not the data itself (run `git lfs pull`)";
  }
  if (head.starts_with("\x1F\x8B"sv)) return "a gzip archive (unpack it)";
  if (head.starts_with("PK\x03\x04"sv)) return "a zip archive or a PyTorch pickle";
  if (head.starts_with("PAR1"sv)) return "a Parquet file";
  if (head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv)) {
    return "UTF-16 text (save it as UTF-8)";
  }
  const std::size_t text = head.find_first_not_of("\xEF\xBB\xBF \t\r\n");
  if (text != std::string_view::npos && head[text] == '<') {
    return "an HTML or XML page, perhaps an error page saved in place of the download";
  }
  return std::nullopt;
}

}  // namespace tofu
