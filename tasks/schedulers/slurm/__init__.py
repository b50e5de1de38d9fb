"""Slurm, as sbatch(1), squeue(1), sacct(1) and scontrol(1) describe it."""
