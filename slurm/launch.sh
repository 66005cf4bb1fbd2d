# shellcheck shell=bash
# launch COMMAND [key=value ...]: runs tofu_mpi on all ranks of the job, passes requests to stop on
# to it, and puts the job back into the queue when the program asks for that (exit code 75: stopped
# after a complete checkpoint, from which the next start goes on).

# shellcheck source=slurm/env.sh
. slurm/env.sh

readonly EXIT_REQUEUE=75

launch() {
  # One rank uses the cores of one task; more threads than cores would fight over them.
  export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
  local launcher
  if [ "$TOFU_MPI_LAUNCHER" = srun ]; then
    # srun no longer takes --cpus-per-task from the job by itself.
    launcher=(srun --mpi=pmix --cpus-per-task="$OMP_NUM_THREADS" --cpu-bind=cores
              --kill-on-bad-exit=1)
  else
    # By default Open MPI binds a rank to one core, on which all its threads would crowd.
    launcher=(mpirun -np "${SLURM_NTASKS:-1}" --bind-to none)
  fi
  echo "launch: ${SLURM_NTASKS:-1} ranks, $OMP_NUM_THREADS threads each," \
    "restart ${SLURM_RESTART_COUNT:-0}: ${launcher[*]} $TOFU_MPI_PROGRAM $*"

  "${launcher[@]}" "$TOFU_MPI_PROGRAM" "$@" &
  local job=$! interrupted status
  # SIGUSR1 comes before the time limit (--signal), SIGTERM at pre-emption. The ranks get SIGUSR1
  # in both cases: at SIGTERM mpirun would end them at once.
  trap 'interrupted=1; kill -USR1 "$job" 2>/dev/null' USR1 TERM
  while :; do
    interrupted=0
    wait "$job"
    status=$?
    [ "$interrupted" = 1 ] || break # a signal ends the wait, not the job
  done
  trap - USR1 TERM

  if [ "$status" = "$EXIT_REQUEUE" ] && [ -n "${SLURM_JOB_ID:-}" ]; then
    echo "launch: stopped after a checkpoint; back into the queue"
    scontrol requeue "$SLURM_JOB_ID"
  fi
  return "$status"
}
