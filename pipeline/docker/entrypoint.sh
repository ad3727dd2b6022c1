#!/bin/sh
# Runs a command. Options alone are those of a Beam worker, or else of a model server.
case "$1" in
  --*)
    case " $*" in
      *" --id="* | *" --worker_pool"*) exec fewshot-beam-worker "$@" ;;
      *) exec fewshot serve "$@" ;;
    esac
    ;;
esac
exec "$@"
