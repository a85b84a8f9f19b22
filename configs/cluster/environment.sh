# The environment of submitting and of every job: my_qadapter.yaml has each job read it;
# read it yourself on the login node: . FOLDER/environment.sh
export FW_CONFIG_FILE=FOLDER/FW_config.yaml
export JOBFLOW_CONFIG_FILE=FOLDER/jobflow.yaml
# Checkpoints of running calculations, on a file system that all nodes share and that keeps files
# for longer than a job: a job that hits its walltime goes on from there in the next one.
export INTEROHM_DATA=FOLDER/data
# One core a calculation; many of them run side by side.
export OMP_NUM_THREADS=1
# Results go into a MongoDB server, which takes many writers. Its credentials go here, on the
# cluster (mode 600): take away the # and fill in.
# export INTEROHM_MONGODB_URI='mongodb://USER:PASSWORD@localhost:27017/?authSource=admin'
export INTEROHM_MONGODB_DATABASE=interohm
# Where interohm is installed:
. ENVIRONMENT/bin/activate
