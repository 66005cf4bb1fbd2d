// tofu_mpi inspect: shows what a file holds, or records with their unwanted words highlighted.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "identify/agreement.hpp"
#include "identify/mask_files.hpp"
#include "store/hdf5_array.hpp"

namespace tofu {
namespace {

constexpr const char* kHighlight = "\033[1;31m";
constexpr const char* kPlain = "\033[0m";

// An attribute of whichever of our types.
std::string attribute_text(const Hdf5File& file, const std::string& object,
                           const std::string& name) {
  try {
    return read_string_attribute(file, object, name);
  } catch (const Error&) {
  }
  try {
    return fmt::format("{}", read_int_attribute(file, object, name));
  } catch (const Error&) {
    return fmt::format("{}", read_real_attribute(file, object, name));
  }
}

// All lines but the first are indented.
std::string indented(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c;
    if (c == '\n') result += "      ";
  }
  while (result.ends_with(' ') || result.ends_with('\n')) result.pop_back();
  return result;
}

void print_attributes(const Hdf5File& file, const std::string& object) {
  for (const std::string& name : list_attributes(file, object)) {
    if (name == "checksum") continue;  // every array has one
    fmt::print("    {}: {}\n", name, indented(attribute_text(file, object, name)));
  }
}

// The groups that lead to an array, and the array: "/a", "/a/b", "/a/b/c".
std::vector<std::string> path_steps(const std::string& array) {
  std::vector<std::string> steps;
  for (std::size_t slash = array.find('/', 1); slash != std::string::npos;
       slash = array.find('/', slash + 1)) {
    steps.push_back(array.substr(0, slash));
  }
  steps.push_back(array);
  return steps;
}

// Every array with type and shape, every attribute.
void print_hdf5(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  fmt::print("{}\n", path.string());
  print_attributes(file, "/");
  std::set<std::string> shown;
  for (const std::string& array : list_arrays(file, "/")) {
    for (const std::string& step : path_steps(array)) {
      if (!shown.insert(step).second) continue;
      if (step == array) {
        const ArrayInfo info = array_info(file, array);
        fmt::print("  {}  {} {}\n", array, name_of(info.type), shape_text(info.shape));
      } else if (!list_attributes(file, step).empty()) {
        fmt::print("  {}\n", step);
      }
      print_attributes(file, step);
    }
  }
}

// mpirun gives its ranks a terminal of its own whatever it writes to itself: no colours then.
bool shows_colours() {
  return isatty(STDOUT_FILENO) == 1 && std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr &&
         std::getenv("NO_COLOR") == nullptr;
}

// The answer with its unwanted words, neighbours together, between two marks.
std::string marked_answer(const std::string& answer, const std::vector<WordSpan>& general,
                          const char* begin, const char* end) {
  std::string text;
  std::size_t copied = 0;
  bool open = false;
  for (const MaskedWord& word : masked_words(answer, general)) {
    const bool begins = word.unwanted && !open;
    // The space between two unwanted words belongs to them.
    if (open && !word.unwanted) text += end;
    text += answer.substr(copied, word.span.begin - std::min(copied, word.span.begin));
    if (begins) text += begin;
    const std::size_t from = std::max(copied, word.span.begin);
    if (word.span.end > from) text += answer.substr(from, word.span.end - from);
    copied = std::max(copied, word.span.end);
    open = word.unwanted;
  }
  if (open) text += end;
  return text + answer.substr(copied);
}

void print_record(const SplitMasks& split, std::size_t index, const std::string& name) {
  const bool on_terminal = shows_colours();
  const Record& record = split.records.at(index);
  fmt::print("{} {}\n  {}\n  {}\n", name, index + 1, record.question,
             marked_answer(record.answer, split.masks.at(index), on_terminal ? kHighlight : "[",
                           on_terminal ? kPlain : "]"));
}

void print_records(const JobConfig& job) {
  const std::string path = job.masks_path.empty() ? job.data_path : job.masks_path;
  const auto masks = read_all_masks(job.classifier.empty() ? path : path + ":" + job.classifier);
  auto found = masks.size() == 1 ? masks.begin() : masks.find(job.split);
  if (found == masks.end()) {
    std::string splits;
    for (const auto& [split, ignored] : masks) splits += " " + split;
    fail(ErrorCategory::input_data, "{}: there are no masks of the split {}; those there:{}", path,
         job.split, splits);
  }
  const auto& [name, split] = *found;
  const auto count = std::ssize(split.records);
  if (job.record > count) {
    fail(ErrorCategory::usage, "record is {}, but there are {} records", job.record, count);
  }
  const bool all = job.record < 0;
  for (std::int64_t i = all ? 0 : job.record - 1; i < (all ? count : job.record); ++i) {
    print_record(split, static_cast<std::size_t>(i), name.empty() ? "record" : name);
  }
}

void print_masks(const std::string& source) {
  for (const auto& [split, masks] : read_all_masks(source)) {
    const Agreement counts = compare_masks(masks.records, masks.masks, masks.masks);
    fmt::print("{}{}: {} answers, {} words, {:.1f} % of them unwanted, {} answers with none\n",
               source, split.empty() ? "" : " (" + split + ")", counts.answers, counts.words,
               100 * counts.share_a(), counts.answers_without_unwanted_a);
  }
}

}  // namespace

int run_inspect(const CommandLine& command_line) {
  const LoadedConfig& config = command_line.config;
  const JobConfig& job = config.job;
  const HostGroup world(MPI_COMM_WORLD, job.comm_timeout);
  if (job.data_path.empty() && job.masks_path.empty()) {
    fail(ErrorCategory::usage, "give the file to inspect: tofu_mpi inspect FILE");
  }
  world.on_root([&] {
    if (job.record != 0) {
      print_records(job);
    } else if (!job.data_path.empty() && std::filesystem::is_regular_file(job.data_path) &&
               is_hdf5_file(job.data_path)) {
      print_hdf5(job.data_path);
    } else {
      print_masks(job.masks_path.empty() ? job.data_path : job.masks_path);
    }
  });
  return 0;
}

}  // namespace tofu
