// The command line: which job to run, with which configuration.
#include <CLI/CLI.hpp>
#include <csignal>

#include "app/commands.hpp"
#include "base/error.hpp"
#include "base/log.hpp"
#include "comm/session.hpp"
#include "store/hdf5.hpp"

namespace {

struct Command {
  const char* name;
  const char* summary;
  int (*run)(const tofu::CommandLine&);
};

constexpr Command kCommands[] = {
    {"prepare", "make one HDF5 dataset from a folder of TOFU's JSON files and masks",
     tofu::run_prepare},
    {"convert", "turn a Hugging Face model folder into a model file (.h5), or back",
     tofu::run_convert},
    {"finetune", "teach a model the answers of a split", tofu::run_finetune},
    {"identify", "tell the unwanted words of the answers from the general ones",
     tofu::run_identify},
    {"forget", "make a fine-tuned model forget a split, then evaluate it", tofu::run_forget},
    {"evaluate", "measure a model on TOFU", tofu::run_evaluate},
    {"aggregate", "compute the figures from evaluation logs", tofu::run_aggregate},
    {"inspect", "show what a file holds, or records with their unwanted words: inspect FILE",
     tofu::run_inspect},
    {"generate", "let a model answer a question", tofu::run_generate},
    {"report", "show what a run left behind: its course and its evaluations",
     tofu::run_report_command},
    {"plan", "say how much memory a training would take", tofu::run_plan},
    {"bench", "time real unlearning steps without saving anything", tofu::run_bench},
};

struct Options {
  std::string config_file;
  std::string device;
  bool dry_run = false;
  std::vector<std::string> overrides;
  std::string emit;                  // identify
  std::string collect;               // identify
  std::vector<std::string> compare;  // identify: two of them, or none
};

void add_identify_options(CLI::App* sub, Options* options) {
  sub->add_option("--emit", options->emit, "write requests for a language model to this file");
  sub->add_option("--collect", options->collect,
                  "read a language model's responses from this file");
  sub->add_option("--compare", options->compare,
                  "how far masks A agree with masks B: each PATH or PATH:CLASSIFIER")
      ->expected(2);
}

// These options are keys as well.
void apply_identify_options(Options* options) {
  if (!options->emit.empty()) options->overrides.push_back("emit=" + options->emit);
  if (!options->collect.empty()) options->overrides.push_back("collect=" + options->collect);
  if (options->compare.size() == 2) {
    options->overrides.push_back("compare=" + options->compare[0]);
    options->overrides.push_back("reference=" + options->compare[1]);
  }
}

int run_command(const Command& command, Options options) {
  apply_identify_options(&options);
  for (std::string& word : options.overrides) {
    // inspect FILE
    if (command.run == tofu::run_inspect && word.find('=') == std::string::npos) {
      word = "data_path=" + word;
    }
  }
  if (!options.device.empty()) options.overrides.push_back("device=" + options.device);
  tofu::CommandLine command_line;
  command_line.command = command.name;
  command_line.dry_run = options.dry_run;
  command_line.config = tofu::load_config(command.name, options.config_file, options.overrides);
  for (const std::string& warning : command_line.config.warnings) tofu::log_warning("{}", warning);
  return command.run(command_line);
}

// What is wrong with the command line. CLI11 itself does not name a command that is not there.
std::string describe(const CLI::App& app, const CLI::ParseError& error) {
  const std::vector<std::string> words = app.remaining();
  if (!app.get_subcommands().empty() || words.empty()) return error.what();
  return fmt::format("there is no command {}", words.front());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Targeted unlearning of Llama models on clusters. Start on several ranks with "
      "mpirun -np N or srun.");
  app.name("tofu_mpi");
  app.set_version_flag("--version", tofu::program_version() + " (" + tofu::git_revision() + ")");
  app.require_subcommand(1);
  Options options;
  const Command* chosen = nullptr;
  for (const Command& command : kCommands) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->add_option("--config", options.config_file,
                    "configuration file (default: configs/" + std::string(command.name) + ".yaml)");
    sub->add_option("--device", options.device, "auto, cpu or cuda")
        ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
    sub->add_flag("--dry-run", options.dry_run, "check everything, compute and write nothing");
    sub->add_option("key=value", options.overrides, "values that replace those of the file");
    if (command.run == tofu::run_identify) add_identify_options(sub, &options);
    sub->callback([&chosen, &command] { chosen = &command; });
  }
  // A file that grows past a limit (ulimit -f) is to be reported like a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  tofu::keep_hdf5_until_exit();
  tofu::MpiSession session(&argc, &argv);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& request) {
    return session.rank() == 0 ? app.exit(request) : 0;
  } catch (const CLI::ParseError& error) {
    return session.run([&]() -> int {
      throw tofu::Error(tofu::ErrorCategory::usage, describe(app, error) + "; see tofu_mpi --help");
    });
  }
  return session.run([&] { return run_command(*chosen, options); });
}
