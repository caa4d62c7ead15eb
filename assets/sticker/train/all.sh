#!/bin/bash
# All stages, one after another, each going on where it stopped: all.sh RUN [STAGE…]
#
# On two cores: leave the limits out, it takes hours. On a data-centre GPU (minutes of each stage, and its last stretch):
#   VAE=7 TEXT=1 all.sh RUN vae text;  TEACHER=9 all.sh RUN teacher;  LORA=3 LCM=3 DECODER=1 all.sh RUN lora lcm decoder judge figures files
set -euo pipefail
cd "$(dirname "$0")"
run=$1
shift
[ $# -gt 0 ] || set -- vae text teacher lora lcm decoder judge figures files
python=${PYTHON:-python3}
gpu=$($python -c 'import torch; print(int(torch.cuda.is_available()))')
limit() { [ -z "$1" ] || echo "--minutes $1 ${FINISH---finish}"; }
for stage in "$@"; do
    echo "== $stage $(date +%T)"
    case $stage-$gpu in
        vae-0) $python train_vae.py "$run" --steps "${VAE_STEPS:-4000}" $(limit "${VAE:-}") ;;
        vae-1) $python train_vae.py "$run" --width 48 --batch 64 --pool 4000 --steps 100000 $(limit "${VAE:-}") ;;
        text-*) $python train_text.py "$run" ${TEXT:+--minutes $TEXT} ;;
        teacher-0) $python train_teacher.py "$run" $(limit "${TEACHER:-}") ;;
        teacher-1) $python train_teacher.py "$run" --batch 512 --rate 1e-3 --steps 100000 --first 120 --shards 120 $(limit "${TEACHER:-}") ;;
        lcm-0) $python train_lcm.py "$run" $(limit "${LCM:-}") ;;
        lcm-1) $python train_lcm.py "$run" --batch 256 --steps 100000 $(limit "${LCM:-}") ;;
        lora-0) $python train_lcm.py "$run" --lora $(limit "${LORA:-}") ;;
        lora-1) $python train_lcm.py "$run" --lora --batch 256 --steps 100000 $(limit "${LORA:-}") ;;
        decoder-0) $python train_decoder.py "$run" $(limit "${DECODER:-}") ;;
        decoder-1) $python train_decoder.py "$run" --batch 16 --pool 2000 $(limit "${DECODER:-}") ;;
        judge-*) $python classifier.py "$run" ;;
        figures-*) $python evaluate.py "$run" ;;
        files-*) $python export.py "$run" "$run/files" ;;
        *) echo "unknown stage $stage" >&2; exit 2 ;;
    esac
done
