// The jobs of the program, one file each. Each returns the exit code; errors are thrown. All are
// collective over MPI_COMM_WORLD.
#pragma once

#include "app/job.hpp"

namespace tofu {

int run_prepare(const CommandLine& command_line);
int run_convert(const CommandLine& command_line);
int run_finetune(const CommandLine& command_line);
int run_forget(const CommandLine& command_line);
int run_evaluate(const CommandLine& command_line);
int run_aggregate(const CommandLine& command_line);
int run_generate(const CommandLine& command_line);
int run_identify(const CommandLine& command_line);
int run_inspect(const CommandLine& command_line);
int run_report_command(const CommandLine& command_line);
int run_plan(const CommandLine& command_line);
int run_bench(const CommandLine& command_line);

}  // namespace tofu
