// The one exception type of the program: a category, which is the exit code, and a message that
// says what was wrong, where, and what to do.
#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <stdexcept>
#include <string>

namespace tofu {

// Each value is the exit code of the process.
enum class ErrorCategory {
  usage = 2,          // command line or configuration
  input_data = 3,     // a dataset, model or tokenizer that cannot be used
  file_system = 4,    // a file that cannot be read or written
  numerical = 5,      // NaN or infinity where a number was due
  communication = 6,  // MPI or NCCL failed or timed out
};

// Not an error: the job stopped on request after a complete checkpoint and wants to be requeued.
inline constexpr int kExitRequeue = 75;

class Error : public std::runtime_error {
 public:
  Error(ErrorCategory category, const std::string& message)
      : std::runtime_error(message), category_(category) {}

  ErrorCategory category() const { return category_; }
  int exit_code() const { return static_cast<int>(category_); }

 private:
  ErrorCategory category_;
};

// Throws an Error whose message is formatted as fmt::format does.
template <typename... Args>
[[noreturn]] void fail(ErrorCategory category, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(category, fmt::format(format, std::forward<Args>(args)...));
}

// What std::filesystem reports, as an Error.
inline Error as_error(const std::filesystem::filesystem_error& error) {
  return {ErrorCategory::file_system,
          fmt::format("{}: {}", error.path1().string(), error.code().message())};
}

}  // namespace tofu
