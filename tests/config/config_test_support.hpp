// A scratch folder with configuration files, and what an error says.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "base/error.hpp"

namespace tofu::test {

// An own folder for each test, removed afterwards; tests may make it the current one.
class ScratchFolder : public ::testing::Test {
 protected:
  ScratchFolder() : start_(std::filesystem::current_path()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tofu_config_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~ScratchFolder() override {
    std::filesystem::current_path(start_);
    std::filesystem::remove_all(folder_);
  }

  std::filesystem::path write(const std::filesystem::path& name, const std::string& text) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  std::filesystem::path folder_;

 private:
  std::filesystem::path start_;
};

// The message of the Error that `action` throws; a test failure if it throws none of `category`.
inline std::string error_of(const std::function<void()>& action,
                            ErrorCategory category = ErrorCategory::usage) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.category(), category) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

inline void expect_contains(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

}  // namespace tofu::test
