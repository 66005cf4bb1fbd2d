// Results of a long job, kept beside its output as they come, so that a job that was stopped goes
// on where it was.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace tofu {

// A file of JSON lines: a header {"results_of": KEY}, then {"item": NAME, "result": TEXT} each. For
// one process.
class PartialResults {
 public:
  // Reads what is there. A file of another `key` (other data, another model) is warned of and
  // replaced; a last line that was cut short is left out. Error{file_system} if it cannot be read
  // or written.
  PartialResults(std::filesystem::path path, std::string key);

  const std::filesystem::path& path() const { return path_; }
  // By item; the newest of each.
  const std::map<std::string, std::string>& results() const { return results_; }
  // Appends and flushes, so that a job that is killed loses nothing.
  void add(const std::map<std::string, std::string>& results);
  void remove() const;

 private:
  void rewrite() const;

  std::filesystem::path path_;
  std::string key_;
  std::map<std::string, std::string> results_;
};

}  // namespace tofu
