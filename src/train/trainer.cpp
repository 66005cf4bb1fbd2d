#include "train/trainer.hpp"

#include "base/log.hpp"
#include "checkpoint/training_state.hpp"
#include "train/run_log.hpp"
#include "train/stop_request.hpp"

namespace tofu {

Trainer::Trainer(BlockChain* chain, const Objective& objective, const Hyperparameters& hyper,
                 const TrainingSet& data, const Groups& groups, TrainerSettings settings)
    : chain_(chain),
      objective_(objective),
      hyper_(hyper),
      data_(data),
      groups_(groups),
      settings_(std::move(settings)) {}

bool Trainer::run(std::int64_t first_step, const std::function<void(std::int64_t)>& evaluate) {
  const TrainingPlan& plan = settings_.plan;
  RunLog log(settings_.run_folder, groups_.world->rank() == 0, first_step, plan.total_steps,
             settings_.log_every);
  std::int64_t saved_step = first_step > 0 ? first_step : -1;
  for (std::int64_t step = first_step; step < plan.total_steps; ++step) {
    if (agree_to_stop()) {
      if (saved_step != step) save(step);
      log_info("stopped on request after step {} of {}; start again to go on", step,
               plan.total_steps);
      return false;
    }
    const auto begin = std::chrono::steady_clock::now();
    StepRecord record;
    record.step = step + 1;
    record.lr = learning_rate(settings_.peak_lr, step, plan.warmup_steps, plan.total_steps);
    record.epoch = static_cast<double>(record.step * plan.global_batch_size) /
                   static_cast<double>(data_.size());
    StepOptions options = settings_.step;
    options.adamw.lr = record.lr;
    const auto micro_batches = data_.micro_batches(settings_.seed, step, plan.global_batch_size,
                                                   settings_.micro_batch_size);
    record.report = training_step(chain_, objective_, hyper_, micro_batches, record.step, options,
                                  *groups_.world);
    record.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    groups_.world->on_root([&] { log.write(record); });
    const bool last = record.step == plan.total_steps;
    if (last || (settings_.save_every > 0 && record.step % settings_.save_every == 0)) {
      save(record.step);
      saved_step = record.step;
    }
    if (!last && settings_.eval_every > 0 && record.step % settings_.eval_every == 0) {
      evaluate(record.step);
    }
  }
  groups_.world->on_root([&] { log.write_loss_table(); });
  return true;
}

double Trainer::elapsed_seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool Trainer::agree_to_stop() const {
  const bool too_long = settings_.max_wall_time > 0 && elapsed_seconds() > settings_.max_wall_time;
  return groups_.world->max(stop_was_requested() || too_long ? 1 : 0) > 0;
}

void Trainer::save(std::int64_t step) {
  save_checkpoint(settings_.run_folder, {step, settings_.fingerprint}, &chain_->parameters(),
                  groups_, settings_.model_files, settings_.provenance);
  groups_.world->on_root(
      [&] { remove_old_checkpoints(settings_.run_folder, settings_.keep_last); });
}

}  // namespace tofu
