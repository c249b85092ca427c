#!/bin/sh
# keeper.sh SIGNAL SECONDS COMMAND [ARGUMENT…]
#
# Becomes COMMAND, and leaves a small watcher behind that ends COMMAND when the launcher is gone. The launcher holds the
# other end of file descriptor 3, which closes even when the launcher is killed with -9, on every system. When COMMAND has
# ended, the launcher writes a word before it closes, so that the watcher never signals a reused process id.

# keeper.sh --watch PID SIGNAL SECONDS: the watcher itself, a program of its own so that its command line is not COMMAND's.
if [ "$1" = --watch ]; then
  component=$2
  signal=$3
  seconds=$4
  trap '' HUP INT TERM
  if read -r word <&3; then exit 0; fi
  kill -s "$signal" "$component" || exit 0
  while [ "$seconds" -gt 0 ]; do
    sleep 1
    kill -s 0 "$component" || exit 0
    # Where nothing reaps orphans, as in many containers, an ended process keeps its id and can still be signalled.
    if [ -r "/proc/$component/stat" ] && read -r stat <"/proc/$component/stat"; then
      case ${stat##*) } in [ZX]*) exit 0 ;; esac
    fi
    seconds=$((seconds - 1))
  done
  kill -s KILL "$component"
  exit 0
fi

signal=$1
seconds=$2
shift 2

# A subshell that ends at once starts the watcher, so that it is not a child of COMMAND: PostgreSQL, for one, waits for all
# of its children.
(exec sh "$0" --watch "$$" "$signal" "$seconds" </dev/null >/dev/null 2>&1 &)
exec "$@" 3<&- </dev/null
