# shellcheck shell=bash
# The one place for what differs between sites. slurm/launch.sh reads it before every job.
#
# Load what the program was built with here, for instance
#   module load gcc openmpi hdf5-parallel
# and activate nothing else: the program needs no Python.

# The program, from the folder that the job is submitted from.
: "${TOFU_MPI_PROGRAM:=build/release/tofu_mpi}"

# srun or mpirun. srun starts the ranks itself only if Slurm knows the PMI of the MPI library;
# without it every rank would take itself for the whole job, so mpirun is taken then.
if [ -z "${TOFU_MPI_LAUNCHER:-}" ]; then
  if srun --mpi=list 2>&1 | grep -qw pmix; then
    TOFU_MPI_LAUNCHER=srun
  else
    TOFU_MPI_LAUNCHER=mpirun
  fi
fi
