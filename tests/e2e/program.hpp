// Starts the program itself, as a user does, and looks at how it ends.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace tofu::test {

using Arguments = std::vector<std::string>;

struct Launch {
  std::vector<Arguments> ranks;  // what each rank is started with
  bool with_mpiexec = true;      // false: the program alone, as the only rank
  std::filesystem::path folder;  // its current folder; empty: that of the test
  std::chrono::seconds timeout{90};
  std::uintmax_t largest_file = 0;        // bytes; 0: no limit
  std::function<bool()> is_time_to_stop;  // once true, `stop_signal` is sent
  int stop_signal = SIGUSR1;
};

struct Outcome {
  int exit_code = -1;
  bool timed_out = false;  // it did not end by itself and was killed
  std::string output;      // stdout and stderr of all ranks
  std::string result;      // stdout alone

  int count(std::string_view text) const;
  bool says(std::string_view text) const { return count(text) > 0; }
};

Outcome run_program(const Launch& launch);
// All ranks with the same arguments.
Outcome run_program(int ranks, const Arguments& arguments);

// Fails the test unless the program came to its end in time with exit code 0 and without an error.
void expect_success(const Outcome& outcome);
// Fails the test unless the program ended in time with `exit_code` and one error message that holds
// all of `parts`.
void expect_error(const Outcome& outcome, int exit_code,
                  std::initializer_list<std::string_view> parts);

// A new folder, removed at the end of the scope.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string read_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, std::string_view text);
// Replaces the first `from`; the test fails if there is none.
void replace_in_file(const std::filesystem::path& path, std::string_view from, std::string_view to);

}  // namespace tofu::test
