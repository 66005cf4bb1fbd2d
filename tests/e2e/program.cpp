#include "e2e/program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace tofu::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPollInterval{20};
// mpiexec is asked to end its ranks before it is killed itself.
constexpr std::chrono::seconds kGrace{10};

Arguments command_of(const Launch& launch) {
  const auto with_program = [](Arguments words, const Arguments& arguments) {
    words.emplace_back(TOFU_MPI_PROGRAM);
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
  };
  if (!launch.with_mpiexec) return with_program({}, launch.ranks.at(0));
  Arguments command = {MPIEXEC_EXECUTABLE, "--bind-to", "none", "--oversubscribe"};
  for (std::size_t rank = 0; rank < launch.ranks.size(); ++rank) {
    if (rank > 0) command.emplace_back(":");
    command.insert(command.end(), {"-np", "1"});
    command = with_program(std::move(command), launch.ranks[rank]);
  }
  return command;
}

void redirect(int descriptor, const fs::path& file) {
  const int output = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(output, descriptor);
  ::close(output);
}

// In the new process: becomes the program, which ends when this test does.
[[noreturn]] void execute(const Launch& launch, const Arguments& command,
                          const fs::path& output_folder) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  redirect(STDOUT_FILENO, output_folder / "stdout");
  redirect(STDERR_FILENO, output_folder / "stderr");
  if (!launch.folder.empty()) fs::current_path(launch.folder);
  if (launch.largest_file > 0) {
    const rlimit limit{launch.largest_file, launch.largest_file};
    setrlimit(RLIMIT_FSIZE, &limit);
    std::signal(SIGXFSZ, SIG_IGN);
  }
  for (const char* name :
       {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMP_NUM_THREADS"}) {
    setenv(name, "1", 1);
  }
  setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

// The process's status if it ended before `deadline`. Meanwhile sends the launch's signal.
std::optional<int> wait_until(Clock::time_point deadline, pid_t process, const Launch& launch) {
  bool is_stopped = false;
  while (Clock::now() < deadline) {
    int status = 0;
    if (waitpid(process, &status, WNOHANG) == process) return status;
    if (!is_stopped && launch.is_time_to_stop && launch.is_time_to_stop()) {
      kill(process, launch.stop_signal);
      is_stopped = true;
    }
    std::this_thread::sleep_for(kPollInterval);
  }
  return std::nullopt;
}

void end_by_force(pid_t process) {
  kill(process, SIGTERM);
  if (wait_until(Clock::now() + kGrace, process, {})) return;
  kill(-process, SIGKILL);
  waitpid(process, nullptr, 0);
}

}  // namespace

int Outcome::count(std::string_view text) const {
  int found = 0;
  for (std::size_t at = output.find(text); at != std::string::npos;
       at = output.find(text, at + text.size())) {
    ++found;
  }
  return found;
}

Outcome run_program(const Launch& launch) {
  const ScratchFolder scratch;
  const Arguments command = command_of(launch);
  const pid_t process = fork();
  if (process < 0) throw std::runtime_error("fork failed");
  if (process == 0) execute(launch, command, scratch.path());
  Outcome outcome;
  const auto status = wait_until(Clock::now() + launch.timeout, process, launch);
  if (!status) {
    outcome.timed_out = true;
    end_by_force(process);
  } else {
    outcome.exit_code = WIFEXITED(*status) ? WEXITSTATUS(*status) : 128 + WTERMSIG(*status);
  }
  outcome.result = read_text(scratch.path() / "stdout");
  outcome.output = read_text(scratch.path() / "stderr") + outcome.result;
  return outcome;
}

Outcome run_program(int ranks, const Arguments& arguments) {
  Launch launch;
  launch.ranks.assign(static_cast<std::size_t>(ranks), arguments);
  return run_program(launch);
}

void expect_success(const Outcome& outcome) {
  EXPECT_FALSE(outcome.timed_out) << outcome.output;
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_EQ(outcome.count("error:"), 0) << outcome.output;
}

void expect_error(const Outcome& outcome, int exit_code,
                  std::initializer_list<std::string_view> parts) {
  EXPECT_FALSE(outcome.timed_out) << outcome.output;
  EXPECT_EQ(outcome.exit_code, exit_code) << outcome.output;
  EXPECT_EQ(outcome.count("error:"), 1) << outcome.output;
  const std::size_t message = std::min(outcome.output.find("error:"), outcome.output.size());
  for (const std::string_view part : parts) {
    EXPECT_NE(outcome.output.find(part, message), std::string::npos)
        << "the message does not say '" << part << "':\n"
        << outcome.output;
  }
}

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "tofu_mpi_e2e-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder: " + name);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(file) << path << " cannot be read";
  return text.str();
}

void write_text(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text << std::flush;
  EXPECT_TRUE(file) << path << " cannot be written";
}

void replace_in_file(const fs::path& path, std::string_view from, std::string_view to) {
  std::string text = read_text(path);
  const std::size_t found = text.find(from);
  ASSERT_NE(found, std::string::npos) << path << " does not hold " << from;
  write_text(path, text.replace(found, from.size(), to));
}

}  // namespace tofu::test
