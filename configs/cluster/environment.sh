# The environment for submitting and for every job: my_qadapter.yaml makes each job read it;
# on the login node, read it yourself: . FOLDER/environment.sh
export FW_CONFIG_FILE=FOLDER/FW_config.yaml
export JOBFLOW_CONFIG_FILE=FOLDER/jobflow.yaml
# Checkpoints of running calculations, on a file system that all nodes share and that keeps files
# for longer than a job: a job that reaches its walltime continues from there in the next one.
export INTEROHM_DATA=FOLDER/data
# One core per calculation; many calculations run side by side.
export OMP_NUM_THREADS=1
# Results go to a MongoDB server, which allows many writers. Its address, with credentials, belongs
# in this file on the cluster, which only you can read (mode 600).
# Remove the # and fill in the address:
# export INTEROHM_MONGODB_URI='mongodb://USER:PASSWORD@localhost:27017/?authSource=admin'
export INTEROHM_MONGODB_DATABASE=interohm
# Where interohm is installed:
. ENVIRONMENT/bin/activate
