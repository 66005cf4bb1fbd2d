#include "store/atomic_file.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <string>

#include "store/file_test_support.hpp"
#include "store/posix_file.hpp"

namespace tofu {
namespace {

namespace fs = std::filesystem;
using test::expect_error;

// Writing beyond this many bytes of a file fails, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*handler_)(int);
};

TEST(AtomicFile, WritesAndReplacesAndLeavesNothingElse) {
  const test::TemporaryFolder folder;
  const fs::path path = folder / "log é.json";
  write_file_atomically(path, "first");
  write_file_atomically(path, std::string_view("second\0\r\n", 9));
  EXPECT_EQ(test::read_bytes(path), std::string("second\0\r\n", 9));
  EXPECT_EQ(test::names_in(folder.path()).size(), 1U);
}

TEST(AtomicFile, WritesAnEmptyFile) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "empty", "");
  EXPECT_EQ(fs::file_size(folder / "empty"), 0U);
}

TEST(AtomicFile, NamesThePathAndTheReason) {
  const test::TemporaryFolder folder;
  expect_error(ErrorCategory::file_system, {"absent", "x.json", "No such file or directory"},
               [&] { write_file_atomically(folder / "absent" / "x.json", "text"); });
  test::write_bytes(folder / "file", "");
  expect_error(ErrorCategory::file_system, {"file", "Not a directory"},
               [&] { write_file_atomically(folder / "file" / "x.json", "text"); });
}

TEST(AtomicFile, KeepsTheOldContentWhenTheDiskIsFull) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "x.json", "old");
  {
    const FileSizeLimit limit(1000);
    expect_error(ErrorCategory::file_system, {"x.json", "File too large"},
                 [&] { write_file_atomically(folder / "x.json", std::string(2000, 'n')); });
  }
  EXPECT_EQ(test::read_bytes(folder / "x.json"), "old");
  EXPECT_EQ(test::names_in(folder.path()).size(), 1U);
}

TEST(AtomicPath, RemovesWhatWasNotCommitted) {
  const test::TemporaryFolder folder;
  {
    const AtomicPath target(folder / "data.h5");
    EXPECT_EQ(target.path().parent_path(), folder.path());
    test::write_bytes(target.path(), "half");
  }
  EXPECT_TRUE(test::names_in(folder.path()).empty());
}

TEST(AtomicPath, ReplacesAFolderThatHoldsSomething) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "model");
  test::write_bytes(folder / "model" / "old", "old");
  AtomicPath target((folder / "model").string() + "/");
  fs::create_directories(target.path() / "inner");
  test::write_bytes(target.path() / "inner" / "new", "new");
  target.commit();
  EXPECT_EQ(test::read_bytes(folder / "model" / "inner" / "new"), "new");
  EXPECT_FALSE(fs::exists(folder / "model" / "old"));
  EXPECT_EQ(test::names_in(folder.path()).size(), 1U);
}

TEST(AtomicPath, CommittingNothingIsAnError) {
  const test::TemporaryFolder folder;
  AtomicPath target(folder / "data.h5");
  expect_error(ErrorCategory::file_system, {"No such file"}, [&] { target.commit(); });
}

TEST(PosixFile, SaysWhatCannotBeRead) {
  const test::TemporaryFolder folder;
  expect_error(ErrorCategory::file_system, {"absent", "No such file"},
               [&] { read_file(folder / "absent"); });
  expect_error(ErrorCategory::file_system, {"Is a directory"}, [&] { read_file(folder.path()); });
}

TEST(PosixFile, RecognisesForeignContent) {
  const auto described_as = [](std::string_view head, std::string_view part) {
    const auto text = describe_foreign_content(head);
    return text && text->find(part) != std::string::npos;
  };
  EXPECT_TRUE(described_as("version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"));
  EXPECT_TRUE(described_as("\xEF\xBB\xBF\r\n<!DOCTYPE html>", "HTML"));
  EXPECT_TRUE(described_as("\xFF\xFE{", "UTF-16"));
  EXPECT_TRUE(described_as("\x1F\x8B\x08", "gzip"));
  EXPECT_TRUE(described_as("PK\x03\x04", "PyTorch"));
  EXPECT_FALSE(describe_foreign_content("{\"question\": \"<b>\"}"));
  EXPECT_FALSE(describe_foreign_content(""));
}

}  // namespace
}  // namespace tofu
