//! What the person wants now: state machine, pacing, undo. No clock, no thread, no IO.
