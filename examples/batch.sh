#!/usr/bin/env bash
# The whole experiment with the four scripts: every part, every group, within and across. `batch.sh -h` explains it.
#
# One command does the same, embeds each photo without files in between, and adds intervals, a ranking and a report:
#
#     facepart study -s PHOTOS -o STUDY --people PEOPLE --groups CM,CF,AAM,AAF -d MORPH --cross
#
# Both give the same scores: OUT/matches/eyes/CM_scores.npz here equals STUDY/matches/eyes/CM_scores.npz there.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: PHOTOS=FOLDER PEOPLE=CSV OUT=FOLDER [VARIABLE=VALUE ...] examples/batch.sh

Blurs each part in every photo, extracts the features of the baseline and the blurred photos, lists them by group,
matches within each list and each blurred list with the baseline list, and plots the scores.

  PHOTOS       aligned face photos: a folder, or a list with one path a line
  PEOPLE       table of subjects or photos and their groups, a CSV file (see lists/README.md)
  OUT          folder of all outputs
  GROUP_NAMES  groups, separated by commas (default: CM,CF,AAM,AAF)
  PARTS        parts, separated by commas (default: eyes,brows,eyes_brows,nose,mouth,hair,skin)
  DATASET      naming convention, which reads the subject from a file name, see `facepart match -h` (default: the one
               that the names follow; each command prints it, or stops if it is not certain)
  PYTHON       the Python that has the requirements installed (default: python3)

Writes OUT/masks, OUT/blurred, OUT/features, OUT/lists, OUT/matches and OUT/plots. Each command is printed before it
runs. You can stop at any time and run the same command again: finished work is kept. If you remove or replace photos,
use a new OUT: outputs of earlier photos are not redone.
TEXT
}

fail() {
    echo "batch.sh: $1; batch.sh -h explains the variables" >&2
    exit 2
}

case "${1-}" in
    "") ;;
    -h | --help) usage && exit 0 ;;
    *) fail "takes variables, not arguments, but got $1" ;;
esac
[ -n "${PHOTOS-}" ] || fail "PHOTOS is not set"
[ -n "${PEOPLE-}" ] || fail "PEOPLE is not set"
[ -n "${OUT-}" ] || fail "OUT is not set"
PYTHON=${PYTHON:-python3}
naming=()
[ -z "${DATASET-}" ] || naming=(-d "$DATASET")
# Not called GROUPS: bash has a variable of that name, which cannot be set.
IFS=, read -r -a groups <<<"${GROUP_NAMES:-CM,CF,AAM,AAF}"
IFS=, read -r -a parts <<<"${PARTS:-eyes,brows,eyes_brows,nose,mouth,hair,skin}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Commands run in the background, so that a signal to this script stops them at once. Which one runs, bash itself knows:
# a signal may come before a variable holds it.
stop() {
    trap '' INT TERM HUP
    kill $(jobs -p) 2>/dev/null || true
    wait
    echo "batch.sh: interrupted; run the same command again to finish" >&2
    exit "$1"
}
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM

# Show a command and run it: run COMMAND...
run() {
    printf '+'
    printf ' %q' "$@"
    printf '\n'
    "$@" &
    wait "$!"
}

# Run a command unless it is done and nothing it depends on has changed: run_once MARKER INPUT... -- COMMAND...
# The marker holds the command, so that a changed setting runs it again, as a newer input does.
run_once() {
    local marker=$1 inputs=() command
    shift
    while [ "$1" != -- ]; do
        inputs+=("$1")
        shift
    done
    shift
    command=$(printf ' %q' "$@")
    if [ -f "$marker" ] && [ "$(cat "$marker")" = "$command" ] && [ -z "$(newer_than "$marker" "${inputs[@]}")" ]; then
        printf '= done before:%s\n' "$command"
        return
    fi
    rm -f "$marker"
    run "$@"
    printf '%s\n' "$command" >"$marker"
}

# Print the inputs that are newer than a marker: newer_than MARKER INPUT... Of a folder, only its features count.
newer_than() {
    local marker=$1 input
    for input in "${@:2}"; do
        if [ -d "$input" ]; then
            find "$input" -name '*.npy' -newer "$marker" -print -quit
        elif [ "$input" -nt "$marker" ]; then
            echo "$input"
        fi
    done
}

echo "1. Blur each part: $PHOTOS -> $OUT/masks, $OUT/blurred"
run "$PYTHON" "$root/face_parsing_BiSeNet/" -s "$PHOTOS" -m "$OUT/masks" -d "$OUT/blurred" --parts "${parts[@]}"

echo "2. Extract features -> $OUT/features"
run "$PYTHON" "$root/face_matching/" -s "$PHOTOS" -d "$OUT/features/baseline"
for part in "${parts[@]}"; do
    run "$PYTHON" "$root/face_matching/" -s "$OUT/blurred/blurred_$part" -d "$OUT/features/$part"
done

echo "3. List the features of each group -> $OUT/lists"
for condition in baseline "${parts[@]}"; do
    for group in "${groups[@]}"; do
        run_once "$OUT/lists/$condition/$group.done" "$OUT/features/$condition" "$PEOPLE" -- \
            "$PYTHON" "$root/lists/" -s "$OUT/features/$condition" -o "$OUT/lists/$condition/$group.txt" \
            --people "$PEOPLE" --group "$group" ${naming[@]+"${naming[@]}"}
    done
done

echo "4. Match within each list, baseline and blurred -> $OUT/matches"
for condition in baseline "${parts[@]}"; do
    for group in "${groups[@]}"; do
        list="$OUT/lists/$condition/$group.txt"
        run_once "$OUT/matches/$condition/$group.done" "$list" "$OUT/features/$condition" -- \
            "$PYTHON" "$root/face_matching/" -p "$list" -o "$OUT/matches/$condition" ${naming[@]+"${naming[@]}"} -gr "$group"
    done
done

echo "5. Match across, blurred probes with the baseline gallery -> $OUT/matches/cross_*"
for part in "${parts[@]}"; do
    for group in "${groups[@]}"; do
        probe="$OUT/lists/$part/$group.txt" gallery="$OUT/lists/baseline/$group.txt"
        run_once "$OUT/matches/cross_$part/$group.done" \
            "$probe" "$gallery" "$OUT/features/$part" "$OUT/features/baseline" -- \
            "$PYTHON" "$root/face_matching/" -p "$probe" -g "$gallery" \
            -o "$OUT/matches/cross_$part" ${naming[@]+"${naming[@]}"} -gr "$group"
    done
done

echo "6. Plot each part in each group -> $OUT/plots"
for part in "${parts[@]}"; do
    for group in "${groups[@]}"; do
        baseline="$OUT/matches/baseline/${group}_scores.npz"
        within="$OUT/matches/$part/${group}_scores.npz"
        across="$OUT/matches/cross_$part/${group}_scores.npz"
        run_once "$OUT/plots/${group}_$part.done" "$baseline" "$within" "$across" -- \
            "$PYTHON" "$root/Plots/" -s1 "$baseline" -l1 Baseline -s2 "$within" -l2 "No $part" \
            -s3 "$across" -l3 "No $part, baseline gallery" -t "$group" -d "$OUT/plots" -n "${group}_$part"
    done
done
echo "done: $OUT"
